package write

import (
	"bytes"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/nothread/nothread/transform/internal/diag"
)

// contextLines stand around each change in a diff.
const contextLines = 3

// Diff is the change as a unified diff that patch and git apply understand, with
// names relative to dir; "" if nothing changes.
func (c *Change) Diff(dir string) string {
	if c.Kind == Same {
		return ""
	}
	name := filepath.ToSlash(diag.Rel(dir, c.Path))
	from, to := "a/"+name, "b/"+name
	if strings.HasPrefix(name, "/") {
		from, to = name, name
	}
	if c.Old == nil {
		from = "/dev/null"
	}
	if c.Kind == Remove {
		to = "/dev/null"
	}
	return Unified(from, to, c.Old, c.New)
}

// Unified is the unified diff of two texts, "" if they are equal.
func Unified(from, to string, old, new []byte) string {
	if bytes.Equal(old, new) {
		return ""
	}
	a, b := lines(old), lines(new)
	var out strings.Builder
	fmt.Fprintf(&out, "--- %s\n+++ %s\n", from, to)
	edits := compare(a, b)
	for len(edits) > 0 {
		n := 1 // edits of one hunk: those whose contexts touch
		for n < len(edits) && edits[n].a0-edits[n-1].a1 <= 2*contextLines {
			n++
		}
		hunk(&out, a, b, edits[:n])
		edits = edits[n:]
	}
	return out.String()
}

// lines splits text after each newline.
func lines(text []byte) []string {
	list := strings.SplitAfter(string(text), "\n")
	if list[len(list)-1] == "" {
		list = list[:len(list)-1]
	}
	return list
}

// hunk writes edits that lie close together with what stands around them.
func hunk(out *strings.Builder, a, b []string, edits []edit) {
	first, last := edits[0], edits[len(edits)-1]
	before := min(contextLines, first.a0)
	after := min(contextLines, len(a)-last.a1)
	fmt.Fprintf(out, "@@ -%s +%s @@\n",
		span(first.a0-before, last.a1+after), span(first.b0-before, last.b1+after))
	at := first.a0 - before
	for _, e := range edits {
		mark(out, " ", a[at:e.a0])
		mark(out, "-", a[e.a0:e.a1])
		mark(out, "+", b[e.b0:e.b1])
		at = e.a1
	}
	mark(out, " ", a[at:at+after])
}

// span is a half-open range of lines as a hunk's head has it: from 1, and an
// empty range by the line before it.
func span(from, to int) string {
	switch to - from {
	case 0:
		return fmt.Sprintf("%d,0", from)
	case 1:
		return fmt.Sprint(from + 1)
	}
	return fmt.Sprintf("%d,%d", from+1, to-from)
}

func mark(out *strings.Builder, sign string, list []string) {
	for _, line := range list {
		out.WriteString(sign + line)
		if !strings.HasSuffix(line, "\n") {
			out.WriteString("\n\\ No newline at end of file\n")
		}
	}
}

// An edit replaces the lines a[a0:a1] by b[b0:b1].
type edit struct{ a0, a1, b0, b1 int }

// maxDistance bounds the search; texts further apart are shown as replaced.
const maxDistance = 1000

// compare finds the shortest list of edits that turns a into b, by Myers' greedy
// algorithm: furthest[k] is how far along a the best path on diagonal k, where
// the place in a minus the place in b is k, gets with d insertions and deletions.
func compare(a, b []string) []edit {
	prefix := 0
	for prefix < len(a) && prefix < len(b) && a[prefix] == b[prefix] {
		prefix++
	}
	suffix := 0
	for suffix < len(a)-prefix && suffix < len(b)-prefix && a[len(a)-1-suffix] == b[len(b)-1-suffix] {
		suffix++
	}
	a, b = a[prefix:len(a)-suffix], b[prefix:len(b)-suffix]

	trace := search(a, b)
	if trace == nil {
		return []edit{{prefix, prefix + len(a), prefix, prefix + len(b)}}
	}
	edits := backtrack(trace, len(a), len(b))
	for i := range edits {
		e := &edits[i]
		e.a0, e.a1, e.b0, e.b1 = e.a0+prefix, e.a1+prefix, e.b0+prefix, e.b1+prefix
	}
	return edits
}

// search returns the furthest points for each d, up to the one that reaches the
// ends of both; nil if that is too far.
func search(a, b []string) [][]int {
	offset := min(len(a)+len(b), maxDistance) + 1
	furthest := make([]int, 2*offset+1)
	var trace [][]int
	for d := range offset {
		trace = append(trace, slices.Clone(furthest[offset-d:offset+d+1]))
		for k := -d; k <= d; k += 2 {
			x := 0
			if down(furthest, offset, k, d) {
				x = furthest[offset+k+1]
			} else {
				x = furthest[offset+k-1] + 1
			}
			for x < len(a) && x-k < len(b) && a[x] == b[x-k] {
				x++
			}
			furthest[offset+k] = x
			if x >= len(a) && x-k >= len(b) {
				return append(trace, nil)
			}
		}
	}
	return nil
}

// down reports whether the best path to diagonal k with d edits ends in an
// insertion. The middle of furthest is at offset.
func down(furthest []int, offset, k, d int) bool {
	return k == -d || k != d && furthest[offset+k-1] < furthest[offset+k+1]
}

// backtrack follows the trace from the end (x, y) to the start and joins
// neighbouring insertions and deletions.
func backtrack(trace [][]int, x, y int) []edit {
	var edits []edit
	for d := len(trace) - 2; d > 0; d-- {
		// The points that step d started from lie on the diagonals -(d-1)…d-1;
		// trace[d] has them in its middle.
		furthest, k := trace[d], x-y
		previous := k - 1
		if down(furthest, d, k, d) {
			previous = k + 1
		}
		px := furthest[d+previous]
		py := px - previous
		e := edit{px, px + 1, py, py} // a deletion
		if previous > k {
			e = edit{px, px, py, py + 1} // an insertion
		}
		// What lies between two edits is equal: as long in a as in b.
		if n := len(edits); n > 0 && edits[n-1].a0 == e.a1 {
			edits[n-1].a0, edits[n-1].b0 = e.a0, e.b0
		} else {
			edits = append(edits, e)
		}
		x, y = px, py
	}
	slices.Reverse(edits)
	return edits
}
