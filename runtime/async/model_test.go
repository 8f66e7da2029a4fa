package async_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/nothread/nothread/runtime/async"
)

// This file compares what an executor does with what a model of it says, where continuations of all kinds wait for each
// other and fail in all ways: each is resumed once, first in first out, whatever fails before it; a machine keeps what
// ends it; what is no machine's rises from the completion, after all else; and the executor is as good as new.

// A node is a continuation: a machine or, if it is plain, a function.
type node struct {
	plain    bool
	context  int // where it resumes: of model.contexts, or anywhere, or refusing, whose Post panics
	deferred string
	steps    []step
	end      string
	awaited  []int // the nodes that await the machine
	task     async.Task[int]
}

const (
	anywhere = -1
	refusing = -2
)

// A step of a node completes a source, or blocks if that is -1.
type step struct {
	posts   bool
	awaited []int // the nodes that await the source
	source  *async.Source[int]
}

// An end is how something ended: by a panic unless that is nil, by runtime.Goexit, by both, or by neither.
type end struct {
	panicked string
	exited   bool
}

func (e end) failed() bool { return e != end{} }

// A model says what will happen.
type model struct {
	nodes  []*node
	log    []string
	posted [2][]int
	ends   []end // of the nodes
}

// A queueModel is an executor, or what takes its place where there is none.
type queueModel struct {
	context int
	bare    bool // there is none
	queue   []int
}

// run resumes what is queued, and what that releases, until nothing is left, and returns how it ends.
func (m *model) run(q *queueModel) (e end) {
	lost := false // the goroutine: what rises rises on others from then on, and what exits ends those
	for len(q.queue) > 0 {
		n := q.queue[0]
		q.queue = q.queue[1:]
		got := m.resume(q, n)
		if !lost {
			e, lost = got, got.failed()
		} else if got.panicked != "" {
			e.panicked = got.panicked
		}
	}
	return e
}

// resume resumes a node, and returns what it leaves to who runs it.
func (m *model) resume(q *queueModel, i int) end {
	n := m.nodes[i]
	if n.context != anywhere && n.context != q.context {
		return m.post(i)
	}
	m.log = append(m.log, fmt.Sprint(i))
	e := m.perform(q, n)
	if n.plain {
		return e
	}
	if e.failed() {
		e = deferredIn(n.deferred, e)
	}
	m.ends[i] = e
	m.release(q, n.awaited)
	return end{exited: e.exited}
}

// deferredIn is how a machine ends that was ended by e when the call it has deferred has been made.
func deferredIn(call string, e end) end {
	switch call {
	case "recovers":
		e.panicked = ""
	case "panics":
		e.panicked = "deferred"
	case "exits":
		e = end{exited: true}
	}
	return e
}

func (m *model) post(i int) end {
	sc := m.nodes[i].context
	if sc == refusing {
		m.log = append(m.log, fmt.Sprint(i, " refused"))
		return end{panicked: "Post"}
	}
	m.posted[sc] = append(m.posted[sc], i)
	return end{}
}

func (m *model) release(q *queueModel, nodes []int) { q.queue = append(q.queue, nodes...) }

// perform does what a node does, and returns how that ends.
func (m *model) perform(q *queueModel, n *node) end {
	e := m.doSteps(q, n)
	switch {
	case n.end == "does it while it exits":
		e.exited = true
	case e.failed():
	case n.end == "panics":
		e.panicked = "in a node"
	case n.end == "exits":
		e.exited = true
	case n.end == "panics while it exits":
		e = end{panicked: "while it exits", exited: true}
	}
	return e
}

func (m *model) doSteps(q *queueModel, n *node) end {
	for _, s := range n.steps {
		e := end{}
		switch {
		case s.source == nil: // blocks
			if !q.bare {
				e = m.run(q)
			}
		case q.bare:
			nested := &queueModel{context: anywhere, bare: true, queue: slices.Clone(s.awaited)}
			e = m.run(nested)
		case s.posts:
			for _, i := range s.awaited {
				if m.nodes[i].context == anywhere {
					q.queue = append(q.queue, i)
				} else if got := m.post(i); got.failed() {
					e = got
				}
			}
		default:
			m.release(q, s.awaited)
		}
		if e.failed() {
			return e
		}
	}
	return end{}
}

// A machinery is where nodes really run.
type machinery struct {
	nodes    []*node
	log      []string
	contexts [2]*modelContext
}

// modelContext is a SyncContext whose loop the test runs; one without refuses what is posted.
type modelContext struct {
	posted []async.Continuation
	ex     *async.Executor
}

func (c *modelContext) Post(k async.Continuation) {
	if c.ex == nil {
		k.(interface{ log(string) }).log(" refused")
		panic("Post")
	}
	c.posted = append(c.posted, k)
}

