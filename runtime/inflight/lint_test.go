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
