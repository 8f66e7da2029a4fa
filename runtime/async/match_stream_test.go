package async_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/nothread/nothread/runtime/async"
)

// This file plays streams beside their models: see model_stream_test.go.

// player plays a script as a routine.
type player struct {
	script
	out      async.Yielder[int]
	sources  []*async.Source0
	mu       sync.Mutex
	progress int
	turn     async.Task0
	yielded  bool
	cleans   bool
}

func (p *player) next() (async.Operation, bool, error) {
	if p.yielded {
		p.yielded = false
		if p.turn.GetResult() == async.ErrLeft {
			if p.stubborn--; p.stubborn < 0 && !p.cleans {
				p.cleans, p.steps = true, p.cleaning
			}
		}
	}
	if len(p.steps) == 0 {
		switch p.end {
		case "panics":
			panic("in a script")
		case "exits":
			runtime.Goexit()
		case "fails":
			return nil, false, p.err
		case "says it was left":
			return nil, false, async.ErrLeft
		}
		return nil, false, nil
	}
	source := p.steps[0]
	p.steps = p.steps[1:]
	p.mu.Lock()
	p.progress++
	p.mu.Unlock()
	if source >= 0 {
		return p.sources[source].Task(), true, nil
	}
	p.turn, p.yielded = p.out.YieldAsync(p.progress), true
	return p.turn, true, nil
}

// steps taken so far.
func (p *player) taken() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.progress
}

// relaying is a routine that ranges over inner to yield its values.
func relaying(inner async.Iterator[int], out async.Yielder[int]) routine {
	var next async.Task2[int, bool]
	var turn, closing async.Task0
	stage := "ask"
	return func() (async.Operation, bool, error) {
		switch stage {
		case "asked":
			v, ok, err := next.GetResult()
			if !ok {
				return nil, false, err
			}
			turn, stage = out.YieldAsync(v), "yielded"
			return turn, true, nil
		case "yielded":
			if turn.GetResult() != nil {
				closing, stage = inner.CloseAsync(), "closing"
				return closing, true, nil
			}
		case "closing":
			closing.GetResult()
			return nil, false, async.ErrLeft
		}
		next, stage = inner.NextAsync(), "asked"
		return next, true, nil
	}
}

// lockedQueue is a SyncContext whose loop a test runs by hand, whoever posts to it.
type lockedQueue struct {
	mu     sync.Mutex
	posted []async.Continuation
	ex     *async.Executor
}

func (q *lockedQueue) Post(c async.Continuation) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.posted = append(q.posted, c)
}

func (q *lockedQueue) take() async.Continuation {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.posted) == 0 {
		return nil
	}
	c := q.posted[0]
	q.posted = q.posted[1:]
	return c
}

// A streamMatch is a stream and its model, side by side.
type streamMatch struct {
	t       *testing.T
	log     []string
	queue   *lockedQueue
	script  *modelScript
	player  *player
	model   *modelPass
	real    async.Iterator[int]
	sources []*async.Source0

	next       async.Task2[int, bool]
	asked      bool  // next is of use
	wantNext   *told // nil: pending
	closed     async.Task0
	closes     bool
	wantClosed *told
	hosted     bool
	read       map[error]bool
}

func newStreamMatch(t *testing.T, r *rand.Rand, read map[error]bool) *streamMatch {
	const sources = 4
	ctx, m := bg, &streamMatch{t: t, queue: &lockedQueue{}, read: read}
	switch r.IntN(3) {
	case 1:
		m.queue.ex = async.NewExecutor(m.queue)
		ctx = async.WithSyncContext(bg, m.queue)
	case 2:
		m.hosted = true
		ctx = async.WithHost(bg, &testHost{ex: async.NewExecutor(nil)})
	}
	form := func() func(context.Context, routine) async.Task0 {
		if !m.hosted && r.IntN(3) == 0 {
			return routineOn
		}
		return routineIn
	}
	for range sources {
		m.sources = append(m.sources, async.NewSource0For(ctx))
	}
	s := randomScript(r, sources)
	m.player = &player{script: *s, sources: m.sources}
	m.script = &modelScript{script: &script{}, done: make([]bool, sources)}
	*m.script.script = *s
	m.log = append(m.log, fmt.Sprintf("%+v", *s))
	m.model = &modelPass{producer: m.script}
	start := form()
	stream := async.NewStream(func(ctx context.Context, out async.Yielder[int]) async.Task0 {
		m.player.out = out
		return start(ctx, m.player.next)
	})
	for range max(0, r.IntN(6)-2) {
		inner, start := stream, form()
		stream = async.NewStream(func(ctx context.Context, out async.Yielder[int]) async.Task0 {
			return start(ctx, relaying(inner(ctx), out))
		})
		m.model = &modelPass{producer: &modelRelay{inner: m.model}}
		m.log = append(m.log, "relay")
	}
	m.real = stream(ctx)
	return m
}

