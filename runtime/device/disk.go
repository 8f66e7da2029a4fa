package device

import (
	"errors"
	"fmt"
	"io"
	"math/bits"
	"time"

	"github.com/nothread/nothread/runtime/clock"
)

// Disk is a disk with direct memory access, and a queue of commands as NVMe has.
//
// Its face towards a driver, in the order of use:
//
//	Registers(slot)     the command registers of one slot of the queue: the driver fills them in
//	Doorbell(slot)      starts the command; the registers and the DMA memory are the disk's until it is completed
//	…                   the line is asserted
//	InterruptPending    the interrupt status register: is it this disk that calls?
//	Acknowledge         clears it, and the line with it ("thank you for the interrupt")
//	NextCompletion      takes one entry from the completion queue, in the order in which commands finished
//	Present             reads a register that is never zero: false if the disk has been pulled out
//
// Commands in different slots proceed at the same time and finish in any order. The bytes move at the moment a command
// finishes, all at once. A Disk belongs to one World.
type Disk struct {
	// The wiring, fixed by NewDisk and Connect.
	name    string
	backing Backing     // the cache, if there is one
	cache   *writeCache // nil: what is written is on the medium
	cfg     DiskConfig
	clock   *clock.Virtual
	oracle  Oracle
	hazard  Hazard // nil: it never fails
	probe   Probe
	line    Line

	// The hardware's state.
	slots       []*slotGroup // made as needed: most disks never have as many commands as they could
	made        uint         // how many slots there are so far; the last group may have more
	completions []Completion // a ring, which grows as needed
	taken       int          // index of the oldest entry
	finished    int          // number of entries
	interrupt   bool         // the interrupt status register
	held        int          // commands finished that no interrupt has told of yet
	patience    clock.Timer  // rings when those have been held for long enough
	lastError   error
	removed     bool
}

// DiskConfig says how many commands a disk takes at a time and how long it needs. Zero fields take the defaults; the three
// times do so together, if none of them is given: a disk with an Access alone has no Jitter.
//
// What is written is on the medium, which is the backing, once the write is done. With a WriteCache it is there only after a
// Flush that was asked for then; and Remove, which to a disk is a power failure, loses of the rest what decisions say. Each
// sector is then as it was flushed, or as any write since has made it. Another disk with the same backing shows what is left.
type DiskConfig struct {
	Depth       int           // slots of the command queue; default 1
	Access      time.Duration // the least time from doorbell to completion; default 60µs
	Jitter      time.Duration // what is drawn goes from 0 to Jitter on top of it; default 40µs
	PerKilobyte time.Duration // time for each 1024 bytes on top of it; default 250ns (4 GB/s)
	Coalesce    Coalescing    // default off
	BitRot      int           // of a million reads, so many find a bit turned over, and so it stays; default 0
	WriteCache  int           // bytes of a write cache that loses them when the disk is pulled out; default 0
}

// Coalescing lets a disk interrupt less often, as NVMe's feature of that name does (rule A29 of the simulated machine):
// once Threshold+1 commands have finished, or Time × 100 µs after the first of them. If either is 0, or if the disk has
// fewer slots than that, each finished command interrupts.
type Coalescing struct {
	Threshold int
	Time      int
}

const maxDepth = 1 << 16

// Registers are the command registers of one slot.
type Registers struct {
	Op     Op
	Offset int64  // where on the disk, in bytes
	DMA    []byte // the memory to read or write: its address and, by its len, the length register
}

// Completion is one entry of the completion queue.
type Completion struct {
	Slot        int
	Status      Status
	Transferred int  // bytes
	End         bool // a read stopped because the disk ends there
}

// diskSlot is one slot of the command queue, and the alarm that rings when its command is done. It is busy while its timer is
// armed.
type diskSlot struct {
	disk  *Disk
	timer clock.Timer // its Tag is the slot's number, and told
	reg   Registers
}

// told is the mark of a slot of whose command an interrupt has told before it was done (InterruptBeforeDMA).
const told = 1 << 31

