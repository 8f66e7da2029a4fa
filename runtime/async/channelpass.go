package async

import (
	"context"
	"io"
	"sync"
)

// All returns the values that are read of the channel, as a stream: it ends when the
// channel does, with the error that [Channel.Close] got, and fails where its context ends.
// Passes that go on at the same time share the values, as reads do. A range that is left
// takes no value that it has not seen.
func (c *Channel[T]) All() Stream[T] {
	return func(ctx context.Context) Iterator[T] {
		p := &channelPass[T]{channel: c, ctx: ctx}
		p.asked.bindTo(ctx)
		return p
	}
}

// A channelPass is the continuation of the read that it waits for.
type channelPass[T any] struct {
	Anywhere
	channel *Channel[T]
	ctx     context.Context

	mu      sync.Mutex
	over    bool           // nothing more is read
	waiting *blocked[T, T] // in the channel's line
	reading Task[T]
	asked   Source[Pair[T, bool]] // what NextAsync returns where it waits (C50)
}

// NextAsync is Iterator.NextAsync.
func (p *channelPass[T]) NextAsync() Task2[T, bool] {
	p.mu.Lock()
	defer p.mu.Unlock()
	var none T
	switch {
	case p.over:
		return Completed2(none, false, nil)
	case p.waiting != nil:
		panic("async: C50: the next value of a stream was asked for before the one before had come")
	}
	p.asked.Reset() // and so lets go of the value before
	t, waiting := p.channel.readAsync(p.ctx)
	if waiting == nil {
		return Completed2(p.given(take(t)))
	}
	next := p.asked.Task()
	p.waiting, p.reading = waiting, t
	if !t.OnCompleted(p) {
		p.arrive() // releases nothing: nobody has the task yet
	}
	return Task2[T, bool]{next}
}

// given is what a read gives as a stream does. The pass is locked.
func (p *channelPass[T]) given(v T, err error) (T, bool, error) {
	if err == nil {
		return v, true, nil
	}
	left := p.over
	p.over = true
	if err == io.EOF || left && err == ErrLeft {
		err = nil
	}
	return v, false, err
}

// MoveNext goes on where the read has ended.
func (p *channelPass[T]) MoveNext(*Executor) Continuation {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.arrive()
}

func (p *channelPass[T]) arrive() Continuation {
	v, ok, err := p.given(take(p.reading))
	p.waiting, p.reading = nil, Task[T]{}
	released, _ := p.asked.cell.complete(Pair[T, bool]{v, ok}, err)
	return released
}

// CloseAsync is Iterator.CloseAsync. A read that waits gives up its place in the line.
func (p *channelPass[T]) CloseAsync() Task0 {
	p.mu.Lock()
	p.over = true
	b := p.waiting
	p.mu.Unlock()
	if b != nil && b.claim() {
		var none T
		b.serve(none, ErrLeft)
		b.resume()
	}
	return Completed0(nil)
}

func (p *channelPass[T]) awaitedBy() []Continuation { return p.asked.awaitedBy() }
