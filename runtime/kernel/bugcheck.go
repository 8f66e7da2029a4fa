package kernel

import (
	"fmt"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"

	"github.com/nothread/nothread/runtime/clock"
)

// BugCheck is the end of a World: a driver, or the kernel itself, broke a rule. The kernel panics with a *BugCheck; it
// rises through whoever runs the World.
type BugCheck struct {
	Code    string     // Windows' name, such as MULTIPLE_IRP_COMPLETE_REQUESTS
	Rule    string     // the rule of this package's essay that was broken, such as "A8"
	Text    string     // what happened
	Must    string     // what should have; "": see the rule
	Where   string     // the function, with file and line, that broke it; "": unknown, as when that is over
	Time    clock.Time // when; negative: unknown
	IRP     uint64     // which IRP it concerns; 0: none
	History []Hop      // with Config.Verify: what happened to that IRP, or, without one, what happened last
	Cut     bool       // only the end of that IRP's history is remembered: of all IRPs, the last 512 hops are
}

func (b *BugCheck) Error() string {
	var s strings.Builder
	fmt.Fprintf(&s, "kernel: bugcheck %s (rule %s)", b.Code, b.Rule)
	if b.Time >= 0 {
		fmt.Fprintf(&s, " at %v", b.Time)
	}
	s.WriteString(": " + b.Text)
	if b.IRP != 0 {
		fmt.Fprintf(&s, " (irp#%d)", b.IRP)
	}
	if b.Must != "" {
		fmt.Fprintf(&s, "\n  rule: %s", b.Must)
	}
	if b.Where != "" {
		fmt.Fprintf(&s, "\n  in:   %s", b.Where)
	}
	if b.Cut {
		fmt.Fprintf(&s, "\n  … what came before is forgotten: of all IRPs, only the last %d hops are remembered", historyDepth)
	}
	for i := range b.History {
		s.WriteString("\n  ")
		s.Write(b.History[i].Append(nil))
	}
	return s.String()
}

// violate ends the World because the code that runs has broken a contract.
func (k *Kernel) violate(v Violation, irp *IRP, format string, args ...any) {
	b := k.newBugCheck(v.Code, v.Rule, irp.number(), format, args)
	b.Must, b.Where = v.Text, culprit()
	panic(b)
}

// bugCheckIn is violate where the routine that is to blame, nil if nobody knows which, has returned, and its IRP, by number,
// may be gone; 0: none.
func (k *Kernel) bugCheckIn(routine any, v Violation, irp uint64, format string, args ...any) {
	b := k.newBugCheck(v.Code, v.Rule, irp, format, args)
	b.Must, b.Where = v.Text, routineName(routine)
	panic(b)
}

// bugCheck ends the World for something that is on no list.
func (k *Kernel) bugCheck(code, rule string, irp *IRP, format string, args ...any) {
	b := k.newBugCheck(code, rule, irp.number(), format, args)
	b.Where = culprit()
	panic(b)
}

func (k *Kernel) newBugCheck(code, rule string, irp uint64, format string, args []any) *BugCheck {
	b := &BugCheck{Code: code, Rule: rule, Text: fmt.Sprintf(format, args...), Time: k.clock.Now(), IRP: irp}
	b.History, b.Cut = k.history.of(irp)
	return b
}

// number is ID for an IRP that may be none: 0.
func (irp *IRP) number() uint64 {
	if irp == nil {
		return 0
	}
	return irp.id
}

// culprit returns the innermost function on the stack that is not the machine's own: whose call broke the contract. "" if
// that is not to be seen: what the machine was in the middle of when something happened to it has no part in that, and
// whoever runs the World has none in what happens there.
func culprit() string {
	var pcs [64]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs[:])])
	for {
		f, more := frames.Next()
		room, ours := strings.CutPrefix(f.Function, rooms)
		switch {
		case room == "kernel.(*CPU).deliver" || room == "kernel.(*Kernel).Next" || room == "sim.(*World).loop":
			return ""
		case ours && !strings.HasPrefix(room, "driver.") && !strings.HasPrefix(room, "device.") && !strings.HasSuffix(f.File, "_test.go"):
		case f.Function != "" && !strings.HasPrefix(f.Function, "runtime."):
			return location(f.Function, f.File, f.Line)
		}
		if !more {
			return ""
		}
	}
}

// rooms is what the names of the machine's own functions begin with. Drivers are there too, and they may break a contract.
const rooms = "github.com/nothread/nothread/runtime/"

// routineName names a function, with its file and line.
func routineName(f any) string {
	if f == nil {
		return ""
	}
	fn := runtime.FuncForPC(reflect.ValueOf(f).Pointer())
	if fn == nil {
		return ""
	}
	name, isValue := strings.CutSuffix(fn.Name(), "-fm")
	if isValue {
		fn = method(fn, name)
	}
	file, line := fn.FileLine(fn.Entry())
	return location(name, file, line)
}

// method returns the method that the wrapper of a method value calls. The wrapper has no line of its own. A small method is in
// it, inlined; any other stands before it in the program, because a package's wrappers come last.
func method(wrapper *runtime.Func, name string) *runtime.Func {
	for pc := wrapper.Entry(); ; pc++ {
		fn := runtime.FuncForPC(pc)
		if fn == nil || fn.Entry() != wrapper.Entry() {
			break
		}
		if fn.Name() == name {
			return fn
		}
	}
	for entry := wrapper.Entry(); ; {
		fn := runtime.FuncForPC(entry - 1)
		switch {
		case fn == nil || fn.Entry() >= entry:
			return wrapper
		case fn.Name() == name:
			return fn
		}
		entry = fn.Entry()
	}
}

func location(function, file string, line int) string {
	function = function[strings.LastIndexByte(function, '/')+1:]
	if !strings.HasSuffix(file, ".go") {
		return function
	}
	return fmt.Sprintf("%s (%s:%d)", function, filepath.Base(file), line)
}

// historyDepth is how many hops a verified kernel remembers.
const historyDepth = 512

// history is the last hops: a ring.
type history struct {
	hops      []Hop
	next      int
	forgotten uint64 // the last built of the IRPs of which a hop is gone
}

func (h *history) add(e *Hop) {
	if len(h.hops) < historyDepth {
		h.hops = append(h.hops, *e)
		return
	}
	h.forgotten = max(h.forgotten, h.hops[h.next].IRP)
	h.hops[h.next] = *e
	h.next = (h.next + 1) % historyDepth
}

// of returns the hops of an IRP that are remembered, in their order, and whether there may have been others before; of none, the
// last of all.
func (h *history) of(irp uint64) (hops []Hop, cut bool) {
	const last = 12
	for i := range h.hops {
		if e := &h.hops[(h.next+i)%len(h.hops)]; irp == 0 && i >= len(h.hops)-last || irp != 0 && e.IRP == irp {
			hops = append(hops, *e)
		}
	}
	return hops, irp != 0 && irp <= h.forgotten && (len(hops) == 0 || hops[0].Kind != HopIRPBuilt)
}