// blockingHost is whose thread a node blocks, until all else has run that waits for it.
type blockingHost struct {
	ex     *async.Executor
	source *async.Source[int]
}

func (h *blockingHost) Executor() *async.Executor { return h.ex }
func (h *blockingHost) Block(async.Pending)       { h.source.Complete(nil, 0, nil) }

// running is a node that runs.
type running struct {
	*node
	at     *machinery
	number int
}

func (r *running) log(what string) { r.at.log = append(r.at.log, fmt.Sprint(r.number, what)) }

// where is the SyncContext of the node, nil if it resumes anywhere.
func (r *running) where() async.SyncContext {
	switch r.context {
	case anywhere:
		return nil
	case refusing:
		return new(modelContext)
	}
	return r.at.contexts[r.context]
}

func (r *running) perform(ex *async.Executor) {
	r.log("")
	if r.end == "does it while it exits" {
		defer r.doSteps(ex)
		runtime.Goexit()
	}
	switch r.doSteps(ex); r.end {
	case "panics":
		panic("in a node")
	case "exits":
		runtime.Goexit()
	case "panics while it exits":
		exitsPanicking()
	}
}

func (r *running) doSteps(ex *async.Executor) {
	for _, s := range r.steps {
		if s.source != nil {
			s.source.Complete(ex, 0, nil)
			continue
		}
		h := &blockingHost{ex: ex}
		h.source = async.NewSourceFor[int](async.WithHost(context.Background(), h))
		h.source.Task().Await()
	}
}

// plainNode is a node that is no machine.
type plainNode struct {
	async.Anywhere
	running
}

func (p *plainNode) SyncContext() async.SyncContext { return p.where() }

func (p *plainNode) MoveNext(ex *async.Executor) async.Continuation {
	p.perform(ex)
	return nil
}

// machineNode is one that is.
type machineNode struct {
	async.Builder[int]
	running
}

func (m *machineNode) MoveNext(ex *async.Executor) async.Continuation {
	m.perform(ex)
	return m.SetResult(0, nil)
}

// deferringNode is a machine that has deferred a call.
type deferringNode struct{ machineNode }

func (m *deferringNode) Return() async.Continuation { return m.SetResult(0, nil) }

func (m *deferringNode) RunDeferred(p *async.Panic) {
	defer func() {
		switch m.deferred {
		case "recovers":
			recover()
		case "panics":
			panic("deferred")
		case "exits":
			runtime.Goexit()
		}
	}()
	p.Raise()
}

// start makes node i wait for what awaits it.
func (at *machinery) start(i int, onCompleted func(async.Continuation) bool) {
	n := at.nodes[i]
	r := running{n, at, i}
	ctx := async.WithSyncContext(context.Background(), r.where())
	for _, s := range n.steps {
		for _, k := range s.awaited {
			at.start(k, s.source.Task().OnCompleted)
		}
	}
	switch {
	case n.plain:
		onCompleted(&plainNode{running: r})
		return
	case n.deferred != "":
		m := &deferringNode{machineNode{running: r}}
		m.Promote(m, ctx, nil)
		onCompleted(m)
		n.task = m.Task()
	default:
		m := &machineNode{running: r}
		m.Promote(m, ctx, nil)
		onCompleted(m)
		n.task = m.Task()
	}
	for _, k := range n.awaited {
		at.start(k, n.task.OnCompleted)
	}
}

// ending calls f on a goroutine and returns how it ends.
func ending(f func()) (e end) {
	e.exited = true
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		func() {
			defer func() {
				if v := recover(); v != nil {
					e.panicked = fmt.Sprint(v)
				}
			}()
			f()
		}()
		e.exited = false
	}()
	<-ended
	return e
}

// randomNodes makes nodes that wait for roots, or for each other.
func randomNodes(r *rand.Rand, bare bool, roots []step) (nodes []*node) {
	ends := []string{"", "", "", "panics", "exits", "panics while it exits", "does it while it exits"}
	var lists []*[]int // of who awaits something
	for i := range roots {
		roots[i].source = async.NewSource[int]()
		lists = append(lists, &roots[i].awaited)
	}
	for i := range 1 + r.IntN(12) {
		n := &node{plain: r.IntN(4) == 0, context: anywhere, end: ends[r.IntN(len(ends))]}
		if r.IntN(4) == 0 {
			n.context = r.IntN(3) - 2
			if n.context == anywhere {
				n.context = 1
			}
		}
		if r.IntN(3) == 0 {
			n.deferred = []string{"nothing", "recovers", "panics", "exits"}[r.IntN(4)]
		}
		n.steps = make([]step, r.IntN(3))
		list := lists[r.IntN(len(lists))]
		*list = append(*list, i)
		for k := range n.steps {
			s := &n.steps[k]
			switch r.IntN(4) {
			case 0: // blocks
				continue
			case 1:
				s.posts = !bare
			}
			if s.source = async.NewSource[int](); s.posts {
				s.source = async.NewSource[int](async.PostContinuations)
			}
			lists = append(lists, &s.awaited)
		}
		if !n.plain {
			lists = append(lists, &n.awaited)
		}
		nodes = append(nodes, n)
	}
	return nodes
}

