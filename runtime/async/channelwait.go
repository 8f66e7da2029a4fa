package async

import (
	"container/list"
	"context"
	"reflect"
)

// This file is who waits for a channel without reading or writing: for something to be
// there, or room. It promises nobody anything, for another may be quicker; so all that
// wait are told at once, and who waits twice with one context has one task: a loop over
// WhenAny leaves nothing behind with a channel that never has anything.

// waiting is those who wait for one thing, by context.
type waiting[T any] struct {
	line list.List // of *blocked[T, bool]
	by   map[context.Context]*blocked[T, bool]
}

// wait unlocks the channel, which the caller has locked, once somebody waits with ctx.
func (c *Channel[T]) wait(ctx context.Context, w *waiting[T]) Task[bool] {
	key := ctx
	if !reflect.ValueOf(ctx).Comparable() {
		key = nil
	} else if b := w.by[key]; b != nil {
		defer c.mu.Unlock()
		return b.source.Task()
	}
	b := &blocked[T, bool]{ctx: ctx, channel: c, line: &w.line}
	b.arms = b
	func() {
		defer c.mu.Unlock() // also if the context's Value panics
		b.source.bindTo(ctx)
		b.place = w.line.PushBack(b)
		if key == nil {
			return
		}
		if w.by == nil {
			w.by = make(map[context.Context]*blocked[T, bool])
		}
		w.by[key] = b
	}()
	b.watch(ctx)
	return b.source.Task()
}

// left is called when somebody leaves a line whose context is done.
func (c *Channel[T]) left(line *list.List, ctx context.Context) {
	for _, w := range [...]*waiting[T]{&c.readable, &c.writable} {
		if line == &w.line && reflect.ValueOf(ctx).Comparable() {
			delete(w.by, ctx)
		}
	}
}

// tell ends the waiting of all.
func (w *waiting[T]) tell(ready bool, err error) []*blocked[T, bool] {
	if w.line.Len() == 0 {
		return nil
	}
	clear(w.by)
	return serveAll[T](&w.line, ready, err)
}

// WaitToReadAsync completes with true once there is something to read, so that TryRead is
// worth a try: another reader may have been quicker. It gives false once the channel is
// closed and all that was written has been read, with the error that [Channel.Close] got
// (C55). It takes no value. So with [WhenAny] it says which of several channels has
// something, and those that have not lose nothing to a read that nobody looks at.
//
//	for {
//		ready, err := c.WaitToReadAsync(ctx).Await()
//		if !ready {
//			return err
//		}
//		for v, ok := c.TryRead(); ok; v, ok = c.TryRead() {
//			…
//		}
//	}
func (c *Channel[T]) WaitToReadAsync(ctx context.Context) Task[bool] {
	if over(ctx) {
		return Completed(false, causeOf(ctx))
	}
	c.mu.Lock()
	switch {
	case c.items.n > 0 || waits[T, struct{}](&c.writers):
		c.mu.Unlock()
		return Completed(true, nil)
	case c.closed:
		defer c.mu.Unlock()
		return Completed(false, c.failure())
	}
	return c.wait(ctx, &c.readable)
}

// WaitToWriteAsync completes with true once a write need not wait, so that TryWrite is
// worth a try; at once, where a write drops what there is no room for. It gives false once
// the channel is closed, with the error that [Channel.Close] got (C55).
func (c *Channel[T]) WaitToWriteAsync(ctx context.Context) Task[bool] {
	if over(ctx) {
		return Completed(false, causeOf(ctx))
	}
	c.mu.Lock()
	switch {
	case c.closed:
		defer c.mu.Unlock()
		return Completed(false, c.failure())
	case c.config.Full != WaitForRoom || c.items.n < c.config.Capacity || waits[T, T](&c.readers):
		c.mu.Unlock()
		return Completed(true, nil)
	}
	return c.wait(ctx, &c.writable)
}

// waits reports whether a line has somebody who is still to be served. Those whose context
// is done leave it. The channel is locked.
func waits[T, R any](line *list.List) bool {
	for e := line.Front(); e != nil; e = line.Front() {
		if e.Value.(*blocked[T, R]).ctx.Err() == nil {
			return true
		}
		line.Remove(e)
	}
	return false
}

// meet tells those who wait that somebody reads, or writes: where nothing is kept, that is
// what they wait for.
func (c *Channel[T]) meet(w *waiting[T]) {
	if c.config.Capacity > 0 {
		return
	}
	c.mu.Lock()
	told := w.tell(true, nil)
	c.mu.Unlock()
	resumeAll(told)
}
