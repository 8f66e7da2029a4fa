package fuzz

import "fmt"

// A kind is what an expression of a type can be made of.
type kind int

const (
	integer kind = iota // of any size and name
	float
	complexes
	text
	boolean
	slice
	array
	mapping
	structure
	pointer
	anything
	failure
	valuer // the interface I of the prelude
	function
	parameter // a type parameter
	generic   // G[…] of the prelude
	opaque    // awaitables, contexts, async functions: made in one way only
)

// A typ is a type of the generated programs.
type typ struct {
	text      string // as Go
	kind      kind
	key, elem *typ // of a map, slice, array, pointer or generic type
	fields    []variable
	local     bool // declared in a function

	constraint string // of a type parameter
}

func (t *typ) String() string { return t.text }

var (
	tInt     = &typ{text: "int", kind: integer}
	tUint8   = &typ{text: "uint8", kind: integer}
	tUint64  = &typ{text: "uint64", kind: integer}
	tInt8    = &typ{text: "int8", kind: integer}
	tRune    = &typ{text: "rune", kind: integer}
	tN       = &typ{text: "N", kind: integer}
	tFloat   = &typ{text: "float64", kind: float}
	tComplex = &typ{text: "complex128", kind: complexes}
	tString  = &typ{text: "string", kind: text}
	tBool    = &typ{text: "bool", kind: boolean}
	tInts    = &typ{text: "[]int", kind: slice, elem: tInt}
	tBytes   = &typ{text: "[]byte", kind: slice, elem: tUint8}
	tRunes   = &typ{text: "[]rune", kind: slice, elem: tRune}
	tStrings = &typ{text: "[]string", kind: slice, elem: tString}
	tArray   = &typ{text: "[3]int", kind: array, elem: tInt}
	tGrid    = &typ{text: "[3][3]int", kind: array, elem: tArray}
	tMap     = &typ{text: "map[string]int", kind: mapping, key: tString, elem: tInt}
	tIntMap  = &typ{text: "map[int]string", kind: mapping, key: tInt, elem: tString}
	tArrays  = &typ{text: "map[[3]int]int", kind: mapping, key: tArray, elem: tInt}
	tUMap    = &typ{text: "map[U]int", kind: mapping, key: tU, elem: tInt}
	tWMap    = &typ{text: "map[W]int", kind: mapping, key: tW, elem: tInt}
	tAnyMap  = &typ{text: "map[any]int", kind: mapping, key: tAny, elem: tInt}
	tW       = &typ{text: "W", kind: structure}
	tU       = &typ{text: "U", kind: structure}
	tT       = &typ{text: "T", kind: structure}
	tE       = &typ{text: "E", kind: structure}
	tTs      = &typ{text: "[]T", kind: slice, elem: tT}
	tPT      = &typ{text: "*T", kind: pointer, elem: tT}
	tPU      = &typ{text: "*U", kind: pointer, elem: tU}
	tPInt    = &typ{text: "*int", kind: pointer, elem: tInt}
	tPArray  = &typ{text: "*[3]int", kind: pointer, elem: tArray}
	tAny     = &typ{text: "any", kind: anything}
	tError   = &typ{text: "error", kind: failure}
	tI       = &typ{text: "I", kind: valuer}
	tFunc    = &typ{text: "func(int) int", kind: function}
	tFuncs   = &typ{text: "[]func(int) int", kind: slice, elem: tFunc}
	tIs      = &typ{text: "[]I", kind: slice, elem: tI}
	tG       = &typ{text: "G[int]", kind: generic, elem: tInt}
	tEI      = &typ{text: "EI", kind: structure}
	tEG      = &typ{text: "EG", kind: structure}
	tAnon    = &typ{text: "struct{ A int; S string }", kind: structure}
	tOp      = &typ{text: "Op", kind: opaque}
	tTask    = &typ{text: "Task", kind: opaque}
	tContext = &typ{text: "context.Context", kind: opaque}
	tMachine = &typ{text: "Machine", kind: opaque}
	tUnsafe  = &typ{text: "unsafe.Pointer", kind: opaque}
	tSecret  = &typ{text: "h.secret", kind: opaque} // nobody but h can name it
	tDerived = &typ{text: "G[V]", kind: opaque}     // in a generic function
	tGS      = &typ{text: "G[string]", kind: generic, elem: tString}
)

