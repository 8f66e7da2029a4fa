package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"text/template"
)

// A corpus is a module of packages for a compiler to work on.
type corpus struct {
	dir      string
	packages int
	lines    int // of each package's source
}

// writeCorpus writes a module below dir that uses the nothread at root. Each
// package imports the one before it, but every tenth, and is alone in the world by
// salt: no build cache knows it.
func writeCorpus(dir, root, salt string, packages, lines int) (*corpus, error) {
	c := &corpus{dir: dir, packages: packages, lines: lines}
	if err := c.write("go.mod", fmt.Appendf(nil, "module corpus\n\ngo 1.26.0\n\nrequire github.com/nothread/nothread v0.0.0\n\nreplace github.com/nothread/nothread => %s\n", root)); err != nil {
		return nil, err
	}
	for i := range packages {
		text, err := c.source(i, salt)
		if err != nil {
			return nil, err
		}
		if err := c.write(filepath.Join(packageName(i), packageName(i)+".go"), text); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// writeLong writes a corpus of one package, among whose functions is one of so many
// awaits.
func writeLong(dir, root, salt string, awaits int) (*corpus, error) {
	c, err := writeCorpus(dir, root, salt, 1, 100)
	if err != nil {
		return nil, err
	}
	text, err := c.source(0, salt)
	if err != nil {
		return nil, err
	}
	text = append(text, corpusLong...)
	for i := range awaits {
		text = fmt.Appendf(text, corpusAwait, i)
	}
	text = append(text, "\treturn sum, nil\n}\n"...)
	return c, c.write(filepath.Join(packageName(0), packageName(0)+".go"), text)
}

func packageName(i int) string { return fmt.Sprintf("p%03d", i) }

func (c *corpus) write(name string, content []byte) error {
	path := filepath.Join(c.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	return os.WriteFile(path, content, 0o666)
}

// source is a package's text, a function more until it is long enough.
func (c *corpus) source(i int, salt string) ([]byte, error) {
	data := struct {
		Name, Before, Salt string
		N                  int
	}{Name: packageName(i), Salt: salt}
	if i%10 != 0 {
		data.Before = packageName(i - 1)
	}
	var text bytes.Buffer
	if err := corpusHead.Execute(&text, data); err != nil {
		return nil, err
	}
	for ; bytes.Count(text.Bytes(), []byte("\n")) < c.lines; data.N++ {
		if err := corpusPart.Execute(&text, data); err != nil {
			return nil, err
		}
	}
	return text.Bytes(), nil
}

// What the packages consist of: one asynchronous function in three, as in a
// program whose work is mostly to wait, and whose rest is not.
var (
	corpusHead = template.Must(template.New("head").Parse(`// Package {{.Name}} is {{.Salt}}.
package {{.Name}}

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"strings"

	"github.com/nothread/nothread/runtime/async"
{{if .Before}}
	"corpus/{{.Before}}"
{{end}})

// Salt tells this package from all others.
const Salt = "{{.Salt}}"

// ErrEmpty is an error of this package.
var ErrEmpty = errors.New("empty")

// A Store gives items by name, some day.
type Store interface {
	FetchAsync(ctx context.Context, name string) async.Task[Item]
	StoreAsync(ctx context.Context, item Item) async.Task0
}

// An Item is what is stored.
type Item struct {
	Name   string
	Labels []string
	Size   int
}

func total(items []Item) int {
	sum := 0
	for _, item := range items {
		sum += item.Size
	}
{{- if .Before}}
	sum += len({{.Before}}.Salt)
{{- end}}
	return sum
}
`))
	corpusPart = template.Must(template.New("part").Parse(`
// Merge{{.N}} joins what several names stand for.
//
//nothread:async
func Merge{{.N}}(ctx context.Context, s Store, names []string, limit int) (Item, error) {
	merged := Item{Name: strings.Join(names, "+")}
	var items []Item
	for i, name := range names {
		item, err := s.FetchAsync(ctx, name).Await()
		if err != nil {
			return merged, fmt.Errorf("name %d: %w", i, err)
		}
		if item.Size > limit {
			continue
		}
		items = append(items, item)
		merged.Labels = append(merged.Labels, item.Labels...)
	}
	if len(items) == 0 {
		return merged, ErrEmpty
	}
	merged.Size = total(items)
	switch {
	case merged.Size > limit:
		merged.Name = fmt.Sprintf("%s (%d)", merged.Name, len(items))
	case merged.Size < 0:
		return merged, errors.New("negative")
	}
	if err := s.StoreAsync(ctx, merged).Await(); err != nil {
		return Item{}, err
	}
	return merged, nil
}

// An Index{{.N}} finds items by label.
type Index{{.N}} struct {
	byLabel map[string][]Item
	names   []string
}

// Add puts an item into the index.
func (x *Index{{.N}}) Add(item Item) error {
	if item.Name == "" {
		return fmt.Errorf("item of size %d: %w", item.Size, ErrEmpty)
	}
	if x.byLabel == nil {
		x.byLabel = make(map[string][]Item)
	}
	for _, label := range item.Labels {
		x.byLabel[label] = append(x.byLabel[label], item)
	}
	x.names = append(x.names, item.Name)
	sort.Strings(x.names)
	return nil
}

// Common lists the labels that so many items have.
func (x *Index{{.N}}) Common(least int) []string {
	var labels []string
	for label, items := range x.byLabel {
		if len(items) >= least && total(items) > {{.N}} {
			labels = append(labels, label)
		}
	}
	sort.Slice(labels, func(i, j int) bool {
		a, b := labels[i], labels[j]
		if len(x.byLabel[a]) != len(x.byLabel[b]) {
			return len(x.byLabel[a]) > len(x.byLabel[b])
		}
		return strings.Compare(a, b) < 0
	})
	return labels
}
`))
)

// A function of any length: its beginning, and each of its awaits.
const (
	corpusLong = `
// Sum adds up what one name stands for, time and again.
//
//nothread:async
func Sum(ctx context.Context, s Store, name string) (int, error) {
	sum := 0
`
	corpusAwait = `	item%[1]d, err := s.FetchAsync(ctx, name).Await()
	if err != nil {
		return sum, err
	}
	sum += item%[1]d.Size
`
)
