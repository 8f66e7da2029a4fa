package sim

import (
	"runtime"
	"sync"
	"time"

	"github.com/nothread/nothread/runtime/async"
)

// unobserved listens for tasks that failed, and that nobody has read, until its end, which logs them. The hook is the
// process's: of tests that run side by side one may log what another has dropped.
func (r *testRun) unobserved() (end func()) {
	var mu sync.Mutex
	var first *async.OperationError
	count, ended := 0, false
	before := async.OnUnobserved(func(err *async.OperationError) {
		mu.Lock()
		defer mu.Unlock()
		if ended {
			return
		}
		if count++; first == nil {
			first = err
		}
	})
	return func() {
		runtime.GC()
		time.Sleep(time.Millisecond) // the collector tells of them on a goroutine of its own
		async.OnUnobserved(before)
		mu.Lock()
		defer mu.Unlock()
		if ended = true; count > 0 {
			r.t.Logf("of the tasks that failed, nobody has read %d, such as: %v", count, first)
		}
	}
}
