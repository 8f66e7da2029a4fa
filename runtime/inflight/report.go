package inflight

import (
	"cmp"
	"context"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/nothread/nothread/runtime/async"
)

// A Cause is something beneath the machines that they wait for: a request, or a timer.
type Cause struct {
	What  string        // equal ones are counted together
	ID    string        // tells those apart
	Since time.Duration // when it got to where it is
	Of    any           // what async.AwaitedBy can ask who awaits it

	Cancelled bool // somebody has asked it to end
	Timer     bool // it ends in its time: Lint takes it for pending only if a machine waits for it
}

// A Report is what is in flight.
type Report struct {
	Machines *async.Machines // nil: only what awaits the causes is known
	Causes   []Cause
	Now      time.Duration
	// Describe names a continuation that is no machine, "" if it cannot; nil
	// knows none.
	Describe func(async.Continuation) string
	// Ended says when a context that is done has ended, 0 if it cannot; nil never
	// can.
	Ended func(context.Context) time.Duration
	// Idle says that nothing is left that could complete what machines wait for.
	Idle bool
}

// Append appends the report as text. It is the same for the same state.
func (r *Report) Append(b []byte) []byte {
	if r.Machines == nil {
		return r.groups(nil).append(b, r.Now)
	}
	var all []*async.InFlight
	var groups *groups
	r.Machines.Visit(func(machines []*async.InFlight) {
		all = machines
		groups = r.groups(machines)
	})
	b = fmt.Appendf(b, "%d machines in flight\n", len(all))
	return groups.append(b, r.Now)
}

// groups finds who waits for what, beginning with the causes, then with machines
// beneath which there is nothing that is known.
func (r *Report) groups(machines []*async.InFlight) *groups {
	w := &walker{report: r, known: make(map[async.Machine]*async.InFlight), seen: make(map[async.Continuation]bool),
		groups: newGroups()}
	for _, f := range machines {
		w.known[f.Machine] = f
	}
	for i := range r.Causes {
		c := &r.Causes[i]
		w.begin(c.What)
		w.awaitersOf(c.Of, 0)
		g := w.done(c.What, c.ID, c.Since)
		g.cancelled, g.timer = c.Cancelled, c.Timer
	}
	above := make(map[async.Continuation]bool)
	for _, f := range machines {
		if !w.seen[f.Machine] && !f.Running() {
			mark(above, f.Machine, 0)
		}
	}
	for _, f := range machines {
		if !w.seen[f.Machine] && !above[f.Machine] {
			what := w.leaf(f)
			w.begin(what)
			w.awaiter(f.Machine, 0)
			w.done(what, "", f.Since)
		}
	}
	for _, f := range machines { // in a ring of machines that await each other
		if !w.seen[f.Machine] {
			w.begin("")
			w.awaiter(f.Machine, 0)
			w.done("machines that await each other", "", f.Since)
		}
	}
	return w.groups
}

// mark marks what resumes when x completes: machines, and combinators with those that
// resume when they do.
func mark(above map[async.Continuation]bool, x any, depth int) {
	for _, k := range async.AwaitedBy(x) {
		if _, machine := k.(async.Machine); again(above, k) || machine || depth == deepest {
			continue
		}
		mark(above, k, depth+1)
	}
}

// again notes k, and reports whether it was noted before. What cannot be compared never was.
func again(noted map[async.Continuation]bool, k async.Continuation) bool {
	if !reflect.ValueOf(k).Comparable() {
		return false
	}
	was := noted[k]
	noted[k] = true
	return was
}

// deepest is how long a chain may be that is followed.
const deepest = 64

// A walker goes up from one thing that is awaited.
type walker struct {
	report *Report
	known  map[async.Machine]*async.InFlight
	seen   map[async.Continuation]bool // of whom it has been written who awaits them
	groups *groups

	lines []string // of the chain at hand
	key   []byte   // the same without what differs from one to the other
	first string   // its first machine, in words
}

