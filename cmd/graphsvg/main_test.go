package main

import (
	"bytes"
	"encoding/xml"
	"io"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/nothread/nothread/transform"
)

// Pictures of functions show all of their nodes and edges, whatever is written
// on them, inside of their boxes, and are the same each time.
func TestDraw(t *testing.T) {
	for _, name := range []string{"Nested", "Each", "Late", "Outer", "Forever", "Quoted", "list.get"} {
		t.Run(name, func(t *testing.T) {
			graphs, result, err := transform.Draw(transform.Config{Dir: "../..", Patterns: []string{"./testdata/study"}}, name)
			if err != nil || result.Failed() {
				t.Fatalf("%v %+v", err, result)
			}
			dot := graphs[0].DOT()
			svg, err := draw([]byte(dot))
			if err != nil {
				t.Fatalf("%v\n%s", err, dot)
			}
			again, err := draw([]byte(dot))
			if err != nil || !bytes.Equal(svg, again) {
				t.Errorf("drawn again it is not the same: %v", err)
			}
			p := read(t, svg)
			if nodes := strings.Count(dot, " [shape="); p.count["node"] != nodes || nodes < 3 {
				t.Errorf("%d nodes for %d", p.count["node"], nodes)
			}
			if edges := strings.Count(dot, " -> "); p.count["edge"] != edges || edges < 3 {
				t.Errorf("%d edges for %d", p.count["edge"], edges)
			}
			for _, text := range written(t, dot) {
				if p.texts[text] == 0 {
					t.Errorf("nowhere is written %q", text)
				}
				p.texts[text]--
			}
			for text, n := range p.texts {
				if n != 0 {
					t.Errorf("%q is written %d times too often", text, n)
				}
			}
		})
	}
}

func TestNoGraph(t *testing.T) {
	var out bytes.Buffer
	for _, dot := range []string{"digraph {", "", "// a comment"} {
		err := run(strings.NewReader(dot), &out)
		if err == nil || !strings.HasPrefix(err.Error(), "not a graph in DOT: ") || strings.Contains(err.Error(), "\n") || out.Len() > 0 {
			t.Errorf("of %q: %v, %q", dot, err, &out)
		}
	}
	if err := run(strings.NewReader("digraph { a -> b }"), &out); err != nil || !strings.Contains(out.String(), "<svg ") {
		t.Errorf("%v, %q", err, &out)
	}
}

// written lists the lines of all labels of a graph in DOT.
func written(t *testing.T, dot string) (texts []string) {
	t.Helper()
	for _, m := range regexp.MustCompile(`label=("(?:[^"\\]|\\.)*")`).FindAllStringSubmatch(dot, -1) {
		ends := strings.NewReplacer(`\\`, `\\`, `\l`, `\n`) // a line that begins on the left is one, too
		label, err := strconv.Unquote(ends.Replace(m[1]))
		if err != nil {
			t.Fatalf("%s: %v", m[1], err)
		}
		for text := range strings.SplitSeq(strings.TrimSuffix(label, "\n"), "\n") {
			texts = append(texts, plain(text))
		}
	}
	return texts
}

func plain(text string) string { return strings.Join(strings.Fields(text), " ") }

// A picture is what a test reads of one.
type picture struct {
	count map[string]int // groups by their class
	texts map[string]int // by what is written
}

// read takes an SVG apart. What is written on a node must stay within its
// outline, as far as characters of a fixed pitch allow to say.
func read(t *testing.T, svg []byte) picture {
	t.Helper()
	p := picture{make(map[string]int), make(map[string]int)}
	class, right := "", 0.0
	for d := xml.NewDecoder(bytes.NewReader(svg)); ; {
		token, err := d.Token()
		if err == io.EOF {
			return p
		}
		if err != nil {
			t.Fatalf("%v\n%s", err, svg)
		}
		e, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		attr := make(map[string]string)
		for _, a := range e.Attr {
			attr[a.Name.Local] = a.Value
		}
		switch e.Name.Local {
		case "g":
			class, right = attr["class"], 0
			p.count[class]++
		case "path", "polygon":
			for _, x := range regexp.MustCompile(`(-?[0-9.]+),`).FindAllStringSubmatch(attr["d"]+attr["points"], -1) {
				right = max(right, number(t, x[1]))
			}
		case "text":
			var text string
			if err := d.DecodeElement(&text, &e); err != nil {
				t.Fatal(err)
			}
			p.texts[plain(text)]++
			width := 0.6 * number(t, attr["font-size"]) * float64(len([]rune(text)))
			if class == "node" && attr["text-anchor"] == "start" && number(t, attr["x"])+width > right {
				t.Errorf("%q runs out of its box", text)
			}
		}
	}
}

func number(t *testing.T, s string) float64 {
	t.Helper()
	x, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return x
}
