package device

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nothread/nothread/runtime/clock"
)

// bench is a machine with nothing in it but a clock, a line that counts and an oracle that says what it is told.
type bench struct {
	clock.Virtual
	asserted bool
	asserts  int
	draw     uint64
	done     []string
}

func (b *bench) Assert()                              { b.asserted = true; b.asserts++ }
func (b *bench) Deassert()                            { b.asserted = false }
func (b *bench) Choose(label string, n uint64) uint64 { return min(b.draw, n-1) }
func (b *bench) DMADone(device string, op Op, off int64, n int, s Status) {
	b.done = append(b.done, device+" "+op.String()+" "+s.String())
}

func newBench(t *testing.T, backing Backing, cfg DiskConfig) (*bench, *Disk) {
	t.Helper()
	d, err := NewDisk("disk0", backing, cfg)
	if err != nil {
		t.Fatal(err)
	}
	b := new(bench)
	d.Connect(&b.Virtual, b, b, b)
	return b, d
}

func (b *bench) do(t *testing.T, d *Disk, op Op, dma []byte, off int64) Completion {
	t.Helper()
	*d.Registers(0) = Registers{Op: op, DMA: dma, Offset: off}
	d.Doorbell(0)
	if b.asserted || d.InterruptPending() {
		t.Fatal("the line is asserted before the DMA is done")
	}
	b.Step()
	if !b.asserted || !d.InterruptPending() {
		t.Fatal("the line is not asserted")
	}
	d.Acknowledge()
	if b.asserted || d.InterruptPending() {
		t.Fatal("still asserted after Acknowledge")
	}
	c, ok := d.NextCompletion()
	if !ok {
		t.Fatal("no completion")
	}
	return c
}

func TestReadWrite(t *testing.T) {
	m := NewMemory([]byte("hello"))
	b, d := newBench(t, m, DiskConfig{})
	buf := make([]byte, 4)
	for _, tc := range []struct {
		off  int64
		want string
	}{{0, "hell"}, {4, "o"}, {5, ""}, {99, ""}} {
		c := b.do(t, d, Read, buf, tc.off)
		if c.Status != OK || string(buf[:c.Transferred]) != tc.want {
			t.Errorf("read at %d: %v %q, want %q", tc.off, c.Status, buf[:c.Transferred], tc.want)
		}
	}
	if c := b.do(t, d, Write, []byte("XY"), 4); c.Status != OK || c.Transferred != 2 {
		t.Errorf("write: %+v", c)
	}
	if c := b.do(t, d, Write, []byte("Z"), 8); c.Status != OK {
		t.Errorf("write beyond the end: %+v", c)
	}
	for _, off := range []int64{1 << 31, math.MaxInt64} { // a Memory has room for all that is before
		if c := b.do(t, d, Write, []byte("?"), off); c.Status != DeviceError || !strings.Contains(fmt.Sprint(d.LastError()), "behind the end of a Memory") {
			t.Errorf("write at %d: %+v, %v", off, c, d.LastError())
		}
	}
	if want := []byte("hellXY\x00\x00Z"); !bytes.Equal(m.Bytes(), want) {
		t.Errorf("disk holds %q, want %q", m.Bytes(), want)
	}
	if c := b.do(t, d, Read, buf, -1); c.Status != BadCommand {
		t.Errorf("negative offset: %v", c.Status)
	}
	if c := b.do(t, d, Op(99), buf, 0); c.Status != BadCommand {
		t.Errorf("unknown operation: %v", c.Status)
	}
	if b.done[0] != "disk0 read ok" {
		t.Errorf("probe heard %q", b.done[0])
	}
}

func TestProtectedAndFailing(t *testing.T) {
	b, d := newBench(t, ReadOnly(bytes.NewReader([]byte("abc"))), DiskConfig{})
	if c := b.do(t, d, Write, []byte("x"), 0); c.Status != WriteProtected || c.Transferred != 0 {
		t.Errorf("write to a read-only disk: %+v", c)
	}
	b, d = newBench(t, failing{}, DiskConfig{})
	if c := b.do(t, d, Read, make([]byte, 1), 0); c.Status != DeviceError || d.LastError() != errBroken {
		t.Errorf("read of a broken disk: %+v, %v", c, d.LastError())
	}
}

var errBroken = errors.New("broken")

type failing struct{}

func (failing) ReadAt([]byte, int64) (int, error)  { return 0, errBroken }
func (failing) WriteAt([]byte, int64) (int, error) { return 0, errBroken }

// TestQueue has two commands in flight at once: the second is faster, and one interrupt tells of both.
// boasting is a backing that says that it has moved so many bytes, whatever it was asked to.
type boasting int

func (b boasting) ReadAt([]byte, int64) (int, error)  { return int(b), io.EOF }
func (b boasting) WriteAt([]byte, int64) (int, error) { return int(b), nil }

// TestBoasting: such a backing is broken, and the disk says how.
func TestBoasting(t *testing.T) {
	for _, n := range []boasting{-1, 11} {
		b, d := newBench(t, n, DiskConfig{})
		for _, op := range []Op{Read, Write} {
			want := fmt.Sprintf("%v has moved %d bytes of 10", op, n)
			if c := b.do(t, d, op, make([]byte, 10), 0); c != (Completion{Status: DeviceError}) || !strings.Contains(d.LastError().Error(), want) {
				t.Errorf("%d bytes of 10: %+v, %v", n, c, d.LastError())
			}
		}
	}
}

