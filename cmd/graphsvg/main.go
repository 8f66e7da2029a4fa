// Graphsvg draws a graph: DOT on standard input, SVG on standard output.
//
// nothread graph -o FILE.svg runs it. It is a program of its own because the
// library that draws, Graphviz as WebAssembly, sets its engine up in an init
// function: nothread would pay for that in each run.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/goccy/go-graphviz"
)

func main() {
	if err := run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "graphsvg:", err)
		os.Exit(1)
	}
}

func run(in io.Reader, out io.Writer) error {
	dot, err := io.ReadAll(in)
	if err != nil {
		return err
	}
	svg, err := draw(dot)
	if err != nil {
		return err
	}
	_, err = out.Write(svg)
	return err
}

// draw lays a graph out by Graphviz's dot. The same graph gives the same bytes,
// on any machine.
func draw(dot []byte) (svg []byte, err error) {
	ctx := context.Background()
	engine, err := graphviz.New(ctx)
	if err != nil {
		return nil, err
	}
	graph, err := graphviz.ParseBytes(dot)
	switch {
	case err != nil:
		return nil, fmt.Errorf("not a graph in DOT: %s", strings.TrimSpace(err.Error()))
	case graph == nil:
		return nil, errors.New("not a graph in DOT: there is none")
	}
	var b bytes.Buffer
	if err := engine.Render(ctx, graph, graphviz.SVG, &b); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
