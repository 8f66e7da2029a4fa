package pool_test

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/pool"
	"github.com/nothread/nothread/runtime/sim"
)

// TestSerialRunsOneAtATimeInOrder posts from several threads, on three processors; one piece blocks, one panics.
func TestSerialRunsOneAtATimeInOrder(t *testing.T) {
	for seed := range uint64(20) {
		w := sim.New(seed, sim.WithCPUs(3))
		s := w.NewSerial("account")
		var got []int
		inside, switched := 0, map[string]bool{}
		piece := func(i int) func() {
			return func() {
				if inside++; inside != 1 {
					t.Errorf("%d run at once", inside)
				}
				if ex := w.Executor(); ex.SyncContext() != async.SyncContext(s) {
					t.Error("who runs is not the serial context's executor")
				}
				if i == 5 {
					async.Delay(w.Context(), time.Millisecond).Await()
				}
				switched[w.Kernel().CPU().Thread().Name()] = true
				got = append(got, i)
				inside--
			}
		}
		for i := range 30 {
			s.Do(piece(i))
			w.Workers().Go(func() { async.Delay(w.Context(), time.Microsecond).Await() }) // keeps threads busy
		}
		w.Run()
		if len(got) != 30 || !slices.IsSorted(got) || len(switched) < 2 {
			t.Fatalf("seed %d: %v on %d threads", seed, got, len(switched))
		}
	}
}

func TestSerialGoesOnAfterPanicAndGoexit(t *testing.T) {
	ended := make(chan bool, 1)
	var ran []string
	go func() {
		defer func() { ended <- true }()
		w := sim.New(1)
		s := w.NewSerial("account")
		s.Do(func() { panic("a piece") })
		s.Do(func() { ran = append(ran, "after the panic") })
		s.Do(runtime.Goexit)
		s.Do(func() { ran = append(ran, "after the exit") })
		func() {
			defer func() { ran = append(ran, fmt.Sprint(recover())) }()
			w.Run()
		}()
		w.Run()
	}()
	<-ended
	if !slices.Equal(ran, []string{"a piece", "after the panic", "after the exit"}) {
		t.Errorf("%v", ran)
	}
}

// TestSerialResumesMachines: a machine goes on on its serial context, inline if it is there already, and two that share it
// take turns.
func TestSerialResumesMachines(t *testing.T) {
	w := sim.New(1)
	s := w.NewSerial("account")
	ctx := s.Context(w.Context())
	first, second := async.NewSourceFor[int](ctx), async.NewSourceFor[int](ctx)
	inline := false
	a := start(ctx, first.Task(), func() { second.SetResult(2) })
	b := start(ctx, second.Task(), func() { inline = w.Executor().SyncContext() == async.SyncContext(s) })
	w.IO().Go(func() { first.SetResult(1) })
	before := w.Counters().Posts
	if v, err := async.WhenAll(ctx, a, b).Await(); err != nil || !slices.Equal(v, []int{1, 2}) || !inline {
		t.Errorf("gave %v, %v; there already: %v", v, err, inline)
	}
	if n := w.Counters().Posts - before; n != 1 {
		t.Errorf("%d posts, want 1: the second machine was there already", n)
	}
}

// TestSerialGivesItsThreadBack: a thread that has run a turn of a serial context is the pool's again; what it completes
// then goes on in a turn of its own.
func TestSerialGivesItsThreadBack(t *testing.T) {
	w := sim.New(1, sim.WithWorkers(1))
	s := w.NewSerial("account")
	source := async.NewSourceFor[int](w.Context())
	over := false
	task := start(s.Context(w.Context()), source.Task(), func() {
		if !over {
			t.Error("resumed by who completes it, which is no turn of the context")
		}
	})
	s.Do(func() {})
	w.Workers().Go(func() {
		source.SetResult(1)
		over = true
	})
	if v, err := task.Await(); v != 1 || err != nil {
		t.Errorf("gave %v, %v", v, err)
	}
}

// TestSerialFailuresGoToItsOwnHandler, and to its pool's if it has none.
func TestSerialFailuresGoToItsOwnHandler(t *testing.T) {
	w := sim.New(1)
	var heard []string
	hears := func(who string) func(*async.OperationError) {
		return func(err *async.OperationError) { heard = append(heard, who) }
	}
	own, bare := w.NewSerial("own"), w.NewSerial("bare")
	own.HandleErrors(hears("own"))
	w.Workers().HandleErrors(hears("the pool"))
	for _, s := range []*pool.Serial{own, bare} {
		ctx := s.Context(w.Context())
		source := async.NewSourceFor[int](ctx)
		async.Forget(ctx, source.Task())
		source.SetError(errors.New("boom"))
		w.Run()
	}
	if !slices.Equal(heard, []string{"own", "the pool"}) {
		t.Errorf("%v", heard)
	}
}
