package explain

import "fmt"

// Allocs counts the places where a call allocates what its author did not, as
// they are listed. A machine that its pool has is none; a cell that gc may leave
// on the stack is one.
func (f *Func) Allocs() int {
	n := 0
	for _, a := range f.Allocations {
		if !a.Pooled {
			n++
		}
	}
	return n
}

// OverBytes says by how much the machine is over a limit of its bytes, with all
// that is saved and why; "" if it is not.
func (f *Func) OverBytes(limit int) string {
	m := f.Machine
	p := &printer{f: f}
	switch {
	case m.Bytes == Depends:
		return fmt.Sprintf("the size of the machine of %s depends on type parameters, so max-bytes=%d cannot be promised", f.Name, limit)
	case int(m.Bytes) <= limit:
		return ""
	}
	p.line("the machine of %s takes %s bytes, %d more than max-bytes=%d", f.Name, m.Bytes, int(m.Bytes)-limit, limit)
	p.states()
	p.machine()
	return p.b.String()
}

// OverAllocs says by how many a call is over a limit of its allocations, with the
// list of them; "" if it is not.
func (f *Func) OverAllocs(limit int) string {
	if f.Allocs() <= limit {
		return ""
	}
	p := &printer{f: f}
	p.line("%s allocates in %s, %d more than max-allocs=%d", f.Name, places(f.Allocs()), f.Allocs()-limit, limit)
	p.allocations()
	return p.b.String()
}

func places(n int) string {
	if n == 1 {
		return "one place"
	}
	return fmt.Sprintf("%d places", n)
}
