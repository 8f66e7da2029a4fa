package kernel

import (
	"strings"
	"testing"
	"time"
)

// careless is a driver of methods.
type careless struct{ kept *IRP }

func (d *careless) dispatch(c *CPU, _ *DeviceObject, irp *IRP) Status {
	irp.MarkPending()
	d.kept = irp
	return StatusPending
}

func (d *careless) forget(_ *CPU, _ *DeviceObject, irp *IRP) Status {
	irp.Information = 1
	return StatusSuccess
}

func (d *careless) overrun(c *CPU, _ *DPC, _ any) {
	d.kept.Status, d.kept.Information = StatusSuccess, 99
	c.CompleteRequest(d.kept)
}

func (d *careless) dawdle(c *CPU, _ *DPC, _ any) { c.Spend(time.Second) }

func (d *careless) service(c *CPU, _ *Interrupt) bool { c.Spend(time.Second); return true }

func (d *careless) cancel(c *CPU, _ *DeviceObject, irp *IRP) {
	c.ReleaseCancelLock(irp.CancelIRQL)
	c.RaiseIRQL(APCLevel)
}

// TestBlame: a bugcheck names the function that is to blame, with its line, also if that has returned and was given as a method
// value; and nobody rather than whoever it has interrupted.
func TestBlame(t *testing.T) {
	for _, tc := range []struct {
		who    string // "": nobody
		verify bool
		do     func(m *machine, d *careless)
	}{
		{"forget", false, func(m *machine, d *careless) {
			m.c().CallDriver(m.device(t, "bad", d.forget, nil), m.irp(1))
		}},
		{"overrun", true, func(m *machine, d *careless) {
			m.read(t, d.dispatch)
			m.c().QueueDPC(&DPC{Name: "bad", Routine: d.overrun, Importance: LowImportance}, nil)
			m.run()
		}},
		{"", false, func(m *machine, d *careless) {
			m.read(t, d.dispatch)
			m.c().QueueDPC(&DPC{Name: "bad", Routine: d.overrun}, nil)
		}},
		{"dawdle", true, func(m *machine, d *careless) { m.c().QueueDPC(&DPC{Name: "bad", Routine: d.dawdle}, nil) }},
		{"service", true, func(m *machine, d *careless) { m.interrupt(&Interrupt{Service: d.service}) }},
		{"", true, func(m *machine, d *careless) { // or the other one
			m.interrupt(&Interrupt{Service: d.service, Shared: true}, &Interrupt{Service: d.service, Shared: true})
		}},
		{"cancel", false, func(m *machine, d *careless) {
			m.read(t, d.dispatch)
			d.kept.SetCancelRoutine(d.cancel)
			m.c().CancelIRP(d.kept)
		}},
	} {
		func() {
			defer func() {
				check, ok := recover().(*BugCheck)
				switch {
				case !ok:
					t.Errorf("%s: not caught", tc.who)
				case tc.who == "" && check.Where != "":
					t.Errorf("%v: nobody knows who", check)
				case tc.who != "" && !strings.Contains(check.Where, "(*careless)."+tc.who+" (blame_test.go:"):
					t.Errorf("%v: it was %s", check, tc.who)
				}
			}()
			tc.do(newMachine(Config{Verify: tc.verify}), new(careless))
		}()
	}
}

// read sends a read of 4 bytes to a driver.
func (m *machine) read(t *testing.T, dispatch DispatchRoutine) {
	m.device(t, "bad", dispatch, nil)
	m.c().Request(m.handle(t, "bad", OpenOptions{}), MajorRead, make([]byte, 4), 0, new(Overlapped))
}

// interrupt lets ISRs run.
func (m *machine) interrupt(isrs ...*Interrupt) {
	l := m.NewLine("bad", LevelSensitive, DeviceLevel, 0)
	for _, i := range isrs {
		l.Connect(i)
	}
	l.Assert()
	m.c().Spend(1)
}
