package main

import (
	"context"
	"fmt"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/device"
	"github.com/nothread/nothread/runtime/overlapped"
)

// This is the story of contexts. A machine goes on where the context says that
// its function was given, whoever completes what it waits for; and what the
// context carries besides, it carries across the await.
//
// Look at the thread after the await, and at how many times a machine was posted
// there.

// userKey is where a context carries a user's name: an ambient value.
type userKey struct{}

// A visit is where one call has been.
type visit struct{ before, after, user string }

// Visit reads, and notes where it was before the await and where after it.
//
//nothread:async
func Visit(ctx context.Context, f *overlapped.File) (visit, error) {
	var v visit
	v.before = threadOf(ctx)
	if _, err := f.ReadAtAsync(ctx, make([]byte, 8), 0).Await(); err != nil {
		return v, err
	}
	v.after = threadOf(ctx)
	v.user = ctx.Value(userKey{}).(string)
	return v, nil
}

// VisitAnywhere awaits with ConfigureAwait(false).
//
//nothread:async
func VisitAnywhere(ctx context.Context, f *overlapped.File) (visit, error) {
	var v visit
	v.before = threadOf(ctx)
	if _, err := f.ReadAtAsync(ctx, make([]byte, 8), 0).ConfigureAwait(false).Await(); err != nil {
		return v, err
	}
	v.after = threadOf(ctx)
	v.user = ctx.Value(userKey{}).(string)
	return v, nil
}

// VisitTwice awaits a Visit, which ends on the context on which this goes on:
// nothing is posted for the second time.
//
//nothread:async
func VisitTwice(ctx context.Context, f *overlapped.File) (visit, error) {
	v, err := VisitAsync(ctx, f).Await()
	v.after = threadOf(ctx)
	return v, err
}

// threadOf is the name of the thread that runs.
func threadOf(ctx context.Context) string { return ctx.Value(tellerKey{}).(*teller).threadName() }

func tellContexts(t *teller, _ []string) error {
	t.printf("One function, started by the UI thread, with several contexts. Seed %d.\n\n", t.seed)
	t.printf("  %-44s %-14s %-14s %-7s %s\n", "the context says to go on", "before", "after", "posted", "ambient user")
	ui := func(ctx context.Context) context.Context { return ctx }
	for _, way := range []struct {
		title string
		where func(ctx context.Context) context.Context
		visit func(ctx context.Context, f *overlapped.File) async.Task[visit]
	}{
		{"on the UI thread", ui, VisitAsync},
		{"on the UI thread, awaited there once more", ui, VisitTwiceAsync},
		{"on the UI thread, but ConfigureAwait(false)", ui, VisitAnywhereAsync},
		{"on the workers", func(ctx context.Context) context.Context {
			return async.WithSyncContext(ctx, t.world.Workers())
		}, VisitAsync},
		{"nowhere: on whatever completes it", func(ctx context.Context) context.Context {
			return async.WithSyncContext(ctx, nil)
		}, VisitAsync},
	} {
		v, err := t.visit(way.where, way.visit)
		if err != nil {
			return err
		}
		t.printf("  %-44s %-14s %-14s %-7d %s\n", way.title, v.before, v.after, t.world.Counters().Posts, v.user)
	}
	return nil
}

// visit makes one call from the UI thread, in a World of its own.
func (t *teller) visit(
	where func(ctx context.Context) context.Context, call func(ctx context.Context, f *overlapped.File) async.Task[visit],
) (visit, error) {
	if err := t.start(nothing); err != nil {
		return visit{}, err
	}
	file, err := t.file("disk", make([]byte, 8), device.DiskConfig{})
	if err != nil {
		return visit{}, err
	}
	var task async.Task[visit]
	t.onUI("call", func(ctx context.Context) {
		task = call(context.WithValue(where(ctx), userKey{}, fmt.Sprintf("user %d", 42)), file)
	})
	t.world.Run()
	if err := t.stop(); err != nil {
		return visit{}, err
	}
	return task.GetResult()
}
