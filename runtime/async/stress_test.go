package async_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/nothread/nothread/runtime/async"
)

// operations returns how many operations the stress runs: NOTHREAD_STRESS says,
// else few.
func operations(t *testing.T) int {
	text := os.Getenv("NOTHREAD_STRESS")
	if text == "" {
		return 40_000
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("NOTHREAD_STRESS: %v", err)
	}
	return n
}

const workers = 16

// stress is what 16 goroutines do to one another's tasks: each starts operations
// and leaves the completing of their parts, in any order, to all.
type stress struct {
	t     *testing.T
	parts chan func() // completions, cancellations: whoever takes one does it

	started, ended, doubled, wrong atomic.Int64
}

// An outcome is checked, once, at the end of an operation.
type outcome struct {
	async.Anywhere
	s     *stress
	ended atomic.Int64
	right func() bool
}

func (o *outcome) MoveNext(*async.Executor) async.Continuation {
	if o.ended.Add(1) > 1 {
		o.s.doubled.Add(1)
		return nil
	}
	if !o.right() {
		o.s.wrong.Add(1)
	}
	o.s.ended.Add(1)
	return nil
}

// follow counts an operation, to the end that right judges.
func (s *stress) follow(task async.Pending, right func() bool) {
	s.started.Add(1)
	o := &outcome{s: s, right: right}
	if !task.OnCompleted(o) {
		o.MoveNext(nil)
	}
}

func (s *stress) leave(part func()) {
	select {
	case s.parts <- part:
	default:
		part()
	}
}

// takeSome does parts that others left.
func (s *stress) takeSome(r *rand.Rand) {
	for range r.IntN(8) {
		select {
		case part := <-s.parts:
			part()
		default:
			return
		}
	}
}

func gives(task async.Task[int], want int) func() bool {
	return func() bool { v, err := task.GetResult(); return v == want && err == nil }
}

// canceledOr judges a task that was raced against a cancellation.
func canceledOr(task async.Task[int], want int) func() bool {
	return func() bool {
		v, err := task.GetResult()
		return err == nil && v == want || errors.Is(err, context.Canceled)
	}
}

// A pair is what an operation awaits: two sources that will give x.
type pair struct {
	a, b *async.Source[int]
	x    int
}

func (s *stress) completeBoth(p pair) {
	s.leave(func() { p.a.SetResult(p.x) })
	s.leave(func() { p.b.SetResult(p.x) })
}

func (s *stress) operation(r *rand.Rand, pool *async.SourcePool[int]) {
	p := pair{async.NewSource[int](), async.NewSource[int](), r.IntN(1000)}
	switch kind := r.IntN(9); kind {
	case 0, 1, 2, 3:
		s.awaited(kind, p)
	case 4, 5, 6:
		s.canceled(kind, p)
	default:
		s.pooled(kind, p, pool)
	}
}

func (s *stress) awaited(kind int, p pair) {
	a, b, x := p.a, p.b, p.x
	switch kind {
	case 0: // a machine, completed by several
		task := sumAsync(2, func(i int) async.Task[int] { return []*async.Source[int]{a, b}[i].Task() })
		s.follow(task, gives(task, 2*x))
		for range 3 {
			s.leave(func() { a.TrySetResult(x) })
		}
		s.leave(func() { b.SetResult(x) })
	case 1: // several await one
		for range 3 {
			task := await(a.Task())
			s.follow(task, gives(task, x))
			s.leave(func() {
				late := await(a.Task())
				s.follow(late, gives(late, x))
			})
		}
		s.leave(func() { a.SetResult(x) })
	case 2:
		all := async.WhenAll(bg, a.Task(), b.Task())
		s.follow(all, func() bool { v, err := all.GetResult(); return err == nil && v[0] == x && v[1] == x })
		s.completeBoth(p)
	case 3:
		winner := async.WhenAny(bg, a.Task(), b.Task())
		s.follow(winner, func() bool {
			i, err := winner.GetResult()
			return err == nil && (i == 0 && a.Task().IsCompleted() || i == 1 && b.Task().IsCompleted())
		})
		s.completeBoth(p)
	}
}

// canceled races a cancellation with the completions.
func (s *stress) canceled(kind int, p pair) {
	ctx, cancel := context.WithCancel(bg)
	s.leave(func() {
		switch kind {
		case 4:
			race := async.Race(ctx, await(p.a.Task()), await(p.b.Task()))
			s.follow(race, canceledOr(race, p.x))
			s.completeBoth(p)
		case 5:
			first := await(async.FirstSuccess(ctx, p.a.Task(), p.b.Task()))
			s.follow(first, canceledOr(first, p.x))
			s.leave(func() { p.a.SetError(errA) })
			s.leave(func() { p.b.SetResult(p.x) })
		case 6:
			for task := range async.WhenEach(ctx, p.a.Task(), p.b.Task()) {
				s.follow(task, canceledOr(task, p.x))
			}
			s.completeBoth(p)
		}
	})
	s.leave(cancel)
}