// do does something to the stream, on a goroutine that it may end.
func (m *streamMatch) do(what string, f func()) end {
	m.log = append(m.log, what)
	return ending(f)
}

func (m *streamMatch) ask() {
	if m.asked && m.wantNext == nil && !m.model.left {
		return // it is pending
	}
	m.asked, m.wantNext = true, nil
	m.model.ask(func(w told) { m.wantNext = &w })
	e := m.do("ask", func() { m.next = m.real.NextAsync() })
	if e.exited {
		// The exit was that of who asked: the result is nobody's.
		if m.asked = false; m.wantNext == nil || !m.wantNext.end.exited {
			m.t.Errorf("asking ended by %v, want %v", e, m.wantNext)
		}
	}
	m.compare()
}

func (m *streamMatch) close() {
	if !m.closes {
		m.closes = true
		m.model.close(func(w told) { m.wantClosed = &w })
	}
	if e := m.do("close", func() { m.closed = m.real.CloseAsync() }); e.exited {
		m.closed = m.real.CloseAsync()
	}
	m.compare()
}

func (m *streamMatch) complete(i int) {
	if m.script.done[i] {
		return
	}
	m.script.done[i] = true
	m.script.woken()
	m.do(fmt.Sprint("complete ", i), m.sources[i].SetResult)
	m.compare()
}

// compare waits until the stream is where its model is.
func (m *streamMatch) compare() {
	m.t.Helper()
	var differs string
	for start := time.Now(); time.Since(start) < 5*time.Second; {
		m.pump()
		if differs = m.differs(); differs == "" {
			m.readBoth()
			return
		}
		if m.player.taken() > m.script.progress {
			break
		}
		runtime.Gosched()
	}
	m.t.Error(differs)
}

func (m *streamMatch) pump() {
	for c := m.queue.take(); c != nil; c = m.queue.take() {
		ending(func() { m.queue.ex.Run(c) })
	}
}

func (m *streamMatch) differs() string {
	switch {
	case m.player.taken() != m.script.progress:
		return fmt.Sprintf("the producer took %d steps, want %d", m.player.taken(), m.script.progress)
	case m.asked && m.next.IsCompleted() != (m.wantNext != nil):
		return fmt.Sprintf("next is complete: %v, want %v", m.next.IsCompleted(), m.wantNext)
	case m.closes && m.closed.IsCompleted() != (m.wantClosed != nil):
		return fmt.Sprintf("closed is complete: %v, want %v", m.closed.IsCompleted(), m.wantClosed)
	}
	return ""
}

func (m *streamMatch) readBoth() {
	if m.asked && m.wantNext != nil {
		m.asked = false
		m.mustBe("next", *m.wantNext, func(w *told) { w.value, w.ok, w.err = m.next.GetResult() })
	}
	if m.closes && m.wantClosed != nil {
		m.mustBe("closed", *m.wantClosed, func(w *told) { w.err = m.closed.GetResult() })
	}
}

func (m *streamMatch) mustBe(what string, want told, read func(*told)) {
	var got told
	got.end = ending(func() { read(&got) })
	if m.read[got.err] = true; got != want {
		m.t.Errorf("%s is %v, want %v", what, got, want)
	}
}

// rangeOver ranges over the stream until a body leaves the loop, while the test completes sources.
func (m *streamMatch) rangeOver(r *rand.Rand) {
	at, leave := 1+r.IntN(6), []string{"break", "panics", "exits"}[r.IntN(3)]
	m.log = append(m.log, fmt.Sprint(leave, " at ", at))
	want, got := new(ranged), new(ranged)
	m.model.ask(func(w told) { want.come(m.model, w, at, leave) })
	go got.over(m.real, at, leave)
	m.agree(got, want)
	for _, i := range r.Perm(len(m.sources)) {
		m.script.done[i] = true
		m.script.woken()
		m.do(fmt.Sprint("complete ", i), m.sources[i].SetResult)
		m.agree(got, want)
	}
	if !want.ended {
		m.t.Error("the model does not end")
	}
}

