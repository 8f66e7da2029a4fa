package kernel

import (
	"fmt"

	"github.com/nothread/nothread/runtime/clock"
)

// BugCheck is the end of a World: a driver, or the kernel itself, broke a rule. The kernel panics with a *BugCheck; it
// rises through whoever runs the World.
type BugCheck struct {
	Code string     // Windows' name, such as MULTIPLE_IRP_COMPLETE_REQUESTS
	Rule string     // the rule of this package's essay that was broken, such as "A8"
	Text string     // what happened
	Time clock.Time // when
	IRP  uint64     // which IRP it concerns; 0: none
}

func (b *BugCheck) Error() string {
	s := fmt.Sprintf("kernel: bugcheck %s (rule %s) at %v: %s", b.Code, b.Rule, b.Time, b.Text)
	if b.IRP != 0 {
		s += fmt.Sprintf(" (irp#%d)", b.IRP)
	}
	return s
}

func (k *Kernel) bugCheck(code, rule string, irp *IRP, format string, args ...any) {
	b := &BugCheck{Code: code, Rule: rule, Text: fmt.Sprintf(format, args...), Time: k.clock.Now()}
	if irp != nil {
		b.IRP = irp.id
	}
	panic(b)
}
