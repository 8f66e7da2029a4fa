package semantics

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
)

// functions has the cases 31 to 40.
var functions = []test{
	{"31 defer's arguments and order", defers, defersAsync},
	{"32 named results", namedResults, namedResultsAsync},
	{"33 panics in deferred calls", deferredPanics, deferredPanicsAsync},
	{"34 recover", recovers, recoversAsync},
	{"35 Goexit in the function", exits, exitsAsync},
	{"35 Goexit in an operation", exitsBelow, exitsBelowAsync},
	{"35 panic(nil)", panicsNil, panicsNilAsync},
	{"35 panicking again", panicsAgain, panicsAgainAsync},
	{"36 type switches", typeSwitches, typeSwitchesAsync},
	{"36 v, ok", commaOK, commaOKAsync},
	{"37 shadowing", shadows, shadowsAsync},
	{"38 types that cannot be named", unnamed, unnamedAsync},
	{"38 local types", localTypes, localTypesAsync},
	{"39 generics", generics, genericsAsync},
	{"39 recursion", recursion, recursionAsync},
	{"39 several values as arguments", several, severalAsync},
	{"40 range over functions", rangeFunc, rangeFuncAsync},
	{"40 range over a function, left early", rangeFuncLeft, rangeFuncLeftAsync},
	{"40 range over a function, panics", rangeFuncPanics, rangeFuncPanicsAsync},
}

//nothread:async
func defers(r *run) any {
	x := 1
	defer r.note("first ", x, value(r, "argument").Await())
	for i := range 3 {
		defer func() { r.note("deferred ", i, " ", x) }()
		x += value(r, i).Await()
	}
	p := pair{1, 2}
	defer show(r, p.get)
	p.a = value(r, 100).Await()
	return x
}

func show(r *run, f func() int) { r.note("shown ", f()) }

//nothread:async
func namedResults(r *run) any {
	a, err := changedAsync(r).Await()
	b, _ := addedAsync(r).Await()
	return both(both(a, err), b)
}

//nothread:async
func changed(r *run) (n int, err error) {
	defer func() {
		if v := recover(); v != nil {
			n, err = n+1, fmt.Errorf("recovered %v", v)
		}
	}()
	n = value(r, 10).Await()
	panic("after the await")
}

//nothread:async
func added(r *run) (n int) {
	defer func() { n += 100 }()
	return value(r, 5).Await()
}

//nothread:async
func deferredPanics(r *run) any {
	defer r.note("the last one runs")
	defer func() { r.note("recovered ", recover()) }()
	defer func() { panic("second") }()
	defer func() {
		defer func() { r.note("in the middle ", recover()) }()
		panic("inner")
	}()
	value(r, 1).Await()
	panic("first")
}

//nothread:async
func recovers(r *run) any {
	a, _ := recoveredAsync(r, 0).Await()
	b, _ := recoveredAsync(r, 1).Await()
	defer func() { r.note("outside ", recover()) }()
	c, _ := recoveredAsync(r, 2).Await()
	return both(a, both(b, c))
}

//nothread:async
func recovered(r *run, how int) (text string) {
	text = "not reached"
	switch how {
	case 0:
		defer func() { text = fmt.Sprint(recover()) }()
	case 1:
		defer func() { text = fmt.Sprint("helper ", helper(), " ", recover()) }()
	case 2:
		defer func() { helper() }()
	}
	return after(r, func() string { panic("in the operation") }).Await()
}

// helper is not called by a deferred call directly: it recovers nothing.
func helper() any { return recover() }

//nothread:async
func exits(r *run) any {
	defer r.note("deferred ", recover())
	value(r, 1).Await()
	runtime.Goexit()
	return "not reached"
}

//nothread:async
func exitsBelow(r *run) any {
	defer func() { r.note("deferred ", recover()) }()
	return after(r, func() int { runtime.Goexit(); return 0 }).Await()
}

//nothread:async
func panicsNil(r *run) any {
	defer func() {
		_, ok := recover().(*runtime.PanicNilError)
		r.note("nil error ", ok)
	}()
	value(r, 1).Await()
	panic(nil)
}