func TestQueue(t *testing.T) {
	b, d := newBench(t, NewMemory([]byte("0123456789")), DiskConfig{Depth: 2, Access: time.Microsecond, Jitter: 1000})
	first, second := make([]byte, 2), make([]byte, 2)
	b.draw = 900
	*d.Registers(0) = Registers{Op: Read, DMA: first, Offset: 0}
	d.Doorbell(0)
	b.draw = 10
	*d.Registers(1) = Registers{Op: Read, DMA: second, Offset: 2}
	d.Doorbell(1)
	b.Advance(1010)
	if string(second) != "23" || first[0] != 0 {
		t.Fatalf("at 1010 ns: %q and %q", first, second)
	}
	b.Advance(1900)
	if string(first) != "01" {
		t.Fatalf("at 1900 ns: %q", first)
	}
	d.Acknowledge()
	var order []int
	for c, ok := d.NextCompletion(); ok; c, ok = d.NextCompletion() {
		order = append(order, c.Slot)
	}
	if len(order) != 2 || order[0] != 1 || order[1] != 0 {
		t.Fatalf("completions %v, want [1 0]", order)
	}
}

func TestA29_Coalescing(t *testing.T) {
	for _, tc := range []struct {
		c     Coalescing
		at    []clock.Time // when three commands, done at 10, 20 and 30 µs, are told of
		depth int
	}{
		{Coalescing{}, []clock.Time{10_000, 20_000, 30_000}, 8},
		{Coalescing{Threshold: 2}, []clock.Time{10_000, 20_000, 30_000}, 8},
		{Coalescing{Time: 1}, []clock.Time{10_000, 20_000, 30_000}, 8},
		{Coalescing{Threshold: 2, Time: 1}, []clock.Time{30_000}, 8},
		{Coalescing{Threshold: 1, Time: 1}, []clock.Time{20_000, 130_000}, 8},
		{Coalescing{Threshold: 7, Time: 1}, []clock.Time{110_000}, 8},
		{Coalescing{Threshold: 7, Time: 1}, []clock.Time{30_000}, 3}, // no more can come
	} {
		b, d := newBench(t, NewMemory(nil), DiskConfig{Depth: tc.depth, Access: 1, Jitter: 100_000, Coalesce: tc.c})
		for i := range 3 {
			b.draw = uint64(10_000*(i+1)) - 1
			d.Registers(i).Op = Flush
			d.Doorbell(i)
		}
		var at []clock.Time
		for b.Step() {
			if d.InterruptPending() {
				at = append(at, b.Now())
				d.Acknowledge()
			}
		}
		if !slices.Equal(at, tc.at) {
			t.Errorf("%+v, depth %d: interrupts at %v, want %v", tc.c, tc.depth, at, tc.at)
		}
	}
}

// TestBitRot: a bit that has turned over is so for each who reads it, until it is written; where nothing can be written, for
// one. A healed disk turns none over.
func TestBitRot(t *testing.T) {
	medium := NewMemory([]byte("ab"))
	for _, backing := range []Backing{medium, ReadOnly(medium)} {
		b, d := newBench(t, backing, DiskConfig{BitRot: perMillion})
		b.draw = perMillion // the last bit
		read := make([]byte, 3)
		if c := b.do(t, d, Read, read, 0); c.Status != OK || c.Transferred != 2 || string(read) != "a\xe2\x00" {
			t.Errorf("%+v, %q", c, read)
		}
		d.Heal()
		b.do(t, d, Read, read, 0)
		if _, readOnly := backing.(readOnly); (string(read[:2]) == "ab") != readOnly {
			t.Errorf("read again: %q", read)
		}
		if b.do(t, d, Write, []byte("ab"), 0); backing == medium && string(medium.Bytes()) != "ab" {
			t.Errorf("written again: %q", medium.Bytes())
		}
	}
}

func TestMisuse(t *testing.T) {
	for _, none := range []Backing{nil, ReadOnly(nil), WriteOnly(nil)} {
		if _, err := NewDisk("d", none, DiskConfig{}); err == nil {
			t.Errorf("%v as backing: no error", none)
		}
	}
	for _, cfg := range []DiskConfig{{Depth: -1}, {WriteCache: -1}, {BitRot: -1}, {BitRot: perMillion + 1}} {
		if _, err := NewDisk("d", NewMemory(nil), cfg); err == nil {
			t.Errorf("%+v: no error", cfg)
		}
	}
	_, d := newBench(t, NewMemory(nil), DiskConfig{})
	d.Registers(0).Op = Flush
	d.Doorbell(0)
	defer func() {
		if recover() == nil {
			t.Error("second doorbell of a busy slot: no panic")
		}
	}()
	d.Doorbell(0)
}

// TestSlotsEndAtTheDepth: slots are made in groups, but there are no more of them than the disk says.
func TestSlotsEndAtTheDepth(t *testing.T) {
	_, d := newBench(t, NewMemory(nil), DiskConfig{Depth: groupSize + 2})
	last := d.Registers(groupSize + 1)
	if again := d.Registers(groupSize + 1); again != last || d.Registers(0) == last {
		t.Error("a slot's registers are not its own")
	}
	for _, slot := range []int{-1, groupSize + 2, 2 * groupSize} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("slot %d of %d: no panic", slot, d.Depth())
				}
			}()
			d.Registers(slot)
		}()
	}
}
