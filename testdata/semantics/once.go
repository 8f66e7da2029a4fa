package semantics

import (
	"context"
	"encoding/binary"
	"fmt"
	"net/http"
	"runtime"

	"github.com/nothread/nothread/runtime/async"
)

// once has cases that went wrong once.
var once = []test{
	{"25 address of an array that a type parameter stands for", parametricArray, parametricArrayAsync},
	{"25 captured array that a type parameter stands for", capturedArray, capturedArrayAsync},
	{"25 awaitable with methods of its address", addressed, addressedAsync},
	{"31 defer panic(nil)", defersPanicNil, defersPanicNilAsync},
	{"35 Goexit with deferred awaits", exitsWaiting, exitsWaitingAsync},
	{"35 Goexit, and panics in what was deferred", exitsPanicking, exitsPanickingAsync},
	{"36 type switch over a captured variable", switchedCell, switchedCellAsync},
	{"37 constant called iota", constantIota, constantIotaAsync},
	{"38 types that another package does not export", unexported, unexportedAsync},
	{"38 local types of one name", oneName, oneNameAsync},
	{"38 local types in async closures", typesInClosures, typesInClosuresAsync},
	{"39 local types of type parameters", parametricTypes, parametricTypesAsync},
	{"39 closures among the arguments of async.Go", closureArguments, closureArgumentsAsync},
	{"39 blocking calls, nested", nested, nestedAsync},
}

//nothread:async
func parametricArray(r *run) any {
	v, _ := slicedAsync(r, [4]int{}).Await()
	return v
}

//nothread:async
func sliced[T ~[4]int](r *run, x T) int {
	s, p := x[:], &x[1]
	value(r, 1).Await()
	x[0], x[1] = 7, 9
	value(r, 2).Await()
	return s[0] + *p
}

//nothread:async
func capturedArray(r *run) any {
	v, _ := closedOverAsync(r, [4]int{}).Await()
	return v
}

//nothread:async
func closedOver[T ~[4]int](r *run, x T) int {
	f := func() int { return x[0] }
	value(r, 1).Await()
	x[0] = 7
	return f()
}

// A countdown is awaitable by its address alone.
type countdown struct{ o *op[int] }

func (c *countdown) IsCompleted() bool                     { return c.o.IsCompleted() }
func (c *countdown) OnCompleted(k async.Continuation) bool { return c.o.OnCompleted(k) }
func (c *countdown) GetResult() int                        { return c.o.GetResult() }
func (c countdown) Await() int                             { return c.o.Await() }

//nothread:async
func addressed(r *run) any {
	c := countdown{value(r, 1)}
	n := c.Await()
	old := c
	c.o = value(r, 2)
	return n + c.Await()*10 + old.Await()*100
}

//nothread:async
func defersPanicNil(r *run) any {
	defer func() { r.note("recovered ", recover()) }()
	defer panic(nil)
	return value(r, 1).Await()
}

//nothread:async
func exitsWaiting(r *run) any {
	defer r.note("deferred first")
	defer value(r, "deferred").Await()
	defer func() { r.note("recovered ", recover()) }()
	value(r, 1).Await()
	runtime.Goexit()
	return nil
}

//nothread:async
func exitsPanicking(r *run) any {
	defer r.note("deferred first")
	defer func() { r.note("recovered ", recover()) }()
	defer after(r, func() int { panic("awaited") }).Await()
	defer func() { r.note("recovered ", recover()) }()
	defer func() { panic("deferred") }()
	value(r, 1).Await()
	runtime.Goexit()
	return nil
}

//nothread:async
func switchedCell(r *run) any {
	var x any = 1
	set := func() { x = "text" }
	value(r, 1).Await()
	set()
	switch v := x.(type) {
	case string:
		return v + value(r, "!").Await()
	}
	return nil
}

//nothread:async
func constantIota(r *run) any {
	const (
		a    = iota
		iota = iota
		b
		c
	)
	return fmt.Sprint(a, iota, b, c, value(r, 1).Await())
}

//nothread:async
func unexported(r *run) any {
	order, body := binary.LittleEndian, http.NoBody
	bytes := make([]byte, 2)
	f := func() uint16 { order = binary.LittleEndian; return order.Uint16(bytes) }
	value(r, 1).Await()
	order.PutUint16(bytes, 258)
	n, err := body.Read(bytes)
	orders := map[string]any{"little": order}
	for i, o := range []any{order, body} {
		r.note(fmt.Sprintf("%T", o), value(r, i).Await())
	}
	return fmt.Sprint(bytes, f(), n, err, len(orders))
}

//nothread:async
func oneName(r *run) any {
	type node struct{ n int } // as in localTypes
	type node2 struct {
		node
		all map[node]*node
	}
	v := node{value(r, 1).Await()}
	e := node2{v, map[node]*node{v: &v}}
	f := func() int { v.n++; return v.n }
	value(r, f()).Await()
	{
		type node string
		v := node(value(r, "inner").Await())
		value(r, 1).Await()
		r.note(fmt.Sprintf("%T %v", v, v))
		type node2 []node
		w := node2{v}
		value(r, 1).Await()
		r.note(fmt.Sprintf("%T %v", w, w))
	}
	e.node.n = f() * value(r, 10).Await()
	defer func() { r.note(recover()) }()
	return fmt.Sprintf("%T %+v %v %v", v, e.node, len(e.all), any(e).(node))
}

//nothread:async
func typesInClosures(r *run) any {
	sum := 0
	for i := range 2 {
		type item struct{ n int }
		const more = 3
		n, _ := async.Go(nil, func(context.Context) (int, error) {
			x := item{i + more}
			value(r, 1).Await()
			return x.n, nil
		}).Await()
		sum += n
	}
	var f func(context.Context) async.Task[int]
	if sum > 0 {
		type item struct{ n int }
		f = async.Func0(func(context.Context) (int, error) {
			x := item{sum}
			value(r, 1).Await()
			return x.n, nil
		})
	}
	n, _ := f(nil).Await()
	return n
}

//nothread:async
func parametricTypes(r *run) any {
	v, _ := parametricAsync(r, "x").Await()
	return v
}

//nothread:async
func parametric[A any](r *run, a A) string {
	type both[B any] struct {
		a A
		b B
	}
	type single struct{ a A }
	x, y := both[int]{a, 1}, single{a}
	value(r, 1).Await()
	x.b++
	z := both[single]{a, y}
	value(r, 2).Await()
	return fmt.Sprintf("%T %v %T %v %v", x, x, y, y, z)
}

//nothread:async
func closureArguments(r *run) any {
	n := 1
	t := async.Go(context.WithValue(context.Background(), r, func() int { n++; return n }), func(ctx context.Context) (int, error) {
		n += 10
		value(r, n).Await()
		return ctx.Value(r).(func() int)() * 100, nil
	})
	v, _ := t.Await()
	return v + n
}

//nothread:async
func nested(r *run) any {
	n, _ := factorialAsync(r, 4).Await()
	return n
}

//nothread:async
func factorial(r *run, n int) int {
	if n == 0 {
		return value(r, 1).Await()
	}
	return value(r, n).Await() * blocking(r, n-1)
}

// blocking is plain code between machines.
func blocking(r *run, n int) int {
	task := factorialAsync(r, n)
	for !task.IsCompleted() {
		r.pump()
	}
	v, _ := task.Await()
	return v
}
