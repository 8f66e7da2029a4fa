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

func (q *completionQueue) next() (released async.Continuation, more bool) {
	if q.head == q.tail {
		return nil, false
	}
	s := q.ring[q.head&(len(q.ring)-1)]
	q.head++
	released, _ = s.Release(1, nil)
	return released, true
}

// BenchmarkSuspendResumeHosted is the same in a host, whose loop completes one
// operation after the other.
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
	ex.RunAll(q.next)
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
	ex := async.NewExecutor(nil)
	s := async.NewSourceFor[int](async.WithHost(b.Context(), &testHost{ex: ex}))
	levels := make([]func(int) async.Task[int], depth+1)
	levels[0] = func(i int) async.Task[int] {
		s.Reset()
		q.issue(s)
		return s.Task()
	}
	levels[1] = func(int) async.Task[int] { return call(2, levels[0]) }
	for d := 2; d <= depth; d++ {
		levels[d] = func(int) async.Task[int] { return call(1, levels[d-1]) }
	}
	task := call(b.N, levels[depth])
	b.ResetTimer()
	ex.RunAll(q.next)
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

// handOperation is an operation in flight, and handContinuation what goes on after
// it, as one would write them by hand for one goroutine: no panics are kept, no
// other goroutine may complete it, nobody may await it twice.
type handOperation struct {
	value int
	err   error
	done  bool
	then  handContinuation
}

type handContinuation interface{ resume() }

// handLoop is sumMachine by hand.
type handLoop struct {
	next  func(int) *handOperation
	n, i  int
	sum   int
	err   error
	op    *handOperation
	then  handContinuation
	ended bool
}

func (l *handLoop) run() {
	for l.i < l.n {
		l.op = l.next(l.i)
		if !l.op.done {
			l.op.then = l
			return
		}
		l.take()
	}
	l.ended = true
	if l.then != nil {
		l.then.resume()
	}
}

func (l *handLoop) resume() {
	l.take()
	l.run()
}

func (l *handLoop) take() {
	if l.op.err != nil {
		l.err, l.n = l.op.err, 0
		return
	}
	l.sum += l.op.value
	l.i++
}

type handQueue struct {
	ring       []*handOperation
	head, tail int
}

func (q *handQueue) issue(op *handOperation) {
	q.ring[q.tail&(len(q.ring)-1)] = op
	q.tail++
}

func (q *handQueue) complete() bool {
	if q.head == q.tail {
		return false
	}
	op := q.ring[q.head&(len(q.ring)-1)]
	q.head++
	op.value, op.done = 1, true
	op.then.resume()
	return true
}

func BenchmarkSuspendResumeByHand(b *testing.B) {
	b.ReportAllocs()
	q := &handQueue{ring: make([]*handOperation, 8)}
	var op handOperation
	l := &handLoop{n: b.N, next: func(int) *handOperation {
		op = handOperation{}
		q.issue(&op)
		return &op
	}}
	l.run()
	for q.complete() {
	}
	if l.sum != b.N {
		b.Error(l.sum)
	}
}

// handParent calls a handLoop of two operations in a loop.
type handParent struct {
	n, i, sum int
	child     *handLoop
	free      []*handLoop
	next      func(int) *handOperation
}

func (p *handParent) run() {
	for p.i < p.n {
		if k := len(p.free); k > 0 {
			p.child, p.free = p.free[k-1], p.free[:k-1]
		} else {
			p.child = new(handLoop)
		}
		p.child.n, p.child.next = 2, p.next
		p.child.run()
		if !p.child.ended {
			p.child.then = p
			return
		}
		p.take()
	}
}

func (p *handParent) resume() {
	p.take()
	p.run()
}

func (p *handParent) take() {
	p.sum += p.child.sum
	p.i++
	*p.child = handLoop{}
	p.free = append(p.free, p.child)
}

// BenchmarkNestedByHand is BenchmarkNestedCallPooled by hand.
func BenchmarkNestedByHand(b *testing.B) {
	b.ReportAllocs()
	q := &handQueue{ring: make([]*handOperation, 8)}
	var op handOperation
	p := &handParent{n: b.N, next: func(int) *handOperation {
		op = handOperation{}
		q.issue(&op)
		return &op
	}}
	p.run()
	for q.complete() {
	}
	if p.sum != 2*b.N {
		b.Error(p.sum)
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
