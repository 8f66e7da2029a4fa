package sim

import (
	"fmt"
	"iter"
	"reflect"
	"strings"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/kernel"
	"github.com/nothread/nothread/runtime/pool"
)

// This file is the deadlock trap: a thread blocks on a task whose machine waits to go on on that very thread. It is sprung
// when the machine is posted, or when the thread blocks, whichever comes later; whatever else happens in the World cannot
// help then.

// trap is the World's pool.Trap.
func (w *World) trap(t *kernel.Thread, c async.Continuation) { w.spring(t, c, t.WaitsFor) }

// spring stops the World if c, which only thread t can run, is what t waits for; blockedOn says that in words.
func (w *World) spring(t *kernel.Thread, c async.Continuation, blockedOn func() string) {
	if w.fatal == nil && !w.closed && leadsTo(c, t) {
		text, _ := blockage(t, blockedOn())
		w.fatal = &Deadlock{Seed: w.seed, Waiting: []string{text}, Trap: true, State: w.Dump()}
	}
}

// queued ranges over the continuations that only thread t could run.
func queued(t *kernel.Thread) iter.Seq[async.Continuation] {
	if q, ok := t.Body().(interface {
		Queued(yield func(async.Continuation) bool)
	}); ok {
		return q.Queued
	}
	return func(func(async.Continuation) bool) {}
}

// waiting says in words what only thread t could run; "" if that is nothing.
func waiting(t *kernel.Thread) string {
	if b, ok := t.Body().(interface{ Waiting() string }); ok {
		return b.Waiting()
	}
	return ""
}

// leadsTo reports whether thread t is blocked on the machine that c resumes, or on what awaits that one, and so on, as far
// as nothing else could complete it: of a WhenEach, of a WhenAll whose context may end, or of a source, such as that of a
// thread of async.Go, that is not known. There may be many ways up to one that awaits, and they may be long.
func leadsTo(c async.Continuation, t *kernel.Thread) bool {
	seen := make(map[async.Continuation]bool)
	for todo := []async.Continuation{c}; len(todo) > 0; {
		last := len(todo) - 1
		c, todo = todo[last], todo[:last]
		if !async.MustResume(c) || seen[c] {
			continue
		}
		seen[c] = true
		for _, k := range async.AwaitedBy(c) {
			if b, ok := k.(*blocker); ok && b.thread == t {
				return true
			}
			todo = append(todo, k)
		}
	}
	return false
}

// named names a continuation: a machine by its function, the line that it waits at and what it awaits there, if it knows
// that, else by its type.
func named(c async.Continuation) string {
	if _, rung := c.(*timer); rung {
		return "a timer that has rung"
	}
	m := async.MachineIn(c)
	if m == nil {
		name, _, _ := strings.Cut(reflect.TypeOf(c).String(), "[")
		return strings.TrimPrefix(name, "*")
	}
	states, state := m.States()
	if awaits := states.At[state].Awaits; awaits != "" {
		return fmt.Sprintf("%s, which awaits %s at %s", states.Func, awaits, states.Pos(state))
	}
	return fmt.Sprintf("%s (%s)", states.Func, states.Pos(state))
}

// blockage says where thread t is blocked and what waits to run on it; and whether that is a machine.
func blockage(t *kernel.Thread, on string) (text string, machines bool) {
	text = t.Name() + " is blocked on " + on
	first, trapped, n := "", false, 0
	for c := range queued(t) {
		n++
		machines = machines || async.IsMachine(c)
		if leads := leadsTo(c, t); leads && !trapped || first == "" {
			first, trapped = named(c), leads
		}
	}
	switch {
	case trapped:
		text += ", and what it waits for needs " + first + ", which can go on on that thread alone"
	case n > 0:
		text += ", while " + first + " waits to go on on that thread"
	case waiting(t) != "":
		text += ", while " + waiting(t)
	}
	if n > 1 {
		text += fmt.Sprintf(" (so do %d others)", n-1)
	}
	return text, machines
}

// pools are the World's own.
func (w *World) pools() []*pool.Threads { return []*pool.Threads{w.io, w.workers, w.timers} }

// starvation says what waits for a thread of a pool, in a World that has nothing left to do, so that all of them are
// blocked; and whether that is a machine. It is "" if nothing does.
func starvation(p *pool.Threads) (text string, machines bool) {
	n := p.Port().Len()
	if n == 0 {
		return "", false
	}
	first := ""
	for packet := range p.Port().Queued {
		c, resumes := packet.Key().(async.Continuation)
		if resumes = resumes && packet.IRP == 0; resumes && !machines {
			first, machines = named(c), async.IsMachine(c)
		}
	}
	if first == "" {
		first = "what was queued there"
	}
	text = fmt.Sprintf("all threads of the pool are blocked, so that no %v is left for %s", p, first)
	if n > 1 {
		text += fmt.Sprintf(" (nor for %d others)", n-1)
	}
	return text, machines
}

// waysOut says what to do about a machine that waits for threads that are blocked, one of them on it.
const waysOut = "two ways out: await the task instead of blocking on it, or let the machine go on elsewhere by ConfigureAwait(false) at its await"
