package kernel

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nothread/nothread/runtime/clock"
)

func TestA34_KernelAPCs(t *testing.T) {
	m := newMachine(Config{})
	c := m.c()
	var order []string
	apc := func(name string, normal bool) *APC {
		a := &APC{Name: name, Kernel: func(c *CPU, a *APC) { order = append(order, a.Name+"@"+c.IRQL().String()) }}
		if normal {
			a.Normal = func(c *CPU, a *APC) { order = append(order, a.Name+"@"+c.IRQL().String()) }
		}
		return a
	}
	queue := func() {
		old := c.RaiseIRQL(DispatchLevel)
		c.QueueAPC(m.user, apc("n1", true))
		c.QueueAPC(m.user, apc("s1", false))
		c.QueueAPC(m.user, apc("n2", true))
		c.QueueAPC(m.user, apc("s2", false))
		c.LowerIRQL(old)
	}
	const specials, normals = "s1@APC s2@APC", "n1@APC n1@PASSIVE n2@APC n2@PASSIVE"
	check := func(what, want string) {
		t.Helper()
		equal(t, what, strings.Join(order, " "), want)
		order = nil
	}
	queue()
	check("all", specials+" "+normals)
	c.EnterCriticalRegion()
	queue()
	check("in a critical region", specials)
	c.LeaveCriticalRegion()
	check("after it", normals)
	c.EnterGuardedRegion()
	queue()
	check("in a guarded region", "")
	c.LeaveGuardedRegion()
	check("after it", specials+" "+normals)
	c.RaiseIRQL(APCLevel)
	queue()
	check("at APC level", "")
	c.LowerIRQL(PassiveLevel)
	check("below it", specials+" "+normals)
	// Completed requests are special APCs too: all of these in the order in which they were queued.
	c.RaiseIRQL(DispatchLevel)
	for _, name := range []string{"r1", "s1", "r2", "r3", "s2"} {
		if name[0] == 's' {
			c.QueueAPC(m.user, apc(name, false))
			continue
		}
		irp := m.irp(1)
		irp.current--
		irp.context = &Overlapped{Notify: &Notify{Event: &Event{Name: name}}}
		irp.MarkPending()
		c.CompleteRequest(irp)
	}
	m.tracer = hopFunc(func(h *Hop) {
		if h.Kind == HopAPC {
			order = append(order, "request")
		}
	})
	c.LowerIRQL(PassiveLevel)
	m.tracer = m
	check("requests and APCs", "request s1@APC request request s2@APC")
	a := apc("once", false)
	c.RaiseIRQL(APCLevel)
	equal(t, "queued", c.QueueAPC(m.user, a), true)
	equal(t, "queued twice", c.QueueAPC(m.user, a), false)
	breaks(t, "A34", "APC_INDEX_MISMATCH", func() { c.LeaveGuardedRegion() })
}

// hopFunc is a tracer.
type hopFunc func(h *Hop)

func (f hopFunc) Trace(h *Hop) { f(h) }

// TestA34_WaitAtAPCLevel: others run at their own level meanwhile, and the thread gets no APCs.
func TestA34_WaitAtAPCLevel(t *testing.T) {
	m := newMachine(Config{})
	c := m.c()
	event, ran := new(Event), false
	c.RaiseIRQL(APCLevel)
	m.Wake(m.NewThread("other", bodyFunc(func(t2 *Thread) {
		equal(t, "level of the other", t2.CPU().IRQL(), PassiveLevel)
		t2.CPU().QueueAPC(m.user, &APC{Kernel: func(*CPU, *APC) { ran = true }})
		m.SetEvent(event)
		t2.WaitIdle("nothing")
	})))
	m.user.Wait(event, false)
	equal(t, "level after the wait", c.IRQL(), APCLevel)
	equal(t, "APC at APC level", ran, false)
	c.LowerIRQL(PassiveLevel)
	equal(t, "APC below it", ran, true)
}

