package async_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"weak"

	"github.com/nothread/nothread/runtime/async"
)

// yielding is a stream of what f does in the call that asks for the first value: no machine.
func yielding(f func(out async.Yielder[int]) async.Task0) async.Stream[int] {
	return async.NewStream(func(_ context.Context, out async.Yielder[int]) async.Task0 { return f(out) })
}

// mustEndSoon waits for a task that something on another goroutine completes.
func mustEndSoon(t *testing.T, task async.Task0) error {
	t.Helper()
	for range 2000 {
		if task.IsCompleted() {
			return task.GetResult()
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatal("the task is pending still")
	return nil
}

// A producer that has not waited for its last turn ends behind a value: how, is said to who asks for the next one, or
// closes the stream, once.
func TestStreamKeepsAnEndThatCameEarly(t *testing.T) {
	failed := errors.New("failed")
	for _, end := range []error{nil, failed} {
		for _, asks := range []bool{true, false} {
			it := yielding(func(out async.Yielder[int]) async.Task0 {
				out.YieldAsync(1)
				return async.Completed0(end)
			})(bg)
			mustCome(t, it.NextAsync(), 1, true, nil)
			if asks {
				mustCome(t, it.NextAsync(), 0, false, end)
				mustCome(t, it.NextAsync(), 0, false, nil)
				mustEnd(t, it.CloseAsync(), nil)
			} else {
				mustEnd(t, it.CloseAsync(), end)
				mustEnd(t, it.CloseAsync(), end)
				mustCome(t, it.NextAsync(), 0, false, nil)
			}
		}
	}
	it := yielding(func(out async.Yielder[int]) async.Task0 { out.YieldAsync(1); panic("behind a value") })(bg)
	mustCome(t, it.NextAsync(), 1, true, nil)
	mustPanic(t, "behind a value", func() { it.NextAsync().Await() })
	mustEnd(t, it.CloseAsync(), nil)

	// A producer that waits for its turn for a while only.
	var got []any
	for v, err := range async.NewStream(func(ctx context.Context, out async.Yielder[int]) async.Task0 {
		return routineIn(ctx, yieldWithin(ctx, out))
	}).Await(bg) {
		time.Sleep(5 * time.Millisecond)
		got = append(got, v, err)
	}
	if want := "[1 <nil> 0 async: the operation did not finish within 1ms]"; fmt.Sprint(got) != want {
		t.Errorf("%v, want %s", got, want)
	}
}

func yieldWithin(ctx context.Context, out async.Yielder[int]) routine {
	var turn async.Task[struct{}]
	return func() (async.Operation, bool, error) {
		if turn.IsCompleted() && turn != (async.Task[struct{}]{}) {
			_, err := turn.GetResult()
			return nil, false, err
		}
		turn = async.WithTimeout(ctx, time.Millisecond, out.YieldAsync(1).Task())
		return turn, true, nil
	}
}

// Whatever produce does that is no machine, its pass ends, also for who is closing it.
func TestStreamWhoseProducerIsNoMachine(t *testing.T) {
	var pool async.SourcePool[struct{}]
	for name, tt := range map[string]struct {
		end  func() async.Task0
		says string // the panic
	}{
		"panics": {end: func() async.Task0 { panic("in produce") }, says: "in produce"},
		"returns what was awaited": {end: func() async.Task0 {
			s := pool.New(bg)
			s.Task().OnCompleted(async.ContinuationFunc(func(*async.Executor) {}))
			var op async.Operation = s.Task()
			return async.WhenAll0(bg, op)
		}, says: "C14"},
		"exits":   {end: func() async.Task0 { runtime.Goexit(); return async.Task0{} }},
		"returns": {end: func() async.Task0 { return async.Completed0(nil) }},
		"fails":   {end: func() async.Task0 { return async.Completed0(errors.New("failed")) }},
	} {
		for _, values := range []int{0, 1} {
			for _, closes := range []bool{false, true} {
				var closed async.Task0
				var it async.Iterator[int]
				resumed := make(chan bool, 1)
				it = yielding(func(out async.Yielder[int]) async.Task0 {
					for v := range values {
						out.YieldAsync(v)
					}
					if closes {
						closed = it.CloseAsync()
						closed.OnCompleted(async.ContinuationFunc(func(*async.Executor) { resumed <- true }))
					}
					return tt.end()
				})(bg)
				var next async.Task2[int, bool]
				e := ending(func() { next = it.NextAsync() })
				if e.exited != (name == "exits") || e.panicked != "" {
					t.Errorf("%s: asking ended by %v", name, e)
				}
				switch {
				case values > 0 && !e.exited:
					mustCome(t, next, 0, true, nil)
				case tt.says != "" && !closes:
					mustPanic(t, tt.says, func() { next.Await() })
				case name == "fails" && !closes:
					if _, _, err := next.Await(); err == nil {
						t.Errorf("%s: without an error", name)
					}
				case !e.exited:
					mustCome(t, next, 0, false, nil)
				}
				if !closes {
					closed = it.CloseAsync()
				} else {
					<-resumed
				}
				e = ending(func() { mustEndSoon(t, closed) })
				if said := closes || values > 0; e.exited != (name == "exits" && said) || (e.panicked != "") != (tt.says != "" && said) {
					t.Errorf("%s after %d values, closed before: %v: closing ended by %v", name, values, closes, e)
				}
				mustCome(t, it.NextAsync(), 0, false, nil)
			}
		}
	}
}

// A panic during an exit is the caller's, as without a stream.
func TestStreamWhoseProducerPanicsWhileItExits(t *testing.T) {
	it := yielding(func(async.Yielder[int]) async.Task0 { exitsPanicking(); return async.Task0{} })(bg)
	if e := ending(func() { it.NextAsync() }); e != (end{panicked: "while it exits", exited: true}) {
		t.Errorf("asking ended by %v", e)
	}
	e := ending(func() { mustEndSoon(t, it.CloseAsync()) })
	if e.failed() {
		t.Errorf("closing ended by %v", e)
	}
}

// brokenError panics when it is compared.
type brokenError struct{}

func (brokenError) Error() string { return "broken" }
func (brokenError) Is(error) bool { panic("in Is") }
func (brokenError) Unwrap() error { panic("in Unwrap") }

// An error that cannot be asked what it is leaves nobody waiting.
func TestStreamOfABrokenError(t *testing.T) {
	defer async.OnUnobserved(async.OnUnobserved(func(*async.OperationError) {}))
	for _, form := range forms {
		gate := async.NewSource0()
		it := streamOf(form.start, []int{1}, brokenError{}, gate.Task())(bg)
		mustCome(t, it.NextAsync(), 1, true, nil)
		next := it.NextAsync()
		gate.SetResult()
		mustCome(t, next, 0, false, brokenError{})

		gate = async.NewSource0()
		it = async.NewStream(func(ctx context.Context, out async.Yielder[int]) async.Task0 {
			return form.start(ctx, func() (async.Operation, bool, error) {
				return gate.Task(), !gate.Task().IsCompleted(), brokenError{}
			})
		})(bg)
		it.NextAsync()
		closed := it.CloseAsync()
		gate.SetResult()
		mustPanic(t, "in Unwrap", func() { mustEndSoon(t, closed) })
	}
}

// manyErrors is an error of those in it.
type manyErrors []error

func (manyErrors) Error() string     { return "many" }
func (m manyErrors) Unwrap() []error { return m }

// What a producer says besides that it was left is not lost.
func TestStreamTellsHowItWasCleanedUp(t *testing.T) {
	failed := errors.New("cleaning up")
	for _, tt := range []struct {
		end  func(error) error
		says bool
	}{
		{func(err error) error { return err }, false},
		{func(err error) error { return fmt.Errorf("reading: %w", err) }, false},
		{func(err error) error { return errors.Join(err, nil) }, false},
		{func(err error) error { return errors.Join(err, failed) }, true},
		{func(err error) error { return fmt.Errorf("%w, after %w", failed, err) }, true},
		{func(error) error { return failed }, true},
		{func(error) error { return manyErrors{} }, true},
	} {
		it := async.NewStream(func(ctx context.Context, out async.Yielder[int]) async.Task0 {
			yield := yieldAll(out, []int{1}, nil)
			return routineIn(ctx, func() (async.Operation, bool, error) {
				p, more, err := yield()
				if err != nil {
					err = tt.end(err)
				}
				return p, more, err
			})
		})(bg)
		mustCome(t, it.NextAsync(), 1, true, nil)
		if err := it.CloseAsync().Await(); (err != nil) != tt.says {
			t.Errorf("%v: closing it gives %v", tt.end(async.ErrLeft), err)
		}
	}
}

// A context that cannot be asked for its values is the trouble of who begins the pass.
func TestStreamOfABrokenContext(t *testing.T) {
	s := streamOf(routineIn, []int{1}, nil)
	mustPanic(t, "no value", func() { s(valuelessContext{bg}) })
	mustPanic(t, "no value", func() {
		for range s.Await(valuelessContext{bg}) {
		}
	})
}

// failingPass is an Iterator of somebody else's, which fails for ever.
type failingPass struct{ asked, closed int }

func (p *failingPass) NextAsync() async.Task2[int, bool] {
	p.asked++
	return async.Completed2(p.asked, true, errors.New("failed"))
}

func (p *failingPass) CloseAsync() async.Task0 { p.closed++; return async.Completed0(nil) }

// A failure is the last pair of a range, also if the stream says that there is more.
func TestRangeOverAStreamEndsWithAFailure(t *testing.T) {
	p, n := new(failingPass), 0
	for v, err := range async.Stream[int](func(context.Context) async.Iterator[int] { return p }).Await(bg) {
		if n++; v != 1 || err == nil {
			t.Errorf("%d, %v", v, err)
		}
	}
	if n != 1 || p.asked != 1 || p.closed != 1 {
		t.Errorf("%d iterations, asked %d times, closed %d", n, p.asked, p.closed)
	}
}

// What came is the loop's alone: when that asks for the next value, neither it nor the pass keeps the one before.
func TestRangeOverAStreamKeepsNothingOfWhatCame(t *testing.T) {
	type large = [64]byte
	ends := async.NewSource0()
	produced := async.NewStream(func(_ context.Context, out async.Yielder[*large]) async.Task0 {
		out.YieldAsync(new(large))
		return ends.Task()
	})
	c := async.NewChannel(async.ChannelConfig[*large]{Capacity: 2})
	for _, s := range []struct {
		name          string
		stream        async.Stream[*large]
		before, after int // written
	}{
		{"a function, while it waits", produced, 0, 0},
		{"a channel, while it waits", c.All(), 1, 0},
		{"a channel that has more", c.All(), 0, 2},
	} {
		r := s.stream.Range(bg)
		for range s.before {
			c.TryWrite(new(large))
		}
		r.IsCompleted()
		for range s.after {
			c.TryWrite(new(large))
		}
		for !r.IsCompleted() { // who waits is let go on elsewhere (C56)
			runtime.Gosched()
		}
		if !r.GetResult() {
			t.Fatal(s.name, "has ended")
		}
		came := weak.Make(r.Key())
		r.IsCompleted()
		runtime.GC()
		if came.Value() != nil {
			t.Errorf("a range over %s keeps what came", s.name)
		}
		r.Leave()
		r.IsCompleted()
	}
}

// Whoever waits for a value and whoever waits for the end go on, in this order, whatever the first does; and each finds
// all of it at its end.
func TestStreamEndsForAllAtOnce(t *testing.T) {
	for _, ex := range []*async.Executor{nil, async.NewExecutor(nil)} {
		gate := async.NewSource0()
		it := yielding(func(out async.Yielder[int]) async.Task0 { return gate.Task() })(bg)
		next, closed := it.NextAsync(), it.CloseAsync()
		var order []string
		next.OnCompleted(async.ContinuationFunc(func(*async.Executor) {
			order = append(order, fmt.Sprint("next ", closed.IsCompleted()))
			panic("who asked")
		}))
		closed.OnCompleted(async.ContinuationFunc(func(*async.Executor) {
			order = append(order, fmt.Sprint("closed ", next.IsCompleted()))
		}))
		mustPanic(t, "who asked", func() { gate.Complete(ex, struct{}{}, nil) })
		if want := []string{"next true", "closed true"}; !slices.Equal(order, want) {
			t.Errorf("%q, want %q", order, want)
		}
	}
}

// That a stream was left is no failure that anybody would have to hear of; what its producer fails with is.
func TestStreamTellsWhatNobodyReads(t *testing.T) {
	var mu sync.Mutex
	var told []string
	defer async.OnUnobserved(async.OnUnobserved(func(err *async.OperationError) {
		mu.Lock()
		defer mu.Unlock()
		if text := err.Error(); strings.Contains(text, "stream") {
			told = append(told, text)
		}
	}))
	failed := func() error { return errors.New("of a stream") }
	quiet := func() {
		for _, form := range forms {
			for range streamOf(form.start, []int{1}, failed()).Await(bg) {
			}
			for range streamOf(form.start, []int{1}, failed()).Await(bg) {
				break
			}
			it := streamOf(form.start, []int{1}, failed())(bg)
			it.NextAsync().Await()
			it.CloseAsync().Await()
		}
		gate := async.NewSource0()
		it := yielding(func(out async.Yielder[int]) async.Task0 { out.YieldAsync(1); return gate.Task() })(bg)
		it.NextAsync().Await()
		closed := it.CloseAsync()
		gate.SetResult()
		closed.Await()
	}
	collect := func() string {
		for range 20 {
			runtime.GC()
			time.Sleep(time.Millisecond)
		}
		mu.Lock()
		defer mu.Unlock()
		return fmt.Sprint(told)
	}
	quiet()
	if told := collect(); told != "[]" {
		t.Errorf("told of %s", told)
	}
	loud := func() {
		gate := async.NewSource0()
		end := func() (async.Operation, bool, error) { return gate.Task(), !gate.Task().IsCompleted(), failed() }
		it := yielding(func(out async.Yielder[int]) async.Task0 { return routineIn(bg, end) })(bg)
		it.NextAsync() // nobody reads it
		gate.SetResult()

		gate = async.NewSource0()
		it = yielding(func(out async.Yielder[int]) async.Task0 { out.YieldAsync(1); return routineIn(bg, end) })(bg)
		it.NextAsync().Await() // nobody asks for more
		gate.SetResult()
	}
	loud()
	if told := collect(); strings.Count(told, "of a stream") != 2 {
		t.Errorf("told of %s", told)
	}
}

// A pass without a host belongs to that of its producer from when it is known: who blocks on it lets the host run.
func TestStreamBelongsWhereItsProducerDoes(t *testing.T) {
	h := &testHost{ex: async.NewExecutor(nil)}
	var hosted []*async.Source0
	for range 4 {
		hosted = append(hosted, async.NewSource0For(async.WithHost(bg, h)))
	}
	it := async.NewStream(func(_ context.Context, out async.Yielder[int]) async.Task0 {
		var turn async.Task0
		i, left := -1, false
		return routineIn(nil, func() (async.Operation, bool, error) { // yields one value at once, and waits before each other
			i++
			switch {
			case left:
				return nil, false, async.ErrLeft
			case i%2 == 0:
				turn = out.YieldAsync(i / 2)
				return turn, true, nil
			case turn.GetResult() != nil:
				left = true
				return hosted[3].Task(), true, nil
			}
			return hosted[i/2].Task(), true, nil
		})
	})(bg)
	for i := range 3 {
		if i > 0 {
			h.posted = append(h.posted, async.ContinuationFunc(func(*async.Executor) { hosted[i-1].SetResult() }))
		}
		mustCome(t, it.NextAsync(), i, true, nil)
	}
	h.posted = append(h.posted, async.ContinuationFunc(func(*async.Executor) { hosted[3].SetResult() }))
	it.CloseAsync().Await()
	if len(h.posted) > 0 {
		t.Error("who blocked did not let the host run")
	}
}

// One that yielded at once, and finds its host while it cleans up, belongs there from then on.
func TestStreamThatIsClosedBelongsWhereItsProducerDoes(t *testing.T) {
	h := &testHost{ex: async.NewExecutor(nil)}
	hosted := async.NewSource0For(async.WithHost(bg, h))
	it := async.NewStream(func(_ context.Context, out async.Yielder[int]) async.Task0 {
		turn, yields := out.YieldAsync(1), true
		return routineIn(nil, func() (async.Operation, bool, error) {
			if yields {
				yields = false
				return turn, true, nil
			}
			return hosted.Task(), !hosted.Task().IsCompleted(), turn.GetResult()
		})
	})(bg)
	mustCome(t, it.NextAsync(), 1, true, nil)
	h.posted = append(h.posted, async.ContinuationFunc(func(*async.Executor) { hosted.SetResult() }))
	closed := it.CloseAsync()
	if closed.Await(); len(h.posted) > 0 {
		t.Error("who blocked did not let the host run")
	}
}
