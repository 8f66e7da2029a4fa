package main

import (
	"context"
	"time"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/device"
	"github.com/nothread/nothread/runtime/overlapped"
)

// This is the story of the breakfast: toast and eggs, made three times. The
// toaster is a device with a driver, and the pan needs its time whoever looks at
// it; buttering and serving keep a cook busy.
//
// Look at the time, the cooks, and when the telephone is answered that rings
// meanwhile.

// A kitchen has a toaster, and a pan.
type kitchen struct{ toaster *overlapped.Toaster }

// The pan's time, and the cook's.
const (
	fry    = 150 * time.Microsecond
	butter = 5 * time.Microsecond
)

// Toast makes two slices of toast, and butters them.
//
//nothread:async
func (k *kitchen) Toast(ctx context.Context) (string, error) {
	say(ctx, "toast goes into the toaster")
	if _, err := k.toaster.WriteAsync(ctx, []byte("ww")).Await(); err != nil {
		return "", err
	}
	work(ctx, butter)
	say(ctx, "the toast is buttered")
	return "toast", nil
}

// Eggs fries eggs, and serves them.
//
//nothread:async
func (k *kitchen) Eggs(ctx context.Context) (string, error) {
	say(ctx, "eggs go into the pan")
	if err := async.Delay(ctx, fry).Await(); err != nil {
		return "", err
	}
	work(ctx, butter)
	say(ctx, "the eggs are served")
	return "eggs", nil
}

// work keeps the cook busy: a processor's work, which no waiting saves.
func work(ctx context.Context, d time.Duration) { worldOf(ctx).Kernel().CPU().Spend(d) }

// inTurn is the synchronous breakfast: put toast in, stare at it; fry eggs,
// stare at them.
func (k *kitchen) inTurn(ctx context.Context) error {
	_, err := k.Toast(ctx)
	if err == nil {
		_, err = k.Eggs(ctx)
	}
	return err
}

// withHelp is the parallel breakfast: a second cook is hired, and both stare.
func (k *kitchen) withHelp(ctx context.Context) error {
	toast := async.Run(ctx, func(ctx context.Context) (string, error) { return k.Toast(ctx) })
	if _, err := k.Eggs(ctx); err != nil {
		return err
	}
	_, err := toast.Await()
	return err
}

// Both is the asynchronous breakfast: one cook, who does not stare.
//
//nothread:async
func (k *kitchen) Both(ctx context.Context) error {
	toast, eggs := k.ToastAsync(ctx), k.EggsAsync(ctx)
	if _, err := toast.Await(); err != nil {
		return err
	}
	_, err := eggs.Await()
	return err
}

// A breakfast is what one took.
type breakfast struct {
	title   string
	took    time.Duration
	cooks   int // threads on which the program ran
	stared  int // times that a thread blocked
	blocked int // the most threads that were blocked at once
	phone   time.Duration
}

func tellBreakfast(t *teller, _ []string) error {
	t.printf("Toast and eggs, and the telephone rings after 20µs. Seed %d; » is the program's own word.\n", t.seed)
	var all []breakfast
	for _, way := range []struct {
		title string
		make  func(k *kitchen, ctx context.Context) error
	}{
		{"synchronous", (*kitchen).inTurn},
		{"parallel", (*kitchen).withHelp},
		{"asynchronous", func(k *kitchen, ctx context.Context) error {
			async.Forget(ctx, k.BothAsync(ctx))
			return nil
		}},
	} {
		b, err := t.breakfast(way.make)
		if err != nil {
			return err
		}
		b.title = way.title
		all = append(all, *b)
		t.printf("\n%s:\n\n", capital(way.title))
		t.printRows()
	}
	t.printf("\n  %-14s %12s %8s %13s %16s %16s\n", "", "time", "cooks", "times blocked", "blocked at once", "phone answered")
	for _, b := range all {
		t.printf("  %-14s %12v %8d %13d %16d %16v\n", b.title, b.took, b.cooks, b.stared, b.blocked, b.phone)
	}
	return nil
}

// breakfast makes one, in a World of its own.
func (t *teller) breakfast(cook func(k *kitchen, ctx context.Context) error) (*breakfast, error) {
	if err := t.start(nothing); err != nil {
		return nil, err
	}
	toaster, err := t.world.NewToaster("toaster", device.ToasterConfig{})
	if err != nil {
		return nil, err
	}
	k := new(kitchen)
	if k.toaster, err = toaster.Open(); err != nil {
		return nil, err
	}
	b := new(breakfast)
	var failed error
	t.onUI("make breakfast", func(ctx context.Context) { failed = cook(k, ctx) })
	t.world.AfterFunc(20*time.Microsecond, func() {
		t.onUI("the telephone rings", func(ctx context.Context) {
			say(ctx, "the telephone is answered")
			b.phone = t.world.Elapsed()
		})
	})
	t.world.Run()
	if err := t.stop(); err != nil {
		return nil, err
	}
	for _, r := range t.rows {
		if r.what == "the toast is buttered" || r.what == "the eggs are served" {
			b.took = max(b.took, time.Duration(r.time))
		}
	}
	b.cooks, b.stared, b.blocked = len(t.speakers), int(t.world.Counters().Blocks), t.blocked
	return b, failed
}
