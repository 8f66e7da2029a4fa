package async_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/nothread/nothread/runtime/async"
)

// numbers yields 0, 1, 2, … and notes how it is left.
func numbers(log *[]string) func(func(int) bool) {
	return func(yield func(int) bool) {
		defer func() {
			v := recover()
			*log = append(*log, fmt.Sprint("left: ", v))
			if v != nil {
				panic(v)
			}
		}()
		for i := 0; yield(i); i++ {
		}
	}
}

func TestFuncRangeCleansUpWhenLeft(t *testing.T) {
	var log []string
	r := async.RangeFunc1(numbers(&log))
	for i := range 3 {
		if !r.Next() || r.Key() != i {
			t.Fatalf("iteration %d: key %d", i, r.Key())
		}
	}
	r.Leave()
	r.Leave()
	if !slices.Equal(log, []string{"left: <nil>"}) {
		t.Errorf("log = %q", log)
	}
	var unbegun *async.FuncRange[int, int]
	unbegun.Leave()
}

func TestFuncRangeRaisesTheBodysPanicInsideYield(t *testing.T) {
	var log []string
	r := async.RangeFunc1(numbers(&log))
	r.Next()
	defer func() {
		if v := recover(); v != "body" {
			t.Errorf("recovered %v", v)
		}
		if !slices.Equal(log, []string{"left: body"}) {
			t.Errorf("log = %q", log)
		}
	}()
	p := async.NewPanic("body")
	defer r.Unwind(&p)
	p.Raise()
	t.Error("the panic was lost")
}
