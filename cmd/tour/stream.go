package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/device"
	"github.com/nothread/nothread/runtime/overlapped"
)

// This is the story of a stream: records come from a disk, several in a block, and
// whoever looks at them stops at the one that it looked for.
//
// Look at how many reads there are, and when they are made.

// Records yields the records of a file. It reads when somebody asks for one that it does
// not have.
func Records(f *overlapped.File) async.Stream[string] {
	return async.NewStream(func(ctx context.Context, out async.Yielder[string]) async.Task0 { return recordsAsync(ctx, f, out) })
}

//nothread:async
func records(ctx context.Context, f *overlapped.File, out async.Yielder[string]) error {
	defer say(ctx, "  the producer ends")
	block := make([]byte, 3*recordSize)
	for {
		n, err := f.ReadAsync(ctx, block).Await()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		say(ctx, "  a block of %d records", n/recordSize)
		for i := 0; i < n; i += recordSize {
			if err := out.YieldAsync(strings.TrimSpace(string(block[i : i+recordSize]))).Await(); err != nil {
				return err
			}
		}
	}
}

const recordSize = 8

// LookAhead has all records before it looks at one.
//
//nothread:async
func LookAhead(ctx context.Context, f *overlapped.File, name string) error {
	var all []string
	for record, err := range Records(f).Await(ctx) {
		if err != nil {
			return err
		}
		all = append(all, record)
	}
	for _, record := range all {
		say(ctx, "is it %s?", record)
		if record == name {
			return nil
		}
	}
	return fmt.Errorf("no %s", name)
}

// LookAsAsked looks at each record before it asks for the next.
//
//nothread:async
func LookAsAsked(ctx context.Context, records async.Stream[string], name string) error {
	for record, err := range records.Await(ctx) {
		if err != nil {
			return err
		}
		say(ctx, "is it %s?", record)
		if record == name {
			return nil
		}
	}
	return fmt.Errorf("no %s", name)
}

// LookInChannel takes what another machine writes, who is ahead as far as there is room.
//
//nothread:async
func LookInChannel(ctx context.Context, f *overlapped.File, name string) error {
	ctx, leave := async.ContextWithCancel(ctx)
	c := async.NewChannel(async.ChannelConfig[string]{Capacity: 4})
	defer writeAsync(ctx, f, c).Await()
	defer leave()
	return LookAsAskedAsync(ctx, c.All(), name).Await()
}

//nothread:async
func write(ctx context.Context, f *overlapped.File, c *async.Channel[string]) error {
	for record, err := range Records(f).Await(ctx) {
		if err != nil {
			c.Close(err)
			return err
		}
		if err := c.WriteAsync(ctx, record).Await(); err != nil {
			return err
		}
	}
	c.Close(nil)
	return nil
}

// A look is one way to look for a record.
type look struct {
	name string
	run  func(ctx context.Context, f *overlapped.File, name string) async.Task0
}

var looks = []look{
	{"all of them first", LookAheadAsync},
	{"a stream, left where it was found", func(ctx context.Context, f *overlapped.File, name string) async.Task0 {
		return LookAsAskedAsync(ctx, Records(f), name)
	}},
	{"a channel between two machines", LookInChannelAsync},
}

func tellStream(t *teller, _ []string) error {
	t.printf("Twelve records on a disk, three in a block; the fifth is looked for. Seed %d.\n", t.seed)
	for _, l := range looks {
		if err := t.look(l); err != nil {
			return err
		}
	}
	t.printf("\nThe producer of a stream is never ahead of who asks, and has ended when the loop is over: its yield fails,\n" +
		"and it cleans up. In a channel what nobody wants any more may be written already.\n")
	return nil
}

// look runs one of them.
func (t *teller) look(l look) error {
	if err := t.start(nothing); err != nil {
		return err
	}
	var content strings.Builder
	for _, name := range strings.Fields("ann bob cid dan eve fay gus hal ida jim kay leo") {
		fmt.Fprintf(&content, "%-*s", recordSize, name)
	}
	var done async.Task0
	t.onUI("look", func(ctx context.Context) {
		f, err := t.file("records", []byte(content.String()), device.DiskConfig{})
		if err != nil {
			done = async.Completed0(err)
			return
		}
		done = l.run(ctx, f, "eve")
	})
	t.world.Run()
	if err := t.stop(); err != nil {
		return err
	}
	t.printCounted(l.name)
	return done.GetResult()
}
