package inflight_test

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/inflight"
	"github.com/nothread/nothread/runtime/pool"
)

// patient waits for what takes no notice of its context.
//
//nothread:async
func patient(ctx context.Context, done async.Task[int]) (int, error) {
	n, err := done.Await()
	if err == nil {
		err = ctx.Err()
	}
	return n, err
}

// Without a World: which machines wait for too long, which wait on though their context is done, and in which context they
// would go on. A machine above another is not told of again.
func TestLint(t *testing.T) {
	if found := inflight.Lint(0); len(found) != 1 || !strings.Contains(found[0], "call inflight.Track first") {
		t.Errorf("nobody keeps track: %q", found)
	}
	defer inflight.Track()()
	ctx, cancel := context.WithCancel(pool.NewLoop().Context(t.Context()))
	source := async.NewSource[int]()
	listenAsync(ctx, patientAsync(ctx, source.Task()), nil, nil)
	lint := func(patience time.Duration, want ...string) {
		t.Helper()
		found := inflight.Lint(patience)
		for i, text := range found {
			before, after, _ := strings.Cut(text, " for ")
			_, after, _ = strings.Cut(after, ": ")
			found[i] = before + ": " + after
		}
		if got, want := strings.Join(found, "\n"), strings.Join(want, "\n"); got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	}
	const machine = "inflight_test.patient at lint_test.go:19, which awaits done"
	lint(time.Hour)
	time.Sleep(time.Millisecond)
	lint(time.Microsecond, "pending: "+machine+": nobody has completed it yet")
	cancel()
	lint(time.Hour)
	lint(time.Microsecond, "pending: "+machine+": nobody has completed it yet", "cancel ignored: "+machine+", though its ctx is done: context canceled")
	var dump bytes.Buffer
	if err := inflight.Write(&dump); err != nil {
		t.Error(err)
	}
	for _, want := range []string{"state 1, awaits done, context pool.Loop, for ", "(done: context canceled)"} {
		if !strings.Contains(dump.String(), want) {
			t.Errorf("the dump does not say %q:\n%s", want, &dump)
		}
	}
	source.SetResult(1)
}

// bell is an awaitable that is no task.
type bell struct{ waits async.Continuation }

func (b *bell) IsCompleted() bool                     { return false }
func (b *bell) OnCompleted(c async.Continuation) bool { b.waits = c; return true }
func (b *bell) GetResult()                            {}

// Await is for callers that are not async.
func (b *bell) Await() { async.Park(b) }

//nothread:async
func hears(b *bell) int {
	b.Await()
	return 1
}

// Of what is no task nobody knows whether it is complete: that is not said.
func TestDumpOfOtherAwaitables(t *testing.T) {
	defer inflight.Track()()
	b := new(bell)
	task := hearsAsync(b)
	var dump bytes.Buffer
	if err := inflight.Write(&dump); err != nil {
		t.Error(err)
	}
	if !strings.Contains(dump.String(), "  waits for an awaitable of which no more is known, for ") {
		t.Error(dump.String())
	}
	time.Sleep(time.Millisecond)
	if found := inflight.Lint(time.Microsecond); len(found) != 1 || !strings.HasSuffix(found[0], ": inflight_test.hears at lint_test.go:79, which awaits b") {
		t.Errorf("%q", found)
	}
	async.NewExecutor(nil).Run(b.waits)
	if n, err := task.Await(); n != 1 || err != nil {
		t.Error(n, err)
	}
}

//nothread:async
func freely(ctx context.Context, done async.Task[int], also async.Task0) (int, error) {
	if err := also.ConfigureAwait(false).Await(); err != nil {
		return 0, err
	}
	n, err := done.ConfigureAwait(true).Await()
	return n, err
}

// Who awaits by ConfigureAwait(false) goes on anywhere, and only until that await is over.
func TestDumpOfConfiguredAwaits(t *testing.T) {
	defer inflight.Track()()
	loop := pool.NewLoop()
	first, second := async.NewSource0(), async.NewSource[int]()
	task := freelyAsync(loop.Context(t.Context()), second.Task(), first.Task())
	says := func(want string) {
		t.Helper()
		var dump bytes.Buffer
		if err := inflight.Write(&dump); err != nil {
			t.Error(err)
		}
		if got := dump.String(); !strings.Contains(got, want) {
			t.Errorf("it does not say %q:\n%s", want, got)
		}
	}
	says("waits for what nobody has completed yet, for")
	says("state 1, awaits also.ConfigureAwait(false), for")
	first.SetResult()
	says("state 2, awaits done.ConfigureAwait(true), context pool.Loop, for")
	second.SetResult(3)
	says("has what it awaited, and waits for its turn, for")
	loop.Close()
	loop.Run()
	if n, err := task.Await(); n != 3 || err != nil {
		t.Error(n, err)
	}
}