//nothread:async
func panicsAgain(r *run) any {
	defer func() {
		v := recover()
		r.note("once ", v)
		panic(fmt.Sprint("again ", v))
	}()
	_, err := fallsAtAsync(r).Await()
	return err
}

//nothread:async
func fallsAt(r *run) (int, error) {
	n := value(r, 1).Await()
	return n, after(r, func() error { panic(errors.New("the same value")) }).Await()
}

//nothread:async
func typeSwitches(r *run) any {
	hit := ""
	for _, v := range []any{1, "a", nil, 2.5, []int{3}, errors.New("e"), pair{1, 2}} {
		switch v := value(r, v).Await().(type) {
		case int:
			v += value(r, 10).Await()
			hit += fmt.Sprint(v)
		case string, float64:
			value(r, 0).Await()
			hit += fmt.Sprintf("%T", v)
		case nil:
			hit += fmt.Sprint(v == nil)
		case []int:
			{
				v := v[0] // shadows the shadow
				value(r, v).Await()
				hit += fmt.Sprint(v)
			}
		case interface{ get() int }:
			hit += fmt.Sprint(v.get() + value(r, 0).Await())
		case error:
			value(r, 0).Await()
			hit += "error"
		}
	}
	a, _ := kindAsync(r, 1).Await()
	b, _ := kindAsync(r, "s").Await()
	return hit + a + b
}

//nothread:async
func kind[T comparable](r *run, v T) string {
	switch x := any(v).(type) {
	case []T:
		return "a slice"
	case T:
		y := value(r, x).Await()
		return fmt.Sprint(x == y)
	}
	return "something else"
}

//nothread:async
func commaOK(r *run) any {
	m, c := map[int]any{1: "one"}, make(chan int, 1)
	c <- 5
	a, ok1 := m[value(r, 1).Await()]
	b, ok2 := m[value(r, 1).Await()].(int)
	d, ok3 := <-after(r, func() chan int { return c }).Await()
	var e, ok4 = value(r, any("x")).Await().(string)
	if f, ok := m[value(r, 2).Await()]; !ok {
		return both(both(both(a, ok1), both(b, ok2)), both(both(d, ok3), both(both(e, ok4), f)))
	}
	return nil
}

//nothread:async
func shadows(r *run) any {
	a, b, _ := shadowedAsync(r, 1, 2, 3).Await()
	return both(a, b)
}

//nothread:async
func shadowed(r *run, m, _ int, state int) (len int, task string) {
	nil, async := value(r, 5).Await(), "package"
	len = m + state + nil
	{
		len := value(r, 7).Await()
		m := len + 1
		task = fmt.Sprint(m, async)
		m++
		_ = m
	}
	if strings := strings.ToUpper("x"); value(r, true).Await() {
		task += strings
	}
	for state := range state {
		state, r := value(r, state).Await(), len
		len = r + state
	}
	func(string int) { len += string }(value(r, 1000).Await())
	return len, task + async
}

//nothread:async
func unnamed(r *run) any {
	v := struct {
		x int
		pair
	}{1, pair{2, 3}}
	s := strings.NewReader("abc")
	f := func(p *struct{ n int }) { p.n++ }
	q := &struct{ n int }{value(r, 5).Await()}
	f(q)
	v.x += value(r, 10).Await()
	return both(both(v, q.n), both(s.Len(), v.get()))
}

//nothread:async
func generics(r *run) any {
	a, _ := foldAsync(r, []int{1, 2, 3}, "", func(s string, n int) string { return fmt.Sprint(s, n) }).Await()
	var l *list[string]
	for _, s := range []string{"x", "y"} {
		l, _ = l.pushAsync(r, s).Await()
	}
	b, _ := l.joinAsync(r, "-").Await()
	return both(a, b)
}

//nothread:async
func fold[T any, S any](r *run, list []T, s S, f func(S, T) S) S {
	var zero T
	for _, v := range list {
		old := v
		s = f(s, value(r, v).Await())
		v = zero
		_ = old
	}
	return f(s, zero)
}

