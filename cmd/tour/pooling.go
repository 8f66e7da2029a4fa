package main

import (
	"context"
	"fmt"

	"github.com/nothread/nothread/runtime/async"
)

// This is the story of pooling: a machine that has to wait is an object, and so
// is the source of what it waits for. With //nothread:async pool the machine is
// used again once its result was read, and a SourcePool does the same for
// sources.
//
// Look at the objects made for each call, and at what a version token catches.

// A connection is something that answers later: when answer is called.
type connection struct {
	pooled  bool
	pool    async.SourcePool[int]
	waiting async.PooledSource[int]
	plain   *async.Source[int]
}

// ask returns a task that is incomplete until answer is called.
func (c *connection) ask(ctx context.Context) async.Task[int] {
	if c.pooled {
		c.waiting = c.pool.New(ctx)
		return c.waiting.Task()
	}
	c.plain = async.NewSourceFor[int](ctx)
	return c.plain.Task()
}

// answer completes what ask has returned last.
func (c *connection) answer(n int) {
	if c.pooled {
		c.waiting.SetResult(n)
	} else {
		c.plain.SetResult(n)
	}
}

// Receive has a machine of its own for each call.
//
//nothread:async
func (c *connection) Receive(ctx context.Context) (int, error) {
	n, err := c.ask(ctx).Await()
	return n + 1, err
}

// ReceivePooled has one that it uses again.
//
//nothread:async pool
func (c *connection) ReceivePooled(ctx context.Context) (int, error) {
	n, err := c.ask(ctx).Await()
	return n + 1, err
}

func tellPooling(t *teller, _ []string) error {
	if err := t.start(nothing); err != nil {
		return err
	}
	ctx := t.world.Context()
	const calls = 10_000
	t.printf("%d calls, each of which has to wait.\n", calls)
	t.printf("\nObjects made for each call:\n\n")
	for _, way := range []struct {
		title   string
		c       *connection
		receive func(c *connection, ctx context.Context) async.Task[int]
	}{
		{"a machine and a source for each", &connection{}, (*connection).ReceiveAsync},
		{"the sources pooled", &connection{pooled: true}, (*connection).ReceiveAsync},
		{"the machines pooled", &connection{}, (*connection).ReceivePooledAsync},
		{"both pooled", &connection{pooled: true}, (*connection).ReceivePooledAsync},
	} {
		sum := 0
		made := allocations(func() {
			for i := range calls {
				task := way.receive(way.c, ctx)
				way.c.answer(i)
				n, _ := task.GetResult()
				sum += n
			}
		})
		if sum != calls*(calls+1)/2 {
			return fmt.Errorf("the sum of the answers is %d", sum)
		}
		t.printf("  %-36s %d\n", way.title, (made+calls/2)/calls)
	}
	t.printf("\nA pooled machine's task may be awaited once and read once. Who does otherwise is told so:\n\n")
	t.misuse(ctx)
	return t.stop()
}

// misuse does what one must not do with a task from a pool; last it reads it when
// the next call may have the machine.
func (t *teller) misuse(ctx context.Context) {
	c := &connection{pooled: true}
	first := c.ReceivePooledAsync(ctx)
	t.printf("  read too early:         %v\n", panicOf(func() { first.GetResult() }))
	first.OnCompleted(async.ContinuationFunc(func(*async.Executor) {}))
	t.printf("  awaited a second time:  %v\n", panicOf(func() {
		first.OnCompleted(async.ContinuationFunc(func(*async.Executor) {}))
	}))
	c.answer(1)
	n, err := first.GetResult()
	t.printf("  read once:              %d, %v\n", n, err)
	t.printf("  read a second time:     %v\n", panicOf(func() { first.GetResult() }))
	second := c.ReceivePooledAsync(ctx)
	t.printf("  with the next call's:   %v\n", panicOf(func() { first.GetResult() }))
	c.answer(2)
	second.GetResult()
	t.printf("  completed once more:    %v\n", panicOf(func() { c.answer(3) }))
}

// panicOf is what f panics with.
func panicOf(f func()) (value any) {
	defer func() { value = recover() }()
	f()
	return nil
}
