//go:build !unix

package main

import "time"

// processorTime is not to be had here: then the wall clock counts alone.
func processorTime() time.Duration { return 0 }
