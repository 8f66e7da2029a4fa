package sim_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/pool"
	"github.com/nothread/nothread/runtime/sim"
)

// This file compares random streams, in machines and on threads, in Worlds and without, with the same as a range over a
// function: producer and consumer take turns, so that what they do has one order in all of them.

// A tape is what a producer and a consumer do.
type tape struct {
	steps    []string // "yield" or "wait"
	end      string
	err      error
	stubborn int // so many times the producer does not care that it was left

	waits []bool // whether the consumer waits in iteration i
	at    int    // the iteration in which it leaves
	leave string
}

func randomTape(r *rand.Rand) *tape {
	p := &tape{
		end: []string{"", "", "fails", "panics"}[r.IntN(4)], err: errors.New("of a tape"), stubborn: max(0, r.IntN(5)-2),
		at: r.IntN(8), leave: []string{"break", "return", "panics", "continues outside"}[r.IntN(4)],
	}
	for range r.IntN(10) {
		p.steps = append(p.steps, []string{"yield", "yield", "wait"}[r.IntN(3)])
	}
	for range len(p.steps) + 1 {
		p.waits = append(p.waits, r.IntN(2) == 0)
	}
	return p
}

// A tapeLog is what was done, in order.
type tapeLog struct {
	mu   sync.Mutex
	done []string
}

func (l *tapeLog) add(what ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.done = append(l.done, fmt.Sprint(what...))
}

// A rest is something to wait for.
type rest func(context.Context) async.Task0

//nothread:async
func played(ctx context.Context, p *tape, log *tapeLog, wait rest, out async.Yielder[int]) error {
	defer log.add("cleaned up")
	defer wait(ctx).Await()
	ignored := 0
	for i, step := range p.steps {
		if step == "wait" {
			wait(ctx).Await()
			continue
		}
		log.add("yields ", i)
		if err := out.YieldAsync(i).Await(); err != nil {
			log.add("left")
			if ignored++; ignored > p.stubborn {
				return err
			}
		}
	}
	switch p.end {
	case "fails":
		return p.err
	case "panics":
		panic("in a tape")
	}
	return nil
}

// playedPlain is played without a task.
func playedPlain(p *tape, log *tapeLog, yield func(int) bool) error {
	defer log.add("cleaned up")
	left, ignored := false, 0
	for i, step := range p.steps {
		if step == "wait" {
			continue
		}
		log.add("yields ", i)
		if left = left || !yield(i); left {
			log.add("left")
			if ignored++; ignored > p.stubborn {
				return nil
			}
		}
	}
	if p.end == "panics" {
		panic("in a tape")
	}
	if p.end == "fails" && !left {
		return p.err
	}
	return nil
}

//nothread:async
func relayed(ctx context.Context, s async.Stream[int], out async.Yielder[int]) error {
	for v, err := range s.Await(ctx) {
		if err != nil {
			return err
		}
		if err := out.YieldAsync(v).Await(); err != nil {
			return err
		}
	}
	return nil
}

//nothread:async
func heard(ctx context.Context, p *tape, log *tapeLog, wait rest, s async.Stream[int]) (how string) {
	defer func() {
		if v := recover(); v != nil {
			how = fmt.Sprint("recovered ", v)
		}
	}()
outer:
	for range 1 {
		i := 0
		for v, err := range s.Await(ctx) {
			log.add("got ", v, err)
			if i == p.at {
				switch p.leave {
				case "break":
					break outer
				case "return":
					return "returned"
				case "panics":
					panic("in a body")
				}
				continue outer
			}
			if p.waits[i] {
				wait(ctx).Await()
			}
			i++
		}
		log.add("behind")
	}
	return "ended"
}

// heardPlain is heard without a task.
func heardPlain(p *tape, log *tapeLog, s iter.Seq2[int, error]) (how string) {
	defer func() {
		if v := recover(); v != nil {
			how = fmt.Sprint("recovered ", v)
		}
	}()
outer:
	for range 1 {
		i := 0
		for v, err := range s {
			log.add("got ", v, err)
			if i == p.at {
				switch p.leave {
				case "break":
					break outer
				case "return":
					return "returned"
				case "panics":
					panic("in a body")
				}
				continue outer
			}
			i++
		}
		log.add("behind")
	}
	return "ended"
}

// plain is what comes of a tape as a range over a function. A body that panics does so in its producer there: a stream is
// left by it, and what its producer panics with takes its place.
func (p *tape) plain() []string {
	var log tapeLog
	log.add(heardPlain(p, &log, func(yield func(int, error) bool) {
		var body any
		err := playedPlain(p, &log, func(v int) (more bool) {
			defer func() {
				if body = recover(); body != nil {
					more = false
				}
			}()
			return yield(v, nil)
		})
		if body != nil {
			panic(body)
		}
		if err != nil {
			yield(0, err)
		}
	}))
	return log.done
}

// A tapePlayer says in which forms a tape is played.
type tapePlayer struct {
	threads [3]bool // the consumer, the relays, the producer
	relays  int
}

func randomPlayer(r *rand.Rand) (f tapePlayer) {
	for i := range f.threads {
		f.threads[i] = r.IntN(2) == 0
	}
	f.relays = max(0, r.IntN(5)-2)
	return f
}

func (f tapePlayer) start(ctx context.Context, p *tape, log *tapeLog, wait rest) async.Task[string] {
	s := async.NewStream(func(ctx context.Context, out async.Yielder[int]) async.Task0 {
		if f.threads[2] {
			return async.Go0(ctx, func(ctx context.Context) error { return played(ctx, p, log, wait, out) })
		}
		return playedAsync(ctx, p, log, wait, out)
	})
	for range f.relays {
		inner := s
		s = async.NewStream(func(ctx context.Context, out async.Yielder[int]) async.Task0 {
			if f.threads[1] {
				return async.Go0(ctx, func(ctx context.Context) error { return relayed(ctx, inner, out) })
			}
			return relayedAsync(ctx, inner, out)
		})
	}
	if f.threads[0] {
		return async.Go(ctx, func(ctx context.Context) (string, error) { return heard(ctx, p, log, wait, s), nil })
	}
	return heardAsync(ctx, p, log, wait, s)
}

// TestStreamsInAllForms: and in all contexts.
func TestStreamsInAllForms(t *testing.T) {
	loop := pool.NewLoop()
	go loop.Run()
	defer loop.Close()
	for seed := range uint64(1000) {
		r := rand.New(rand.NewPCG(seed, 0))
		p := randomTape(r)
		want := p.plain()
		f := randomPlayer(r)
		log := new(tapeLog)
		w := sim.New(seed)
		contexts := []struct {
			name string
			ctx  context.Context
		}{
			{"nobody's", t.Context()}, {"a loop's", loop.Context(t.Context())}, {"a pool's", pool.NewWorkers(2).Context(t.Context())},
			{"the World's", w.Context()}, {"the UI thread's", w.UIContext()}, {"the workers'", w.Workers().Context(w.Context())},
			{"a serial one", w.NewSerial("s").Context(w.Context())},
		}
		c := contexts[r.IntN(len(contexts))]
		wait := func(ctx context.Context) async.Task0 { return async.Delay(ctx, time.Microsecond) }
		how, err := f.start(c.ctx, p, log, wait).Await()
		if log.add(how); err != nil || !slices.Equal(log.done, want) {
			t.Fatalf("seed %d: %+v of %+v, in %s context:\n%q, %v, want\n%q", seed, f, *p, c.name, log.done, err, want)
		}
		w.Close()
	}
}
