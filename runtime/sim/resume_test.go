package sim_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/sim"
)

//go:generate go run ../../cmd/nothread

// pause is an awaitable by hand, which gives the machine to a timer.
type pause struct{ w *sim.World }

func (pause) IsCompleted() bool { return false }

func (p pause) OnCompleted(c async.Continuation) bool {
	p.w.ResumeAfter(time.Millisecond, c)
	return true
}

func (pause) GetResult() {}

func (p pause) Await() { _ = async.Delay(p.w.Context(), time.Millisecond).Await() }

// paused says where it goes on after a pause.
//
//nothread:async
func paused(ctx context.Context, w *sim.World) (string, error) {
	pause{w}.Await()
	if w.Elapsed() > 3*time.Millisecond {
		panic("late")
	}
	return onThread(w), nil
}

// TestTimerResumesMachines: a machine goes on on its SyncContext, and its panic is its task's.
func TestTimerResumesMachines(t *testing.T) {
	w := sim.New(1)
	defer w.Close()
	if on, err := pausedAsync(w.UI().Context(w.Context()), w).Await(); on != "UI thread" || err != nil {
		t.Errorf("a machine of the UI thread goes on on %q, %v", on, err)
	}
	if on, err := pausedAsync(w.Context(), w).Await(); !strings.HasPrefix(on, "timer") || err != nil {
		t.Errorf("a machine that may go on anywhere does so on %q, %v", on, err)
	}
	w.RunFor(time.Second)
	w.AfterFunc(time.Hour, func() {})
	task := pausedAsync(w.Context(), w)
	w.Run()
	if !task.IsCompleted() || task.PanicStack() == nil || w.Elapsed() < time.Hour {
		t.Errorf("a panic after a pause: complete: %v, after %v", task.IsCompleted(), w.Elapsed())
	}
}
