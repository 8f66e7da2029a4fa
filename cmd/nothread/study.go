package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/nothread/nothread/transform"
)

// A study is a command that looks into functions and writes no Go.
type study interface {
	flags(*flag.FlagSet)
	run(cfg transform.Config, stdout, stderr io.Writer) int
}

// explain says in words, or as JSON, what was made of functions.
type explain struct{ json bool }

func newExplain() study { return new(explain) }

func (e *explain) flags(flags *flag.FlagSet) {
	flags.BoolVar(&e.json, "json", false, "print JSON, for tools")
}

func (e *explain) run(cfg transform.Config, stdout, stderr io.Writer) int {
	names := split(&cfg)
	list, result, err := transform.Explain(cfg, names...)
	if status := failed(result, err, stderr); status != 0 {
		return status
	}
	if e.json {
		enc := json.NewEncoder(stdout)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "\t")
		if list == nil {
			list = []*transform.Explanation{}
		}
		err = enc.Encode(list)
	} else {
		for i, f := range list {
			if i > 0 {
				fmt.Fprintln(stdout)
			}
			if err == nil {
				err = f.Text(stdout)
			}
		}
	}
	return failed(nil, err, stderr)
}

// graph draws the states of one function.
type graph struct{ output string }

func newGraph() study { return new(graph) }

func (g *graph) flags(flags *flag.FlagSet) {
	flags.StringVar(&g.output, "o", "", "write to `FILE`: .dot, .mmd (Mermaid) or .svg (else DOT to standard output)")
}

func (g *graph) run(cfg transform.Config, stdout, stderr io.Writer) int {
	form := forms[filepath.Ext(g.output)]
	if g.output == "" {
		form = dot
	}
	if form == nil {
		fmt.Fprintf(stderr, "nothread: -o %s: want a name that ends in .dot, .mmd or .svg\n", g.output)
		return 2
	}
	names := split(&cfg)
	drawn, result, err := transform.Draw(cfg, names...)
	if status := failed(result, err, stderr); status != 0 {
		return status
	}
	if len(drawn) != 1 {
		fmt.Fprintf(stderr, "nothread: one function at a time; there are %s\n", listed(drawn))
		return 2
	}
	text, err := form(drawn[0])
	if err == nil && g.output == "" {
		_, err = io.WriteString(stdout, text)
	} else if err == nil {
		err = transform.WriteFile(g.output, []byte(text))
	}
	return failed(nil, err, stderr)
}

// listed names functions.
func listed(graphs []*transform.Graph) string {
	if len(graphs) == 0 {
		return "none marked //nothread:async"
	}
	var names []string
	for i, g := range graphs {
		if i == 8 {
			names = append(names, fmt.Sprintf("%d more", len(graphs)-i))
			break
		}
		names = append(names, g.Name)
	}
	return strings.Join(names, ", ")
}

// forms are what a graph is written as, by the end of the file's name.
var forms = map[string]func(*transform.Graph) (string, error){
	".dot": dot, ".gv": dot, ".mmd": mermaid, ".mermaid": mermaid, ".svg": svg,
}

func dot(g *transform.Graph) (string, error) { return g.DOT(), nil }

func mermaid(g *transform.Graph) (string, error) { return g.Mermaid(), nil }

// split takes the names of functions out of cfg's patterns. A name is F, T.M,
// (*T).M, F.go1, each also behind its package's name, or file.go:12; what has a slash,
// ends in .go, or is made of dots, names packages: or, as in ./fetch.Page, a function
// of one.
func split(cfg *transform.Config) (names []string) {
	var patterns []string
	for _, arg := range cfg.Patterns {
		switch pkg, name := ofPackage(arg); {
		case isName(arg):
			names = append(names, arg)
		case name != "":
			names, patterns = append(names, name), append(patterns, pkg)
		default:
			patterns = append(patterns, arg)
		}
	}
	cfg.Patterns = patterns
	return names
}

// qualified is a function behind the path of its package.
var qualified = regexp.MustCompile(`^(.*/[^/.]+)\.([(_\pL][^/]*)$`)

// major is the end of a path like gopkg.in/yaml.v3.
var major = regexp.MustCompile(`^v[0-9]+$`)

// ofPackage cuts ./fetch.Page in two; name is "" if arg is something else. A folder of
// that name is a package's.
func ofPackage(arg string) (pkg, name string) {
	m := qualified.FindStringSubmatch(arg)
	if m == nil || strings.HasSuffix(arg, ".go") || major.MatchString(m[2]) {
		return "", ""
	}
	if info, err := os.Stat(arg); err == nil && info.IsDir() {
		return "", ""
	}
	return m[1], m[2]
}

var place = regexp.MustCompile(`\.go:[0-9]+$`)

func isName(arg string) bool {
	if place.MatchString(arg) {
		return true
	}
	return !strings.ContainsAny(arg, `/\`) && !strings.HasSuffix(arg, ".go") && strings.Trim(arg, ".") != ""
}

// failed says what went wrong and returns the exit status, 0 if nothing did.
func failed(result *transform.Result, err error, stderr io.Writer) int {
	if result != nil {
		result.PrintDiagnostics(stderr)
	}
	switch {
	case err == nil && (result == nil || !result.Failed()):
		return 0
	case err == nil:
		return 1
	}
	fmt.Fprintf(stderr, "nothread: %s\n", reason(err, true, nil))
	if errors.Is(err, transform.ErrNoFunction) || errors.Is(err, transform.ErrNoPackages) {
		return 2
	}
	return 1
}
