package async

import (
	"bytes"
	"context"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
)

// Go starts f and returns the task that f completes by returning. It returns
// when f first has to wait, or has ended. f gets ctx.
//
// In a function marked //nothread:async a literal given to Go becomes a machine
// of its own. This is the other form, of the same order and results: f runs on a
// thread of its own, a simulated one where ctx carries a host that can start one,
// else a goroutine. There it stays: after an await it does not go on where ctx says,
// so that what a context keeps apart, as one that runs one thing at a time does, is
// not kept apart here. "First has to wait" is the first blocking Await in it,
// on whatever task; that it waits for a channel or a mutex Go cannot see, and
// waits with it, as the machine's caller would. A panic or runtime.Goexit in f
// becomes the task's; a machine's Goexit before it first waits is its caller's.
func Go[T any](ctx context.Context, f func(context.Context) (T, error)) Task[T] {
	s := NewSourceFor[T](ctx)
	startThread(HostOf(ctx), func() {
		var v T
		guard(func() (err error) {
			v, err = f(ctx)
			return err
		}, func(err error) { s.Complete(s.executor(), v, err) })
	})
	return s.Task()
}

// Go0 is Go for an f with no value besides the error.
func Go0(ctx context.Context, f func(context.Context) error) Task0 {
	return Task0{Go(ctx, func(ctx context.Context) (struct{}, error) { return struct{}{}, f(ctx) })}
}

// Func0 makes an async function value of f: a call of it is [Go]'s. The digit of
// Func0, Func1, Func2 and Func3 counts the parameters after ctx.
func Func0[T any](f func(context.Context) (T, error)) func(context.Context) Task[T] {
	return func(ctx context.Context) Task[T] { return Go(ctx, f) }
}

// Func1 is Func0 for an f with one parameter more.
func Func1[A, T any](f func(context.Context, A) (T, error)) func(context.Context, A) Task[T] {
	return func(ctx context.Context, a A) Task[T] {
		return Go(ctx, func(ctx context.Context) (T, error) { return f(ctx, a) })
	}
}

// Func2 is Func0 for an f with two parameters more.
func Func2[A, B, T any](f func(context.Context, A, B) (T, error)) func(context.Context, A, B) Task[T] {
	return func(ctx context.Context, a A, b B) Task[T] {
		return Go(ctx, func(ctx context.Context) (T, error) { return f(ctx, a, b) })
	}
}

// Func3 is Func0 for an f with three parameters more.
func Func3[A, B, C, T any](f func(context.Context, A, B, C) (T, error)) func(context.Context, A, B, C) Task[T] {
	return func(ctx context.Context, a A, b B, c C) Task[T] {
		return Go(ctx, func(ctx context.Context) (T, error) { return f(ctx, a, b, c) })
	}
}

// startThread runs body on a thread of its own and returns when body first
// blocks or ends.
func startThread(h Host, body func()) {
	if s, ok := h.(Starter); ok {
		s.StartThread(body)
		return
	}
	m := &handover{back: make(chan struct{})}
	go func() {
		m.id = goroutineID()
		handovers.byID.Store(m.id, m)
		handovers.count.Add(1)
		defer m.giveBack()
		body()
	}()
	<-m.back
}

// handovers are the goroutines whose starter waits in startThread. It is the one
// place where this package asks which goroutine it is on: an unbound task says
// nothing of who blocks on it. It is asked only on the way into parking a
// goroutine, and only while some starter waits.
var handovers struct {
	count atomic.Int64
	byID  sync.Map // of *handover by goroutine id
}

type handover struct {
	id   uint64
	back chan struct{}
}

func (m *handover) giveBack() {
	if _, waits := handovers.byID.LoadAndDelete(m.id); waits {
		handovers.count.Add(-1)
		close(m.back)
	}
}

// aboutToBlock lets the starter of this goroutine go on, if it still waits.
func aboutToBlock() {
	if handovers.count.Load() == 0 {
		return
	}
	if m, ok := handovers.byID.Load(goroutineID()); ok {
		m.(*handover).giveBack()
	}
}

// goroutineID reads the number from the first line of the goroutine's trace,
// "goroutine 7 [running]:".
func goroutineID() uint64 {
	var buf [32]byte
	text := buf[len("goroutine "):runtime.Stack(buf[:], false)]
	if i := bytes.IndexByte(text, ' '); i >= 0 {
		text = text[:i]
	}
	id, err := strconv.ParseUint(string(text), 10, 64)
	if err != nil {
		panic("async: the runtime's trace does not begin with a goroutine's number: " + string(buf[:]))
	}
	return id
}
