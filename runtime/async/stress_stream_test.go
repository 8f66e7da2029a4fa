package async_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/pool"
)

// counting is a producer in the shape of a generated machine: it yields the numbers from 0 to n, and waits for something
// before each.
type counting struct {
	async.Builder0
	ctx     context.Context
	out     async.Yielder[int]
	before  func(int) async.Task0
	i, n    int
	awaiter async.Awaiter0
}

func nothingBefore(int) async.Task0 { return async.Completed0(nil) }

// numbersTo is a stream of the numbers from 0 to n.
func numbersTo(n int, before func(int) async.Task0) async.Stream[int] {
	return async.NewStream(func(ctx context.Context, out async.Yielder[int]) (task async.Task0) {
		m := counting{ctx: ctx, out: out, before: before, n: n}
		defer m.Catch(&task)
		m.MoveNext(nil)
		if m.IsCompleted() {
			return m.Result()
		}
		return m.Task()
	})
}

func (m *counting) onHeap(awaited *async.Header) *counting {
	if m.OnStack() {
		return m.leaveStack(awaited)
	}
	return m
}

//go:noinline
func (m *counting) leaveStack(awaited *async.Header) *counting {
	h := &counting{ctx: m.ctx, out: m.out, before: m.before, i: m.i, n: m.n}
	m.Promote(h, m.ctx, awaited)
	return h
}

func (m *counting) MoveNext(*async.Executor) async.Continuation {
	var (
		err  error
		task async.Task0
	)
	switch m.State {
	case 1:
		task = m.awaiter.Task(m.Awaited)
		goto waited
	case 2:
		task = m.awaiter.Task(m.Awaited)
		goto yielded
	}
loop:
	if !(m.i < m.n) {
		return m.SetResult(nil)
	}
	task = m.before(m.i)
	if !task.IsCompleted() {
		h := async.Self(m.onHeap(task.Header()))
		h.State = 1
		if h.awaiter.OnCompleted(task, &h.Header, h) {
			return nil
		}
	}
waited:
	if err = task.GetResult(); err != nil {
		return m.SetResult(err)
	}
	task = m.out.YieldAsync(m.i)
	if !task.IsCompleted() {
		h := async.Self(m.onHeap(task.Header()))
		h.State = 2
		if h.awaiter.OnCompleted(task, &h.Header, h) {
			return nil
		}
	}
yielded:
	if err = task.GetResult(); err != nil {
		return m.SetResult(err)
	}
	m.i++
	goto loop
}

// ranging is a consumer in that shape: it adds up a stream, or yields its values.
type ranging struct {
	async.Builder0
	ctx     context.Context
	it      async.Iterator[int]
	out     *async.Yielder[int]
	sum     *atomic.Int64
	awaiter async.Awaiter2[int, bool]
	turn    async.Awaiter0
}

func rangeIn(ctx context.Context, s async.Stream[int], out *async.Yielder[int], sum *atomic.Int64) (task async.Task0) {
	m := ranging{ctx: ctx, it: s(ctx), out: out, sum: sum}
	defer m.Catch(&task)
	m.MoveNext(nil)
	if m.IsCompleted() {
		return m.Result()
	}
	return m.Task()
}

// relay is a stream of what another has.
func relay(of async.Stream[int]) async.Stream[int] {
	return async.NewStream(func(ctx context.Context, out async.Yielder[int]) async.Task0 {
		return rangeIn(ctx, of, &out, new(atomic.Int64))
	})
}

func (m *ranging) onHeap(awaited *async.Header) *ranging {
	if m.OnStack() {
		return m.leaveStack(awaited)
	}
	return m
}

//go:noinline
func (m *ranging) leaveStack(awaited *async.Header) *ranging {
	h := &ranging{ctx: m.ctx, it: m.it, out: m.out, sum: m.sum}
	m.Promote(h, m.ctx, awaited)
	return h
}

func (m *ranging) MoveNext(*async.Executor) async.Continuation {
	var (
		v    int
		ok   bool
		err  error
		next async.Task2[int, bool]
		turn async.Task0
	)
	switch m.State {
	case 1:
		next = m.awaiter.Task(m.Awaited)
		goto come
	case 2:
		turn = m.turn.Task(m.Awaited)
		goto yielded
	}
loop:
	next = m.it.NextAsync()
	if !next.IsCompleted() {
		h := async.Self(m.onHeap(next.Header()))
		h.State = 1
		if h.awaiter.OnCompleted(next, &h.Header, h) {
			return nil
		}
	}
come:
	v, ok, err = next.GetResult()
	if !ok {
		return m.SetResult(err)
	}
	m.sum.Add(int64(v))
	if m.out == nil {
		goto loop
	}
	turn = m.out.YieldAsync(v)
	if !turn.IsCompleted() {
		h := async.Self(m.onHeap(turn.Header()))
		h.State = 2
		if h.turn.OnCompleted(turn, &h.Header, h) {
			return nil
		}
	}
yielded:
	if err = turn.GetResult(); err != nil {
		m.it.CloseAsync() // of which nothing has to wait in these tests
		return m.SetResult(err)
	}
	goto loop
}

