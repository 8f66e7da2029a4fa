package main

import (
	"bytes"
	"context"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/device"
	"github.com/nothread/nothread/runtime/overlapped"
)

// This is the story of the Event-based Asynchronous Pattern: a component's methods
// start operations, its events say on the UI thread how they ended. Threads are no
// concern any more; but one process, read, transform, write, stands in as many
// handlers, and what they share in fields.
//
// Look at the functions in which the process stands, first and second.

// A shouter copies a file in capitals, by events.
type shouter struct {
	ctx              context.Context
	original, target *overlapped.EventFile
	err              error
}

// start subscribes to the events, and begins.
func (s *shouter) start() {
	say(s.ctx, "start")
	s.original.ReadFileCompleted.Add(s.onRead)
	s.target.WriteFileCompleted.Add(s.onWritten)
	s.err = s.original.ReadFileAsync(s.ctx, make([]byte, 64), "read")
}

// onRead handles the one event, and begins the next operation.
func (s *shouter) onRead(e overlapped.CompletedArgs) {
	say(s.ctx, "onRead: %d bytes", e.N)
	if s.err = e.Err; s.err == nil {
		s.err = s.target.WriteFileAsync(s.ctx, bytes.ToUpper(e.Buffer[:e.N]), "write")
	}
}

// onWritten handles the other.
func (s *shouter) onWritten(e overlapped.CompletedArgs) {
	say(s.ctx, "onWritten: %d bytes", e.N)
	s.err = e.Err
}

// Shout is the same process in one piece.
//
//nothread:async
func Shout(ctx context.Context, original, target *overlapped.File) error {
	buf := make([]byte, 64)
	say(ctx, "Shout begins")
	n, err := original.ReadAsync(ctx, buf).Await()
	if err != nil {
		return err
	}
	say(ctx, "Shout goes on: %d bytes", n)
	n, err = target.WriteAsync(ctx, bytes.ToUpper(buf[:n])).Await()
	if err != nil {
		return err
	}
	say(ctx, "Shout ends: %d bytes", n)
	return nil
}

func tellEAP(t *teller, _ []string) error {
	t.printf("A file is copied in capitals. Seed %d; » is the program's own word.\n", t.seed)
	var byEvents *shouter
	err := t.shout("By events", func(ctx context.Context, original, target *overlapped.File) {
		byEvents = &shouter{ctx: ctx, original: overlapped.NewEventFile(original), target: overlapped.NewEventFile(target)}
		byEvents.start()
	})
	if err != nil {
		return err
	}
	if byEvents.err != nil {
		return byEvents.err
	}
	var task async.Task0
	err = t.shout("By await", func(ctx context.Context, original, target *overlapped.File) {
		task = ShoutAsync(ctx, original, target)
	})
	if err != nil {
		return err
	}
	return task.GetResult()
}

// shout has the UI thread begin the process, in a World of its own.
func (t *teller) shout(title string, begin func(ctx context.Context, original, target *overlapped.File)) error {
	if err := t.start(nothing); err != nil {
		return err
	}
	original, err := t.file("original", []byte("There is no thread."), device.DiskConfig{})
	if err != nil {
		return err
	}
	written := device.NewMemory(nil)
	disk, err := t.disk("target", written)
	if err != nil {
		return err
	}
	target, err := disk.Open()
	if err != nil {
		return err
	}
	t.onUI("shout", func(ctx context.Context) { begin(ctx, original, target) })
	t.world.Run()
	if err := t.stop(); err != nil {
		return err
	}
	t.printf("\n%s:\n\n", title)
	t.printWords()
	t.printf("\n  On the target stands: %s\n", written.Bytes())
	t.printThesis()
	return nil
}
