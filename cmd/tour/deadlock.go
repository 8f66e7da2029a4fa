package main

import (
	"context"
	"time"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/kernel"
)

// This is the story of the deadlock trap: a button's handler blocks the UI
// thread until a task is complete, and the task's machine waits for the UI
// thread to go on. Windows would hang there; a World sees that nothing is left
// that could happen, and says who waits for what.
//
// Look at the line that blocks, at what it waits for, and at the ways out.

// GetData needs a while; it goes on where it was started: on the UI thread.
//
//nothread:async
func GetData(ctx context.Context) (string, error) {
	if err := async.Delay(ctx, time.Millisecond).Await(); err != nil {
		return "", err
	}
	say(ctx, "GetData goes on")
	return "Data", nil
}

// GetDataAnywhere does not care where it goes on: a library's way.
//
//nothread:async
func GetDataAnywhere(ctx context.Context) (string, error) {
	if err := async.Delay(ctx, time.Millisecond).ConfigureAwait(false).Await(); err != nil {
		return "", err
	}
	say(ctx, "GetDataAnywhere goes on")
	return "Data", nil
}

// A textBox shows what there is to show.
type textBox struct{ text string }

// clickBlocking is an ordinary function: its Await blocks the thread.
func (b *textBox) clickBlocking(ctx context.Context) (err error) {
	say(ctx, "the click begins, and blocks")
	b.text, err = GetDataAsync(ctx).Await()
	say(ctx, "the click ends")
	return err
}

// Click is the first way out: it awaits.
//
//nothread:async
func (b *textBox) Click(ctx context.Context) (err error) {
	say(ctx, "the click begins, and awaits")
	b.text, err = GetDataAsync(ctx).Await()
	say(ctx, "the click ends")
	return err
}

// clickBlockingAnywhere is the second: it blocks, and what it blocks on can go
// on without it.
func (b *textBox) clickBlockingAnywhere(ctx context.Context) (err error) {
	say(ctx, "the click begins, and blocks")
	b.text, err = GetDataAnywhereAsync(ctx).Await()
	say(ctx, "the click ends")
	return err
}

// clickSynchronous calls the synchronous form: one thread from end to end. It
// has no continuation to wait for.
func (b *textBox) clickSynchronous(ctx context.Context) (err error) {
	say(ctx, "the click begins, and calls")
	b.text, err = GetData(ctx)
	say(ctx, "the click ends")
	return err
}

func tellDeadlock(t *teller, _ []string) error {
	t.printf("A button is clicked, the window is to be painted half a millisecond later. Seed %d.\n", t.seed)
	for _, way := range []struct {
		title string
		click func(b *textBox, ctx context.Context) error
	}{
		{"The trap: the UI thread blocks on the task", (*textBox).clickBlocking},
		{"The first way out: await it", func(b *textBox, ctx context.Context) error {
			b.ClickAsync(ctx)
			return nil
		}},
		{"The second way out: ConfigureAwait(false) in what is called", (*textBox).clickBlockingAnywhere},
		{"And the synchronous form of GetData: it blocks, but cannot deadlock", (*textBox).clickSynchronous},
	} {
		if err := t.click(way.title, way.click); err != nil {
			return err
		}
	}
	return nil
}

// click tells what comes of one way to handle the button.
func (t *teller) click(title string, handle func(b *textBox, ctx context.Context) error) error {
	record := func(h *kernel.Hop) bool {
		return h.Kind == kernel.HopThreadBlocked || h.Kind == kernel.HopThreadUnblocked || h.Kind == kernel.HopPosted
	}
	if err := t.start(record); err != nil {
		return err
	}
	box := new(textBox)
	var failed error
	t.onUI("the button is clicked", func(ctx context.Context) { failed = handle(box, ctx) })
	t.world.AfterFunc(500*time.Microsecond, func() {
		t.onUI("paint", func(ctx context.Context) { say(ctx, "the window is painted") })
	})
	deadlock := t.run()
	if err := t.stop(); err != nil {
		return err
	}
	t.printf("\n%s.\n\n", title)
	t.printRows()
	if deadlock != nil {
		t.printf("\n  The World stops: %v\n", deadlock)
		return nil
	}
	t.printf("\n  The text box says: %s. Threads that blocked: %d.\n", box.text, t.world.Counters().Blocks)
	return failed
}