// allTypes is what a variable may be of, the frequent ones more than once.
var allTypes = []*typ{
	tInt, tInt, tInt, tInt, tInt, tString, tString, tBool, tInts, tInts, tT, tPT, tAny, tArray, tMap,
	tUint8, tUint64, tInt8, tRune, tN, tFloat, tComplex, tBytes, tStrings, tIntMap, tU, tE, tTs, tPU, tPInt,
	tPArray, tGrid, tError, tI, tFunc, tFuncs, tFuncs, tIs, tIs, tG, tGS, tEI, tEG, tAnon, tOp, tTask, tUnsafe, tArrays, tUMap, tWMap, tAnyMap, tW,
}

// intMaps are the maps of int, by how gc comes by their keys.
var intMaps = []*typ{tMap, tMap, tMap, tArrays, tUMap, tWMap, tAnyMap}

func init() { // T has a field of type T
	for t, list := range fields {
		t.fields = list
	}
}

// fields of the structs.
var fields = map[*typ][]variable{
	tAnon: {{name: "A", t: tInt}, {name: "S", t: tString}},
	tT:    {{name: "A", t: tInt}, {name: "S", t: tString}, {name: "In", t: tU}, {name: "P", t: tPT}, {name: "L", t: tInts}},
	tU:    {{name: "X", t: tInt}, {name: "B", t: tUint8}},
	tW:    {{name: "S", t: tString}},
	tEI:   {{name: "I", t: tI}, {name: "K", t: tInt}},
	tEG:   {{name: "K", t: tInt}, {name: "V", t: tInt}, {name: "C", t: tInt}},
	tE:    {{name: "T", t: tPT}, {name: "K", t: tInt}, {name: "A", t: tInt}, {name: "S", t: tString}},
}

// A variable is what a program may read, and mostly also set.
type variable struct {
	name     string
	t        *typ
	fixed    bool // only upwards: it ends a loop
	frozen   bool // not even that: it ends a recursion
	constant bool
	used     *bool
}

// changeable says that any statement may assign to the variable.
func (v *variable) changeable() bool {
	return v.t.kind != parameter && v.t.kind != opaque && !v.constant
}

// A scope is a block's variables.
type scope struct{ vars []*variable }

func (g *generator) push() { g.scopes = append(g.scopes, new(scope)) }
func (g *generator) pop()  { g.scopes = g.scopes[:len(g.scopes)-1] }

// declare adds a variable to the innermost scope.
func (g *generator) declare(name string, t *typ) *variable {
	v := &variable{name: name, t: t, used: new(bool)}
	s := g.scopes[len(g.scopes)-1]
	s.vars = append(s.vars, v)
	return v
}

// visible lists what can be named here.
func (g *generator) visible(want func(*variable) bool) []*variable {
	var list []*variable
	seen := make(map[string]bool)
	for i := len(g.scopes) - 1; i >= 0; i-- {
		vars := g.scopes[i].vars
		for j := len(vars) - 1; j >= 0; j-- {
			if !seen[vars[j].name] {
				seen[vars[j].name] = true
				if want(vars[j]) {
					list = append(list, vars[j])
				}
			}
		}
	}
	return list
}

// hidden reports whether a name of the universe or the file is shadowed.
func (g *generator) hidden(name string) bool {
	return len(g.visible(func(v *variable) bool { return v.name == name })) > 0
}

// variable picks a visible one.
func (g *generator) variable(want func(*variable) bool) *variable {
	list := g.visible(want)
	if len(list) == 0 {
		return nil
	}
	v := list[min(g.n(len(list)), g.n(len(list)))] // rather a near one
	return v
}

// of wants variables of type t.
func of(t *typ) func(*variable) bool { return func(v *variable) bool { return v.t == t } }

// read names a variable.
func (v *variable) read() string {
	*v.used = true
	return v.name
}

// use names a variable that the statement reads, and that an operation in it may
// change meanwhile.
func (g *generator) use(v *variable) string {
	g.recent = append(g.recent, v)
	return v.read()
}

// shadowing names, which generated code uses itself or which mean something
// elsewhere.
var special = []string{"m", "state", "err", "task", "ex", "spill", "result", "len", "ctx", "next", "read", "cap", "ok", "T1", "awaiter", "done", "true1", "holds", "value"}

// fresh is a name for a new variable of the innermost scope.
func (g *generator) fresh() string {
	taken := func(name string) bool {
		for _, v := range g.scopes[len(g.scopes)-1].vars {
			if v.name == name {
				return true
			}
		}
		return false
	}
	for range 4 {
		name := ""
		switch {
		case g.p(18):
			if v := g.variable(func(v *variable) bool { return v.name[0] != 'g' }); v != nil {
				name = v.name
			}
		case g.p(8):
			name = special[g.n(len(special))]
		}
		if name != "" && !taken(name) {
			return name
		}
	}
	g.names++
	return fmt.Sprintf("%c%d", "abcxyz"[g.n(6)], g.names)
}
