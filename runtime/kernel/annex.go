package kernel

import "github.com/nothread/nothread/runtime/clock"

// This file is what an IRP has no room for, because most never need it, and where IRPs come from.

// annex is the part of an IRP that is made when it is needed for the first time, and stays with the IRP from then on.
type annex struct {
	kernel *Kernel

	upper    []StackLocation // of the drivers above the lowest one
	routines []completion    // by location, from the lowest

	systemBuffer []byte     // the system's copy of the request's buffer, if the device asks for buffered I/O
	kept         bool       // a completion routine has stopped it on its way up (A10)
	rising       bool       // a completion routine has it
	cancelled    bool       // CancelIRP was called, whatever has become of Cancel; the verifier's
	cancelTime   clock.Time // when that was
	guard        guard      // buffer.go; the verifier's
	frame        *frame     // verify.go: of the last dispatch routine that has it and has not returned
	key          uint64     // its place in a sorted device queue
}

// completion is a completion routine, and what it is called with.
type completion struct {
	routine CompletionRoutine
	context any
}

// kernel returns the kernel that the IRP belongs to.
func (irp *IRP) kernel() *Kernel { return irp.annex.kernel }

// rest returns the annex, to be written to.
func (irp *IRP) rest() *annex {
	if k := irp.kernel(); irp.annex == &k.noAnnex {
		irp.annex = &annex{kernel: k}
	}
	return irp.annex
}

// reset makes it ready for the next request.
func (a *annex) reset() {
	clear(a.upper)
	clear(a.routines)
	a.systemBuffer = nil
	a.kept, a.rising, a.cancelled = false, false, false
	a.guard.original = nil
	a.frame = nil
	a.key = 0
}

// makeUpper makes room for the locations of so many drivers, the lowest of which is in the IRP.
func (irp *IRP) makeUpper(stackSize int) {
	a := irp.rest()
	if cap(a.upper) < stackSize-1 {
		a.upper = make([]StackLocation, stackSize-1)
	}
	a.upper = a.upper[:stackSize-1]
}

// location returns a location by number, from 1, the lowest driver's.
func (irp *IRP) location(number int8) *StackLocation {
	if number == 1 {
		return &irp.lowest
	}
	return &irp.annex.upper[number-2]
}

// top returns the location of the first driver.
func (irp *IRP) top() *StackLocation { return irp.location(irp.depth) }

// setRoutine keeps a location's completion routine.
func (irp *IRP) setRoutine(number int8, r completion) {
	a := irp.rest()
	for len(a.routines) < int(number) {
		a.routines = append(a.routines, completion{})
	}
	a.routines[number-1] = r
}

// takeRoutine returns the completion routine that was set for a location, and forgets it.
func (irp *IRP) takeRoutine(number int8) (r completion) {
	if int(number) <= len(irp.annex.routines) {
		r = irp.annex.routines[number-1]
		irp.annex.routines[number-1] = completion{}
	}
	return r
}

// SystemBuffer returns the system's copy of the requester's memory, which is what the driver of a Buffered device works
// on; nil if the device is not, or the request has no buffer.
func (irp *IRP) SystemBuffer() []byte { return irp.annex.systemBuffer }

// makeSystemBuffer makes that copy.
func (irp *IRP) makeSystemBuffer(major MajorFunction) {
	system := make([]byte, len(irp.UserBuffer))
	if major == MajorWrite {
		copy(system, irp.UserBuffer)
	}
	irp.rest().systemBuffer = system
}

// slabSize is how many IRPs are made at a time: what 16 KiB hold.
const slabSize = 102

// slabs are all IRPs, in use or not, in the order in which they were made.
type slabs struct {
	slabs []*[slabSize]IRP
	count int
}

func (s *slabs) add(k *Kernel) *IRP {
	if s.count == len(s.slabs)*slabSize {
		s.slabs = append(s.slabs, new([slabSize]IRP))
	}
	irp := s.at(s.count)
	s.count++
	irp.annex = &k.noAnnex
	return irp
}

func (s *slabs) at(i int) *IRP { return &s.slabs[i/slabSize][i%slabSize] }

// irpList is a queue of IRPs, first in first out, linked by next. It counts them, so that what has no place in it can
// still say after which of them it comes.
type irpList struct {
	head, tail *IRP
	in, out    uint64
}

func (l *irpList) push(irp *IRP) {
	if l.head == nil {
		l.head = irp
	} else {
		l.tail.next = irp
	}
	l.tail = irp
	l.in++
}

func (l *irpList) pop() *IRP {
	irp := l.head
	l.head = irp.next
	irp.next = nil
	l.out++
	return irp
}
