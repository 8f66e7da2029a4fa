package device

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// sectorsOf is a disk's content by sector; what it ends before reads as zeros.
func sectorsOf(disk []byte) map[int64][SectorSize]byte {
	all := make(map[int64][SectorSize]byte)
	for at, piece := range pieces(disk, 0) {
		var s [SectorSize]byte
		copy(s[:], piece)
		all[at/SectorSize] = s
	}
	return all
}

// cacheModel is what a disk with a write cache shows, and may show after a power failure.
type cacheModel struct {
	cache *writeCache
	disk  Memory                       // as it is read
	may   map[int64][][SectorSize]byte // by sector: what it has been since it was flushed, the latest last
	asked map[int64]int                // by sector: how many of those came before the flush that was asked for
	flush Registers
}

func (m *cacheModel) write(t *rapid.T) {
	off, n := rapid.IntRange(0, 4*SectorSize).Draw(t, "offset"), rapid.IntRange(1, 3*SectorSize).Draw(t, "bytes")
	data := bytes.Repeat([]byte{rapid.Byte().Draw(t, "byte")}, n)
	if n, err := m.cache.WriteAt(data, int64(off)); n != len(data) || err != nil {
		t.Fatalf("%d bytes written of %d, %v", n, len(data), err)
	}
	m.disk.WriteAt(data, int64(off))
	now := sectorsOf(m.disk.Bytes())
	for at := range pieces(data, int64(off)) {
		m.may[at/SectorSize] = append(m.may[at/SectorSize], now[at/SectorSize])
	}
}

func (m *cacheModel) read(t *rapid.T) {
	off, n := rapid.Int64Range(0, 8*SectorSize).Draw(t, "offset"), rapid.IntRange(0, 4*SectorSize).Draw(t, "bytes")
	got, want := bytes.Repeat([]byte{'?'}, n), bytes.Repeat([]byte{'?'}, n)
	n1, err1 := m.cache.ReadAt(got, off)
	n2, err2 := m.disk.ReadAt(want, off)
	if n1 != n2 || (err1 != err2 && n2 > 0) || !bytes.Equal(got[:n1], want[:n2]) {
		t.Fatalf("%d bytes at %d: %d, %v; want %d, %v", n, off, n1, err1, n2, err2)
	}
}

func (m *cacheModel) ask(*rapid.T) {
	m.cache.ask(&m.flush)
	for s, all := range m.may {
		m.asked[s] = len(all)
	}
}

func (m *cacheModel) flushed(t *rapid.T) {
	if err := m.cache.flush(&m.flush); err != nil {
		t.Fatal(err)
	}
	for s, n := range m.asked {
		m.may[s] = m.may[s][max(n-1, 0):]
	}
	clear(m.asked)
}

// TestWriteCache: what is read is what was written last. After a power failure each sector is as it was when it was flushed, or
// as a write has made it since; if nothing is lost, as the last one has.
func TestWriteCache(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		medium := new(Memory)
		m := &cacheModel{
			cache: newWriteCache(medium, rapid.IntRange(1, 20*SectorSize).Draw(t, "room")),
			may:   make(map[int64][][SectorSize]byte), asked: make(map[int64]int),
		}
		for s := range int64(8) {
			m.may[s] = make([][SectorSize]byte, 1) // nothing, to begin with
		}
		t.Repeat(map[string]func(*rapid.T){"write": m.write, "read": m.read, "ask": m.ask, "flush": m.flushed})
		calm := rapid.Bool().Draw(t, "nothing is lost")
		choices := len(m.cache.sectors)
		m.cache.lose(drawn(func(n uint64) uint64 {
			choices--
			if calm {
				return 0
			}
			return rapid.Uint64Max(n-1).Draw(t, "lost")
		}))
		if calm && !bytes.Equal(medium.Bytes(), m.disk.Bytes()) {
			t.Fatal("something is lost")
		}
		if choices != 0 {
			t.Fatalf("%d sectors that nothing was decided of", choices)
		}
		left := sectorsOf(medium.Bytes())
		for s, may := range m.may {
			if !slices.Contains(may, left[s]) {
				t.Fatalf("sector %d is as it never was since it was flushed", s)
			}
		}
	})
}

// drawn is an oracle.
type drawn func(n uint64) uint64

func (d drawn) Choose(_ string, n uint64) uint64 { return d(n) }

// most loses all that may be lost, and of what is interrupted nothing.
type most struct{ *bench }

func (most) Choose(label string, n uint64) uint64 {
	if label == "disk.lost" {
		return n - 1
	}
	return 0
}

// TestPowerFailure: what was flushed stays, the rest may be lost; a read sees both until then.
func TestPowerFailure(t *testing.T) {
	medium := NewMemory([]byte("..."))
	b, d := newBench(t, medium, DiskConfig{Depth: 2, WriteCache: 1 << 20})
	d.oracle = most{b}
	b.do(t, d, Write, []byte("one"), 0)
	if string(medium.Bytes()) != "..." {
		t.Errorf("the medium has %q before the flush", medium.Bytes())
	}
	if c := b.do(t, d, Flush, nil, 0); c.Status != OK || string(medium.Bytes()) != "one" {
		t.Errorf("the flush: %v, the medium has %q", c.Status, medium.Bytes())
	}
	b.do(t, d, Write, []byte("two"), 0)
	seen := make([]byte, 3)
	if b.do(t, d, Read, seen, 0); string(seen) != "two" {
		t.Errorf("read %q", seen)
	}
	d.Remove()
	if string(medium.Bytes()) != "one" {
		t.Errorf("after the power failure the medium has %q", medium.Bytes())
	}
}

