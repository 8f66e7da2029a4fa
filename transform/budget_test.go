package transform

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A budget of as many bytes and allocations as a function takes is kept, and one
// of any less is not. What it takes is what explain says, which TestExplainSizes
// compares with unsafe.Sizeof.
func TestBudgetIsExact(t *testing.T) {
	b := newBench(t)
	source := `package budget

import "%s/runtime/async"

//nothread:async%s
func Keep(next func() async.Task[int]) (int, error) {
	n := 0
	p := &n
	v, err := next().Await()
	*p += v
	return n, err
}
`
	with := func(options string) (*Result, []*Explanation) {
		b.write(t, "budget/budget.go", fmt.Appendf(nil, source, nothread, options))
		cfg := Config{Dir: filepath.Join(b.dir, "budget"), Env: append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off")}
		list, _, err := Explain(cfg)
		if err != nil {
			t.Fatal(err)
		}
		result, err := Generate(cfg)
		if err != nil {
			t.Fatal(err)
		}
		return result, list
	}
	_, list := with("")
	bytes, allocs := int(list[0].Machine.Bytes), list[0].Allocs()
	if bytes < 24 || allocs != 2 {
		t.Fatalf("%d bytes, %d allocations", bytes, allocs)
	}
	for _, c := range []struct{ options, want string }{
		{fmt.Sprintf(" max-bytes=%d max-allocs=%d", bytes, allocs), ""},
		{fmt.Sprintf(" max-bytes=%d", bytes-1), fmt.Sprintf("the machine of Keep takes %d bytes, 1 more than max-bytes=%d", bytes, bytes-1)},
		{" max-allocs=1", "Keep allocates in 2 places, 1 more than max-allocs=1"},
		{" pool max-allocs=1", ""},
		{" max-allocs=0 pool", "Keep allocates in one place, 1 more than max-allocs=0"},
	} {
		result, _ := with(c.options)
		if result.Failed() != (c.want != "") {
			t.Errorf("%s: %+v", c.options, result.Diagnostics)
			continue
		}
		if c.want == "" {
			continue
		}
		d := result.Diagnostics[0]
		if len(result.Diagnostics) != 1 || d.Line != 5 || d.Code != "budget" || !strings.HasPrefix(d.Message, c.want+"\n") || len(result.Files) > 0 {
			t.Errorf("%s: %+v", c.options, result.Diagnostics)
		}
	}
}