func TestA35_WaitsAndAPCs(t *testing.T) {
	m := newMachine(Config{})
	ran := 0
	apc := &APC{Name: "apc", Kernel: func(c *CPU, _ *APC) { ran++; equal(t, "context", c.Thread(), m.user) }}
	user := &APC{Name: "user apc", User: true, Normal: func(*CPU, *APC) { ran += 10 }}
	event := new(Event)
	at := func(when int64, f func(c *CPU)) {
		m.SetTimer(&Timer{DPC: &DPC{Name: "timer", Routine: func(c *CPU, _ *DPC, _ any) { f(c) }}}, m.clk.Now()+clock.Time(when*1_000_000))
	}
	// A kernel APC runs during the wait, which goes on; a user APC does not, for the wait is not alertable.
	m.c().QueueAPC(m.user, user)
	at(1, func(c *CPU) { c.QueueAPC(m.user, apc) })
	at(2, func(*CPU) {
		equal(t, "still waiting", m.user.State(), Waiting)
		equal(t, "APCs while it waits", ran, 1)
		m.SetEvent(event)
	})
	equal(t, "wait", m.user.Wait(event, false), StatusSuccess)
	equal(t, "APCs", ran, 1)
	// Alertable: the user APC ends it.
	m.ResetEvent(event)
	equal(t, "alertable wait", m.user.Wait(event, true), StatusUserAPC)
	equal(t, "APCs", ran, 11)
	at(1, func(c *CPU) { c.QueueAPC(m.user, user) })
	equal(t, "alertable wait, later", m.user.Wait(event, true), StatusUserAPC)
	equal(t, "APCs", ran, 21)
	equal(t, "event's waiters", len(event.waiters), 0)
}

// busy makes threads of a port that keep what they get until they are told to go on.
type busy struct {
	*machine
	port *CompletionPort
	log  []string // who took which packet
	hold map[*Thread]bool
}

func newBusy(max, threads int) *busy {
	b := &busy{machine: newMachine(Config{}), hold: map[*Thread]bool{}}
	b.port = b.NewCompletionPort("port", max)
	for i := range threads {
		t := b.NewThread(string(rune('1'+i)), bodyFunc(func(t *Thread) {
			if b.hold[t] {
				t.WaitIdle("to be told") // stays active: it runs, as far as the port knows
				return
			}
			if p := b.port.Remove(t); p != nil {
				b.log = append(b.log, t.name+":"+p.Key().(string))
				b.hold[t] = true
			}
		}))
		b.port.Enlist(t)
	}
	return b
}

func (b *busy) post(keys ...string) {
	for _, k := range keys {
		b.port.Post(b.c(), k, nil)
	}
	b.run()
}

func (b *busy) done(name string) {
	for _, t := range b.Threads() {
		if t.name == name {
			delete(b.hold, t)
			b.Wake(t)
		}
	}
	b.run()
}

func (b *busy) check(t *testing.T, what, want string) {
	t.Helper()
	equal(t, what, strings.Join(b.log, " "), want)
	b.log = nil
}

func TestA36_LastWaiterFirst(t *testing.T) {
	equal(t, "0 means as many as there are CPUs", newMachine(Config{CPUs: 3}).NewCompletionPort("port", 0).max, 3)
	b := newBusy(2, 3)
	b.post("a", "b", "c", "d")
	b.check(t, "most recent waiters, up to the limit", "3:a 2:b")
	equal(t, "packets that wait", b.port.Len(), 2)
	equal(t, "running", b.port.Running(), 2)
	b.done("2")
	b.check(t, "first in, first out", "2:c")
	b.done("3")
	b.check(t, "the one that ran takes the next", "3:d")
	b.done("3")
	b.done("2")
	b.post("e")
	b.check(t, "the last to wait", "2:e")

	// Posted packets and those of requests stand in one queue.
	b = newBusy(1, 1)
	b.post("a")
	for _, key := range []string{"r1", "p1", "r2", "r3", "p2"} {
		if key[0] == 'p' {
			b.port.Post(b.c(), key, nil)
			continue
		}
		irp := b.irp(1)
		irp.file.key, irp.current = key, irp.depth+2
		b.port.insertIRP(b.c(), irp.file, irp)
	}
	equal(t, "packets that wait", b.port.Len(), 5)
	for range 5 {
		b.done("1")
	}
	b.check(t, "one queue", "1:a 1:r1 1:p1 1:r2 1:r3 1:p2")
}

// TestA36_FirstInFirstOut fills and empties a queue again and again, over the borders of its blocks.
func TestA36_FirstInFirstOut(t *testing.T) {
	k := newMachine(Config{}).Kernel
	var q packetQueue
	in, out := 0, 0
	for round := range 200 {
		for range round * 7 % 64 {
			in++
			q.push(k).Information = in
		}
		want := out
		for p := range q.all {
			want++
			equal(t, "on the way", p.Information, want)
		}
		equal(t, "the last on the way", want, in)
		for range min(round*5%64, q.n) {
			var p Packet
			q.pop(k, &p)
			out++
			equal(t, "out", p.Information, out)
		}
		equal(t, "packets that wait", q.n, in-out)
	}
	if in < 1000 || out < 1000 {
		t.Errorf("only %d packets in and %d out", in, out)
	}
}

