package async

import (
	"container/list"
	"context"
	"errors"
	"io"
	"math"
	"sync"
)

// A Channel hands values from those that write it to those that read it, in the order
// in which they were written: what a Go channel is to goroutines, without a thread that
// waits. Its methods may be called from any goroutine, but those that get a context of
// a host's follow the host's rule: such a channel is that host's alone.
//
// A write does not run the reader that it lets go on, nor a read the writer: they are
// posted (C56), or, where an executor runs, take their turn there. Who waits longest is
// served first. An operation whose context is done before it was served has not
// happened; until then it stands in line, be it that nobody awaits its task any more.
//
// The zero Channel is open and holds nothing. It must not be copied after it was used.
type Channel[T any] struct {
	config ChannelConfig[T]

	mu      sync.Mutex
	items   ring[T]   // written and not yet read
	readers list.List // of *blocked[T, T]; if any wait there are no items
	writers list.List // of *blocked[T, struct{}]; if any wait there is no room
	drained list.List // of *blocked[T, struct{}], which wait for the end

	// channelwait.go.
	readable waiting[T] // if any wait there is nothing to read
	writable waiting[T] // if any wait there is no room

	closed bool
	end    error // what reads give once it is closed and empty
}

// A ChannelConfig says how much a channel holds. The zero config's holds nothing: there
// a write waits for its reader.
type ChannelConfig[T any] struct {
	Capacity int      // how many values may wait to be read; Unbounded: any number
	Full     Fullness // what a write does that finds it full
	Dropped  func(T)  // hears of each value that is dropped, in the write that drops it; may be nil
}

// Unbounded is a capacity that is never exhausted.
const Unbounded = math.MaxInt

// A Fullness is what a write does that finds a channel full (C53). One that drops a
// value succeeds.
type Fullness int

// What may be done where there is no room.
const (
	WaitForRoom Fullness = iota
	DropWrite            // what is being written is dropped,
	DropNewest           // or what was written last,
	DropOldest           // or what was written first
)

// ErrClosed is how a write to a closed channel fails (C55).
var ErrClosed = errors.New("async: write to a closed channel")

// NewChannel returns an open channel.
func NewChannel[T any](config ChannelConfig[T]) *Channel[T] {
	switch {
	case config.Capacity < 0:
		panic("async: the capacity of a channel must not be negative")
	case config.Capacity == 0 && config.Full > DropWrite:
		panic("async: a channel that holds nothing has nothing to drop but what is written to it")
	}
	return &Channel[T]{config: config}
}

// WriteAsync completes once v was handed to the reader that waits longest (C52), is kept
// for one, or has been dealt with as Full says; or with [ErrClosed].
func (c *Channel[T]) WriteAsync(ctx context.Context, v T) Task0 {
	if over(ctx) {
		return Completed0(causeOf(ctx))
	}
	c.mu.Lock()
	waits, err := c.write(v)
	if !waits {
		return Completed0(err)
	}
	b := block[struct{}](c, ctx, &c.writers, v)
	c.meet(&c.readable)
	return Task0{b.source.Task()}
}

// TryWrite is WriteAsync if that need not wait and the channel is open; else it does
// nothing and reports false.
func (c *Channel[T]) TryWrite(v T) bool {
	c.mu.Lock()
	waits, err := c.write(v)
	if waits {
		c.mu.Unlock()
	}
	return !waits && err == nil
}

// write is called with the channel locked. It unlocks it unless v has to wait.
func (c *Channel[T]) write(v T) (waits bool, err error) {
	r := oldest[T, T](&c.readers)
	switch {
	case c.closed:
		c.mu.Unlock()
		return false, ErrClosed
	case r != nil:
		r.serve(v, nil)
		c.mu.Unlock()
		r.resume()
		return false, nil
	case c.items.n < c.config.Capacity:
		c.items.push(v)
		told := c.readable.tell(true, nil)
		c.mu.Unlock()
		resumeAll(told)
		return false, nil
	case c.config.Full == WaitForRoom:
		return true, nil
	}
	lost := c.drop(v)
	c.mu.Unlock()
	if c.config.Dropped != nil {
		c.config.Dropped(lost)
	}
	return false, nil
}

// drop keeps v in a full channel, or not, and returns the value that is lost.
func (c *Channel[T]) drop(v T) (lost T) {
	switch c.config.Full {
	case DropNewest:
		lost = c.items.popLast()
	case DropOldest:
		lost = c.items.pop()
	default:
		return v
	}
	c.items.push(v)
	return lost
}

// ReadAsync completes with the oldest value there is, or once there is one. Of a closed
// channel it gives what was written before, and then the error that [Channel.Close] got,
// io.EOF if that is nil (C55).
func (c *Channel[T]) ReadAsync(ctx context.Context) Task[T] {
	t, _ := c.readAsync(ctx)
	return t
}

// readAsync is ReadAsync, and what stands in line if that is pending.
func (c *Channel[T]) readAsync(ctx context.Context) (Task[T], *blocked[T, T]) {
	var zero T
	if over(ctx) {
		return Completed(zero, causeOf(ctx)), nil
	}
	c.mu.Lock()
	v, waits, err := c.read()
	if !waits {
		return Completed(v, err), nil
	}
	b := block[T](c, ctx, &c.readers, zero)
	c.meet(&c.writable)
	return b.source.Task(), b
}

// TryRead is ReadAsync if there is a value; else it does nothing and ok is false.
func (c *Channel[T]) TryRead() (v T, ok bool) {
	c.mu.Lock()
	v, waits, err := c.read()
	if waits {
		c.mu.Unlock()
	}
	return v, !waits && err == nil
}

