package p

import (
	"context"

	"fuzzed/h"
	"github.com/nothread/nothread/runtime/async"
)

// Awaitables that are kept.
type (
	Op      = h.Op[int]
	Task    = async.Task[int]
	Machine = func(context.Context, int) async.Task[int]
)

// T is a struct with an inner one, a pointer and a slice.
type T struct {
	A  int
	S  string
	In U
	P  *T
	L  []int
}

// U is a small struct.
type U struct {
	X int
	B uint8
}

// W is a string, as a map hashes it.
type W struct{ S string }

// N is a number with methods.
type N int

// I is what *T, T, U and N implement.
type I interface{ Val(int) int }

// Val is T's method by value.
func (t T) Val(x int) int { return t.A*3 + x }

// Ptr is T's method by pointer.
func (t *T) Ptr(x int) int { t.A += x; return t.A }

// Val is U's method by value.
func (u U) Val(x int) int { return u.X + int(u.B) - x }

// Add changes U.
func (u *U) Add(x int) *U { u.X += x; return u }

// Val is N's method by value.
func (n N) Val(x int) int { return int(n) ^ x }

// E embeds.
type E struct {
	*T
	K int
}

// EI embeds an interface.
type EI struct {
	I
	K int
}

// EG embeds a generic type.
type EG struct {
	*G[int]
	K int
}

// G is generic.
type G[V any] struct {
	V V
	C int
}

// Get counts.
func (g *G[V]) Get() V { g.C++; return g.V }

// More is a method by value.
func (g G[V]) More(n int) int { return g.C + n }

// Bump counts without a method.
func Bump[V any](g *G[V], n int) int { g.C++; return n }

// Apply calls f.
func Apply(f func(int) int, n int) int { return f(n) }

// Of makes a G.
func Of[V any](v V) G[V] { return G[V]{V: v} }
