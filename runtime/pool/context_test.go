package pool_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/pool"
	"github.com/nothread/nothread/runtime/sim"
)

// wrapped is a user's context made of the UI thread's.
type wrapped struct {
	*pool.UI
	posted int
}

func (c *wrapped) Post(k async.Continuation) { c.posted++; c.UI.Post(k) }

// embedding has the UI thread's Post as it is.
type embedding struct{ *pool.UI }

// TestContextMadeOfAnother: what a context hands on to another's Post runs there; it is not posted for ever.
func TestContextMadeOfAnother(t *testing.T) {
	for _, make := range []func(w *sim.World) async.SyncContext{
		func(w *sim.World) async.SyncContext { return &wrapped{UI: w.UI()} },
		func(w *sim.World) async.SyncContext { return &embedding{w.UI()} },
	} {
		w := sim.New(1)
		sc := make(w)
		ctx := async.WithSyncContext(w.Context(), sc)
		where := ""
		task := start(ctx, async.Run(ctx, func(context.Context) (int, error) { return 4, nil }), func() {
			where = w.Kernel().CPU().Thread().Name()
		})
		if v, err := task.Await(); v != 4 || err != nil || where != "UI thread" {
			t.Errorf("gave %d, %v on %q", v, err, where)
		}
		if c, ok := sc.(*wrapped); ok && c.posted != 1 {
			t.Errorf("posted %d times", c.posted)
		}
	}
	l := pool.NewLoop()
	ctx := async.WithSyncContext(t.Context(), &struct{ *pool.Loop }{l})
	task := start(ctx, async.Run(ctx, func(context.Context) (int, error) { return 5, nil }), l.Close)
	l.Run()
	if v, err := task.Await(); v != 5 || err != nil {
		t.Errorf("the loop gave %d, %v", v, err)
	}
}

// yielder yields to its context until stop says so.
type yielder struct {
	async.Builder[int]
	ctx  context.Context
	stop func() bool
}

func (m *yielder) MoveNext(*async.Executor) async.Continuation {
	if m.stop() {
		return m.SetResult(0, nil)
	}
	async.Yield(m.ctx).OnCompleted(m)
	return nil
}

// TestYieldingDoesNotStopTheClock: a machine that yields for ever on its context does not keep timers from ringing.
func TestYieldingDoesNotStopTheClock(t *testing.T) {
	w := sim.New(1)
	for name, ctx := range map[string]context.Context{
		"UI": w.UIContext(), "none": w.Context(), "serial": w.NewSerial("account").Context(w.Context()),
		"workers": async.WithSyncContext(w.Context(), w.Workers()),
	} {
		rung, turns := false, 0
		w.AfterFunc(10*time.Microsecond, func() { rung = true })
		m := &yielder{ctx: ctx, stop: func() bool {
			turns++
			return rung || turns > 1000
		}}
		m.Promote(m, ctx, nil)
		w.UI().Go("start", func() { m.MoveNext(w.Executor()) })
		w.Run()
		if !rung || turns > 1000 || turns < 3 || !m.IsCompleted() {
			t.Errorf("%s: after %d turns the timer had rung: %v", name, turns, rung)
		}
	}
}

// TestC43_FailureInAWorldReachesItsContext: the handler hears of it on a thread of the context's, and what is
// under way is counted.
func TestC43_FailureInAWorldReachesItsContext(t *testing.T) {
	boom := errors.New("boom")
	for _, where := range []struct {
		thread string
		ctx    func(w *sim.World) context.Context
	}{
		{"UI thread", (*sim.World).UIContext},
		{"worker", (*sim.World).Context}, // no SyncContext: the pool
		{"I/O thread", func(w *sim.World) context.Context { return async.WithSyncContext(w.Context(), w.IO()) }},
		{"worker", func(w *sim.World) context.Context { return w.NewSerial("account").Context(w.Context()) }},
	} {
		w := sim.New(1)
		ctx := where.ctx(w)
		var heard []string
		w.HandleErrors(func(err *async.OperationError) {
			heard = append(heard, fmt.Sprint(w.Kernel().CPU().Thread().Name(), ": ", err.Err, err.Panic))
		})
		var underway []int
		count := func() {
			n := w.UI().Operations() + w.IO().Operations() + w.Workers().Operations()
			if s, ok := async.SyncContextOf(ctx).(*pool.Serial); ok {
				n += s.Operations()
			}
			underway = append(underway, n)
		}
		count()
		async.Forget(ctx, async.Go0(ctx, func(ctx context.Context) error {
			async.Delay(ctx, time.Millisecond).Await()
			return boom
		}))
		async.Forget(ctx, async.Go0(ctx, func(ctx context.Context) error {
			async.Delay(ctx, time.Second).Await()
			panic("later")
		}))
		async.Forget(ctx, async.Delay(ctx, time.Minute))
		count()
		w.Run()
		count()
		if len(heard) != 2 || !strings.HasPrefix(heard[0], where.thread) || !strings.HasPrefix(heard[1], where.thread) ||
			!strings.HasSuffix(heard[0], ": boom <nil>") || !strings.HasSuffix(heard[1], ": <nil>later") {
			t.Errorf("%s: heard %q", where.thread, heard)
		}
		if !slices.Equal(underway, []int{0, 3, 0}) {
			t.Errorf("%s: under way: %v", where.thread, underway)
		}
	}
}

// TestC43_FailureWithoutHandlerLeavesTheWorld: and says what to do; the World goes on after it.
func TestC43_FailureWithoutHandlerLeavesTheWorld(t *testing.T) {
	boom := errors.New("boom")
	for name, ctx := range map[string]func(w *sim.World) context.Context{
		"UI": (*sim.World).UIContext, "none": (*sim.World).Context,
		"serial": func(w *sim.World) context.Context { return w.NewSerial("account").Context(w.Context()) },
	} {
		w := sim.New(1)
		ctx := ctx(w)
		async.Forget(ctx, async.Completed0(boom))
		func() {
			defer func() {
				err, _ := recover().(error)
				if !errors.Is(err, boom) || !strings.Contains(err.Error(), "C43") || !strings.Contains(err.Error(), "HandleErrors") {
					t.Errorf("%s: the World's owner got %v", name, err)
				}
			}()
			w.Run()
		}()
		if err := async.Delay(ctx, time.Second).Await(); err != nil {
			t.Errorf("%s: after it: %v", name, err)
		}
	}
}
