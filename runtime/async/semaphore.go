package async

import "context"

// A Semaphore lets a number of operations at a time do what they do, one if it is to be a
// lock; the others wait for their turn, first come, first served. It is what a mutex is
// to threads: held across an await, a mutex would block the thread that runs the machine.
// It is nobody's in particular: who releases need not be who acquired.
//
// Its methods may be called from any goroutine, as those of a [Channel], which it is. The
// methods of the zero Semaphore, which is for nobody, panic.
type Semaphore struct{ held *Channel[struct{}] }

// NewSemaphore returns a semaphore that n may hold at a time.
func NewSemaphore(n int) *Semaphore {
	if n < 1 {
		panic("async: a semaphore must be for one at least")
	}
	return &Semaphore{NewChannel(ChannelConfig[struct{}]{Capacity: n})}
}

// AcquireAsync completes once it is the caller's turn, who then calls Release when done;
// or with the error of ctx as in [FromContext], and then there is nothing to release.
func (s *Semaphore) AcquireAsync(ctx context.Context) Task0 {
	return s.line().WriteAsync(ctx, struct{}{})
}

// TryAcquire is AcquireAsync if that need not wait; else it does nothing and reports
// false.
func (s *Semaphore) TryAcquire() bool { return s.line().TryWrite(struct{}{}) }

// Release lets the next one in. It panics if nobody holds the semaphore.
func (s *Semaphore) Release() {
	if _, held := s.line().TryRead(); !held {
		panic("async: a semaphore was released that nobody holds")
	}
}

func (s *Semaphore) line() *Channel[struct{}] {
	if s.held == nil {
		panic("async: the zero Semaphore is for nobody; make one with NewSemaphore")
	}
	return s.held
}