// number returns which slot it is.
func (s *diskSlot) number() int { return int(s.timer.Tag &^ told) }

// groupSize is how many slots are made at a time: a power of two, for they are found by number.
const groupSize = 32

type slotGroup [groupSize]diskSlot

// NewDisk returns a disk that is not connected yet.
func NewDisk(name string, backing Backing, cfg DiskConfig) (*Disk, error) {
	if backing == nil {
		return nil, fmt.Errorf("device: disk %s has no backing", name)
	}
	if cfg.Depth < 0 || cfg.Depth > maxDepth || cfg.Access < 0 || cfg.Jitter < 0 || cfg.PerKilobyte < 0 {
		return nil, fmt.Errorf("device: disk %s: negative or too large value in %+v", name, cfg)
	}
	if cfg.Coalesce.Threshold < 0 || cfg.Coalesce.Time < 0 || cfg.WriteCache < 0 {
		return nil, fmt.Errorf("device: disk %s: negative value in %+v", name, cfg.Coalesce)
	}
	if cfg.BitRot < 0 || cfg.BitRot > perMillion {
		return nil, fmt.Errorf("device: disk %s: a rate of reads lies from 0 to a million, not at %d", name, cfg.BitRot)
	}
	if cfg.Access == 0 && cfg.Jitter == 0 && cfg.PerKilobyte == 0 {
		cfg.Access, cfg.Jitter, cfg.PerKilobyte = 60*time.Microsecond, 40*time.Microsecond, 250*time.Nanosecond
	}
	if cfg.Depth == 0 {
		cfg.Depth = 1
	}
	d := &Disk{name: name, backing: backing, cfg: cfg}
	d.patience.Alarm = clock.AlarmFunc(func(clock.Time) { d.call() })
	d.completions = make([]Completion, min(cfg.Depth, 8))
	if cfg.WriteCache > 0 {
		d.cache = newWriteCache(backing, cfg.WriteCache)
		d.backing = d.cache
	}
	return d, nil
}

// Connect plugs the disk into a machine. The probe may be nil.
func (d *Disk) Connect(c *clock.Virtual, o Oracle, l Line, p Probe) {
	d.clock, d.oracle, d.line, d.probe = c, o, l, p
	d.hazard, _ = o.(Hazard)
}

// Name returns the disk's name.
func (d *Disk) Name() string { return d.name }

// Depth returns the number of slots of the command queue.
func (d *Disk) Depth() int { return d.cfg.Depth }

// Registers returns the command registers of a slot, for the driver to fill in before it rings the doorbell.
func (d *Disk) Registers(slot int) *Registers { return &d.slot(uint(slot)).reg }

// slot returns a slot by number.
func (d *Disk) slot(i uint) *diskSlot {
	if i >= d.made {
		d.makeSlots(i)
	}
	return &d.slots[i/groupSize][i%groupSize]
}

// makeSlots makes slots as far as this one.
func (d *Disk) makeSlots(i uint) {
	if i >= uint(d.cfg.Depth) {
		panic(fmt.Sprintf("device: disk %s has no slot %d: its %d slots are numbered from 0", d.name, int(i), d.cfg.Depth))
	}
	for d.made <= i {
		g := new(slotGroup)
		for i := range g {
			s := &g[i]
			s.disk = d
			s.timer.Alarm, s.timer.Tag = s, uint32(d.made)+uint32(i)
		}
		d.slots = append(d.slots, g)
		d.made = min(d.made+groupSize, uint(d.cfg.Depth))
	}
}

// Doorbell starts the command in a slot's registers. Ringing it for a slot whose command is not done is a driver's
// mistake that no hardware would survive: it panics.
func (d *Disk) Doorbell(slot int) {
	s := d.slot(uint(slot))
	if d.line == nil {
		panic("device: doorbell of disk " + d.name + ", which is not connected")
	}
	if s.timer.Armed() {
		panic(fmt.Sprintf("device: doorbell of disk %s, slot %d, whose command is not done", d.name, slot))
	}
	if d.removed {
		return // there is nobody to hear it
	}
	if s.reg.Op == Flush && d.cache != nil {
		d.cache.ask(&s.reg)
	}
	d.clock.Set(&s.timer, d.clock.Now().Add(d.latency(len(s.reg.DMA))))
}