type list[T any] struct {
	head T
	tail *list[T]
}

//nothread:async
func (l *list[E]) push(r *run, head E) *list[E] {
	return &list[E]{value(r, head).Await(), l}
}

//nothread:async
func (l *list[E]) join(r *run, between string) string {
	if l == nil {
		return ""
	}
	rest, _ := l.tail.joinAsync(r, between).Await()
	return fmt.Sprint(value(r, l.head).Await(), between, rest)
}

//nothread:async
func recursion(r *run) any {
	a, _ := evenAsync(r, 5).Await()
	b, _ := oddAsync(r, 5).Await()
	c, _ := fibonacciAsync(r, 7).Await()
	return both(both(a, b), c)
}

//nothread:async
func even(r *run, n int) bool {
	if n == 0 {
		return value(r, true).Await()
	}
	is, _ := oddAsync(r, n-1).Await()
	return is
}

//nothread:async
func odd(r *run, n int) bool {
	if n == 0 {
		return value(r, false).Await()
	}
	is, _ := evenAsync(r, n-1).Await()
	return is
}

//nothread:async
func fibonacci(r *run, n int) (sum int, err error) {
	if n < 2 {
		return value(r, n).Await(), nil
	}
	for _, k := range [...]int{1, 2} {
		part, err := fibonacciAsync(r, n-k).Await()
		if err != nil {
			return 0, err
		}
		sum += part
	}
	return
}

//nothread:async
func several(r *run) any {
	a := fmt.Sprint(twoAsync(r, 1).Await())
	b, err := variadicAsync(r, []any{"spread", value(r, 2).Await()}...).Await()
	return both(a, both(b, err))
}

//nothread:async
func two(r *run, n int) (int, error) {
	if value(r, n).Await() == 1 {
		return n, errors.New("one")
	}
	return n, nil
}

//nothread:async
func variadic(r *run, list ...any) string {
	list = append(list, value(r, len(list)).Await())
	return fmt.Sprint(list...)
}

// upTo yields from 1 to n and says how it ends.
func upTo(r *run, n int) func(func(int) bool) {
	return func(yield func(int) bool) {
		defer func() { r.note("iterator left") }()
		for i := 1; i <= n; i++ {
			if !yield(i) {
				r.note("stopped at ", i)
				return
			}
		}
	}
}

//nothread:async
func rangeFunc(r *run) any {
	sum := 0
	var fs []func() int
	for i := range upTo(r, 3) {
		if i == 2 {
			continue
		}
		fs = append(fs, func() int { i++; return i })
		sum += value(r, i*10).Await()
	}
	for range upTo(r, value(r, 2).Await()) {
		sum += value(r, 1).Await()
	}
	return both(sum, both(fs[0](), fs[1]()))
}

//nothread:async
func rangeFuncLeft(r *run) any {
	n, _ := foundAsync(r, 2).Await()
outer:
	for i := range upTo(r, 3) {
		for j := range upTo(r, 3) {
			switch value(r, 10*i+j).Await() {
			case 12:
				continue outer
			case 22:
				break outer
			}
		}
	}
	return n
}

//nothread:async
func found(r *run, n int) (string, error) {
	defer r.note("found is left")
	for i := range upTo(r, 5) {
		defer r.note("deferred in the body ", i)
		if value(r, i).Await() == n {
			return fmt.Sprint("found ", i), nil
		}
	}
	return "", nil
}

//nothread:async
func rangeFuncPanics(r *run) any {
	defer func() { r.note("recovered ", recover()) }()
	for i := range upTo(r, 3) {
		value(r, i).Await()
		if i == 2 {
			panic("in the body")
		}
	}
	return nil
}

//nothread:async
func localTypes(r *run) any {
	type number int
	type node struct {
		number
		next *node
	}
	n := &node{number(value(r, 1).Await()), nil}
	for i := range number(3) {
		n = &node{i + number(value(r, 10).Await()), n}
	}
	sum := number(0)
	for ; n != nil; n = n.next {
		sum += n.number
	}
	return sum
}