// agree waits until a range has come as far as its model.
func (m *streamMatch) agree(got, want *ranged) {
	m.t.Helper()
	for start := time.Now(); time.Since(start) < 5*time.Second; runtime.Gosched() {
		m.pump()
		if got.String() == want.String() && m.player.taken() == m.script.progress {
			return
		}
	}
	m.t.Errorf("%s after %d steps, want %s after %d", got, m.player.taken(), want, m.script.progress)
}

// ranged is what came of a range.
type ranged struct {
	mu    sync.Mutex
	got   []told
	ended bool
	end   end
}

func (w *ranged) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return fmt.Sprint(w.got, w.ended, w.end)
}

func (w *ranged) add(v int, err error) (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.got = append(w.got, told{value: v, err: err})
	return len(w.got)
}

// over ranges over a pass, and leaves like that in iteration number at.
func (w *ranged) over(it async.Iterator[int], at int, leave string) {
	e := ending(func() {
		for v, err := range async.Stream[int](func(context.Context) async.Iterator[int] { return it }).Await(bg) {
			if w.add(v, err) < at {
				continue
			}
			switch leave {
			case "panics":
				panic("in a body")
			case "exits":
				runtime.Goexit()
			}
			break
		}
	})
	w.mu.Lock()
	defer w.mu.Unlock()
	w.end, w.ended = e, true
}

// come is what the model of such a range does with what it asked for.
func (w *ranged) come(p *modelPass, got told, at int, leave string) {
	switch {
	case got.ok && w.add(got.value, nil) < at:
		p.ask(func(got told) { w.come(p, got, at, leave) })
	case got.ok:
		p.close(func(closing told) { w.leaves(leave, closing.end) })
	case got.err != nil && w.add(0, got.err) == at:
		w.leaves(leave, end{})
	default:
		w.end, w.ended = got.end, true
	}
}

// leaves is how the range ends whose body has left it like that, where closing the stream ends by closing.
func (w *ranged) leaves(leave string, closing end) {
	w.ended = true
	switch {
	case closing.panicked != "":
		w.end = end{closing.panicked, leave == "exits"}
	case closing.exited || leave == "exits":
		w.end = end{exited: true}
	case leave == "panics":
		w.end.panicked = "in a body"
	}
}

// A report of nothing that was read.
func unreadOnly(t *testing.T) (read map[error]bool, check func()) {
	var mu sync.Mutex
	var told []error
	before := async.OnUnobserved(func(err *async.OperationError) {
		mu.Lock()
		defer mu.Unlock()
		told = append(told, err.Err)
	})
	read = make(map[error]bool)
	return read, func() {
		for range 10 {
			runtime.GC()
			time.Sleep(time.Millisecond)
		}
		async.OnUnobserved(before)
		mu.Lock()
		defer mu.Unlock()
		for _, err := range told {
			if err == async.ErrLeft || err != nil && read[err] {
				t.Errorf("told of %v", err)
			}
		}
	}
}

func TestStreamsDoWhatTheirModelSays(t *testing.T) {
	before := runtime.NumGoroutine()
	read, check := unreadOnly(t)
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 0))
		m := newStreamMatch(t, r, read)
		if !m.hosted && r.IntN(3) == 0 {
			if m.rangeOver(r); t.Failed() {
				t.Fatalf("seed %d: %q", seed, m.log)
			}
			continue
		}
		for range r.IntN(20) {
			switch k := r.IntN(10); {
			case k < 5:
				m.ask()
			case k < 9:
				m.complete(r.IntN(len(m.sources)))
			default:
				m.close()
			}
			if t.Failed() {
				break
			}
		}
		for i := range m.sources {
			m.complete(i)
		}
		m.close()
		m.ask()
		if m.wantClosed == nil || m.wantNext == nil {
			t.Error("the model does not end")
		}
		if t.Failed() {
			t.Fatalf("seed %d: %q", seed, m.log)
		}
	}
	check()
	for range 1000 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Errorf("%d goroutines are left, of %d", runtime.NumGoroutine(), before)
}
