package emit

import (
	"fmt"
	"strings"
)

// pool writes where the machines of a function marked pool come from: a
// variable, or for a generic machine the pool of its instantiation.
func (e *emitter) pool() string {
	if e.used() != "" {
		return async("PoolOf") + "[" + e.machineType() + "]()"
	}
	return e.poolVar()
}

func (e *emitter) poolVar() string { return e.f.Machine + "s" }

// recycle declares the pool, and how a machine returns to it:
//
//	var copyStreamMachines async.Pool[copyStreamMachine]
//
//	func (m *copyStreamMachine) Recycle() {
//		past := m.Retire()
//		*m = copyStreamMachine{}
//		m.Restore(past)
//		copyStreamMachines.Put(m, past)
//	}
func (e *emitter) recycle() {
	m := e.f.Receiver
	if e.used() == "" {
		e.out.Commentf("%s are finished machines of %s, to be used again.", e.poolVar(), e.f.Name)
		e.out.Add(raw("var " + e.poolVar() + " " + async("Pool") + "[" + e.machineType() + "]"))
		e.out.Line()
	}
	var b strings.Builder
	fmt.Fprintf(&b, "past := %[1]s.Retire()\n*%[1]s = %[2]s{}\n%[1]s.Restore(past)\n%[3]s.Put(%[1]s, past)",
		m, e.machineType(), e.pool())
	e.out.Comment("Recycle puts the machine back; reading its task's result calls it.")
	e.method("Recycle").Params().Block(raw(b.String()))
	e.out.Line()
}