func (s *stress) pooled(kind int, p pair, pool *async.SourcePool[int]) {
	x := p.x
	if kind == 7 { // sources and a machine
		c, d := pool.New(bg), pool.New(bg)
		ct, dt := c.Task(), d.Task()
		task := pooledSumAsync(2, func(i int) async.Task[int] { return []async.Task[int]{ct, dt}[i] })
		s.follow(task, gives(task, 2*x))
		s.leave(func() { c.SetResult(x) })
		s.leave(func() { d.SetResult(x) })
		return
	}
	// Machines that are raced and then read.
	c := pooledSumAsync(1, func(int) async.Task[int] { return p.a.Task() })
	d := pooledSumAsync(1, func(int) async.Task[int] { return p.b.Task() })
	winner := async.WhenAny(bg, c, d)
	s.follow(winner, func() bool {
		i, err := winner.GetResult()
		won, lost := c, d
		if i == 1 {
			won, lost = d, c
		}
		s.follow(lost, gives(lost, x))
		return err == nil && gives(won, x)()
	})
	s.completeBoth(p)
}

// A random mix of operations from 16 goroutines loses none and doubles none.
func TestStressLosesNoneAndDoublesNone(t *testing.T) {
	s := &stress{t: t, parts: make(chan func(), 256)}
	n := operations(t) / workers
	var pool async.SourcePool[int]
	var all sync.WaitGroup
	for w := range workers {
		all.Go(func() {
			r := rand.New(rand.NewPCG(7, uint64(w)))
			for range n {
				s.operation(r, &pool)
				s.takeSome(r)
			}
		})
	}
	all.Wait()
	for len(s.parts) > 0 {
		(<-s.parts)()
	}
	for i := 0; s.ended.Load() < s.started.Load() && i < 5000; i++ {
		async.Delay(context.Background(), 1_000_000).Await() // the standard library cancels on goroutines of its own
	}
	if s.ended.Load() != s.started.Load() || s.doubled.Load() != 0 || s.wrong.Load() != 0 {
		t.Errorf("of %d operations %d ended, %d twice, %d wrongly (16 streams of seed 7)",
			s.started.Load(), s.ended.Load(), s.doubled.Load(), s.wrong.Load())
	}
}

// FirstSuccess reads a task from a pool that fails, whose cell is used again at once, while another task that succeeds takes
// back what it has stored with it: -race watches.
func TestStressFirstSuccessOfPooled(t *testing.T) {
	var sources async.SourcePool[int]
	for range 20_000 {
		fails, succeeds := sources.New(bg), async.NewSource[int]()
		first := async.FirstSuccess(bg, fails.Task(), succeeds.Task())
		var both sync.WaitGroup
		both.Go(func() { fails.SetError(errA); sources.New(bg) })
		both.Go(func() { succeeds.SetResult(1) })
		both.Wait()
		mustGive(t, first, 1)
	}
}

// A reader is resumed by the completion of a task, or asks too late.
type reader struct {
	async.Anywhere
	task async.Task[[3]int64]
	read func(v [3]int64)
}

func (r *reader) MoveNext(*async.Executor) async.Continuation {
	v, _ := r.task.GetResult()
	r.read(v)
	return nil
}

// spin waits for what is about to happen on another processor, or, if there is none, lets it.
func spin(until func() bool) {
	for i := 1; !until(); i++ {
		if i%1000 == 0 {
			runtime.Gosched()
		}
	}
}

// A continuation that is stored at the very moment of the completion runs once, and sees all of the result.
func TestStressOfStoring(t *testing.T) {
	n := int64(operations(t) / 8)
	var source atomic.Pointer[async.Source[[3]int64]]
	var begun, ended atomic.Int64
	go func() {
		for i := int64(1); i <= n; i++ {
			spin(func() bool { return begun.Load() >= i })
			source.Load().SetResult([3]int64{i, i, i})
		}
	}()
	for i := int64(1); i <= n; i++ {
		s := async.NewSource[[3]int64]()
		source.Store(s)
		r := &reader{task: s.Task(), read: func(v [3]int64) {
			if v != [3]int64{i, i, i} {
				t.Errorf("%d: read %v", i, v)
			}
			ended.Add(1)
		}}
		begun.Store(i)
		if !r.task.OnCompleted(r) {
			r.MoveNext(nil)
		}
		spin(func() bool { return ended.Load() >= i })
		if got := ended.Load(); got != i {
			t.Fatalf("%d continuations ran of %d", got, i)
		}
	}
}
