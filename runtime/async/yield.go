package async

import (
	"context"
	"runtime"
)

// Yield returns an awaitable that lets others go first: awaiting it always
// suspends, and the machine is posted to its SyncContext, else to the host, else
// to a short-lived goroutine (C45). Its Await in the synchronous form gives way
// to the host's other threads, or to other goroutines; it does not run messages
// of a loop that its caller blocks.
func Yield(ctx context.Context) Yielding { return Yielding{env: environmentOf(ctx)} }

// A Yielding is what [Yield] returns.
type Yielding struct{ env *environment }

// IsCompleted returns false.
func (y Yielding) IsCompleted() bool { return false }

// OnCompleted posts c and returns true.
func (y Yielding) OnCompleted(c Continuation) bool {
	h := y.host()
	if h != nil {
		c.adopt(y.env.bare, c)
	}
	post(nil, h, c)
	return true
}

// GetResult does nothing.
func (y Yielding) GetResult() {}

// Await gives way.
func (y Yielding) Await() {
	h := y.host()
	if _, posts := h.(Poster); !posts {
		aboutToBlock()
		runtime.Gosched()
		return
	}
	t := new(turn)
	t.cell.head.bindIn(y.env)
	post(nil, h, t)
	t.Task().Await()
}

func (y Yielding) host() Host {
	if y.env == nil {
		return nil
	}
	return y.env.host
}

// A turn completes its source when it is resumed.
type turn struct {
	Anywhere
	Source0
}

func (t *turn) MoveNext(*Executor) Continuation {
	released, _ := t.cell.complete(struct{}{}, nil)
	return released
}