func TestA37_NextPacketWithoutASwitch(t *testing.T) {
	b := newBusy(1, 2)
	b.post("a", "b")
	b.check(t, "one runs", "2:a")
	b.done("2")
	b.check(t, "it takes the next, though another waits", "2:b")
	equal(t, "running", b.port.Running(), 1)
}

func TestA38_BlockedThreadsReleaseAnother(t *testing.T) {
	m := newMachine(Config{})
	port := m.NewCompletionPort("port", 1)
	event := new(Event)
	var log []string
	most := 0
	for i := range 2 {
		th := m.NewThread(string(rune('1'+i)), bodyFunc(func(th *Thread) {
			p := port.Remove(th)
			if p == nil {
				return
			}
			log = append(log, th.name+":"+p.Key().(string))
			if p.Key() == "blocks" {
				th.Wait(event, false)
				most = max(most, port.Running())
				log = append(log, th.name+" unblocked")
			} else {
				m.SetEvent(event)
				th.CPU().Spend(1)
			}
		}))
		port.Enlist(th)
	}
	port.Post(m.c(), "blocks", nil)
	port.Post(m.c(), "frees", nil)
	m.run()
	equal(t, "order", strings.Join(log, ", "), "2:blocks, 1:frees, 2 unblocked")
	equal(t, "the count exceeds the limit for a while", most, 2)
	equal(t, "running after all", port.Running(), 0)
}

func TestA39_SkipPortOnSuccess(t *testing.T) {
	for _, tc := range []struct {
		name     string
		dispatch DispatchRoutine
		packets  int
	}{
		{"success at once", completes(StatusSuccess, 3), 0},
		{"warning at once", completes(StatusBufferOverflow, 3), 1},
		{"pended", func(c *CPU, _ *DeviceObject, irp *IRP) Status {
			irp.MarkPending()
			irp.Status = StatusSuccess
			c.CompleteRequest(irp)
			return StatusPending
		}, 1},
	} {
		m := newMachine(Config{})
		m.device(t, "device", tc.dispatch, nil)
		h := m.handle(t, "device", OpenOptions{})
		equal(t, "without a port", m.SkipCompletionPortOnSuccess(h), StatusInvalidParameter)
		port, got := m.port(1, 1)
		m.BindPort(h, port, nil)
		equal(t, "with one", m.SkipCompletionPortOnSuccess(h), StatusSuccess)
		m.c().Request(h, MajorRead, make([]byte, 3), 0, new(Overlapped))
		m.run()
		equal(t, tc.name+": packets", len(*got), tc.packets)
	}
	// A thread belongs to one port: the one it asked last.
	b := newBusy(1, 1)
	b.post("a")
	other := b.NewCompletionPort("other", 1)
	th := b.Threads()[1]
	b.Adopt(th)
	other.Remove(th)
	b.Adopt(b.user)
	equal(t, "running for the port that it left", b.port.Running(), 0)
	b = newBusy(1, 2)
	b.post("a", "b")
	b.check(t, "one of them runs", "2:a")
	other = b.NewCompletionPort("other", 1)
	th = b.Threads()[2]
	b.Adopt(th)
	other.Remove(th)
	b.Adopt(b.user)
	b.run()
	b.check(t, "in its place another", "1:b")
}

// TestThreadEndsWithPacket: a thread that ends is not counted as running any more, and lets another one have its turn.
func TestThreadEndsWithPacket(t *testing.T) {
	m := newMachine(Config{})
	port := m.NewCompletionPort("port", 1)
	var log []string
	for _, name := range []string{"1", "2"} {
		port.Enlist(m.NewThread(name, bodyFunc(func(th *Thread) {
			if p := port.Remove(th); p != nil {
				log = append(log, th.Name()+":"+p.Key().(string))
				th.Terminate()
			}
		})))
	}
	port.Post(m.c(), "a", nil)
	port.Post(m.c(), "b", nil)
	m.run()
	equal(t, "who took which", strings.Join(log, " "), "2:a 1:b")
	equal(t, "running", port.Running(), 0)
	equal(t, "threads left", len(m.Threads()), 1)
}