// slower is by how much there is less to do with the race detector.
var slower = map[bool]int{false: 1, true: 20}[raceEnabled]

// sumOf is what the numbers from 0 to n add up to.
func sumOf(n int) int64 { return int64(n) * int64(n-1) / 2 }

// stackDepth returns how many calls stand below.
func stackDepth() int {
	for size := 1 << 12; ; size *= 4 {
		if n := runtime.Callers(0, make([]uintptr, size)); n < size {
			return n
		}
	}
}

// steady fails if the stack is deeper the last times than it was the first.
type steady struct {
	mu          sync.Mutex
	n           int
	first, last int
}

func (s *steady) look(int) async.Task0 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.n++; s.n <= 10 {
		s.first = max(s.first, stackDepth())
	} else if s.n%997 == 0 {
		s.last = max(s.last, stackDepth())
	}
	return async.Completed0(nil)
}

func (s *steady) mustHold(t *testing.T, what string) {
	t.Helper()
	if s.last > s.first || s.n < 1000 {
		t.Errorf("%s: after %d values the stack is %d calls deep, at the first it was %d", what, s.n, s.last, s.first)
	}
}

// However many values there are, and however many streams they go through, the stack does not grow with them.
func TestStreamsInConstantStack(t *testing.T) {
	for _, tt := range []struct{ relays, values int }{{0, 1_000_000 / slower}, {1, 100_000 / slower}, {1000 / slower, 1000}} {
		chain := func(before func(int) async.Task0) async.Stream[int] {
			s := numbersTo(tt.values, before)
			for range tt.relays {
				s = relay(s)
			}
			return s
		}
		check := func(what string, consume func(async.Stream[int], *atomic.Int64)) {
			t.Helper()
			var deep steady
			var sum atomic.Int64
			if consume(chain(deep.look), &sum); sum.Load() != sumOf(tt.values) {
				t.Errorf("%s: the sum is %d, want %d", what, sum.Load(), sumOf(tt.values))
			}
			deep.mustHold(t, fmt.Sprint(what, " through ", tt.relays))
		}
		check("a machine", func(s async.Stream[int], sum *atomic.Int64) { mustEnd(t, rangeIn(bg, s, nil, sum), nil) })
		check("a machine of a host", func(s async.Stream[int], sum *atomic.Int64) {
			h := &testHost{ex: async.NewExecutor(nil)}
			ctx := async.WithHost(bg, h)
			var task async.Task0
			h.ex.Run(async.ContinuationFunc(func(*async.Executor) { task = rangeIn(ctx, s, nil, sum) }))
			mustEnd(t, task, nil)
		})
		check("a machine of a context", func(s async.Stream[int], sum *atomic.Int64) {
			q := new(queueContext)
			task := rangeIn(q.context(), s, nil, sum)
			q.run()
			mustEnd(t, task, nil)
		})
		check("a range that blocks", func(s async.Stream[int], sum *atomic.Int64) {
			for v, err := range s.Await(bg) {
				if sum.Add(int64(v)); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// The same where each value is waited for, and comes from what completes it.
func TestStreamsOfWhatIsWaitedFor(t *testing.T) {
	for _, tt := range []struct{ relays, values int }{{0, 100_000 / slower}, {1000 / slower, 1000}} {
		for _, ex := range []*async.Executor{nil, async.NewExecutor(nil)} {
			var deep steady
			var source *async.Source0
			s := numbersTo(tt.values, func(i int) async.Task0 {
				deep.look(i)
				source = async.NewSource0()
				return source.Task()
			})
			for range tt.relays {
				s = relay(s)
			}
			var sum atomic.Int64
			task := rangeIn(bg, s, nil, &sum)
			for range tt.values {
				source.Complete(ex, struct{}{}, nil)
			}
			if mustEnd(t, task, nil); sum.Load() != sumOf(tt.values) {
				t.Errorf("the sum is %d, want %d", sum.Load(), sumOf(tt.values))
			}
			deep.mustHold(t, fmt.Sprint("through ", tt.relays))
		}
	}
}

// A value makes no object, where machines hand it on.
func TestStreamsAllocateNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes pools forget")
	}
	const values = 1000
	h := &testHost{ex: async.NewExecutor(nil)}
	sc := new(slot)
	ctx, ex := async.WithSyncContext(bg, sc), async.NewExecutor(sc)
	for name, run := range map[string]func(s async.Stream[int], sum *atomic.Int64){
		"anywhere": func(s async.Stream[int], sum *atomic.Int64) { rangeIn(bg, s, nil, sum) },
		"in a host": func(s async.Stream[int], sum *atomic.Int64) {
			h.ex.Run(async.ContinuationFunc(func(*async.Executor) { rangeIn(async.WithHost(bg, h), s, nil, sum) }))
		},
		"in a context": func(s async.Stream[int], sum *atomic.Int64) {
			for rangeIn(ctx, s, nil, sum); sc.posted != nil; {
				c := sc.posted
				sc.posted = nil
				ex.Run(c)
			}
		},
	} {
		for relays := range 3 {
			var sum atomic.Int64
			s := numbersTo(values, nothingBefore)
			for range relays {
				s = relay(s)
			}
			if n := testing.AllocsPerRun(10, func() { run(s, &sum) }); n > values/10 || sum.Load()%sumOf(values) != 0 {
				t.Errorf("%s: %d values through %d relays make %v objects", name, values, relays, n)
			}
		}
	}
}

// Producers, consumers and whoever closes are on goroutines of their own.
func TestStreamsFromManyGoroutines(t *testing.T) {
	values := 100_000 / slower
	elsewhere := func(int) async.Task0 {
		s := async.NewSource0()
		go s.SetResult()
		return s.Task()
	}
	workers := pool.NewWorkers(4)
	for name, ctx := range map[string]context.Context{"anywhere": bg, "on workers": workers.Context(bg), "one at a time": pool.NewSerial().Context(bg)} {
		for source, before := range map[string]func(int) async.Task0{"at once": nothingBefore, "elsewhere": elsewhere} {
			var sum atomic.Int64
			if err := rangeIn(ctx, relay(numbersTo(values, before)), nil, &sum).Await(); err != nil || sum.Load() != sumOf(values) {
				t.Errorf("%s, %s, in machines: %v, and the sum is %d", name, source, err, sum.Load())
			}
			sum.Store(0)
			for v, err := range relay(numbersTo(values, before)).Await(ctx) {
				if sum.Add(int64(v)); err != nil {
					t.Error(err)
				}
			}
			if sum.Load() != sumOf(values) {
				t.Errorf("%s, %s, in a range: the sum is %d", name, source, sum.Load())
			}
		}
		next := 0
		for v := range streamOn(values).Await(ctx) {
			if v != next {
				t.Fatalf("%d came after %d", v, next-1)
			}
			next++
		}
	}
}

// streamOn is numbersTo in blocking form.
func streamOn(n int) async.Stream[int] {
	return async.NewStream(func(ctx context.Context, out async.Yielder[int]) async.Task0 {
		return async.Go0(ctx, func(context.Context) error {
			for i := range n {
				if err := out.YieldAsync(i).Await(); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// A stream is closed, and dumped, while it is asked and its producer yields or ends on another goroutine: whoever waits
// goes on.
func TestStreamsAreClosedAtAnyTime(t *testing.T) {
	failed := errors.New("failed")
	for i := range 50_000 / slower {
		var wg sync.WaitGroup
		gate := async.NewSource0()
		it := numbersTo(3, func(v int) async.Task0 {
			if v == i%3 {
				return gate.Task()
			}
			return async.Completed0(nil)
		})(bg)
		var got []int
		wg.Go(func() {
			for {
				v, ok, err := it.NextAsync().Await()
				if !ok {
					if err != nil && err != failed {
						t.Error(err)
					}
					return
				}
				got = append(got, v)
			}
		})
		wg.Go(func() {
			if i%2 == 0 {
				gate.SetError(failed)
			} else {
				gate.SetResult()
			}
		})
		for range i % 3 {
			wg.Go(func() {
				if err := it.CloseAsync().Await(); err != nil && err != failed {
					t.Error(err)
				}
			})
		}
		wg.Go(func() {
			for _, k := range async.AwaitedBy(gate) {
				for _, k := range async.AwaitedBy(k) {
					async.AwaitedBy(k)
					async.MustResume(k)
				}
			}
		})
		wg.Wait()
		it.CloseAsync().Await()
		for j, v := range got {
			if v != j {
				t.Fatalf("got %v", got)
			}
		}
	}
}

// Who gives up waiting for a value, or for its turn, may find it there all the same, and asks or yields again while
// whoever has completed it is not yet done with it.
func TestStreamsWithWhoGivesUp(t *testing.T) {
	for i := range 1000 {
		s := async.NewStream(func(ctx context.Context, out async.Yielder[int]) async.Task0 {
			return async.Go0(ctx, func(context.Context) error {
				for v := range 10 {
					turn := out.YieldAsync(v)
					if err := impatiently(turn, i); err != nil {
						return err
					}
				}
				return nil
			})
		})
		it, sum := s(bg), 0
		for {
			next := it.NextAsync()
			impatiently(next, i)
			v, ok, err := next.GetResult()
			if err != nil {
				t.Fatal(err)
			}
			if !ok {
				break
			}
			sum += v
		}
		if sum != 45 {
			t.Fatalf("the sum is %d", sum)
		}
	}
}

// impatiently waits for a task by giving up, again and again.
func impatiently(op async.Operation, i int) error {
	for !op.IsCompleted() {
		nudge := async.NewSource0()
		go nudge.SetResult()
		async.WhenAny[async.Operation](bg, op, nudge.Task()).Await()
		if i%3 == 0 {
			runtime.Gosched()
		}
	}
	if turn, ok := op.(async.Task0); ok {
		return turn.GetResult()
	}
	return nil
}
