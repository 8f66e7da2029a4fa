package transform

import (
	"bytes"
	"testing"
)

// commented has a comment of each kind at each place.
const commented = `package commented

import "github.com/nothread/nothread/runtime/async"

// F is commented.
//
//nothread:async
func F(t async.Task[int]) (n int) {
	/* above
	an await */
	n, _ = t.Await() /* behind
	one */ // and once more
	/* first */ /* second
	third */
	if n > 1 { // inside
		/* of a
		statement */
		n = len(` + "`raw\n\ttext`" + `)
	}
	/*/ odd
	*/
	n, _ = t.Await()
	return n
	/* at the
	end */
}
`

// A source with carriage returns at the ends of its lines compiles to what it would be
// without them.
func TestCarriageReturns(t *testing.T) {
	b := newBench(t)
	sources := goldenSources(t)
	sources["commented"] = []byte(commented)
	if len(sources) < 20 {
		t.Fatalf("only %d sources", len(sources))
	}
	for name, source := range sources {
		b.write(t, name+"/without/s.go", source)
		b.write(t, name+"/with/s.go", bytes.ReplaceAll(source, []byte("\n"), []byte("\r\n")))
	}
	made := b.compile(t)
	for name := range sources {
		without, with := made[name+"/without/s.go"].generated, made[name+"/with/s.go"].generated
		if len(without) == 0 || !bytes.Equal(without, with) {
			t.Errorf("%s: without\n%s\nwith\n%q", name, without, with)
		}
	}
}