// TestWaitFor: a wait ends at its timeout, or when the event is signalled, whichever comes first; the other one of the two
// then does nothing any more.
func TestWaitFor(t *testing.T) {
	for _, tc := range []struct {
		name          string
		signal, after time.Duration // the event; the timeout
		status        Status
		took          time.Duration
	}{
		{"signalled first", 30 * time.Microsecond, 50 * time.Microsecond, StatusSuccess, 30 * time.Microsecond},
		{"timeout first", 50 * time.Microsecond, 30 * time.Microsecond, StatusTimeout, 30 * time.Microsecond},
		{"only looks", 50 * time.Microsecond, 0, StatusTimeout, 0},
	} {
		m := newMachine(Config{Verify: true})
		e := &Event{Name: "done"}
		m.SetTimer(&Timer{DPC: &DPC{Name: "signal", Routine: func(*CPU, *DPC, any) { m.SetEvent(e) }}}, m.c().Now().Add(tc.signal))
		began := m.c().Now()
		equal(t, tc.name, m.user.WaitFor(e, false, tc.after), tc.status)
		if took := m.c().Now().Sub(began); took < tc.took || took > tc.took+5*time.Microsecond {
			t.Errorf("%s: took %v", tc.name, took)
		}
		m.run()
		equal(t, tc.name+": waiters left", len(e.waiters), 0)
		equal(t, tc.name+": then", m.user.WaitFor(e, false, time.Hour), StatusSuccess)
	}
}

// TestForeignCallers: what no thread can have called is refused, and what a thread has called never is, wherever it is: in an
// APC's normal routine, after a wait in one, after a panic that came through the kernel.
func TestForeignCallers(t *testing.T) {
	m := newMachine(Config{Verify: true})
	m.device(t, "device", completes(StatusSuccess, 0), nil)
	calls := func() (refused string) {
		defer func() { refused = fmt.Sprint(recover()) }()
		h, status := m.c().Open("device", OpenOptions{})
		equal(t, "opened", status, StatusSuccess)
		m.c().Request(h, MajorRead, nil, 0, new(Overlapped))
		m.c().CloseHandle(h)
		return ""
	}
	never := func(when string) { equal(t, when, calls(), "<nil>") }
	never("the owner")
	thread := m.NewThread("a thread", bodyFunc(func(th *Thread) {
		never("a thread")
		th.WaitIdle("nothing more")
	}))
	m.Wake(thread)
	m.run()
	m.c().QueueAPC(m.user, &APC{Name: "normal", Normal: func(*CPU, *APC) { never("a normal routine") }})
	m.run()
	m.c().QueueAPC(thread, &APC{Name: "normal", Normal: func(*CPU, *APC) { never("a normal routine of one that waits") }})
	m.run()
	never("the owner, then")

	for when, beneath := range map[string]func(f func()){
		"while time passes": func(f func()) {
			timer := &clock.Timer{Alarm: clock.AlarmFunc(func(clock.Time) { f() })}
			m.clock.Set(timer, m.clock.Now().Add(time.Millisecond))
			m.run()
		},
		"while a thread is chosen": func(f func()) {
			m.oracle = oracleFunc(func() { f() })
			m.Wake(thread)
			m.Wake(m.NewThread("another", bodyFunc(func(th *Thread) { th.WaitIdle("nothing") })))
			m.run()
		},
		"in an APC's kernel routine": func(f func()) {
			m.c().QueueAPC(m.user, &APC{Name: "special", Kernel: func(c *CPU, _ *APC) {
				c.irql = PassiveLevel // as a goroutine would find it in between
				f()
				c.irql = APCLevel
			}})
			m.run()
		},
	} {
		refused := ""
		beneath(func() { refused += calls() })
		if !strings.Contains(refused, "two goroutines") || !strings.Contains(refused, "Inject") {
			t.Errorf("%s: %q", when, refused)
		}
	}

	func() {
		defer func() { recover() }()
		m.c().QueueAPC(m.user, &APC{Name: "special", Kernel: func(*CPU, *APC) { panic("a driver's") }})
		m.run()
	}()
	m.Adopt(m.user)
	m.c().irql = PassiveLevel
	never("after a panic")
}

// oracleFunc is an oracle that lets a test look in.
type oracleFunc func()

func (f oracleFunc) Choose(string, uint64) uint64 { f(); return 0 }