// read is called with the channel locked. It unlocks it unless there is nothing yet. The
// room that it makes is the oldest writer's (C54).
func (c *Channel[T]) read() (v T, waits bool, err error) {
	w := oldest[T, struct{}](&c.writers)
	switch {
	case c.items.n > 0:
		if v = c.items.pop(); w != nil {
			c.items.push(w.value)
		}
	case w != nil:
		v = w.value
	case !c.closed:
		return v, true, nil
	default:
		err = c.end
	}
	var told []*blocked[T, bool]
	if w != nil {
		w.serve(struct{}{}, nil)
	} else if c.items.n < c.config.Capacity {
		told = c.writable.tell(true, nil)
	}
	ended := c.ended()
	c.mu.Unlock()
	defer resumeAll(told)
	resumeAll(ended) // there is no w then
	if w != nil {
		w.resume()
	}
	return v, false, err
}

// Close ends the channel: writes fail from now on, those that wait, too; reads get what
// is left, and then err, or io.EOF if that is nil (C55). Of several calls the first
// counts; Close reports whether it was that.
func (c *Channel[T]) Close(err error) (first bool) {
	if err == nil {
		err = io.EOF
	}
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return false
	}
	c.closed, c.end = true, err
	var zero T
	readers := serveAll[T](&c.readers, zero, err)
	writers := serveAll[T](&c.writers, struct{}{}, ErrClosed)
	readable := c.readable.tell(false, c.failure())
	writable := c.writable.tell(false, c.failure())
	ended := c.ended()
	c.mu.Unlock()
	defer resumeAll(ended)
	defer resumeAll(writable)
	defer resumeAll(readable)
	defer resumeAll(writers)
	resumeAll(readers)
	return true
}

// DoneAsync completes once the channel is closed and all that was written has been read
// (C55), with the error that Close got.
func (c *Channel[T]) DoneAsync(ctx context.Context) Task0 {
	if over(ctx) {
		return Completed0(causeOf(ctx))
	}
	c.mu.Lock()
	if c.over() {
		c.mu.Unlock()
		return Completed0(c.failure())
	}
	var zero T
	return Task0{block[struct{}](c, ctx, &c.drained, zero).source.Task()}
}

// over reports whether the channel is closed and all that was written has been read.
func (c *Channel[T]) over() bool { return c.closed && c.items.n == 0 }

// ended serves those that wait for the end, if it has come.
func (c *Channel[T]) ended() []*blocked[T, struct{}] {
	if !c.over() {
		return nil
	}
	return serveAll[T](&c.drained, struct{}{}, c.failure())
}

// failure is the error that Close got.
func (c *Channel[T]) failure() error {
	if c.end == io.EOF {
		return nil
	}
	return c.end
}

// Len returns how many values may be read without waiting for a write.
func (c *Channel[T]) Len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.items.n + c.writers.Len()
}

// blocked is an operation on a channel of T that waits for its turn, to end with a T or
// without a value.
type blocked[T, R any] struct {
	joint[R]
	ctx      context.Context
	value    T // that is to be written
	released Continuation

	channel *Channel[T]
	line    *list.List
	place   *list.Element
}

// block unlocks the channel, which the caller has locked, once the operation stands in
// line.
func block[R, T any](c *Channel[T], ctx context.Context, line *list.List, v T) *blocked[T, R] {
	b := &blocked[T, R]{ctx: ctx, value: v, channel: c, line: line}
	b.arms = b
	b.stand()
	b.watch(ctx)
	return b
}

// stand unlocks the channel also if the context's Value panics.
func (b *blocked[T, R]) stand() {
	defer b.channel.mu.Unlock()
	b.source.bindTo(b.ctx)
	b.place = b.line.PushBack(b)
}

// Stop takes the operation out of the line: its context is done.
func (b *blocked[T, R]) Stop() bool {
	b.channel.mu.Lock()
	defer b.channel.mu.Unlock()
	b.line.Remove(b.place)
	b.channel.left(b.line, b.ctx)
	b.forget()
	return true
}

// oldest takes the first out of a line that is still to be served, nil if there is none.
// Those whose context is done are not, though its callback, which is to end them, may not
// have come yet. The channel is locked.
func oldest[T, R any](line *list.List) *blocked[T, R] {
	for e := line.Front(); e != nil; e = line.Front() {
		b := line.Remove(e).(*blocked[T, R])
		if b.ctx.Err() != nil {
			continue
		}
		b.until(&b.arms, nil) // it is out of line: Stop would lock the channel
		if b.claim() {
			return b
		}
	}
	return nil
}

// serve completes what oldest has returned; resume lets go on who awaits it, when the
// channel is not locked any more.
func (b *blocked[T, R]) serve(v R, err error) {
	b.released = b.settle(v, err)
	b.forget()
}

func (b *blocked[T, R]) resume() {
	released := b.released
	b.released = nil
	postAll(b.source.executor(), b.source.host(), released)
}

// forget lets go of the value, which who holds the task need not keep.
func (b *blocked[T, R]) forget() {
	var zero T
	b.value = zero
}

// serveAll serves all of a line alike.
func serveAll[T, R any](line *list.List, v R, err error) (served []*blocked[T, R]) {
	for b := oldest[T, R](line); b != nil; b = oldest[T, R](line) {
		b.serve(v, err)
		served = append(served, b)
	}
	return served
}

func resumeAll[T, R any](served []*blocked[T, R]) { each(served, (*blocked[T, R]).resume) }