// begin begins a chain.
func (w *walker) begin(what string) { w.lines, w.key, w.first = nil, []byte(what), "" }

func (w *walker) add(depth int, common, differing string) {
	indent := strings.Repeat("  ", depth+1)
	w.key = append(append(append(w.key, '\n'), indent...), common...)
	w.lines = append(w.lines, indent+common+differing)
}

// awaitersOf follows who awaits x. The chain may be of a million.
func (w *walker) awaitersOf(x any, depth int) {
	for {
		next := async.AwaitedBy(x)
		switch {
		case len(next) == 0:
			w.add(depth, "nobody awaits it", "")
			return
		case depth == deepest:
			w.add(depth, "and so on", "")
			return
		case len(next) > 1:
			w.several(next, depth)
			return
		}
		if x = w.step(next[0], depth); x == nil {
			return
		}
	}
}

// several follows each of those that await one thing.
func (w *walker) several(next []async.Continuation, depth int) {
	lines, key, first, several := w.lines, w.key, w.first, newGroups() // each has a chain of its own
	for _, k := range next {
		w.begin("")
		w.awaiter(k, depth+1)
		several.add(string(w.key), "", "", 0, w.lines)
		first = cmp.Or(first, w.first)
	}
	w.lines, w.key, w.first = lines, key, first
	for _, g := range several.list {
		if g.count > 1 {
			w.add(depth+1, fmt.Sprintf("%d alike, of the first:", g.count), "")
		}
		w.key = append(w.key, g.key...)
		w.lines = append(w.lines, g.lines...)
	}
}

// awaiter follows k, which awaits something.
func (w *walker) awaiter(k async.Continuation, depth int) {
	if x := w.step(k, depth); x != nil {
		w.awaitersOf(x, depth)
	}
}

// step writes who k is, and returns what to ask who awaits it, nil if nothing.
func (w *walker) step(k async.Continuation, depth int) any {
	if m, ok := k.(async.Machine); ok {
		return w.machine(m, depth)
	}
	text, more := describe(k)
	if w.report.Describe != nil {
		if own := w.report.Describe(k); own != "" {
			text, more = own, false
		}
	}
	if more && again(w.seen, k) { // there are several ways up to it
		text, more = text+", as above", false
	}
	w.add(depth, "awaited by "+text, "")
	if !more {
		return nil
	}
	return k
}

// machine writes where m waits and what it still needs, and returns it; nil if there is no more to say of it.
func (w *walker) machine(m async.Machine, depth int) any {
	if w.seen[m] {
		w.add(depth, NameOf(m)+", as above", "")
		return nil
	}
	w.seen[m] = true
	f := w.known[m]
	if f != nil && f.Running() {
		w.add(depth, NameOf(m)+" runs just now", "")
		return nil
	}
	table, state := m.States()
	at := stateOf(m)
	if w.first == "" {
		w.first = said(m)
		w.groups.leaves = append(w.groups.leaves, f)
	}
	age := ""
	if f != nil {
		age = fmt.Sprintf(", for %v", w.report.Now-f.Since)
	}
	w.add(depth, fmt.Sprintf("%s  %s  state %d, awaits %s%s", NameOf(m), table.Pos(state), state, at.Awaits, captured(m)), age)
	if list := locals(m); len(list) > 0 {
		w.lines = append(w.lines, strings.Repeat("  ", depth+3)+strings.Join(list, ", "))
	}
	return m
}

// captured says in which context a machine goes on; nothing if in any.
func captured(m async.Machine) string {
	if freed(m) {
		return ""
	}
	switch sc := m.SyncContext().(type) {
	case nil:
		return ""
	case fmt.Stringer:
		return ", context " + sc.String()
	default:
		return ", context " + strings.TrimPrefix(reflect.TypeOf(sc).String(), "*")
	}
}

// leaf says what a machine waits for beneath which nothing is known.
func (w *walker) leaf(f *async.InFlight) string {
	if f.Running() {
		return "runs just now"
	}
	switch ready, known := ready(f.Machine); {
	case !known:
		return forUnknown
	case ready:
		return forTurn
	}
	return forNobody
}

