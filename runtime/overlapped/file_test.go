package overlapped_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/device"
	"github.com/nothread/nothread/runtime/kernel"
	"github.com/nothread/nothread/runtime/overlapped"
	"github.com/nothread/nothread/runtime/sim"
)

func newFile(t testing.TB, w *sim.World, b device.Backing, cfg device.DiskConfig) *overlapped.File {
	t.Helper()
	d, err := w.NewDisk("disk", b, cfg)
	if err != nil {
		t.Fatal(err)
	}
	f, err := d.Open()
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestPosition: sequential operations begin at the position and advance it when they complete; others leave it alone.
func TestPosition(t *testing.T) {
	w := sim.New(1)
	m := device.NewMemory([]byte("0123456789"))
	f := newFile(t, w, m, device.DiskConfig{})
	ctx := w.Context()
	buf := make([]byte, 4)
	step := func(what string, task async.Task[int], n int, err error, position int64) {
		t.Helper()
		before := f.Position()
		if !task.IsCompleted() && f.Position() != before {
			t.Errorf("%s: the position moved before the completion", what)
		}
		gotN, gotErr := task.Await()
		if gotN != n || gotErr != err || f.Position() != position {
			t.Errorf("%s: %d, %v, position %d; want %d, %v, %d", what, gotN, gotErr, f.Position(), n, err, position)
		}
	}
	step("read", f.ReadAsync(ctx, buf), 4, nil, 4)
	step("read at", f.ReadAtAsync(ctx, buf, 1), 4, nil, 4)
	if string(buf) != "1234" {
		t.Errorf("read %q", buf)
	}
	step("write", f.WriteAsync(ctx, []byte("ab")), 2, nil, 6)
	step("write at", f.WriteAtAsync(ctx, []byte("z"), 11), 1, nil, 6)
	step("read", f.ReadAsync(ctx, buf), 4, nil, 10)
	step("short read", f.ReadAsync(ctx, buf), 2, nil, 12)
	step("end", f.ReadAsync(ctx, buf), 0, io.EOF, 12)
	step("end again", f.ReadAtAsync(ctx, buf, 100), 0, io.EOF, 12)
	step("empty write", f.WriteAsync(ctx, nil), 0, nil, 12)
	if string(m.Bytes()) != "0123ab6789\x00z" {
		t.Errorf("disk holds %q", m.Bytes())
	}
	if err := f.SetPosition(-1); !errors.Is(err, overlapped.ErrNegativeOffset) {
		t.Error(err)
	}
	if err := f.SetPosition(3); err != nil || f.Position() != 3 {
		t.Error(err, f.Position())
	}
	// Two in flight begin at the same place.
	a, b := make([]byte, 2), make([]byte, 2)
	ta, tb := f.ReadAsync(ctx, a), f.ReadAsync(ctx, b)
	ta.Await()
	tb.Await()
	if string(a) != "3a" || string(b) != "3a" || f.Position() != 5 {
		t.Errorf("read %q and %q, position %d", a, b, f.Position())
	}
}

// broken fails every operation.
type broken struct{}

func (broken) ReadAt([]byte, int64) (int, error)  { return 0, io.ErrUnexpectedEOF }
func (broken) WriteAt([]byte, int64) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestErrorsNameTheFile(t *testing.T) {
	w := sim.New(1)
	f := newFile(t, w, broken{}, device.DiskConfig{})
	for op, task := range map[string]async.Task[int]{
		"read":  f.ReadAsync(w.Context(), make([]byte, 1)),
		"write": f.WriteAsync(w.Context(), make([]byte, 1)),
	} {
		_, err := task.Await()
		var p *fs.PathError
		if !errors.As(err, &p) || p.Op != op || p.Path != "disk" || !errors.Is(err, overlapped.ErrDevice) || !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: %v", op, err)
		}
	}
	var none context.Context
	if _, err := f.ReadAsync(none, make([]byte, 1)).Await(); err == nil {
		t.Error("no context: no error")
	}
}

// TestRandomOperations compares a disk with a slice: operations that do not overlap, many in flight at once, some
// cancelled.
func TestRandomOperations(t *testing.T) {
	const blocks, size = 32, 64
	for seed := range uint64(30) {
		rng := rand.New(rand.NewPCG(seed, 0))
		w := sim.New(seed, sim.WithCPUs(1+int(seed%3)))
		m := device.NewMemory(make([]byte, blocks*size))
		f := newFile(t, w, m, device.DiskConfig{Depth: 1 + int(seed%5)})
		model := make([]byte, blocks*size)
		for range 20 {
			type op struct {
				task  async.Task[int]
				buf   []byte
				at    int
				write bool
			}
			var ops []op
			for _, block := range rng.Perm(blocks)[:rng.IntN(blocks)] {
				o := op{buf: make([]byte, size), at: block * size, write: rng.IntN(2) == 0}
				ctx, cancel := w.Context(), func() {}
				if rng.IntN(4) == 0 {
					ctx, cancel = w.WithCancel(ctx)
				}
				if o.write {
					for i := range o.buf {
						o.buf[i] = byte(rng.Uint32())
					}
					o.task = f.WriteAtAsync(ctx, o.buf, int64(o.at))
				} else {
					o.task = f.ReadAtAsync(ctx, o.buf, int64(o.at))
				}
				ops = append(ops, o)
				cancel()
			}
			for _, o := range ops {
				n, err := o.task.Await()
				switch {
				case errors.Is(err, context.Canceled) && n == 0:
				case err != nil || n != size:
					t.Fatalf("seed %d: %d, %v", seed, n, err)
				case o.write:
					copy(model[o.at:], o.buf)
				case !bytes.Equal(o.buf, model[o.at:o.at+size]):
					t.Fatalf("seed %d: read something else than was written", seed)
				}
			}
		}
		w.Run()
		if c := w.Counters(); !bytes.Equal(m.Bytes(), model) || c.IRPsInFlight != 0 {
			t.Fatalf("seed %d: the disk is not as it should be, or %d IRPs are left", seed, c.IRPsInFlight)
		}
	}
}

