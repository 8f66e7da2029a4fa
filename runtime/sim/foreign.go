package sim

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nothread/nothread/runtime/async"
)

// This file is how the world outside comes in: other goroutines, and contexts that end by real time or by a goroutine's
// call of cancel. What comes in does so at the World's next step; when that is, is not the World's to say.

// patience is how long, in real time, a World with nothing left to do waits for a foreign context to be cancelled before it
// calls what still waits a deadlock.
const patience = 2 * time.Second

// outside is what a World knows of it.
type outside struct {
	full  atomic.Bool
	mu    sync.Mutex
	calls []func()      // left by other goroutines
	bell  chan struct{} // rung when something is left; holds one ring

	watches []*watch // of foreign contexts
}

// watch is a call of OnDone with a foreign context.
type watch struct {
	ctx   context.Context
	place int // in outside.watches; -1: it has ended
}

// Inject makes the World call f at its next step, on a timer thread. It is the one method that any goroutine may call at
// any time. It does not make the World run.
func (w *World) Inject(f func()) {
	refuseNil(f == nil, "Inject")
	o := &w.outside
	o.mu.Lock()
	o.calls = append(o.calls, f)
	o.full.Store(true)
	o.mu.Unlock()
	select {
	case o.bell <- struct{}{}:
	default:
	}
}

// takeInbox lets run what foreign goroutines have left, in the order in which they did.
func (w *World) takeInbox() {
	o := &w.outside
	o.mu.Lock()
	calls := o.calls
	o.calls = nil
	o.full.Store(false)
	o.mu.Unlock()
	for _, f := range calls {
		w.timers.Go(f)
	}
}

// OnDone calls f in the World once ctx is done: synchronously if the nearest thing that can end ctx is a context of this
// World, else at the World's next step, also if ctx is another World's. stop keeps f from being called and reports whether
// it did. It is async.Watcher's.
func (w *World) OnDone(ctx context.Context, f func()) (stop func() bool) {
	refuseNil(f == nil, "OnDone")
	c := worldContextOf(ctx)
	if c != nil && c.world == w {
		return c.AfterFunc(f)
	}
	o := &w.outside
	x := o.watch(ctx)
	inject := func() {
		w.Inject(func() {
			if o.forget(x) {
				f()
			}
		})
	}
	var unhook func() bool
	if c != nil { // another World's: of two that take turns on one goroutine, what happens follows from their seeds
		unhook = c.AfterFunc(inject)
	} else {
		unhook = context.AfterFunc(ctx, inject)
	}
	return func() bool {
		unhook()
		return o.forget(x)
	}
}

// Register is OnDone for what is no function; with a context of this World it allocates nothing. The registration is not
// touched any more once it was stopped or c was called, and nil if that was at once. It is part of async.ContextWatcher and
// overlapped.World.
func (w *World) Register(ctx context.Context, c async.Callback) async.Stopper {
	if own := worldContextOf(ctx); own != nil && own.world == w {
		return own.Register(c)
	}
	return async.StopFunc(w.OnDone(ctx, c.ContextDone))
}

// worldContextOf returns the World's context with which ctx ends, nil if that is no World's.
func worldContextOf(ctx context.Context) *worldContext {
	if c, ok := ctx.(*worldContext); ok {
		return c
	}
	if c, ok := ctx.Value(async.CancelKey{}).(*worldContext); ok && c.Done() == ctx.Done() {
		return c
	}
	return nil
}

func (o *outside) watch(ctx context.Context) *watch {
	o.mu.Lock()
	defer o.mu.Unlock()
	x := &watch{ctx, len(o.watches)}
	o.watches = append(o.watches, x)
	return x
}

// forget ends a watch and reports whether it had not ended before.
func (o *outside) forget(x *watch) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if x.place < 0 {
		return false
	}
	last := len(o.watches) - 1
	o.watches[x.place] = o.watches[last]
	o.watches[x.place].place = x.place
	o.watches[last], x.place = nil, -1
	o.watches = o.watches[:last]
	return true
}

// expects says for how long the outside may still end one of the foreign contexts that are watched: until the last of
// their deadlines, and, if somebody is blocked, for as long as the World has patience with one that has none.
func (o *outside) expects(blocked bool) (wait time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, x := range o.watches {
		if at, ok := x.ctx.Deadline(); ok {
			wait = max(wait, time.Until(at)+patience)
		} else if blocked {
			wait = max(wait, patience)
		}
	}
	return wait
}

// silence says what the outside could have ended and did not; "" if nothing.
func (o *outside) silence() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.watches) == 0 {
		return ""
	}
	return fmt.Sprintf("nobody outside has ended the foreign contexts that are watched (%d) within %v", len(o.watches), patience)
}

// awaitOutside waits in real time for what a foreign context may bring and reports whether something came.
func (w *World) awaitOutside(blocked bool) bool {
	wait := w.outside.expects(blocked)
	if wait <= 0 {
		return false
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for !w.outside.full.Load() {
		select {
		case <-w.outside.bell:
		case <-timer.C:
			return w.outside.full.Load()
		}
	}
	return true
}