// What a machine waits for beneath which nothing is known.
const (
	forTurn   = "has what it awaited, and waits for its turn"
	forNobody = "waits for what nobody has completed yet"
	// What is no task may be complete, and the machine posted.
	forUnknown = "waits for an awaitable of which no more is known"
)

func (w *walker) done(what, id string, since time.Duration) *group {
	g := w.groups.add(string(w.key), what, id, since, w.lines)
	g.machine = cmp.Or(g.machine, w.first)
	return g
}

// NameOf is a machine's function with its package's name: main.window.Click.
func NameOf(m async.Machine) string {
	machine := reflect.TypeOf(m).Elem()
	table, _ := reflect.New(machine).Interface().(async.Machine).States() // m itself may be running
	name := machine.String()
	if dot := strings.IndexByte(name, '.'); dot >= 0 {
		return name[:dot+1] + table.Func
	}
	return table.Func
}

// stateOf is where a machine waits; the zero State if it never has.
func stateOf(m async.Machine) async.State {
	table, state := m.States()
	if state < 0 || state >= len(table.At) {
		return async.State{}
	}
	return table.At[state]
}

// describe names a continuation of package async that is no machine, and says
// whether somebody may await what it completes.
func describe(k async.Continuation) (text string, more bool) {
	name := reflect.TypeOf(k).String()
	short, _, _ := strings.Cut(strings.TrimPrefix(name, "*async."), "[")
	switch short {
	case "arm":
		return "a combinator of package async", true
	case "mapItem":
		return "async.Map", true
	case "channelPass":
		return "a stream of what comes of an async.Channel", true
	case "generator":
		return "a stream of package async", true
	case "parked":
		return "a goroutine that is blocked in Await", false
	case "forgotten":
		return "nobody: it was given to async.Forget", false
	}
	return strings.TrimPrefix(name, "*"), true
}

// groups are the chains that have been found, equal ones together, in the order
// in which they were.
type groups struct {
	list   []*group
	byKey  map[string]*group
	leaves []*async.InFlight // the first machine of each chain; nil for one of which no more is known
}

func newGroups() *groups { return &groups{byKey: make(map[string]*group)} }

type group struct {
	key, what   string
	count       int
	ids         []string // the first few
	first, last time.Duration
	lines       []string // of the first
	machine     string   // its first machine, in words
	cancelled   bool     // somebody has asked them to end
	timer       bool
}

func (g *groups) add(key, what, id string, since time.Duration, lines []string) *group {
	k := g.byKey[key]
	if k == nil {
		k = &group{key: key, what: what, first: since, last: since, lines: lines}
		g.byKey[key] = k
		g.list = append(g.list, k)
	}
	k.count++
	k.first, k.last = min(k.first, since), max(k.last, since)
	if len(k.ids) < 3 && id != "" {
		k.ids = append(k.ids, id)
	}
	return k
}

// named names the first few, if they have names.
func (k *group) named() string {
	if len(k.ids) == 0 {
		return ""
	}
	more := ""
	if k.count > len(k.ids) {
		more = ", …"
	}
	return " (" + strings.Join(k.ids, ", ") + more + ")"
}

func (g *groups) append(b []byte, now time.Duration) []byte {
	for _, k := range g.list {
		b = append(b, "  "...)
		b = append(append(append(b, times(k.count)...), k.what...), k.named()...)
		if oldest, youngest := now-k.first, now-k.last; oldest != youngest {
			b = fmt.Appendf(b, ", for %v to %v\n", youngest, oldest)
		} else {
			b = fmt.Appendf(b, ", for %v\n", oldest)
		}
		if k.count > 1 && len(k.lines) > 1 {
			b = append(b, "    of the first:\n"...)
		}
		for _, line := range k.lines {
			b = append(append(append(b, "  "...), line...), '\n')
		}
	}
	return b
}
