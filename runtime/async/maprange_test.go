package async_test

import (
	"testing"

	"github.com/nothread/nothread/runtime/async"
)

func TestMapRangeKeepsTheLanguagesPromises(t *testing.T) {
	m := map[string]any{"a": 1, "b": nil, "c": 3}
	seen := make(map[string]any)
	r := async.RangeMap(m)
	for r.Next() {
		k, v := r.Key(), r.Value()
		if _, twice := seen[k]; twice {
			t.Fatalf("key %q came twice", k)
		}
		seen[k] = v
		for other := range m {
			if _, ok := seen[other]; !ok {
				delete(m, other) // what is removed before it is reached does not come
			}
		}
	}
	if len(seen) != 1 {
		t.Errorf("got %v; entries came after they were deleted", seen)
	}
	if r := async.RangeMap(map[string]int(nil)); r.Next() {
		t.Error("a nil map has an entry")
	}
}
