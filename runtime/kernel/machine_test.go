package kernel

import (
	"fmt"
	"strings"
	"testing"

	"github.com/nothread/nothread/runtime/clock"
)

// machine is a kernel with the least around it: an oracle that takes the first of everything, a loop, a parker that
// runs the loop on top of what blocks, and a trace in memory.
type machine struct {
	*Kernel
	clk  clock.Virtual
	user *Thread // whose context the test's own calls are made in
	hops []Hop
}

func (m *machine) Choose(string, uint64) uint64 { return 0 }
func (m *machine) Trace(h *Hop)                 { m.hops = append(m.hops, *h) }

// bodyFunc is a thread's body.
type bodyFunc func(t *Thread)

func (f bodyFunc) Run(t *Thread) { f(t) }

func newMachine(cfg Config) *machine {
	m := new(machine)
	cfg.Clock, cfg.Oracle, cfg.Parker, cfg.Tracer = &m.clk, m, m, m
	m.Kernel = New(cfg)
	m.user = m.NewThread("user", nil)
	m.Adopt(m.user)
	return m
}

// Park runs the loop until t is chosen.
func (m *machine) Park(t *Thread) {
	t.Stack = m
	m.Vacate(t)
	if !m.loop(t) {
		panic("kernel test: nothing is left to happen and " + t.name + " waits for " + t.waitsFor)
	}
	t.Stack = nil
}

// loop runs the machine until a thread is chosen, or until nothing is left to do.
func (m *machine) loop(until *Thread) bool {
	for {
		t, idle := m.Next()
		switch {
		case idle:
			return false
		case t == nil:
		case t == until:
			return true
		case t.Stack != nil || t == m.user:
			panic("kernel test: " + t.name + " is ready below another one's stack")
		default:
			t.body.Run(t)
			t.Done()
			m.Left(t)
		}
	}
}

// run lets the user thread wait until nothing is left to do.
func (m *machine) run() {
	m.user.WaitIdle("the end")
	m.Vacate(m.user)
	m.loop(nil)
	m.Adopt(m.user)
}

func (m *machine) c() *CPU { return m.Kernel.CPU() }

// kinds returns the hops of the given kinds, in order, as one string.
func (m *machine) kinds(kinds ...HopKind) string {
	var s []string
	for _, h := range m.hops {
		for _, k := range kinds {
			if h.Kind == k {
				s = append(s, k.String())
			}
		}
	}
	return strings.Join(s, " ")
}

// device adds a device whose dispatch routine for reads, writes and flushes is the given one.
func (m *machine) device(t testing.TB, name string, dispatch DispatchRoutine, lower *DeviceObject) *DeviceObject {
	t.Helper()
	d := &DeviceObject{Name: name, Driver: &DriverObject{Name: name + ".sys"}, Lower: lower}
	for _, major := range []MajorFunction{MajorRead, MajorWrite, MajorFlush} {
		d.Driver.Major[major] = dispatch
	}
	if status := m.AddDevice(d, 1); status != StatusSuccess {
		t.Fatal(status)
	}
	return d
}

// handle opens a device.
func (m *machine) handle(t testing.TB, name string, o OpenOptions) Handle {
	t.Helper()
	h, status := m.c().Open(name, o)
	if status != StatusSuccess {
		t.Fatal(status)
	}
	return h
}

// irp makes an IRP of the user thread with so many locations, whose next location asks for a read.
func (m *machine) irp(locations int) *IRP {
	irp := m.AllocateIRP(locations)
	irp.thread, irp.file = m.user, &FileObject{device: &DeviceObject{Name: "none"}}
	irp.NextStackLocation().Major = MajorRead
	return irp
}

// port makes a port with one thread, which keeps what it gets.
func (m *machine) port(max, threads int) (*CompletionPort, *[]Packet) {
	p := m.NewCompletionPort("port", max)
	got := new([]Packet)
	for i := range threads {
		t := m.NewThread(fmt.Sprint("thread ", i+1), bodyFunc(func(t *Thread) {
			for {
				packet := p.Remove(t)
				if packet == nil {
					return
				}
				*got = append(*got, *packet)
			}
		}))
		p.Enlist(t)
	}
	return p, got
}

// pends is a dispatch routine that marks the IRP pending and keeps it.
func pends(kept **IRP) DispatchRoutine {
	return func(_ *CPU, _ *DeviceObject, irp *IRP) Status {
		irp.MarkPending()
		*kept = irp
		return StatusPending
	}
}

// completes is a dispatch routine that completes at once.
func completes(status Status, information int) DispatchRoutine {
	return func(c *CPU, _ *DeviceObject, irp *IRP) Status {
		irp.Status, irp.Information = status, information
		c.CompleteRequest(irp)
		return status
	}
}

// finish completes an IRP as a DPC would.
func (m *machine) finish(irp *IRP, status Status, information int) {
	c := m.c()
	old := c.RaiseIRQL(DispatchLevel)
	irp.Status, irp.Information = status, information
	c.CompleteRequest(irp)
	c.LowerIRQL(old)
}

// breaks says that f must end in a bugcheck of the given rule whose code contains code.
func breaks(t *testing.T, rule, code string, f func()) {
	t.Helper()
	defer func() {
		t.Helper()
		r := recover()
		b, ok := r.(*BugCheck)
		switch {
		case !ok:
			t.Errorf("no bugcheck %s (%s), but %v", code, rule, r)
		case b.Rule != rule || !strings.Contains(b.Code, code):
			t.Errorf("bugcheck %v, want %s (%s)", b, code, rule)
		}
	}()
	f()
}

func equal[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}