// completed completes roots, one or, by RunAll, as many as it can, and returns how many and how that ends.
func completed(ex *async.Executor, all bool, roots []step) (n int, e end) {
	if !all {
		return 1, ending(func() { roots[0].source.Complete(ex, 0, nil) })
	}
	e = ending(func() {
		ex.RunAll(func() (async.Continuation, bool) {
			c, _ := roots[n].source.Release(0, nil)
			n++
			return c, n < len(roots)
		})
	})
	return n, e
}

// completed is what the model says of it.
func (m *model) completed(bare, all bool, roots []step) (n int, e end) {
	for n < len(roots) && !e.failed() && (all || n == 0) {
		e = m.run(&queueModel{context: anywhere, bare: bare, queue: slices.Clone(roots[n].awaited)})
		n++
	}
	return n, e
}

func TestExecutorDoesWhatItsModelSays(t *testing.T) {
	before := runtime.NumGoroutine()
	for _, mode := range []struct {
		name      string
		bare, all bool
	}{{name: "Complete"}, {name: "Complete without an executor", bare: true}, {name: "RunAll", all: true}} {
		for seed := range uint64(2000) {
			if compareWithModel(t, seed, mode.bare, mode.all); t.Failed() {
				t.Fatalf("%s, seed %d", mode.name, seed)
			}
		}
	}
	for range 100 { // what was lost may be about to end
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Errorf("%d goroutines are left, of %d", runtime.NumGoroutine(), before)
}

func compareWithModel(t *testing.T, seed uint64, bare, all bool) {
	roots := make([]step, 3)
	nodes := randomNodes(rand.New(rand.NewPCG(seed, 0)), bare, roots)
	m := &model{nodes: nodes, ends: make([]end, len(nodes))}
	at := &machinery{nodes: nodes}
	for i := range at.contexts {
		at.contexts[i] = new(modelContext)
		at.contexts[i].ex = async.NewExecutor(at.contexts[i])
	}
	for _, root := range roots {
		for _, i := range root.awaited {
			at.start(i, root.source.Task().OnCompleted)
		}
	}
	var ex *async.Executor
	if !bare {
		ex = async.NewExecutor(nil)
	}
	var got, want []string // how what was called ended
	for len(roots) > 0 {
		n, e := completed(ex, all, roots)
		k, f := m.completed(bare, all, roots)
		got, want = append(got, fmt.Sprint(n, e)), append(want, fmt.Sprint(k, f))
		roots = roots[min(n, k):]
		mustStillResume(t, ex)
	}
	for i := 0; i < len(m.posted); i++ {
		sc := at.contexts[i]
		if len(m.posted[i]) == 0 || len(sc.posted) == 0 {
			continue
		}
		c, q := sc.posted[0], &queueModel{context: i, queue: m.posted[i][:1:1]}
		sc.posted, m.posted[i] = sc.posted[1:], m.posted[i][1:]
		got, want = append(got, fmt.Sprint(ending(func() { sc.ex.Run(c) }))), append(want, fmt.Sprint(m.run(q)))
		i = -1
	}
	if !slices.Equal(at.log, m.log) {
		t.Errorf("resumed %s\n   want %s", at.log, m.log)
	}
	if !slices.Equal(got, want) {
		t.Errorf("calls ended by %s\n           want %s", got, want)
	}
	for i, n := range nodes {
		if ran := slices.Contains(m.log, fmt.Sprint(i)); n.plain || !ran {
			continue
		}
		want := m.ends[i]
		if want.panicked != "" {
			want.exited = false // who reads the result goes on after the panic
		}
		if e := ending(func() { n.task.GetResult() }); e != want {
			t.Errorf("node %d ended by %v, want %v", i, e, want)
		}
	}
	mustStillResume(t, at.contexts[0].ex)
	mustStillResume(t, at.contexts[1].ex)
	if t.Failed() {
		for i, n := range nodes {
			t.Logf("node %d: %+v", i, *n)
		}
	}
}

// mustStillResume checks that ex is as good as new.
func mustStillResume(t *testing.T, ex *async.Executor) {
	t.Helper()
	s := async.NewSource[int]()
	task := await(s.Task())
	s.Complete(ex, 5, nil)
	mustGive(t, task, 5)
}
