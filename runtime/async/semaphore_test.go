package async_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/nothread/nothread/runtime/async"
)

func TestSemaphore(t *testing.T) {
	s := async.NewSemaphore(2)
	first, second, third := s.AcquireAsync(bg), s.AcquireAsync(bg), s.AcquireAsync(bg)
	mustEnd(t, first, nil)
	mustEnd(t, second, nil)
	if third.IsCompleted() || s.TryAcquire() {
		t.Error("three hold what two may")
	}
	ctx, cancel := context.WithTimeout(bg, time.Millisecond)
	defer cancel()
	if err := s.AcquireAsync(ctx).Await(); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	s.Release()
	mustEnd(t, third, nil)
	s.Release()
	s.Release()
	if !s.TryAcquire() {
		t.Error("nobody holds it, and it is not to be had")
	}
	s.Release()
	mustPanic(t, "nobody holds", s.Release)
	mustPanic(t, "for one at least", func() { async.NewSemaphore(0) })
	var zero async.Semaphore
	for _, f := range []func(){func() { zero.AcquireAsync(bg) }, func() { zero.TryAcquire() }, zero.Release} {
		mustPanic(t, "make one with NewSemaphore", f)
	}
}

// A lock across an await: one at a time, each in its turn.
func ExampleSemaphore() {
	lock := async.NewSemaphore(1)
	visit := func(name string) async.Task0 {
		return async.Go0(bg, func(ctx context.Context) error {
			if err := lock.AcquireAsync(ctx).Await(); err != nil {
				return err
			}
			defer lock.Release()
			fmt.Println(name, "enters")
			async.Delay(ctx, time.Millisecond).Await()
			fmt.Println(name, "leaves")
			return nil
		})
	}
	async.WhenAll0(bg, visit("Ada"), visit("Brian")).Await()
	// Output:
	// Ada enters
	// Ada leaves
	// Brian enters
	// Brian leaves
}
