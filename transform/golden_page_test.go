package transform

import (
	"bytes"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nothread/nothread/transform/internal/graph"
)

// goldenPages writes a page for each case of the bench: what to look at, which is
// the source's first comment, then each function as a picture and explained. It
// counts bytes as an amd64 has them, whatever the tests run on.
func goldenPages(t *testing.T, b *bench) map[string][]byte {
	t.Helper()
	r, result, err := study(Config{Dir: b.dir, Patterns: []string{"./..."}, DumpTo: io.Discard,
		Env: append(environment(), "GOARCH=amd64", "CGO_ENABLED=0")}, nil)
	if err != nil || result.Failed() {
		t.Fatalf("%v %+v", err, result)
	}
	pages := make(map[string][]byte)
	for _, o := range r.outputs {
		name := filepath.Base(o.pkg.Dir)
		var page bytes.Buffer
		if pages[name] == nil {
			fmt.Fprintf(&page, "# %s\n", name)
		}
		fmt.Fprintf(&page, "\n%s", o.file.Syntax.Doc.Text())
		source, output := filepath.Base(o.file.Path), filepath.Base(o.file.Output)
		fmt.Fprintf(&page, "\n[%s](%s) becomes [%s](%s), by way of [plan.txt](plan.txt), and prints [output.txt](output.txt).\n",
			source, source, output, output)
		for _, u := range o.units {
			functionPage(t, &page, candidate{o, u, u.ir})
		}
		pages[name] = append(pages[name], page.Bytes()...)
	}
	return pages
}

// functionPage: the picture is in sight, the explanation one click away. An async
// closure has a picture of its own.
func functionPage(t *testing.T, page io.Writer, c candidate) {
	t.Helper()
	fmt.Fprintf(page, "\n## %s\n", c.f.Name)
	for _, one := range appendTree(nil, c.o, c.u, c.f) {
		fmt.Fprintf(page, "\n```mermaid\n%s```\n", graph.New(one.f).Mermaid())
	}
	var text strings.Builder
	if err := explained(c).Text(&text); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(page, "\n<details><summary>explained</summary>\n\n```\n%s```\n</details>\n", text.String())
}