// An operation that its driver has done at once advances the file's position as any other does.
func TestPositionWithoutWaiting(t *testing.T) {
	w := sim.New(1)
	driver := &kernel.DriverObject{Name: "instant.sys"}
	driver.Major[kernel.MajorRead] = func(c *kernel.CPU, _ *kernel.DeviceObject, irp *kernel.IRP) kernel.Status {
		irp.Status, irp.Information = kernel.StatusSuccess, len(irp.UserBuffer)
		c.CompleteRequest(irp)
		return kernel.StatusSuccess
	}
	if status := w.Kernel().AddDevice(&kernel.DeviceObject{Name: "instant", Driver: driver}, 1); !status.IsSuccess() {
		t.Fatal(status)
	}
	f, err := overlapped.Open(w, "instant")
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		task := f.ReadAsync(w.Context(), make([]byte, 5))
		if !task.IsCompleted() {
			t.Error("it waits")
		}
		if n, err := task.Await(); n != 5 || err != nil || f.Position() != int64(5*(i+1)) {
			t.Errorf("%d bytes, %v; the position is %d", n, err, f.Position())
		}
	}
	if n, err := f.ReadAtAsync(w.Context(), make([]byte, 5), 100).Await(); n != 5 || err != nil || f.Position() != 15 {
		t.Errorf("at an offset: %d bytes, %v; the position is %d", n, err, f.Position())
	}
}

// nested is a context of a type that can be compared, around one that cannot.
type nested struct{ context.Context }

type uncomparable struct {
	context.Context
	_ []int
}

// TestContextsThatCannotBeCompared: a file that remembers the last context does not trip over one.
func TestContextsThatCannotBeCompared(t *testing.T) {
	w := sim.New(1)
	f := newFile(t, w, device.NewMemory(make([]byte, 10)), device.DiskConfig{})
	plain := uncomparable{Context: w.Context()}
	for _, ctx := range []context.Context{plain, plain, nested{plain}, nested{plain}, nested{w.Context()}, nested{plain}} {
		if n, err := f.ReadAtAsync(ctx, make([]byte, 4), 0).Await(); n != 4 || err != nil {
			t.Errorf("%d, %v", n, err)
		}
	}
}

// TestWarningAtOnce: of a warning there is a packet, also where the driver was done at once (A12). The operation ends by
// that, once, and what is started after it has an outcome of its own.
func TestWarningAtOnce(t *testing.T) {
	w := sim.New(1)
	var pended *kernel.IRP
	driver := &kernel.DriverObject{Name: "tape.sys"}
	driver.Major[kernel.MajorRead] = func(c *kernel.CPU, _ *kernel.DeviceObject, irp *kernel.IRP) kernel.Status {
		if len(irp.UserBuffer) > 1 {
			irp.MarkPending()
			pended = irp
			return kernel.StatusPending
		}
		irp.Status, irp.Information = kernel.StatusBufferOverflow, 1
		c.CompleteRequest(irp)
		return kernel.StatusBufferOverflow
	}
	if status := w.Kernel().AddDevice(&kernel.DeviceObject{Name: "tape", Driver: driver}, 1); !status.IsSuccess() {
		t.Fatal(status)
	}
	f, err := w.Open("tape")
	if err != nil {
		t.Fatal(err)
	}
	if n, err := f.ReadAsync(w.Context(), make([]byte, 1)).Await(); n != 1 || err == nil || !strings.Contains(err.Error(), "STATUS_BUFFER_OVERFLOW") {
		t.Errorf("%d, %v", n, err)
	}
	read := f.ReadAsync(w.Context(), make([]byte, 5))
	w.Run()
	if read.IsCompleted() {
		t.Fatal("the read has the outcome of the one before")
	}
	pended.Status, pended.Information = kernel.StatusSuccess, 5
	w.Kernel().CPU().CompleteRequest(pended)
	if n, err := read.Await(); n != 5 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if at := f.Position(); at != 6 {
		t.Errorf("the file is at %d", at)
	}
}
