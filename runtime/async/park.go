package async

// Park blocks the calling goroutine until p completes: the Await of an awaitable
// that belongs to no host.
func Park(p Pending) {
	w := &parked{wake: make(chan struct{})}
	if p.OnCompleted(w) {
		aboutToBlock()
		<-w.wake
	}
}

// parked is the continuation of a blocked goroutine.
type parked struct {
	Anywhere
	wake chan struct{}
}

func (p *parked) MoveNext(*Executor) Continuation {
	close(p.wake)
	return nil
}

// blockOn returns once p is complete, a pending operation that belongs to h or,
// if h is nil, to nobody.
func blockOn(h Host, p Pending) {
	if h == nil {
		Park(p)
		return
	}
	h.Executor().drain()
	if !p.IsCompleted() {
		aboutToBlock()
		h.Block(p)
	}
}
