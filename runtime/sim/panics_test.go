package sim_test

import (
	"context"

	"github.com/nothread/nothread/runtime/overlapped"
)

//go:generate go run ../../cmd/nothread

// These are machines, one awaiting the other, of which the innermost panics: TestFailuresAreTold.

//nothread:async
func outer(ctx context.Context, f *overlapped.File) (int, error) {
	return middleAsync(ctx, f).Await()
}

//nothread:async
func middle(ctx context.Context, f *overlapped.File) (int, error) {
	return innerAsync(ctx, f).Await()
}

//nothread:async
func inner(ctx context.Context, f *overlapped.File) (int, error) {
	n, err := f.ReadAtAsync(ctx, make([]byte, 1), 0).Await()
	if err == nil {
		panic("third")
	}
	return n, err
}
