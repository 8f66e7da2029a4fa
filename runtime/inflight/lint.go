package inflight

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"time"
	"unsafe"

	"github.com/nothread/nothread/runtime/async"
)

// This file is what looks wrong in what is in flight: what a reader of the dump would stop at.

// Lint says what looks wrong in what is in flight, a sentence each: what has been pending for longer than patience, what
// has been asked to end for longer than that, by its context or by a cancellation, and goes on, and, if Idle, what nobody
// will complete any more. Equal ones are counted together. It is the same for the same state.
func (r *Report) Lint(patience time.Duration) []string {
	var found []string
	lint := func(machines []*async.InFlight) {
		g := r.groups(machines)
		found = append(g.lint(r, patience), r.ignored(g.leaves, patience)...)
	}
	if r.Machines == nil {
		lint(nil)
	} else {
		r.Machines.Visit(lint)
	}
	return found
}

// lint says what is wrong with what is waited for.
func (g *groups) lint(r *Report, patience time.Duration) []string {
	var found []string
	for _, k := range g.list {
		age := r.Now - k.first
		request := times(k.count) + k.what + k.named()
		if k.machine != "" {
			request += ", for " + k.machine
		}
		switch {
		case r.Idle && (k.what == forNobody || k.what == forUnknown):
			found = append(found, fmt.Sprintf("lost completion: %s%s: nothing is left that could complete it", times(k.count), k.machine))
		case age <= patience, k.timer && k.machine == "":
		case k.cancelled:
			found = append(found, fmt.Sprintf("cancel ignored for %v: %s", age, request))
		case k.what == forNobody:
			found = append(found, fmt.Sprintf("pending for %v: %s%s: nobody has completed it yet", age, times(k.count), k.machine))
		case k.what == forUnknown:
			found = append(found, fmt.Sprintf("pending for %v: %s%s", age, times(k.count), k.machine))
		case k.what == forTurn:
			found = append(found, fmt.Sprintf("pending for %v: %s%s: that is complete, and it waits for its turn", age, times(k.count), k.machine))
		default:
			found = append(found, fmt.Sprintf("pending for %v: %s", age, request))
		}
	}
	return found
}

// said is a machine in words.
func said(m async.Machine) string {
	table, state := m.States()
	return fmt.Sprintf("%s at %s, which awaits %s", NameOf(m), table.Pos(state), stateOf(m).Awaits)
}

func times(n int) string {
	if n == 1 {
		return ""
	}
	return fmt.Sprintf("%d × ", n)
}

// ignored says which machines wait on though a context that they still need is done. One that waits for another machine
// waits as long as that does.
func (r *Report) ignored(leaves []*async.InFlight, patience time.Duration) []string {
	var list []string
	counts, longest := make(map[string]int), make(map[string]time.Duration)
	for _, f := range leaves {
		if f == nil {
			continue
		}
		name, since, err := r.doneContext(f)
		if err == nil || r.Now-since <= patience {
			continue
		}
		text := fmt.Sprintf("%s, though its %s is done: %v", said(f.Machine), name, err)
		if counts[text]++; counts[text] == 1 {
			list = append(list, text)
		}
		longest[text] = max(longest[text], r.Now-since)
	}
	for i, text := range list {
		list[i] = fmt.Sprintf("cancel ignored for %v: %s%s", longest[text], times(counts[text]), text)
	}
	return list
}

// doneContext returns the first context among the variables that a suspended machine still needs which is done, when that
// was, as far as it is known, else when the machine was suspended, and its error; nil if none is.
func (r *Report) doneContext(f *async.InFlight) (name string, since time.Duration, err error) {
	v := reflect.ValueOf(f.Machine).Elem()
	for name := range strings.FieldsSeq(stateOf(f.Machine).Needs) {
		ctx := contextIn(v.FieldByName(name))
		if ctx == nil || ctx.Err() == nil {
			continue
		}
		since := f.Since
		if r.Ended != nil {
			since = max(since, r.Ended(ctx))
		}
		return name, since, ctx.Err()
	}
	return "", 0, nil
}

// contextIn returns the context in a machine's field, nil if it is of another type.
func contextIn(f reflect.Value) context.Context {
	if !f.IsValid() || f.Type() != reflect.TypeFor[context.Context]() {
		return nil
	}
	return *(*context.Context)(unsafe.Pointer(f.UnsafeAddr()))
}
