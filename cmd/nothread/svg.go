package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"github.com/nothread/nothread/transform"
)

// drawer is the program that draws. A module with nothread as its tool has all
// that it is made of: see drawer.go.
const drawer = "github.com/nothread/nothread/cmd/graphsvg"

// svg has a graph drawn. The go command builds the drawer when it is first asked
// for a picture, in the version that the module in the current folder requires.
func svg(g *transform.Graph) (string, error) {
	var out, failed bytes.Buffer
	cmd := exec.Command("go", "run", drawer)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(g.DOT()), &out, &failed
	cmd.Env = append(os.Environ(), "GOOS="+runtime.GOOS, "GOARCH="+runtime.GOARCH, "CGO_ENABLED=0")
	// The drawer keeps its engine, as machine code, in a temporary folder: let that
	// be one which nobody else can write to.
	if folder, err := cacheFolder(); err == nil && folder != "" && os.MkdirAll(folder, 0o700) == nil {
		cmd.Env = append(cmd.Env, "TMPDIR="+folder, "TMP="+folder)
	}
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("cannot draw: go run %s: %w\n%s", drawer, err, failed.Bytes())
	}
	return out.String(), nil
}
