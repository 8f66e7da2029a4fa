package async_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/nothread/nothread/runtime/async"
)

func TestSynchronousCompletionAllocatesNothing(t *testing.T) {
	next := func(i int) async.Task[int] { return async.Completed(i, nil) }
	got := testing.AllocsPerRun(100, func() {
		if v, _ := sumAsync(10, next).Await(); v != 45 {
			t.Fatalf("sum = %d, want 45", v)
		}
	})
	if got != 0 {
		t.Errorf("a machine that never waits allocates %v times, want 0", got)
	}
}

func TestOneAllocationForTheMachine(t *testing.T) {
	var s async.Source[int]
	next := func(i int) async.Task[int] { return s.Task() }
	got := testing.AllocsPerRun(100, func() {
		s = async.Source[int]{}
		task := sumAsync(1, next)
		s.SetResult(7)
		if v, _ := task.Await(); v != 7 {
			t.Fatalf("sum = %d, want 7", v)
		}
	})
	if got != 1 {
		t.Errorf("a machine that suspends allocates %v times, want 1", got)
	}
}

func TestErrorAndPanicReachTheAwait(t *testing.T) {
	boom := errors.New("boom")
	s := async.NewSource[int]()
	failed := sumAsync(2, func(int) async.Task[int] { return s.Task() })
	s.SetError(boom)
	if _, err := failed.Await(); err != boom {
		t.Errorf("err = %v, want %v", err, boom)
	}
	s = async.NewSource[int]()
	panics := sumAsync(2, func(i int) async.Task[int] {
		if i == 1 {
			panic("in the machine")
		}
		return s.Task()
	})
	above := sumAsync(1, func(int) async.Task[int] { return panics })
	s.SetResult(1)
	defer func() {
		v := recover()
		if v != "in the machine" {
			t.Errorf("recovered %v", v)
		}
		if len(panics.PanicStack()) == 0 {
			t.Error("the panic's stack is lost")
		}
		if stack := string(async.PanicStack("another")); stack != "" {
			t.Errorf("a value that did not rise has a stack:\n%s", stack)
		}
		if stack := string(async.PanicStack(v)); !strings.Contains(stack, "TestErrorAndPanicReachTheAwait.func2") || !strings.Contains(stack, "MoveNext") {
			t.Errorf("the panic that was recovered rose first in:\n%s", stack)
		}
	}()
	above.Await()
	t.Error("the panic did not rise again")
}

// TestNilContext: whoever needs a context says that there is none.
func TestNilContext(t *testing.T) {
	s := async.NewSource[int]()
	for name, use := range map[string]func(context.Context){
		"WhenAll":     func(ctx context.Context) { async.WhenAll(ctx, s.Task()) },
		"WhenAny":     func(ctx context.Context) { async.WhenAny(ctx, s.Task()) },
		"Race":        func(ctx context.Context) { async.Race(ctx, s.Task()) },
		"WithTimeout": func(ctx context.Context) { async.WithTimeout(ctx, time.Second, s.Task()) },
		"Delay":       func(ctx context.Context) { async.Delay(ctx, time.Second) },
		"FromContext": func(ctx context.Context) { async.FromContext(ctx) },
		"AfterFunc":   func(ctx context.Context) { async.AfterFunc(ctx, func() {}) },
		"Run":         func(ctx context.Context) { async.Run(ctx, func(context.Context) (int, error) { return 0, nil }) },
	} {
		t.Run(name, func(t *testing.T) { mustPanic(t, "context is nil", func() { use(nil) }) })
	}
}
