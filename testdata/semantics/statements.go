package semantics

import (
	"fmt"
	"slices"
)

// statements has the cases 20 to 30.
var statements = []test{
	{"20 range over arrays and slices", ranges, rangesAsync},
	{"20 range expression once", rangeOnce, rangeOnceAsync},
	{"21 range's left side", rangeTarget, rangeTargetAsync},
	{"22 range over a map", rangeMap, rangeMapAsync},
	{"23 per-iteration variables", iterations, iterationsAsync},
	{"24 variables declared again", declaredAgain, declaredAgainAsync},
	{"24 backward goto", backward, backwardAsync},
	{"25 address across an await", address, addressAsync},
	{"26 switch", switches, switchesAsync},
	{"26 fallthrough", falls, fallsAsync},
	{"27 labels", labels, labelsAsync},
	{"28 goto", jumps, jumpsAsync},
	{"29 select order", selectOrder, selectOrderAsync},
	{"30 select with default, nil and closed channels", selects, selectsAsync},
	{"range over an integer, a string, a channel", otherRanges, otherRangesAsync},
	{"statements of all kinds", kinds, kindsAsync},
}

//nothread:async
func ranges(r *run) any {
	arr, s := [3]int{1, 2, 3}, []int{1, 2, 3}
	var seen []int
	for i, v := range arr {
		arr[2] = value(r, 10+i).Await()
		seen = append(seen, v)
	}
	for i, v := range &arr {
		arr[2] = value(r, 20+i).Await()
		seen = append(seen, v)
	}
	for i, v := range s {
		s = append(s[:i:i], value(r, 30+i).Await(), 40, 50, 60)
		seen = append(seen, v)
	}
	for i := range arr {
		seen = append(seen, value(r, i).Await())
	}
	return both(seen, s)
}

//nothread:async
func rangeOnce(r *run) any {
	sum := 0
	for range value(r, 3).Await() {
		sum += value(r, 10).Await()
	}
	for _, v := range value(r, []int{1, 2}).Await() {
		sum += value(r, v).Await()
	}
	return sum
}

//nothread:async
func rangeTarget(r *run) any {
	var a [3]int
	var i int
	for a[value(r, 2-i).Await()] = range 3 {
		i++
	}
	for i, a[value(r, i%3).Await()] = range []int{7, 8} {
	}
	return both(i, a)
}

//nothread:async
func rangeMap(r *run) any {
	m := map[int]int{1: 1, 2: 2, 3: 3, 4: 4}
	seen := 0
	for k := range m {
		seen++
		if seen == 2 {
			for other := range m {
				if other != k {
					delete(m, after(r, func() int { return other }).Await())
				}
			}
		}
	}
	var keys []int
	for k, v := range map[int]string{1: "a", 2: "b", 3: "c"} {
		keys = append(keys, k+len(after(r, func() string { return v }).Await()))
	}
	slices.Sort(keys)
	return both(seen, keys)
}

//nothread:async
func iterations(r *run) any {
	var fs []func() int
	for i := 0; i < value(r, 6).Await(); i += value(r, 1).Await() {
		fs = append(fs, func() int { i += 10; return i })
		if i == 2 {
			continue
		}
		i++
	}
	for _, v := range []int{1, 2} {
		fs = append(fs, func() int { v++; return v })
		v = value(r, v*100).Await()
	}
	sum := []int{}
	for _, f := range fs {
		sum = append(sum, f(), f())
	}
	return sum
}

//nothread:async
func declaredAgain(r *run) any {
	var ps []*int
	var seen []int
	for i := range 3 {
		var x int
		var y, z = x, i
		seen = append(seen, x, y, z)
		x = value(r, i+1).Await()
		ps = append(ps, &x)
	}
	for _, p := range ps {
		seen = append(seen, *p)
	}
	return seen
}

//nothread:async
func backward(r *run) any {
	var fs []func() int
	n := 0
again:
	var x int
	x += n + 1
	fs = append(fs, func() int { x++; return x })
	if n = value(r, n+1).Await(); n < 3 {
		goto again
	}
	sum := ""
	for _, f := range fs {
		sum += fmt.Sprint(f(), f(), " ")
	}
	return sum
}

