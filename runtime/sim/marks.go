package sim

import "github.com/nothread/nothread/runtime/kernel"

// Marks says how often each place was reached that a thorough test should reach: each kind of fault that is on, each
// point at which a request can be cancelled, what drivers do about faults, and the test's own (Sometimes).
func (w *World) Marks() []kernel.Mark {
	var marks []kernel.Mark
	if w.hazard != nil {
		f := w.hazard.faults
		for i, rate := range f.fields() {
			if *rate > 0 {
				marks = append(marks, kernel.Mark{Name: "fault: " + faultNames[i], Reached: w.hazard.struck[i]})
			}
		}
	}
	return append(marks, w.kernel.Marks()...)
}

// Sometimes notes that a condition should hold here in some run, and whether it does in this one. Test reports those that
// have held in none.
func (w *World) Sometimes(name string, holds bool) {
	if w.own == nil {
		w.own = make(map[string]bool)
	}
	w.own[name] = true
	w.kernel.Expect(name)
	if holds {
		w.kernel.Reach(name)
	}
}