// strike reports whether a fault happens here and now.
func (d *Disk) strike(f Fault) bool { return d.hazard != nil && d.hazard.Strike(f) }

func (d *Disk) latency(n int) time.Duration {
	t := d.cfg.Access + time.Duration(int64(n)*int64(d.cfg.PerKilobyte)/1024)
	if d.cfg.Jitter > 0 {
		t += time.Duration(d.oracle.Choose("disk.latency", uint64(d.cfg.Jitter)+1))
	}
	if d.hazard != nil {
		t = d.delayed(t)
	}
	return t
}

// delayed is a latency where faults happen.
func (d *Disk) delayed(t time.Duration) time.Duration {
	if d.strike(Reordering) {
		t += time.Duration(d.oracle.Choose("disk.reorder", 10*uint64(d.cfg.Access+d.cfg.Jitter)+1))
	}
	if d.strike(HeavyTail) { // twice as long, or with half the chance four times, or …
		t <<= 1 + bits.TrailingZeros64(^d.oracle.Choose("disk.tail", 1<<9))
	}
	return t
}

// Ring finishes the slot's command: the DMA happens, the completion is written down, the line is asserted.
func (s *diskSlot) Ring(clock.Time) {
	d := s.disk
	if d.hazard != nil && s.prevented() {
		return
	}
	done := d.perform(&s.reg)
	done.Slot = s.number()
	if d.finished == len(d.completions) {
		d.growCompletions()
	}
	d.completions[d.entry(d.finished)] = done
	d.finished++
	if d.probe != nil {
		d.probe.DMADone(d.name, s.reg.Op, s.reg.Offset, done.Transferred, done.Status)
	}
	s.reg.DMA = nil
	if s.timer.Tag&told != 0 {
		s.timer.Tag &^= told
		return // it has been said, too early
	}
	d.held++
	c := d.cfg.Coalesce
	switch {
	case c.Threshold == 0 || c.Time == 0 || d.held > c.Threshold || d.held == d.cfg.Depth:
		d.call()
	case d.held == 1:
		d.clock.Set(&d.patience, d.clock.Now().Add(time.Duration(c.Time)*100*time.Microsecond))
	}
}

// prevented reports whether a fault keeps the slot's command from being finished now.
func (s *diskSlot) prevented() bool {
	d := s.disk
	switch {
	case d.strike(Removal):
		d.Remove()
		return true
	case s.timer.Tag&told == 0 && d.strike(InterruptBeforeDMA):
		s.timer.Tag |= told
		d.clock.Set(&s.timer, d.clock.Now().Add(time.Duration(1+d.oracle.Choose("disk.dma", 50_000))))
		d.call()
		return true
	}
	return false
}

// entry returns the index of the i-th entry of the completion queue, from the oldest.
func (d *Disk) entry(i int) int {
	if i += d.taken; i >= len(d.completions) {
		i -= len(d.completions) // a division would cost as much as a command
	}
	return i
}

// growCompletions makes the ring twice as long.
func (d *Disk) growCompletions() {
	ring := make([]Completion, 2*len(d.completions))
	n := copy(ring, d.completions[d.taken:])
	copy(ring[n:], d.completions[:d.taken])
	d.completions, d.taken = ring, 0
}

// call asserts the line, for all commands that have finished.
func (d *Disk) call() {
	d.clock.Stop(&d.patience)
	d.held = 0
	d.interrupt = true
	d.line.Assert()
}

