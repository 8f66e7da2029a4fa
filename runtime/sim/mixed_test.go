package sim_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/device"
	"github.com/nothread/nothread/runtime/overlapped"
	"github.com/nothread/nothread/runtime/sim"
)

// This file is the mixed workload: reads and writes of disks, many in flight, some cancelled, some timed out, some by
// threads that block; timers, some stopped; in some seeds connections over a network; all faults at rates that each seed draws. TestMixed (soak_test.go) runs it from
// many seeds.

const (
	mixedBlocks = 12
	mixedBlock  = 96 // bytes
	mixedOps    = 60 // operations a run
)

// mixed is one run.
type mixed struct {
	w     *sim.World
	files []*mixedFile
	left  int // operations to start
	ops   []*mixedOp
	rings []*mixedTimer
	net   *mixedNet // mixed_net_test.go; nil: this seed has none
	fail  []string  // what went wrong
}

// mixedFile is a disk, and what it must hold.
type mixedFile struct {
	*overlapped.File
	blocks [mixedBlocks]mixedBlockState
}

type mixedBlockState struct {
	busy  bool   // an operation has it
	known []byte // nil: a write has failed, and may have been done in part
}

// mixedOp is one operation: a machine by hand.
type mixedOp struct {
	async.Anywhere
	m      *mixed
	file   *mixedFile
	block  int
	write  bool
	buf    []byte
	task   async.Task[int]
	cancel context.CancelFunc
	ended  int // how often it was completed: in the end, once
}

type mixedTimer struct {
	stop    func() bool
	rung    int
	stopped bool
}

// newMixed makes the World of a seed.
func newMixed(seed uint64, options ...sim.Option) *mixed {
	cpus := 1 + int(seed%3)
	options = append([]sim.Option{sim.WithCPUs(cpus), sim.Swarm()}, options...)
	if seed%5 == 4 {
		options = append(options, sim.WithModernCompletion())
	}
	return mixedIn(sim.New(seed, options...))
}

// mixedIn is a run in that World.
func mixedIn(w *sim.World) *mixed {
	m := &mixed{w: w, left: mixedOps}
	for i := range 1 + w.Choose("mixed.disks", 2) {
		cfg := device.DiskConfig{Depth: 1 + w.Choose("mixed.depth", 4)}
		if w.Choose("mixed.coalesce", 4) == 0 {
			cfg.Coalesce = device.Coalescing{Threshold: 2, Time: 3}
		}
		if w.Choose("mixed.cache", 4) == 0 {
			cfg.WriteCache = 1 + w.Choose("mixed.room", mixedBlocks*mixedBlock)
		}
		d, err := w.NewDisk(fmt.Sprint("disk ", i), device.NewMemory(make([]byte, mixedBlocks*mixedBlock)), cfg)
		if err != nil {
			panic(err)
		}
		f, err := d.Open()
		if err != nil {
			panic(err)
		}
		file := &mixedFile{File: f}
		for b := range file.blocks {
			file.blocks[b].known = make([]byte, mixedBlock)
		}
		m.files = append(m.files, file)
	}
	if w.Choose("mixed.net", 4) == 0 {
		m.net = newMixedNet(m)
	}
	return m
}

// run runs the workload, heals the World, and says what is wrong.
func (m *mixed) run() []string {
	w := m.w
	for i := range 4 + w.Choose("mixed.width", 12) {
		w.AfterFunc(time.Duration(w.Choose("mixed.start", 300))*time.Microsecond, m.next)
		if i%4 == 0 {
			w.Go("block", m.block)
		}
	}
	w.RunFor(30 * time.Millisecond)
	w.Heal()
	w.Run()
	if m.net != nil {
		m.net.check()
	}
	m.check()
	return m.fail
}

// next starts an operation, and sometimes a timer.
func (m *mixed) next() {
	w := m.w
	if m.left == 0 {
		return
	}
	m.left--
	if w.Choose("mixed.timer", 4) == 0 {
		m.timer()
	}
	op := m.op()
	if op == nil {
		w.AfterFunc(50*time.Microsecond, m.next)
		return
	}
	ctx := op.context()
	offset := int64(op.block * mixedBlock)
	if op.write {
		op.task = op.file.WriteAtAsync(ctx, op.buf, offset)
	} else {
		op.task = op.file.ReadAtAsync(ctx, op.buf, offset)
	}
	if !op.task.OnCompleted(op) {
		op.end()
		w.AfterFunc(time.Microsecond, m.next)
	}
}

