package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"time"
)

// childVariable asks this program, by the environment, for one measurement in a
// process of its own: "job n".
const childVariable = "NOTHREAD_BENCH_CHILD"

// An Observation is what a child saw. Each job fills what it is about.
type Observation struct {
	Each       float64 // bytes of the resident set for each thing
	Collection float64 // milliseconds that a garbage collection takes
	Pause      float64 // milliseconds in which it stops the world
	Cost       Cost    // of one operation
	Took       float64 // milliseconds for the whole job
	Peak       float64 // MiB, the most that was ever resident
}

// jobs are what a child can do with a number of things.
var jobs = map[string]func(n int) Observation{
	"suspended machines":   suspendedMachines,
	"suspended by hand":    suspendedByHand,
	"suspended goroutines": suspendedGoroutines,
	"suspended pulls":      suspendedPulls,
	"suspended copies":     suspendedCopies,
	"buffers":              buffers,
	"in flight":            inFlight,
	"goroutines in flight": goroutinesInFlight,
	"reads":                readsAtOnce,
	"readers":              readsInTurn,
	"synctest reads":       synctestAtOnce,
	"synctest readers":     synctestInTurn,
	"million reads":        millionReads,
	"million goroutines":   millionGoroutines,
}

// child does the job that the environment asks for; false if it asks for none.
func child() bool {
	text := os.Getenv(childVariable)
	if text == "" {
		return false
	}
	at := strings.LastIndexByte(text, ' ')
	n, err := strconv.Atoi(text[at+1:])
	job := jobs[text[:max(at, 0)]]
	if err != nil || job == nil {
		fmt.Fprintf(os.Stderr, "no job %q\n", text)
		os.Exit(2)
	}
	report(job(n))
	return true
}

// report tells the parent what was seen.
func report(seen Observation) {
	seen.Peak = float64(statusBytes("VmHWM")) / (1 << 20)
	if err := json.NewEncoder(os.Stdout).Encode(seen); err != nil {
		os.Exit(1)
	}
}

// observe runs a job in processes of their own, in turns with other jobs' if
// there are several, and returns the medians.
func observe(rounds, n int, names ...string) (map[string]Observation, error) {
	samples := make(map[string][]Observation)
	for range rounds {
		for _, name := range names {
			seen, err := observeOnce(name, n)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			samples[name] = append(samples[name], seen)
		}
	}
	result := make(map[string]Observation)
	for name, list := range samples {
		of := func(part func(Observation) float64) float64 {
			var values []float64
			for _, seen := range list {
				values = append(values, part(seen))
			}
			return median(values)
		}
		result[name] = Observation{
			Each:       of(func(o Observation) float64 { return o.Each }),
			Collection: of(func(o Observation) float64 { return o.Collection }),
			Pause:      of(func(o Observation) float64 { return o.Pause }),
			Took:       of(func(o Observation) float64 { return o.Took }),
			Peak:       of(func(o Observation) float64 { return o.Peak }),
			Cost: Cost{
				of(func(o Observation) float64 { return o.Cost.Nanoseconds }),
				of(func(o Observation) float64 { return o.Cost.Allocs }),
				of(func(o Observation) float64 { return o.Cost.Bytes }),
			},
		}
	}
	return result, nil
}

func observeOnce(name string, n int) (Observation, error) {
	var seen Observation
	self, err := os.Executable()
	if err != nil {
		return seen, err
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %d", childVariable, name, n))
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return seen, fmt.Errorf("%w\n%s", err, stderr.String())
	}
	return seen, json.NewDecoder(bytes.NewReader(out)).Decode(&seen) // a test prints a word after it
}

// statusBytes is a line of /proc/self/status; 0 where there is no such file.
func statusBytes(name string) int64 {
	content, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(content)) {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			kilobytes, _ := strconv.ParseInt(strings.Fields(value)[0], 10, 64)
			return kilobytes << 10
		}
	}
	return 0
}

// resident is the resident set once there is no garbage.
func resident() int64 {
	runtime.GC()
	debug.FreeOSMemory()
	return statusBytes("VmRSS")
}

// suspended observes n things that begin makes; keep is what holds them.
func suspended(n int, begin func() (keep any)) Observation {
	before := resident()
	keep := begin()
	after := resident()
	seen := Observation{Each: float64(after-before) / float64(n)}
	var took, paused []float64
	for range 5 {
		var stats debug.GCStats
		watch := startWatch()
		runtime.GC()
		took = append(took, milliseconds(watch.time()))
		debug.ReadGCStats(&stats)
		paused = append(paused, milliseconds(stats.Pause[0]))
	}
	seen.Collection, seen.Pause = median(took), median(paused)
	runtime.KeepAlive(keep)
	return seen
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