// perform moves the bytes.
func (d *Disk) perform(r *Registers) (done Completion) {
	dma := r.DMA
	switch {
	case r.Offset < 0 || r.Op < Read || r.Op > Flush:
		return Completion{Status: BadCommand}
	case d.hazard == nil:
	case d.strike(HardError):
		d.lastError = ErrFault
		return Completion{Status: DeviceError}
	case d.strike(PassingError):
		d.lastError = ErrFault
		return Completion{Status: TryAgain}
	case len(dma) > 0 && d.strike(ZeroTransfer):
		return Completion{}
	case len(dma) > 1 && d.strike(ShortTransfer):
		dma = dma[:1+d.oracle.Choose("disk.short", uint64(len(dma)-1))]
	}
	var err error
	switch r.Op {
	case Read:
		done.Transferred, err = d.backing.ReadAt(dma, r.Offset)
		if err == io.EOF {
			done.End, err = true, nil
		}
	case Write:
		done.Transferred, err = d.backing.WriteAt(dma, r.Offset)
		if err == nil && done.Transferred < len(dma) {
			err = io.ErrShortWrite
		}
	case Flush:
		err = d.flush(r)
	}
	if uint(done.Transferred) > uint(len(dma)) {
		err = fmt.Errorf("device: the backing of disk %s says that its %v has moved %d bytes of %d", d.name, r.Op, done.Transferred, len(dma))
		done = Completion{}
	}
	if err == nil {
		if r.Op == Read && done.Transferred > 0 && happens(d.oracle, "disk.rot", d.cfg.BitRot) {
			d.rot(dma[:done.Transferred], r.Offset)
		}
		return done
	}
	d.lastError = err
	if errors.Is(err, ErrWriteProtected) {
		return Completion{Status: WriteProtected}
	}
	done.Status = DeviceError
	return done
}

// rot turns a bit over of what was read at an offset, there and, if that can be written, on the medium.
func (d *Disk) rot(read []byte, offset int64) {
	bit := d.oracle.Choose("disk.bit", 8*uint64(len(read)))
	at := bit / 8
	read[at] ^= 1 << (bit % 8)
	d.backing.WriteAt(read[at:at+1], offset+int64(at))
}

// Heal ends what happens to bits by chance: what is turned over stays so.
func (d *Disk) Heal() { d.cfg.BitRot = 0 }

func (d *Disk) flush(r *Registers) error {
	if d.cache != nil {
		return d.cache.flush(r)
	}
	return sync(d.backing)
}

// Remove pulls the disk out: what it works on is never finished, its memory accesses end, its line goes silent, and
// doorbells are not heard. It cannot be put back. What a write cache holds may be lost.
func (d *Disk) Remove() {
	d.removed = true
	if d.cache != nil {
		d.losePower()
	}
	for _, g := range d.slots {
		for i := range g {
			s := &g[i]
			d.clock.Stop(&s.timer)
			s.reg.DMA = nil
		}
	}
	d.clock.Stop(&d.patience)
	d.finished, d.held, d.interrupt = 0, 0, false
	if d.line != nil {
		d.line.Deassert()
	}
}

// losePower decides what has come to the medium, of the writes that the disk works on and of what it has cached.
func (d *Disk) losePower() {
	for _, g := range d.slots {
		for i := range g {
			if s := &g[i]; s.timer.Armed() && s.reg.Op == Write {
				d.cache.interrupt(&s.reg, d.oracle)
			}
		}
	}
	d.cache.lose(d.oracle)
}

// Present reports whether the disk is plugged in.
func (d *Disk) Present() bool { return !d.removed }

// InterruptPending reads the interrupt status register: true if the disk calls for attention.
func (d *Disk) InterruptPending() bool { return d.interrupt }

// Acknowledge clears the interrupt status register and lets go of the line.
func (d *Disk) Acknowledge() {
	d.interrupt = false
	d.line.Deassert()
}

// NextCompletion takes the oldest entry from the completion queue; false if it is empty. The slot is free again.
func (d *Disk) NextCompletion() (Completion, bool) {
	if d.finished == 0 {
		return Completion{}, false
	}
	c := d.completions[d.taken]
	d.taken = d.entry(1)
	d.finished--
	return c, true
}

// LastError returns what the backing said when a command last failed with DeviceError or WriteProtected: the disk's
// sense data.
func (d *Disk) LastError() error { return d.lastError }
