package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/pool"
)

// This is the story of async void: an operation that nobody awaits, as an event
// handler's. async.Forget lets go of one. Its caller cannot catch its error and
// does not know when it ends; its context hears of both.
//
// Look at where the error arrives, and at what happens where nobody takes it.

// An application is a context: what is posted to it becomes a message of the UI
// thread. It keeps count of what nobody awaits, and takes the failures.
type application struct {
	ui       *pool.UI
	executor *async.Executor
	ctx      context.Context // to speak
	running  int
}

// Post makes it an async.SyncContext.
func (a *application) Post(c async.Continuation) {
	a.ui.Go("a continuation", func() { a.executor.Run(c) })
}

// OperationStarted makes it an async.OperationTracker.
func (a *application) OperationStarted() {
	a.running++
	say(a.ctx, "the context hears: an operation has started; under way: %d", a.running)
}

// OperationCompleted is the end of what OperationStarted began.
func (a *application) OperationCompleted() {
	a.running--
	say(a.ctx, "the context hears: an operation has ended; under way: %d", a.running)
}

// UnhandledError makes it an async.UnhandledHandler.
func (a *application) UnhandledError(err *async.OperationError) {
	say(a.ctx, "the context's handler gets: %v", err)
}

// errPrinter is what goes wrong.
var errPrinter = errors.New("the printer is out of paper")

// Print is a button's handler, that fails after a while.
//
//nothread:async
func Print(ctx context.Context, pages int) error {
	for page := range pages {
		if err := async.Delay(ctx, 100*time.Microsecond).Await(); err != nil {
			return err
		}
		say(ctx, "page %d is printed", page+1)
	}
	if pages > 2 {
		return errPrinter
	}
	return nil
}

// click is what a message loop calls: it cannot await, and catches nothing.
func click(ctx context.Context, pages int) {
	defer func() { say(ctx, "the click has returned; caught by it: %v", recover()) }()
	async.Forget(ctx, PrintAsync(ctx, pages))
}

func tellVoid(t *teller, _ []string) error {
	t.printf("Nobody awaits what a click starts. Seed %d; » is the program's own word.\n", t.seed)
	for _, way := range []struct {
		title string
		pages int
		app   bool
	}{
		{"One that succeeds", 2, true},
		{"One that fails, where the context has a handler", 3, true},
		{"One that fails, where it has none", 3, false},
	} {
		t.printf("\n%s:\n\n", way.title)
		if err := t.forget(way.pages, way.app); err != nil {
			return err
		}
	}
	return nil
}

// forget clicks in a World of its own, whose UI thread is an application or not.
func (t *teller) forget(pages int, app bool) error {
	if err := t.start(nothing); err != nil {
		return err
	}
	ctx := t.hears(t.world.UIContext())
	if app {
		a := &application{ui: t.world.UI(), ctx: ctx}
		a.executor = async.NewExecutor(a)
		ctx = async.WithSyncContext(ctx, a)
	}
	t.world.UI().Go("the button is clicked", func() { click(ctx, pages) })
	crash := t.crash()
	if err := t.stop(); err != nil {
		return err
	}
	t.printRows()
	if crash != nil {
		t.printf("\n  It crashes the program: %v\n", crash)
		t.printf("  It is the printer's error: %v\n", errors.Is(crash, errPrinter))
	}
	return nil
}

// crash runs the World and returns what the program would have crashed with.
func (t *teller) crash() (err error) {
	defer func() {
		if r := recover(); r != nil {
			var ok bool
			if err, ok = r.(error); !ok {
				err = fmt.Errorf("%v", r)
			}
		}
	}()
	t.world.Run()
	return nil
}
