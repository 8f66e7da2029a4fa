package kernel

// This file is marks: names of places that a run, or one of many, should reach, such as each race of A20. A test that
// never gets to one has not tested it, and should know.

// Mark is a place and how often it was reached.
type Mark struct {
	Name    string
	Reached uint64
}

// Expect makes marks known that have not been reached yet: a driver does so when it is loaded.
func (k *Kernel) Expect(names ...string) {
	for _, name := range names {
		k.markOf(name)
	}
}

// Reach says that a mark was reached.
func (k *Kernel) Reach(name string) { k.markOf(name).Reached++ }

// Marks returns all marks, in the order in which they became known. The slice is the kernel's.
func (k *Kernel) Marks() []Mark { return k.marks }

func (k *Kernel) markOf(name string) *Mark {
	for i := range k.marks {
		if k.marks[i].Name == name {
			return &k.marks[i]
		}
	}
	k.marks = append(k.marks, Mark{Name: name})
	return &k.marks[len(k.marks)-1]
}

// The races of A20: where a request is when somebody asks to cancel it.
const (
	markCancelBuilt     = "cancel before a driver has it"
	markCancelDriver    = "cancel in a driver, before the device queue"
	markCancelQueued    = "cancel in the device queue"
	markCancelTaken     = "cancel between the device queue and StartIo"
	markCancelHardware  = "cancel while the device works"
	markCancelInterrupt = "cancel between the ISR and its DPC"
	markCancelCompleted = "cancel after the completion"
)

func (k *Kernel) expectRaces() {
	k.Expect(markCancelBuilt, markCancelDriver, markCancelQueued, markCancelTaken, markCancelHardware, markCancelInterrupt,
		markCancelCompleted)
}

// reachRace notes at which point of its life an IRP is cancelled.
func (k *Kernel) reachRace(irp *IRP) {
	switch {
	case irp.completed():
		k.Reach(markCancelCompleted)
	case irp.queue != 0:
		k.Reach(markCancelQueued)
	case irp.stage == stageBuilt:
		k.Reach(markCancelBuilt)
	case irp.stage == stageTaken:
		k.Reach(markCancelTaken)
	case irp.stage == stageStarted && k.dpcsQueued():
		k.Reach(markCancelInterrupt)
	case irp.stage == stageStarted:
		k.Reach(markCancelHardware)
	default:
		k.Reach(markCancelDriver)
	}
}

// dpcsQueued reports whether a DPC is queued on any CPU.
func (k *Kernel) dpcsQueued() bool {
	for _, c := range k.cpus {
		if c.dpcs.head != nil {
			return true
		}
	}
	return false
}
