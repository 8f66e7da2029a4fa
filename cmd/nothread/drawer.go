//go:build drawer

package main

// Nothing is built with this tag. But go get and go mod tidy look at all tags:
// by this import a module that has nothread as its tool can run the drawer, too.
import _ "github.com/nothread/nothread/cmd/graphsvg"
