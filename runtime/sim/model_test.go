package sim_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/sim"
)

// This file runs random continuations in Worlds, in all contexts and on all kinds of threads, that wait for each other and
// fail in all ways: each runs once, a machine keeps what ends it, and the World goes on after its owner was told of a failure.

// A node is a continuation.
type node struct {
	steps []func()
	end   string
	ran   int
	task  async.Task[int] // of a machine
}

func (n *node) run() {
	n.ran++
	for _, step := range n.steps {
		step()
	}
	endBy(n.end)
}

func endBy(end string) {
	switch end {
	case "panics":
		panic("in a node")
	case "exits":
		runtime.Goexit()
	case "panics while it exits":
		defer func() { panic("while it exits") }()
		runtime.Goexit()
	}
}

// machineNode is a node that keeps what ends it.
type machineNode struct {
	async.Builder[int]
	*node
}

func (m *machineNode) MoveNext(*async.Executor) async.Continuation {
	m.run()
	return m.SetResult(0, nil)
}

// plainNode is one that does not.
type plainNode struct {
	async.Anywhere
	*node
	sync async.SyncContext
}

func (p *plainNode) SyncContext() async.SyncContext { return p.sync }

func (p *plainNode) MoveNext(*async.Executor) async.Continuation {
	p.run()
	return nil
}

// outcome calls f on a goroutine and says how that ended.
func outcome(f func()) (text string) {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		text = "exit"
		func() {
			defer func() {
				v := recover()
				if p, wrapped := v.(*sim.Panic); wrapped {
					v = p.Value
				}
				if v != nil {
					text = fmt.Sprint("panic ", v)
				}
			}()
			f()
		}()
		if text == "exit" {
			text = "return"
		}
	}()
	<-ended
	return text
}

// chance makes a World with nodes in it.
type chance struct {
	*rand.Rand
	world  *sim.World
	blocks bool // nodes block, which a failure of others may end: then machines alone fail, and each by a panic of its own
	nodes  []*node
	log    []string
	awaits []func(async.Continuation) bool // what there is to wait for
}

func (r *chance) source(options ...async.SourceOption) *async.Source[int] {
	s := async.NewSourceFor[int](r.world.Context(), options...)
	r.awaits = append(r.awaits, s.Task().OnCompleted)
	return s
}

func (r *chance) end() string {
	switch n := r.IntN(6); {
	case n < 3:
		return ""
	case n == 3 || r.blocks:
		return "panics"
	case n == 4:
		return "exits"
	}
	return "panics while it exits"
}

// step is something that a node does before it ends.
func (r *chance) step() func() {
	ctx := r.world.Context()
	kinds := 2
	if r.blocks {
		kinds = 5
	}
	switch d := time.Duration(r.IntN(3)) * time.Microsecond; r.IntN(kinds) {
	case 0:
		s := r.source()
		return func() { s.SetResult(1) }
	case 1:
		s := r.source(async.PostContinuations)
		return func() { s.SetResult(1) }
	case 2:
		return func() { async.Delay(ctx, d).Await() }
	case 3:
		return func() { async.Yield(ctx).Await() }
	}
	end := r.end()
	return func() {
		async.Go(ctx, func(ctx context.Context) (int, error) {
			async.Delay(ctx, time.Microsecond).Await()
			endBy(end)
			return 0, nil
		})
	}
}

// start makes a node that waits for something.
func (r *chance) start(in []context.Context) {
	n, ctx, number := &node{end: r.end()}, in[r.IntN(len(in))], len(r.nodes)
	plain, await := r.IntN(4) == 0, r.awaits[r.IntN(len(r.awaits))]
	if plain && r.blocks {
		n.end = ""
	}
	n.steps = append(n.steps, func() { r.log = append(r.log, fmt.Sprint(number)) })
	for range r.IntN(3) {
		n.steps = append(n.steps, r.step())
	}
	r.nodes = append(r.nodes, n)
	if plain {
		await(&plainNode{node: n, sync: async.SyncContextOf(ctx)})
		return
	}
	m := &machineNode{node: n}
	m.Promote(m, ctx, nil)
	await(m)
	n.task = m.Task()
	r.awaits = append(r.awaits, n.task.OnCompleted)
}

// complete lets something complete a source.
func (r *chance) complete(s *async.Source[int]) {
	w, f, kinds := r.world, func() { s.SetResult(1) }, 5
	if r.blocks {
		kinds = 3 // there are only two timer threads
	}
	switch r.IntN(kinds) {
	case 0:
		w.IO().Go(f)
	case 1:
		w.Workers().Go(f)
	case 2:
		w.Go("message", func(context.Context) { f() })
	case 3:
		w.AfterFunc(time.Duration(r.IntN(4))*time.Microsecond, f)
	case 4:
		w.Inject(f)
	}
}

// drive runs the World until nothing is left, in all the ways that its owner has.
func (r *chance) drive(t *testing.T) {
	for turn := 0; turn < 1000; turn++ {
		d, kind := time.Duration(r.IntN(5))*time.Microsecond, r.IntN(3)
		ended := outcome(func() {
			switch kind {
			case 0:
				r.world.RunFor(d)
			case 1:
				async.Delay(r.world.Context(), d).Await()
			case 2:
				r.world.Run()
			}
		})
		r.log = append(r.log, ended)
		if kind == 2 && ended == "return" {
			return
		}
	}
	t.Error("there is always something left")
}

// runChance returns what happens in the World of a seed.
func runChance(t *testing.T, seed uint64) []string {
	r := &chance{Rand: rand.New(rand.NewPCG(seed, 0)), blocks: seed%2 == 0}
	threads := 1 + r.IntN(3)
	if r.blocks {
		threads = 16
	}
	w := sim.New(seed, sim.WithWorkers(threads), sim.WithIOThreads(threads), sim.WithCPUs(1+r.IntN(2)))
	r.world = w
	in := []context.Context{w.Context(), w.UIContext(), w.NewSerial("account").Context(w.Context()), w.Workers().Context(w.Context()), w.IO().Context(w.Context())}
	for range 1 + r.IntN(3) {
		r.complete(r.source())
	}
	for range 1 + r.IntN(10) {
		r.start(in)
	}
	r.drive(t)
	for i, n := range r.nodes {
		want := map[string]string{"": "return", "exits": "exit", "panics": "panic in a node", "panics while it exits": "panic while it exits"}[n.end]
		if n.ran != 1 {
			t.Errorf("node %d ran %d times", i, n.ran)
		} else if got := outcome(func() { n.task.GetResult() }); n.task != (async.Task[int]{}) && got != want {
			t.Errorf("node %d ended by %s, want %s", i, got, want)
		}
	}
	if n := w.Goroutines(); n != 1 {
		t.Errorf("the World has %d goroutines", n)
	}
	return r.log
}

func TestWhateverFailsTheRestRuns(t *testing.T) {
	before := runtime.NumGoroutine()
	for seed := range uint64(1000) {
		log := runChance(t, seed)
		if again := runChance(t, seed); !slices.Equal(log, again) {
			t.Errorf("the same seed gives %q", again)
		}
		if t.Failed() {
			t.Fatalf("seed %d: %q", seed, log)
		}
	}
	for n := 0; n < 1000 && runtime.NumGoroutine() > before; n++ { // those that are about to end
		time.Sleep(time.Millisecond)
	}
	if n := runtime.NumGoroutine(); n > before {
		t.Errorf("%d goroutines are left, of %d", n, before)
	}
}