//nothread:async
func address(r *run) any {
	x, arr, st := 1, [2]int{1, 2}, pair{1, 2}
	p, q, s := &x, &arr[1], &st.b
	*p = value(r, 10).Await()
	*q, *s = value(r, 20).Await(), value(r, 30).Await()
	part := arr[:]
	part[0] = value(r, 40).Await()
	st.add(value(r, 50).Await())
	return both(x, both(arr, st))
}

//nothread:async
func switches(r *run) any {
	hit := ""
	for i := range 4 {
		switch value(r, i).Await() {
		case value(r, 0).Await(), value(r, 1).Await():
			hit += "a"
		case 2:
			hit += value(r, "b").Await()
		default:
			hit += "c"
		}
		switch x := value(r, i).Await(); {
		case x == 0 || value(r, x == 3).Await():
			hit += "d"
			break
		case value(r, x > 1).Await() && value(r, true).Await():
			hit += "e"
		}
	}
	return hit
}

//nothread:async
func falls(r *run) any {
	hit := ""
	for i := range 4 {
		switch i {
		case 0:
			hit += value(r, "a").Await()
			fallthrough
		case 1:
			hit += "b"
			fallthrough
		default:
			hit += value(r, "c").Await()
		case 3:
			hit += "d"
		}
	}
	return hit
}

//nothread:async
func labels(r *run) any {
	c := make(chan int, 10)
	hit := ""
outer:
	for i := 0; ; i++ {
		c <- i
		switch {
		default:
		inner:
			select {
			case n := <-c:
				switch value(r, n).Await() {
				case 1:
					continue outer
				case 2:
					break inner
				case 4:
					break outer
				}
				hit += fmt.Sprint(n)
			}
			hit += "x"
		}
	}
	return hit
}

//nothread:async
func jumps(r *run) any {
	n, hit := 0, ""
	goto middle
top:
	hit += value(r, "t").Await()
middle:
	{
		n++
		if n == value(r, 2).Await() {
			goto out
		}
		if n < 4 {
			goto top
		}
		goto end
	}
out:
	hit += "o"
	for {
		if value(r, true).Await() {
			goto top
		}
	}
end:
	return hit
}

//nothread:async
func selectOrder(r *run) any {
	a, b := make(chan int, 1), make(chan int, 1)
	a <- 1
	pick := func(c chan int) chan int { r.note("channel"); return c }
	select {
	case pick(b) <- value(r, 2).Await():
		r.note("sent ", <-b)
	case n, ok := <-pick(after(r, func() chan int { return nil }).Await()):
		r.note(n, ok)
	}
	var arr [2]int
	select {
	case arr[value(r, 1).Await()] = <-pick(a):
		r.note(arr)
	case arr[value(r, 0).Await()] = <-pick(b):
		r.note("impossible")
	}
	return arr
}

//nothread:async
func selects(r *run) any {
	var never chan int
	closed, hit := make(chan int), ""
	close(closed)
	for range 2 {
		select {
		case <-never:
			hit += "n"
		default:
			hit += value(r, "d").Await()
		}
		select {
		case never <- value(r, 1).Await():
			hit += "n"
		case n, ok := <-closed:
			hit += fmt.Sprint(n, ok, value(r, "c").Await())
		}
	}
	return hit
}

//nothread:async
func otherRanges(r *run) any {
	c, hit := make(chan int, 3), ""
	c <- 1
	c <- 2
	for i := range value(r, 3).Await() {
		i *= value(r, 2).Await()
		hit += fmt.Sprint(i)
	}
	for i, letter := range "aé\xff" {
		hit += fmt.Sprint(i, letter, value(r, " ").Await())
	}
	for n := range c {
		hit += fmt.Sprint(value(r, n).Await())
		if n == 2 {
			close(c)
		}
	}
	for range c {
		value(r, 0).Await()
	}
	return hit
}

//nothread:async
func kinds(r *run) any {
	const step = 2
	var s = []int{value(r, 1).Await(), 2, 3}
	c := make(chan int, 2)
	c <- value(r, 5).Await()
	s[value(r, 0).Await()]++
	s[1] &^= value(r, 2).Await()
	(s)[2] = -<-c + +value(r, step).Await()
	go func() { c <- 9 }()
	{
		s := append([]int(nil), s...)
		s[0], _ = value(r, 7).Await(), s
		c <- s[value(r, 0).Await()]
	}
	return both(s, <-c+<-c)
}
