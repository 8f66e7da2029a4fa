package main

import (
	"bytes"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

//go:embed peers/native/coroutines.cpp
var coroutines []byte

//go:embed peers/native/futures.rs
var futures []byte

// A native is a peer in another language: a program, or the reason why there is
// none.
type native struct {
	name    string
	path    string
	missing string
}

func (b *bench) buildNative() {
	b.cpp = b.build("C++20 coroutines (g++ -O2)", "g++", coroutines, "coroutines.cpp", "-std=c++20", "-O2")
	b.rust = b.build("Rust async (std, Rc)", "rustc", futures, "futures.rs", "--edition=2021", "-O")
}

// build compiles a source, if its compiler is on this machine.
func (b *bench) build(name, compiler string, source []byte, file string, flags ...string) native {
	n := native{name: name}
	if _, err := exec.LookPath(compiler); err != nil {
		n.missing = "no " + compiler + " on this machine"
		return n
	}
	path := filepath.Join(b.dir, file)
	if err := os.WriteFile(path, source, 0o666); err != nil {
		n.missing = err.Error()
		return n
	}
	program := strings.TrimSuffix(path, filepath.Ext(path))
	if out, err := exec.Command(compiler, append(flags, "-o", program, path)...).CombinedOutput(); err != nil {
		first, _, _ := bytes.Cut(bytes.TrimSpace(out), []byte("\n"))
		n.missing = fmt.Sprintf("%s: %v: %s", compiler, err, first)
		return n
	}
	n.path = program
	return n
}

// contenders adds the native peers that there are.
func (b *bench) natives(job string, contenders ...contender) []contender {
	for _, n := range []native{b.cpp, b.rust} {
		if n.path != "" {
			contenders = append(contenders, program(n.name, n.path, job))
		}
	}
	return contenders
}

// row compares with a native peer, or says why not.
func (n native) row(what string, ours Figure, costs Costs, demands ...demand) Row {
	c, ok := costs[n.name]
	if !ok {
		return row(what, ours, n.name, nil).because("%s", n.missing)
	}
	theirs := figure(c.Nanoseconds, "ns")
	return row(what, ours, n.name, &theirs, demands...)
}
