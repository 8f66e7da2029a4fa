package main

import (
	"fmt"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Cost is what one operation costs.
type Cost struct {
	Nanoseconds float64
	Allocs      float64
	Bytes       float64
}

// Costs are those of contenders that were compared, by name.
type Costs map[string]Cost

// row compares two of them.
func (c Costs) row(what, peer string, demands ...demand) Row {
	theirs := cost(c[peer])
	return row(what, cost(c[what]), peer, &theirs, demands...)
}

// A contender does one job. Exactly one of run and outside is set.
type contender struct {
	name    string
	run     func(n int)                  // does n operations in this process
	outside func(n int) (float64, error) // does n elsewhere; says how many nanoseconds each took
}

// effort says how much is measured.
type effort struct {
	rounds int           // each contender runs so often; the median counts
	target time.Duration // how long a run takes, about; 0: fixed operations
	fixed  int           // operations of a run
}

var (
	full  = effort{rounds: 27, target: 20 * time.Millisecond} // many short ones: a disturbance hits few of them
	quick = effort{rounds: 1, fixed: 10_000}
)

// compare measures contenders that do the same, in turns: what disturbs the
// machine for a while disturbs them all. An error is an outside one's.
func (e effort) compare(contenders ...contender) (Costs, error) {
	sizes := make([]int, len(contenders))
	for i, c := range contenders {
		n, err := e.calibrate(c)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.name, err)
		}
		sizes[i] = n
	}
	samples := make([][]Cost, len(contenders))
	for range e.rounds {
		for i, c := range contenders {
			cost, err := c.once(sizes[i])
			if err != nil {
				return nil, fmt.Errorf("%s: %w", c.name, err)
			}
			samples[i] = append(samples[i], cost)
		}
	}
	costs := make(Costs)
	for i, c := range contenders {
		costs[c.name] = medians(samples[i])
	}
	return costs, nil
}

// calibrate finds how many operations take as long as a run should, by runs that
// also warm up what is pooled.
func (e effort) calibrate(c contender) (int, error) {
	if e.fixed > 0 {
		_, err := c.once(e.fixed)
		return e.fixed, err
	}
	for n := 1000; ; n *= 4 {
		cost, err := c.once(n)
		if err != nil {
			return 0, err
		}
		if took := cost.Nanoseconds * float64(n); took > float64(e.target)/8 {
			return max(1, int(float64(e.target)/cost.Nanoseconds)), nil
		}
	}
}

// once runs a contender.
func (c contender) once(n int) (Cost, error) {
	if c.outside != nil {
		ns, err := c.outside(n)
		return Cost{Nanoseconds: ns}, err
	}
	return measure(n, c.run), nil
}

// measure runs n operations; garbage is collected beforehand.
func measure(n int, run func(n int)) Cost {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	watch := startWatch()
	run(n)
	took := watch.time()
	runtime.ReadMemStats(&after)
	per := func(v uint64) float64 { return float64(v) / float64(n) }
	return Cost{float64(took) / float64(n), per(after.Mallocs - before.Mallocs), per(after.TotalAlloc - before.TotalAlloc)}
}

// A stopwatch tells the wall's time or the processors', whichever is less: what
// others do on this machine does not count, nor do idle processors.
type stopwatch struct {
	wall      time.Time
	processor time.Duration
}

func startWatch() stopwatch { return stopwatch{time.Now(), processorTime()} }

func (w stopwatch) time() time.Duration {
	return lesser(time.Since(w.wall), processorTime()-w.processor)
}

// lesser is the processors' time if it is known and less.
func lesser(wall, processor time.Duration) time.Duration {
	if processor > 0 {
		return min(wall, processor)
	}
	return wall
}

func medians(samples []Cost) Cost {
	of := func(part func(Cost) float64) float64 {
		list := make([]float64, len(samples))
		for i, s := range samples {
			list[i] = part(s)
		}
		return median(list)
	}
	return Cost{
		of(func(c Cost) float64 { return c.Nanoseconds }),
		of(func(c Cost) float64 { return c.Allocs }),
		of(func(c Cost) float64 { return c.Bytes }),
	}
}

func median(list []float64) float64 {
	list = slices.Sorted(slices.Values(list))
	if n := len(list); n%2 == 0 {
		return (list[n/2-1] + list[n/2]) / 2
	}
	return list[len(list)/2]
}

// program is a contender that is a program of its own: it is given a job and a
// number, and prints nanoseconds.
func program(name, path, job string) contender {
	return contender{name: name, outside: func(n int) (float64, error) {
		cmd := exec.Command(path, job, strconv.Itoa(n))
		out, err := cmd.Output()
		if err != nil {
			return 0, fmt.Errorf("%s %s %d: %w", path, job, n, err)
		}
		each, err := strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
		processor := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
		return float64(lesser(time.Duration(each*float64(n)), processor)) / float64(n), err
	}}
}

// must says that a job has done what it should; a benchmark of a wrong result is
// none.
func must(got, want int, err error) {
	if err != nil || got != want {
		panic(fmt.Sprintf("the job gave %d, %v instead of %d", got, err, want))
	}
}
