// Package check says what may be async, and why not. It changes nothing.
//
// It looks at six things, each in a file of its own:
//
//	directive.go    //nothread:async, where it stands and how it is spelled
//	function.go     the annotated function itself: its name, its twin's name
//	await.go        what an await is, and where one can stand; stream.go, what a
//	                range over a stream is, which awaits as well
//	dropped.go      tasks that nobody takes: a warning
//	synchronous.go  calls of synchronous forms, which block: a warning
//	clock.go        contexts that end by another clock than a World's: a warning
//
// Directives and functions are judged by syntax alone, so that a package that
// does not compile (often because of a misspelled directive) still hears of
// them. The others need types.
//
// # Where an await can stand
//
// A call t.Await() is legal Go wherever t is awaitable; in plain code it blocks
// its caller, and plain code may call it. Inside an annotated function it is a
// suspension point, so it must belong to the function itself. Not to
//
//	func() { t.Await() }    a literal that somebody else calls, and that cannot
//	                        suspend (one passed directly to async.Go or
//	                        async.Func… is a machine of its own)
//	go t.Await()            a goroutine for an operation in flight
//	f := t.Await            a call that nobody sees
//
// The same goes for a range over s.Await(ctx), which awaits each value of the stream s.
//
// In a package that has annotated functions an await in a package-level
// initialiser or in init is an error, too: it would block the program's start
// before anything can complete it.
package check

import (
	"slices"

	"github.com/nothread/nothread/transform/internal/diag"
	"github.com/nothread/nothread/transform/internal/load"
)

// Syntax judges what can be judged without types: directives, annotated
// functions, and the names that what is generated of them needs. A file with
// syntax errors is left alone: where its declarations end is a guess.
func Syntax(pkg *load.Package, diags *diag.List) {
	for _, file := range pkg.Syntax {
		if !slices.Contains(pkg.Broken, file) {
			directives(pkg.Fset, file, diags)
		}
	}
	names := declared(pkg)
	if hasAnnotated(pkg) {
		predeclared(pkg, names, diags)
	}
	for _, file := range pkg.Files {
		if slices.Contains(pkg.Broken, file.Syntax) {
			continue
		}
		for _, fn := range file.Funcs {
			function(pkg, file, fn, names, diags)
		}
	}
}

// Types judges what needs types: where awaits stand, which tasks nobody takes, what
// blocks, and which clock contexts follow.
// The package must have been type-checked without error.
func Types(pkg *load.Package, diags *diag.List) {
	if !hasAnnotated(pkg) {
		return
	}
	for _, file := range pkg.Syntax {
		atStart(pkg, file, diags)
	}
	worlds := hasWorlds(pkg)
	for _, file := range pkg.Files {
		for _, fn := range file.Funcs {
			if fn.Decl.Body == nil {
				continue
			}
			awaits(pkg, fn, diags)
			dropped(pkg, fn, diags)
			synchronous(pkg, fn, diags)
			if worlds {
				realTime(pkg, fn, diags)
			}
		}
	}
}

// hasAnnotated reports whether any file of the package has an annotated
// function, whichever variant generates for it.
func hasAnnotated(pkg *load.Package) bool {
	for _, file := range pkg.Syntax {
		if len(load.Annotated(file)) > 0 {
			return true
		}
	}
	return false
}
