package h

import (
	"fmt"
	"os"
	"runtime"
	"sync/atomic"
	"time"
)

// steps counts what the driver does.
var steps atomic.Int64

// watch ends the process if one step takes too long.
func watch() {
	for last := int64(-1); ; time.Sleep(2 * time.Second) {
		now := steps.Load()
		if now == last {
			stacks := make([]byte, 1<<16)
			fmt.Fprintf(os.Stderr, "it hangs\n%s", stacks[:runtime.Stack(stacks, true)])
			os.Exit(3)
		}
		last = now
	}
}

// announce prints what comes next, so that one can tell who killed the process.
func announce(name, form string) {
	steps.Add(1)
	fmt.Println("@", name, form)
}