// op prepares an operation on a block that no other one has; nil if there is none.
func (m *mixed) op() *mixedOp {
	f := m.files[m.w.Choose("mixed.file", len(m.files))]
	block := m.w.Choose("mixed.block", mixedBlocks)
	if f.blocks[block].busy {
		return nil
	}
	f.blocks[block].busy = true
	op := &mixedOp{m: m, file: f, block: block, buf: make([]byte, mixedBlock), write: m.w.Choose("mixed.write", 2) == 0}
	if op.write {
		fill := byte(m.w.Choose("mixed.fill", 256))
		for i := range op.buf {
			op.buf[i] = fill + byte(i)
		}
	}
	m.ops = append(m.ops, op)
	return op
}

// context makes the operation's context: one that ends sooner or later, or never.
func (op *mixedOp) context() context.Context {
	w := op.m.w
	after := time.Duration(w.Choose("mixed.patience", 400)) * time.Microsecond
	switch w.Choose("mixed.context", 6) {
	case 0:
		var ctx context.Context
		ctx, op.cancel = w.WithTimeout(w.Context(), after)
		return ctx
	case 1:
		ctx, cancel := w.WithCancel(w.Context())
		w.AfterFunc(after, cancel)
		return ctx
	case 2:
		ctx, cancel := w.WithCancel(w.Context())
		w.Workers().Go(cancel)
		return ctx
	}
	return w.Context()
}

// MoveNext is called when the operation is complete.
func (op *mixedOp) MoveNext(*async.Executor) async.Continuation {
	op.end()
	op.m.next()
	return nil
}

// end compares what the operation did with what it should have done.
func (op *mixedOp) end() {
	op.ended++
	if op.cancel != nil {
		op.cancel()
	}
	n, err := op.task.GetResult()
	op.file.finish(op.m, op, n, err)
}

func (f *mixedFile) finish(m *mixed, op *mixedOp, n int, err error) {
	b := &f.blocks[op.block]
	b.busy = false
	switch {
	case err != nil:
		if !m.excused(err) {
			m.failf("%s block %d: %v", f.Name(), op.block, err)
		}
		if op.write {
			b.known = nil
		}
	case n != mixedBlock:
		m.failf("%s block %d: %d bytes and no error", f.Name(), op.block, n)
	case op.write:
		b.known = op.buf
	case b.known == nil:
		b.known = op.buf // whatever it is, it must stay so
	case !bytes.Equal(b.known, op.buf):
		m.failf("%s block %d: read something else than was written", f.Name(), op.block)
	}
}

// excused reports whether an error is one that the run's faults, or its contexts, bring about.
func (m *mixed) excused(err error) bool {
	f := m.w.Faults()
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) ||
		errors.Is(err, overlapped.ErrDevice) && f.DeviceError+f.PassingError+f.ZeroTransfer > 0 ||
		strings.Contains(err.Error(), "INSUFFICIENT_RESOURCES") && f.NoIRPMemory > 0 ||
		errors.Is(err, overlapped.ErrRemoved) && f.SurpriseRemoval > 0
}

// block is code that blocks: reads and writes in the synchronous form.
func (m *mixed) block(ctx context.Context) {
	for range 3 {
		op := m.op()
		if op == nil {
			return
		}
		var n int
		var err error
		if offset := int64(op.block * mixedBlock); op.write {
			n, err = op.file.WriteAtAsync(ctx, op.buf, offset).Await()
		} else {
			n, err = op.file.ReadAtAsync(ctx, op.buf, offset).Await()
		}
		op.ended++
		op.file.finish(m, op, n, err)
	}
}

// timer sets a timer, and perhaps stops it.
func (m *mixed) timer() {
	t := new(mixedTimer)
	t.stop = m.w.AfterFunc(time.Duration(m.w.Choose("mixed.ring", 500))*time.Microsecond, func() { t.rung++ })
	m.rings = append(m.rings, t)
	if m.w.Choose("mixed.stop", 3) == 0 {
		t.stopped = t.stop()
	}
}

// check is the end: all came to one, and nothing is left.
func (m *mixed) check() {
	for i, op := range m.ops {
		if op.ended != 1 {
			m.failf("operation %d on %s block %d was completed %d times", i, op.file.Name(), op.block, op.ended)
		}
	}
	for i, t := range m.rings {
		if t.stopped == (t.rung == 1) || t.rung > 1 {
			m.failf("timer %d: stopped %v, rung %d times", i, t.stopped, t.rung)
		}
	}
	if c := m.w.Counters(); c.IRPsInFlight != 0 {
		m.failf("%d IRPs leaked", c.IRPsInFlight)
	}
}

func (m *mixed) failf(format string, args ...any) {
	m.fail = append(m.fail, fmt.Sprintf(format, args...))
}
