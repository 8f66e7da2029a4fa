package ours

import (
	"context"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/overlapped"
)

//go:generate go run github.com/nothread/nothread/cmd/nothread

// Sum adds up what n operations give.
//
//nothread:async pool
func Sum(n int, op *Operation) (int, error) {
	sum := 0
	for range n {
		v, err := op.StartAsync().Await()
		if err != nil {
			return sum, err
		}
		sum += v
	}
	return sum, nil
}

// SumPooled is Sum with operations from a pool.
//
//nothread:async pool
func SumPooled(n int, p *Pool) (int, error) {
	sum := 0
	for range n {
		v, err := p.StartAsync().Await()
		if err != nil {
			return sum, err
		}
		sum += v
	}
	return sum, nil
}

// Once waits for one operation. Its machine is not pooled.
//
//nothread:async
func Once(op *Operation) (int, error) {
	v, err := op.StartAsync().Await()
	return v + 1, err
}

// OncePooled is Once with a machine from a pool.
//
//nothread:async pool
func OncePooled(op *Operation) (int, error) {
	v, err := op.StartAsync().Await()
	return v + 1, err
}

// Watch is the smallest loop that waits for ever: it counts.
//
//nothread:async
func Watch(op *Operation) error {
	for n := 0; ; {
		v, err := op.StartAsync().Await()
		if err != nil {
			return err
		}
		if n += v; n < 0 {
			return nil
		}
	}
}

// Pair is suspended twice.
//
//nothread:async pool
func Pair(op *Operation) (int, error) {
	a, err := op.StartAsync().Await()
	if err != nil {
		return 0, err
	}
	b, err := op.StartAsync().Await()
	return a + b, err
}

// Pairs calls Pair n times.
//
//nothread:async pool
func Pairs(n int, op *Operation) (int, error) {
	sum := 0
	for range n {
		v, err := PairAsync(op).Await()
		if err != nil {
			return sum, err
		}
		sum += v
	}
	return sum, nil
}

// Deep is a Pair below so many calls that each do something after it.
//
//nothread:async pool
func Deep(depth int, op *Operation) (int, error) {
	if depth <= 1 {
		v, err := PairAsync(op).Await()
		return v, err
	}
	v, err := DeepAsync(depth-1, op).Await()
	return v + 1, err
}

// DeepSum is a Sum below so many calls.
//
//nothread:async pool
func DeepSum(depth, n int, op *Operation) (int, error) {
	if depth <= 1 {
		v, err := SumAsync(n, op).Await()
		return v, err
	}
	v, err := DeepSumAsync(depth-1, n, op).Await()
	return v + 1, err
}

// Deeps calls Deep n times.
//
//nothread:async pool
func Deeps(n, depth int, op *Operation) (int, error) {
	sum := 0
	for range n {
		v, err := DeepAsync(depth, op).Await()
		if err != nil {
			return sum, err
		}
		sum += v
	}
	return sum, nil
}

// ReadyAsync has its result at once.
//
//go:noinline
func ReadyAsync(v int) async.Task[int] { return async.Completed(v, nil) }

// Ready is the plain call.
//
//go:noinline
func Ready(v int) (int, error) { return v, nil }

// AddReady awaits n completed tasks.
//
//nothread:async
func AddReady(n int) (int, error) {
	sum := 0
	for i := range n {
		v, err := ReadyAsync(i).Await()
		if err != nil {
			return sum, err
		}
		sum += v
	}
	return sum, nil
}

// Plain is AddReady without tasks.
func Plain(n int) (int, error) {
	sum := 0
	for i := range n {
		v, err := Ready(i)
		if err != nil {
			return sum, err
		}
		sum += v
	}
	return sum, nil
}

// Handful is called often, and waits for four things that are there already.
//
//nothread:async
func Handful(ctx context.Context, v int) (int, error) {
	n, err := AddReadyAsync(4).Await()
	return n + v, err
}

// PlainHandful is Handful without tasks.
//
//go:noinline
func PlainHandful(_ context.Context, v int) (int, error) {
	n, err := Plain(4)
	return n + v, err
}

// Reads reads a block of file again and again, until what is left of a number
// that several share has been read.
//
//nothread:async
func Reads(ctx context.Context, file *overlapped.File, buf []byte, left *int) error {
	for *left > 0 {
		*left--
		if _, err := file.ReadAtAsync(ctx, buf, 0).Await(); err != nil {
			return err
		}
	}
	return nil
}

// ReadOnce reads a block of file and counts itself done.
//
//nothread:async
func ReadOnce(ctx context.Context, file *overlapped.File, buf []byte, done *int) error {
	n, err := file.ReadAtAsync(ctx, buf, 0).Await()
	if n == len(buf) {
		*done++
	}
	return err
}