// TestFlushIsOfWhatWasWritten: a write that ends while a flush is under way is not the flush's.
func TestFlushIsOfWhatWasWritten(t *testing.T) {
	medium := NewMemory(nil)
	b, d := newBench(t, medium, DiskConfig{Depth: 2, Access: 1, PerKilobyte: 1, WriteCache: 1 << 20})
	d.oracle = most{b}
	*d.Registers(0) = Registers{Op: Flush}
	*d.Registers(1) = Registers{Op: Write, DMA: []byte("late")}
	d.Doorbell(0)
	d.clock.Set(&d.slot(0).timer, 1000) // it takes longer than the write
	d.Doorbell(1)
	b.Step()
	b.Step()
	if d.finished != 2 {
		t.Fatal("not done")
	}
	if d.Remove(); len(medium.Bytes()) != 0 {
		t.Errorf("the medium has %q", medium.Bytes())
	}
}

// TestTornWrite: of a write that the power fails in, each sector is there or not.
func TestTornWrite(t *testing.T) {
	medium := NewMemory(bytes.Repeat([]byte{'.'}, 3*SectorSize))
	b, d := newBench(t, medium, DiskConfig{WriteCache: 1 << 20})
	*d.Registers(0) = Registers{Op: Write, DMA: bytes.Repeat([]byte{'x'}, 2*SectorSize), Offset: SectorSize / 2}
	d.Doorbell(0)
	n := 0
	d.oracle = drawn(func(uint64) uint64 {
		n++
		if n == 1 || n == 3 { // the first and the third come in; then nothing is lost
			return 1
		}
		return 0
	})
	d.Remove()
	b.Advance(1 << 40)
	want := slices.Concat(bytes.Repeat([]byte{'.'}, SectorSize/2), bytes.Repeat([]byte{'x'}, SectorSize/2),
		bytes.Repeat([]byte{'.'}, SectorSize), bytes.Repeat([]byte{'x'}, SectorSize/2), bytes.Repeat([]byte{'.'}, SectorSize/2))
	if !bytes.Equal(medium.Bytes(), want) {
		t.Errorf("the medium has %q", medium.Bytes())
	}
}

// synced is a backing that knows of flushes, which may fail, and so may writes.
type synced struct {
	Memory
	syncs int
	err   error
}

func (s *synced) Sync() error { s.syncs++; return s.err }

// TestSync: a flush reaches the backing, with a cache and without one, and says what fails there.
func TestSync(t *testing.T) {
	for _, cache := range []int{0, 1} {
		backing := new(synced)
		b, d := newBench(t, backing, DiskConfig{WriteCache: cache})
		if c := b.do(t, d, Flush, nil, 0); c.Status != OK || backing.syncs != 1 {
			t.Errorf("%v after %d calls of Sync", c.Status, backing.syncs)
		}
		backing.err = errors.New("broken")
		if c := b.do(t, d, Flush, nil, 0); c.Status != DeviceError || d.LastError() != backing.err {
			t.Errorf("%v, %v", c.Status, d.LastError())
		}
	}
}

// TestCacheOfABadMedium: what the medium refuses at once the disk does; what it refuses later a flush says, or a write for which
// there is no room, and the cache still has it.
func TestCacheOfABadMedium(t *testing.T) {
	b, d := newBench(t, ReadOnly(NewMemory([]byte("text"))), DiskConfig{WriteCache: 1 << 20})
	if c := b.do(t, d, Write, []byte("x"), 0); c.Status != WriteProtected {
		t.Errorf("a write to what is read only: %v", c.Status)
	}
	medium := &filling{}
	b, d = newBench(t, medium, DiskConfig{WriteCache: 1})
	if c := b.do(t, d, Write, []byte("one"), 0); c.Status != OK {
		t.Errorf("a write for which there is room: %v", c.Status)
	}
	for _, op := range []Op{Flush, Write} {
		if c := b.do(t, d, op, make([]byte, 9), SectorSize); c.Status != DeviceError || !errors.Is(d.LastError(), errBroken) {
			t.Errorf("%v: %v, %v", op, c.Status, d.LastError())
		}
	}
	seen := make([]byte, 3)
	if b.do(t, d, Read, seen, 0); string(seen) != "one" {
		t.Errorf("read %q", seen)
	}
}

// filling is a medium that is full.
type filling struct{}

func (*filling) ReadAt([]byte, int64) (int, error) { return 0, io.EOF }
func (*filling) WriteAt(p []byte, _ int64) (int, error) {
	if len(p) > 0 {
		return 0, errBroken
	}
	return 0, nil
}
