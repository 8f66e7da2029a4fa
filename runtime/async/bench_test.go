package async_test

import (
	"testing"

	"github.com/nothread/nothread/runtime/async"
)

func BenchmarkAwaitCompleted(b *testing.B) {
	b.ReportAllocs()
	next := func(i int) async.Task[int] { return async.Completed(1, nil) }
	sumAsync(b.N, next).Await()
}

// BenchmarkKickoffSynchronous is a nested call that never waits.
func BenchmarkKickoffSynchronous(b *testing.B) {
	b.ReportAllocs()
	next := func(i int) async.Task[int] { return async.Completed(1, nil) }
	for range b.N {
		sumAsync(1, next).Await()
	}
}

// completionQueue is a host's: operations are queued, and completed in order.
type completionQueue struct {
	ring       []*async.Source[int]
	head, tail int
}

func (q *completionQueue) issue(s *async.Source[int]) {
	q.ring[q.tail&(len(q.ring)-1)] = s
	q.tail++
}

func (q *completionQueue) complete(ex *async.Executor) bool {
	if q.head == q.tail {
		return false
	}
	s := q.ring[q.head&(len(q.ring)-1)]
	q.head++
	return s.Complete(ex, 1, nil)
}

// BenchmarkSuspendResume is one loop whose every await suspends and is resumed
// through a completion queue.
func BenchmarkSuspendResume(b *testing.B) {
	b.ReportAllocs()
	q := &completionQueue{ring: make([]*async.Source[int], 8)}
	var s async.Source[int]
	task := sumAsync(b.N, func(i int) async.Task[int] {
		if i > 0 {
			s.Reset()
		}
		q.issue(&s)
		return s.Task()
	})
	ex := async.NewExecutor(nil)
	b.ResetTimer()
	for q.complete(ex) {
	}
	if v, _ := task.Await(); v != b.N {
		b.Errorf("%d of %d", v, b.N)
	}
}

// BenchmarkSuspendResumeHosted is the same in a host.
func BenchmarkSuspendResumeHosted(b *testing.B) {
	b.ReportAllocs()
	q := &completionQueue{ring: make([]*async.Source[int], 8)}
	ex := async.NewExecutor(nil)
	s := async.NewSourceFor[int](async.WithHost(b.Context(), &testHost{ex: ex}))
	task := sumAsync(b.N, func(i int) async.Task[int] {
		if i > 0 {
			s.Reset()
		}
		q.issue(s)
		return s.Task()
	})
	b.ResetTimer()
	for q.complete(ex) {
	}
	if v, _ := task.Await(); v != b.N {
		b.Errorf("%d of %d", v, b.N)
	}
}

// BenchmarkSuspendResumePooledSource is the same with sources from a pool.
func BenchmarkSuspendResumePooledSource(b *testing.B) {
	b.ReportAllocs()
	var pool async.SourcePool[int]
	var pending async.PooledSource[int]
	task := sumAsync(b.N, func(i int) async.Task[int] {
		pending = pool.New(b.Context())
		return pending.Task()
	})
	ex := async.NewExecutor(nil)
	b.ResetTimer()
	for !task.IsCompleted() {
		pending.Complete(ex, 1, nil)
	}
}

func nested(b *testing.B, depth int, call func(n int, next func(int) async.Task[int]) async.Task[int]) {
	b.ReportAllocs()
	q := &completionQueue{ring: make([]*async.Source[int], 8)}
	var s async.Source[int]
	levels := make([]func(int) async.Task[int], depth+1)
	levels[0] = func(i int) async.Task[int] {
		s.Reset()
		q.issue(&s)
		return s.Task()
	}
	levels[1] = func(int) async.Task[int] { return call(2, levels[0]) }
	for d := 2; d <= depth; d++ {
		levels[d] = func(int) async.Task[int] { return call(1, levels[d-1]) }
	}
	ex := async.NewExecutor(nil)
	task := call(b.N, levels[depth])
	b.ResetTimer()
	for q.complete(ex) {
	}
	if v, _ := task.Await(); v != 2*b.N {
		b.Errorf("%d of %d", v, 2*b.N)
	}
}

// A nested call is created, suspended twice and finished, and so are those above
// it.
func BenchmarkNestedCall(b *testing.B)          { nested(b, 1, sumAsync) }
func BenchmarkNestedCallDepth5(b *testing.B)    { nested(b, 5, sumAsync) }
func BenchmarkNestedCallPooled(b *testing.B)    { nested(b, 1, pooledSumAsync) }
func BenchmarkNestedPooledDepth5(b *testing.B)  { nested(b, 5, pooledSumAsync) }
func BenchmarkNestedPooledDepth17(b *testing.B) { nested(b, 17, pooledSumAsync) }

// handLoop is the suspended loop as one would write it by hand.
type handLoop struct {
	n, i, sum int
	q         *handQueue
}

type handQueue struct {
	ring       []*handLoop
	head, tail int
}

func (l *handLoop) step(v int) {
	l.sum += v
	if l.i++; l.i < l.n {
		l.q.ring[l.q.tail&(len(l.q.ring)-1)] = l
		l.q.tail++
	}
}

func BenchmarkSuspendResumeByHand(b *testing.B) {
	q := &handQueue{ring: make([]*handLoop, 8)}
	l := &handLoop{n: b.N, q: q, i: -1}
	l.step(0)
	for q.head != q.tail {
		x := q.ring[q.head&(len(q.ring)-1)]
		q.head++
		x.step(1)
	}
	if l.sum != b.N {
		b.Error(l.sum)
	}
}

func BenchmarkWhenAllOfTen(b *testing.B) {
	b.ReportAllocs()
	var sources [10]async.Source[int]
	tasks := make([]async.Task[int], len(sources))
	for range b.N {
		clear(sources[:])
		for i := range sources {
			tasks[i] = sources[i].Task()
		}
		all := async.WhenAll(bg, tasks...)
		for i := range sources {
			sources[i].SetResult(1)
		}
		all.Await()
	}
}
