//go:build go1.21

package semantics

// shared is written in the language before 1.22: the iterations of a loop share
// its variables.
var shared = []test{
	{"23 shared loop variables", sharedVariables, sharedVariablesAsync},
}

//nothread:async
func sharedVariables(r *run) any {
	var list []func() int
	for i := 0; i < 3; i++ {
		list = append(list, func() int { return i })
		value(r, i).Await()
	}
	for i, v := range []int{40, 50} {
		list = append(list, func() int { v++; return i + v })
		value(r, v).Await()
	}
	for _, v := range []int{40, 50} {
		list = append(list, func() int { v++; return v })
	}
	for _, f := range list {
		r.note(f())
	}
	return nil
}
