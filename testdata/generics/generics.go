// Functions with type parameters and methods of generic types may be async;
// locals of such types live across awaits as any other.
package main

import (
	"context"
	"fmt"

	"github.com/nothread/nothread/golden/play"
	"github.com/nothread/nothread/runtime/async"
)

func main() { play.Main(Generics, GenericsAsync) }

// mapped applies f to each element and waits for each of the results.
//
//nothread:async
func mapped[T, R any](ctx context.Context, list []T, f func(T) R) []R {
	var results []R
	for _, v := range list {
		r := play.Ask(ctx, f(v)).Await()
		results = append(results, r)
	}
	return results
}

// A number is what sums can be made of.
type number interface{ ~int | ~float64 }

// A tree keeps values in order.
type tree[K number, V any] struct {
	left, right *tree[K, V]
	key         K
	value       V
}

// insert adds a value; it takes other names for the type parameters.
//
//nothread:async
func (t *tree[N, E]) insert(ctx context.Context, key N, value E) *tree[N, E] {
	if t == nil {
		return &tree[N, E]{key: play.Ask(ctx, key).Await(), value: value}
	}
	if key < t.key {
		t.left, _ = t.left.insertAsync(ctx, key, value).Await()
	} else {
		t.right, _ = t.right.insertAsync(ctx, key, value).Await()
	}
	return t
}

// sum adds the keys.
//
//nothread:async
func (t *tree[N, E]) sum(ctx context.Context) (total N) {
	if t == nil {
		return
	}
	total = t.key
	for _, child := range [...]interface {
		sumAsync(context.Context) async.Task[N]
	}{t.left, t.right} {
		n, _ := child.sumAsync(ctx).Await()
		total += n
	}
	return total
}

// Generics uses them with two sets of types.
//
//nothread:async
func Generics(ctx context.Context) {
	words, _ := mappedAsync(ctx, []int{1, 2, 3}, func(n int) string { return fmt.Sprint("#", n) }).Await()
	lengths, _ := mappedAsync(ctx, words, func(s string) int { return len(s) }).Await()
	fmt.Println(words, lengths)

	var t *tree[float64, string]
	for i, word := range words {
		t, _ = t.insertAsync(ctx, 1.5*float64(2-i), word).Await()
	}
	sum, _ := t.sumAsync(ctx).Await()
	fmt.Println(sum, t.value, t.left.value)
}
