package plan

import (
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"testing"
)

// A last statement that never lets go on needs no return behind it, which nothing
// would reach; one that may go on does. In code without dead statements that is
// what the language calls terminating.
func TestReach(t *testing.T) {
	for body, want := range map[string]bool{
		"return":                                          true,
		"panic(1)":                                        true,
		"print(1)":                                        false,
		"{ return }":                                      true,
		"if b { return }":                                 false,
		"if b { return } else { panic(1) }":               true,
		"if b { return } else if c { return }":            false,
		"for { print(1) }":                                true,
		"for { break }":                                   false,
		"for b { }":                                       false,
		"for { switch { case b: break } }":                true,
		"for range 3 { return }":                          false,
		"l: for { for { break l } }":                      false,
		"l: for { for { continue l } }":                   true,
		"l: print(1); goto l":                             true,
		"switch { case b: return; default: return }":      true,
		"switch { default: return; case b: return }":      true,
		"switch { case b: return }":                       false,
		"switch { case b: return; default: }":             false,
		"switch { case b: break; default: return }":       false,
		"switch { case b: fallthrough; default: return }": true,
		"switch any(b).(type) { case int: return; default: panic(1) }": true,
		"switch any(b).(type) { case int: return }":                    false,
		"select { }":                                   true,
		"select { case <-ch: return }":                 true,
		"select { case <-ch: }":                        false,
		"select { case <-ch: return; default: break }": false,
		"goto end; end: return":                        true,
		"goto end; end: print(1)":                      false,
		"panic := func(int) {}; panic(1)":              false,
	} {
		src := "package p\nfunc f(b, c bool, ch chan int) {\n" + body + "\n}"
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, "p.go", src, 0)
		if err != nil {
			t.Fatal(err)
		}
		info := &types.Info{Defs: make(map[*ast.Ident]types.Object), Uses: make(map[*ast.Ident]types.Object)}
		if _, err := (&types.Config{Importer: importer.Default()}).Check("p", fset, []*ast.File{file}, info); err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		list := file.Decls[0].(*ast.FuncDecl).Body.List
		if got := reachable(info, file.Decls[0].(*ast.FuncDecl).Body).ends[list[len(list)-1]]; got != want {
			t.Errorf("%s: never lets go on: %v, want %v", body, got, want)
		}
	}
}
