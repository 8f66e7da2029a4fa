// Package study is what the tests of explain and graph look into: functions that
// no other test knows, one for each thing that there is to say.
package study

import (
	"context"
	"errors"
	"iter"

	"github.com/nothread/nothread/runtime/async"
)

var errFull = errors.New("full")

// Nested has two loops, a select and a defer in one function.
//
//nothread:async
func Nested(ctx context.Context, rows [][]int, stop <-chan struct{}, ask func(int) async.Task[int]) (sum int, err error) {
	defer func() {
		if recover() != nil {
			err = errFull
		}
	}()
outer:
	for y, row := range rows {
		for x := 0; x < len(row); x++ {
			n, err := ask(row[x]).Await()
			if err != nil {
				return sum, err
			}
			switch {
			case n < 0:
				continue outer
			case n > 100:
				break outer
			}
			select {
			case <-stop:
				return sum, nil
			case v := <-more(n):
				sum += v
				if w, _ := ask(v).Await(); w > 0 {
					sum += w * y
				}
			default:
				sum++
			}
		}
	}
	if sum < 0 {
		panic("negative")
	}
	return sum, nil
}

func more(int) <-chan int { return nil }

// Plain has no cell and nothing deferred.
//
//nothread:async
func Plain(ctx context.Context, t async.Task[int]) (int, error) {
	n, err := t.Await()
	return n + 1, err
}

// Cells has a parameter and a local whose addresses are taken.
//
//nothread:async
func Cells(t async.Task[int], n int) (int, error) {
	var total int
	add(&total, &n)
	m, err := t.Await()
	add(&total, &m)
	return total, err
}

//go:noinline
func add(to, n *int) { *to += *n }

// Pooled takes its machine from a pool.
//
//nothread:async pool
func Pooled(t async.Task[int]) (int, error) {
	n, err := t.Await()
	return n + 1, err
}

// Late defers an await.
//
//nothread:async
func Late(ctx context.Context, flush async.Task[int], t async.Task[int]) (n int, err error) {
	defer flush.Await()
	return t.Await()
}

// Each ranges over a function and over a map.
//
//nothread:async
func Each(ctx context.Context, all iter.Seq[int], m map[string]int, ask func(int) async.Task[int]) (int, error) {
	sum := 0
	for n := range all {
		m, err := ask(n).Await()
		if err != nil {
			return 0, err
		}
		sum += m
	}
	for _, n := range m {
		m, _ := ask(n).Await()
		sum += m
	}
	return sum, nil
}

// Nothing awaits nothing.
//
//nothread:async
func Nothing(unused int) int { return 1 }

// Forever has no end.
//
//nothread:async
func Forever(tick func() async.Task0) {
	for {
		tick().Await()
	}
}

// Outer starts closures.
//
//nothread:async
func Outer(ctx context.Context, ask func(int) async.Task[int]) (int, error) {
	scale := 2
	task := async.Go(ctx, func(ctx context.Context) (int, error) {
		n, err := ask(1).Await()
		return n * scale, err
	})
	scale++
	return task.Await()
}

type cache struct{ hits int }

//nothread:async
func (c *cache) get(t async.Task[int]) (int, error) {
	n, err := t.Await()
	c.hits++
	return n, err
}

type list[T any] struct{ items []T }

//nothread:async
func (l *list[T]) get(t async.Task[T]) (T, error) {
	v, err := t.Await()
	if err == nil {
		l.items = append(l.items, v)
	}
	return v, err
}

// Order is a spill: what comes before the await is kept.
//
//nothread:async
func Order(f func() int, t async.Task[int], u async.Task[int]) int {
	return f() + value(t.Await()) + value(u.Await())
}

func value(n int, _ error) int { return n }

// Quoted has in its conditions what means something in pictures.
//
//nothread:async
func Quoted(s string, t async.Task0) string {
	for s != "\"<&>|{}\\n#_*\t" {
		if err := t.Await(); err != nil && s < `–\l` {
			return "]]>" + s
		}
		s += "<!-- é -->"
	}
	return s
}

// Narrow keeps narrow variables between wide ones: the machine has them together.
//
//nothread:async
func Narrow(t async.Task[int], loud bool, from int64, small int8, to int64, last bool) (int64, error) {
	n, err := t.Await()
	if loud == last {
		return from, err
	}
	return to + int64(small) + int64(n), err
}
