package pool_test

import (
	"runtime"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/pool"
	"github.com/nothread/nothread/runtime/sim"
)

// waiting starts a call that has to wait, and returns whether it has ended.
func waiting(t *testing.T, f func()) (ended *bool) {
	t.Helper()
	ended = new(bool)
	go func() { f(); *ended = true }()
	synctest.Wait()
	if *ended {
		t.Error("it has not waited")
	}
	return ended
}

// A loop that waits for something to do hears that it is closed, whoever closes it, and that the last operation has ended.
func TestRealLoopEndsWhileItWaits(t *testing.T) {
	for _, operation := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			l := pool.NewLoop()
			if operation {
				l.OperationStarted()
			}
			ended := waiting(t, l.Run)
			l.Close()
			synctest.Wait()
			if *ended == operation {
				t.Errorf("an operation under way: %v; closed, the loop has ended: %v", operation, *ended)
			}
			if operation {
				l.OperationCompleted()
				synctest.Wait()
			}
			if !*ended {
				t.Error("the loop goes on")
				l.Do(func() {}) // wakes it
			}
		})
	}
}

// Close waits for operations that nobody awaits, and hears of their end.
func TestRealWorkersCloseWaitsForOperations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := pool.NewWorkers(2)
		w.OperationStarted()
		ended := waiting(t, w.Close)
		w.OperationCompleted()
		synctest.Wait()
		if !*ended {
			t.Error("Close still waits")
			w.Do(func() {}) // wakes it
		}
	})
}

// Each worker has an executor of its own while it works, and one whose work is over leaves it to the next.
func TestRealWorkersShareExecutorsOneAfterTheOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := pool.NewWorkers(2)
		seen := make(map[*async.Executor]int)
		at := func(f func()) *at {
			return &at{sc: w, run: func(ex *async.Executor) { seen[ex]++; f() }}
		}
		one := func() {}
		for _, f := range []func(){one, runtime.Goexit, one} {
			w.Post(at(f))
			synctest.Wait()
		}
		if len(seen) != 1 {
			t.Errorf("%d executors for three continuations, one after the other", len(seen))
		}
		clear(seen)
		begun, go_ := make(chan bool), make(chan bool)
		both := func() { begun <- true; <-go_ }
		for range 2 {
			w.Post(at(both))
			<-begun
		}
		if len(seen) != 2 {
			t.Errorf("%d executors for two workers at once", len(seen))
		}
		close(go_)
		w.Close()
	})
}

// What was queued is not held any more once it has run.
func TestQueueLetsGo(t *testing.T) {
	w := sim.New(1)
	held := func() weak.Pointer[[1 << 10]byte] {
		v := new([1 << 10]byte)
		w.UI().Go("message", func() { v[0]++ })
		return weak.Make(v)
	}()
	w.Run()
	for range 10 {
		if runtime.GC(); held.Value() == nil {
			break
		}
		time.Sleep(time.Millisecond)
	}
	if held.Value() != nil {
		t.Error("the message is over, and what it has captured still held")
	}
	runtime.KeepAlive(w)
}
