package sim_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/device"
	"github.com/nothread/nothread/runtime/kernel"
	"github.com/nothread/nothread/runtime/overlapped"
	"github.com/nothread/nothread/runtime/sim"
)

// misuse has what somebody may do wrong, and what he must be told: what it was, and what to do.
var misuse = []struct {
	name string
	says []string
	is   error // what errors.Is must find; nil: it is a panic, or no particular error
	do   func(w *sim.World, f *overlapped.File) error
}{
	{"read of a closed file", []string{"read disk", "already closed"}, os.ErrClosed, func(w *sim.World, f *overlapped.File) error {
		f.Close()
		return read(f, w.Context(), 4)
	}},
	{"close of a closed file", []string{"close disk", "already closed"}, os.ErrClosed, func(_ *sim.World, f *overlapped.File) error {
		f.Close()
		return f.Close()
	}},
	{"buffer of a read in flight", []string{"A21", "read of disk", "give each operation a buffer of its own"}, nil, func(w *sim.World, f *overlapped.File) error {
		buf := make([]byte, 4)
		task := f.ReadAsync(w.Context(), buf)
		buf[1] = 1
		_, err := task.Await()
		return err
	}},
	{"buffer of a write in flight", []string{"A21", "write to disk", "wait for its completion"}, nil, func(w *sim.World, f *overlapped.File) error {
		buf := make([]byte, 4)
		task := f.WriteAsync(w.Context(), buf)
		buf[1] = 1
		_, err := task.Await()
		return err
	}},
	{"one buffer for two reads", []string{"A21", "give each operation a buffer of its own"}, nil, func(w *sim.World, f *overlapped.File) error {
		buf := make([]byte, 4)
		one, two := f.ReadAtAsync(w.Context(), buf, 0), f.ReadAtAsync(w.Context(), buf, 2)
		one.Await()
		_, err := two.Await()
		return err
	}},
	{"handle bound to two ports", []string{"one completion port", "open another one"}, nil, func(w *sim.World, _ *overlapped.File) error {
		k := w.Kernel()
		h, _ := k.CPU().Open("disk", kernel.OpenOptions{})
		k.BindPort(h, w.IOPort(), nil)
		return fmt.Errorf("%v", k.BindPort(h, w.Workers().Port(), nil))
	}},
	{"negative offset", []string{"read disk", "negative", "from 0"}, overlapped.ErrNegativeOffset, func(w *sim.World, f *overlapped.File) error {
		_, err := f.ReadAtAsync(w.Context(), make([]byte, 1), -1).Await()
		return err
	}},
	{"negative depth of a disk", []string{"disk other", "negative", "Depth:-1"}, nil, func(w *sim.World, _ *overlapped.File) error {
		_, err := w.NewDisk("other", device.NewMemory(nil), device.DiskConfig{Depth: -1})
		return err
	}},
	{"disk without bytes", []string{"disk other has no backing"}, nil, func(w *sim.World, _ *overlapped.File) error {
		_, err := w.NewDisk("other", nil, device.DiskConfig{})
		return err
	}},
	{"two devices of one name", []string{"disk", "choose another one"}, nil, func(w *sim.World, _ *overlapped.File) error {
		_, err := w.NewDisk("disk", device.NewMemory(nil), device.DiskConfig{})
		return err
	}},
	{"wire to nothing", []string{"joins two adapters", "nil"}, nil, func(w *sim.World, _ *overlapped.File) error {
		_, err := sim.NewWire(nil, nil, device.WireConfig{})
		return err
	}},
	{"nil handler of an event", []string{"nil handler"}, nil, func(_ *sim.World, f *overlapped.File) error {
		overlapped.NewEventFile(f).ReadFileCompleted.Add(nil)
		return nil
	}},
	{"nil buffer", []string{"read disk", "nil", "make one"}, overlapped.ErrNilBuffer, func(w *sim.World, f *overlapped.File) error {
		_, err := f.ReadAsync(w.Context(), nil).Await()
		return err
	}},
	{"no context", []string{"read disk", "nil", "World.Context"}, nil, func(_ *sim.World, f *overlapped.File) error {
		var none context.Context
		return read(f, none, 1)
	}},
	{"context of another World", []string{"another World", "opened in"}, overlapped.ErrOtherWorld, func(_ *sim.World, f *overlapped.File) error {
		return read(f, sim.New(2).Context(), 1)
	}},
	{"unknown device", []string{"open dsik", "devices of this World are disk"}, fs.ErrNotExist, func(w *sim.World, _ *overlapped.File) error {
		_, err := w.Open("dsik")
		return err
	}},
	{"unknown adapter", []string{"open net", "devices of this World are disk"}, fs.ErrNotExist, func(w *sim.World, _ *overlapped.File) error {
		_, err := overlapped.Listen(w, "net", 80)
		return err
	}},
	{"World without devices", []string{"has no devices", "NewDisk"}, fs.ErrNotExist, func(*sim.World, *overlapped.File) error {
		_, err := sim.New(2).Open("disk")
		return err
	}},
	{"result read twice", []string{"C13", "not kept"}, nil, func(w *sim.World, f *overlapped.File) error {
		task := f.ReadAsync(w.Context(), make([]byte, 1))
		task.Await()
		_, err := task.Await()
		return err
	}},
	{"nil callback", []string{"AfterFunc of a nil function"}, nil, func(w *sim.World, _ *overlapped.File) error {
		ctx, _ := w.WithCancel(w.Context())
		ctx.(async.CancelNotifier).AfterFunc(nil)
		return nil
	}},
	{"Run from within", []string{"runs already", "awaits instead"}, nil, func(w *sim.World, _ *overlapped.File) error {
		w.UI().Go("run", w.Run)
		w.Run()
		return nil
	}},
	{"time that goes back", []string{"does not go back"}, nil, func(w *sim.World, _ *overlapped.File) error {
		w.RunFor(-time.Second)
		return nil
	}},
	{"bound before now", []string{"Settle within -1s", "does not go back"}, nil, func(w *sim.World, _ *overlapped.File) error {
		return w.Settle(-time.Second)
	}},
	{"context of nothing", []string{"the context is nil"}, nil, func(w *sim.World, _ *overlapped.File) error {
		var nothing context.Context
		async.WithSyncContext(nothing, w.UI())
		return nil
	}},
	{"World that is closed", []string{"is closed", "make another"}, nil, func(w *sim.World, _ *overlapped.File) error {
		w.Close()
		w.Run()
		return nil
	}},
	{"choice among nothing", []string{"among 0"}, nil, func(w *sim.World, _ *overlapped.File) error {
		w.Choose("what", 0)
		return nil
	}},
	{"IRP for no driver", []string{"0 stack locations", "one for each driver"}, nil, func(w *sim.World, _ *overlapped.File) error {
		w.Kernel().AllocateIRP(0)
		return nil
	}},
	{"line to no CPU", []string{"no CPU 3", "numbered from 0"}, nil, func(w *sim.World, _ *overlapped.File) error {
		w.Kernel().NewLine("line", kernel.LevelSensitive, kernel.DeviceLevel, 3)
		return nil
	}},
	{"level left raised by a message", []string{"A23", "ran on UI", "at DISPATCH"}, nil, func(w *sim.World, _ *overlapped.File) error {
		w.Go("raise", func(context.Context) { w.Kernel().CPU().RaiseIRQL(kernel.DispatchLevel) })
		w.Run()
		return nil
	}},
	{"level left raised by a work item", []string{"A23", "ran on worker", "at APC"}, nil, func(w *sim.World, _ *overlapped.File) error {
		w.Workers().Go(func() { w.Kernel().CPU().RaiseIRQL(kernel.APCLevel) })
		w.Run()
		return nil
	}},
	{"level left raised by a started thread", []string{"A23", "ran on thread 1", "at DISPATCH"}, nil, func(w *sim.World, _ *overlapped.File) error {
		w.Go("start", func(context.Context) { w.StartThread(func() { w.Kernel().CPU().RaiseIRQL(kernel.DispatchLevel) }) })
		w.Run()
		return nil
	}},
	{"level left raised by the owner", []string{"A23", "ran on main", "at DISPATCH"}, nil, func(w *sim.World, _ *overlapped.File) error {
		w.Kernel().CPU().RaiseIRQL(kernel.DispatchLevel)
		w.Run()
		return nil
	}},
	{"lock kept by a message", []string{"A17", "ran on UI", "has kept a lock"}, nil, func(w *sim.World, _ *overlapped.File) error {
		lock := &kernel.SpinLock{Name: "a lock"}
		w.Go("lock", func(context.Context) { lock.Acquire(w.Kernel().CPU()) })
		w.Run()
		return nil
	}},
	{"nil World", []string{"open net", "the World is nil"}, nil, func(w *sim.World, _ *overlapped.File) error {
		_, err := overlapped.Listen(nil, "net", 80)
		return err
	}},
	{"disk without a name", []string{"the disk has no name"}, nil, func(w *sim.World, _ *overlapped.File) error {
		_, err := w.NewDisk("", device.NewMemory(nil), device.DiskConfig{})
		return err
	}},
	{"adapter whose frames are all header", []string{"adapter net", "MTU"}, nil, func(w *sim.World, _ *overlapped.File) error {
		_, err := w.NewAdapter("net", 1, device.AdapterConfig{MTU: 1})
		return err
	}},
	{"open at DISPATCH", []string{"A23", "Open", "called at DISPATCH", "misuse_test.go:"}, nil, func(w *sim.World, _ *overlapped.File) error {
		w.Kernel().CPU().RaiseIRQL(kernel.DispatchLevel)
		_, err := w.Open("disk")
		return err
	}},
	{"World of no CPUs", []string{"at least one CPU"}, nil, func(*sim.World, *overlapped.File) error {
		sim.New(1, sim.WithCPUs(-1))
		return nil
	}},
}

func read(f *overlapped.File, ctx context.Context, n int) error {
	_, err := f.ReadAsync(ctx, make([]byte, n)).Await()
	return err
}

// TestMisuseIsTold: who does something wrong is told what it was and what to do.
func TestMisuseIsTold(t *testing.T) {
	for _, m := range misuse {
		t.Run(m.name, func(t *testing.T) {
			w := sim.New(1)
			f, _ := open(t, w, "disk", []byte("0123456789"))
			told := func() (told any) {
				defer func() {
					if r := recover(); r != nil {
						told = r
					}
				}()
				return m.do(w, f)
			}()
			err, _ := told.(error)
			if m.is != nil && !errors.Is(err, m.is) {
				t.Errorf("%v, want %v", told, m.is)
			}
			for _, text := range m.says {
				if !strings.Contains(fmt.Sprint(told), text) {
					t.Errorf("it does not say %q: %v", text, told)
				}
			}
		})
	}
}

// TestNilFunctions: a nil function is refused at the call that passes it, which is named.
func TestNilFunctions(t *testing.T) {
	for name, do := range map[string]func(w *sim.World){
		"Go":          func(w *sim.World) { w.Go("x", nil) },
		"StartThread": func(w *sim.World) { w.StartThread(nil) },
		"Inject":      func(w *sim.World) { w.Inject(nil) },
		"AfterFunc":   func(w *sim.World) { w.AfterFunc(time.Second, nil) },
		"OnDone":      func(w *sim.World) { w.OnDone(w.Context(), nil) },
		"UI thread":   func(w *sim.World) { w.UI().Go("x", nil) },
		"UI thread:":  func(w *sim.World) { w.UI().Post(nil) },
		"worker":      func(w *sim.World) { w.Workers().Go(nil) },
		"worker:":     func(w *sim.World) { w.Post(nil) },
		"s":           func(w *sim.World) { w.NewSerial("s").Do(nil) },
		"s:":          func(w *sim.World) { w.NewSerial("s").Post(nil) },
	} {
		w := sim.New(1)
		told := func() (told string) {
			defer func() { told = fmt.Sprint(recover()) }()
			do(w)
			return
		}()
		if !strings.Contains(told, " "+name) || !strings.Contains(told, "nil ") {
			t.Errorf("%s: %s", name, told)
		}
		w.Run() // it is as good as before
	}
}

// TestForeignGoroutines: a World that runs on one goroutine refuses another one, whatever that calls; it may only leave it work.
func TestForeignGoroutines(t *testing.T) {
	for name, call := range map[string]func(w *sim.World){
		"Run": (*sim.World).Run, "RunFor": func(w *sim.World) { w.RunFor(time.Second) },
		"Settle": func(w *sim.World) { w.Settle(time.Second) }, "Close": func(w *sim.World) { w.Close() },
	} {
		w := sim.New(1)
		told := make(chan any)
		w.UI().Go("meanwhile", func() {
			go func() {
				defer func() { told <- recover() }()
				call(w)
			}()
			if r := fmt.Sprint(<-told); !strings.Contains(r, name) || !strings.Contains(r, "runs") {
				t.Errorf("%s from another goroutine: %v", name, r)
			}
		})
		w.Run()
	}
	w := sim.New(1)
	ran := false
	w.UI().Go("meanwhile", func() {
		injected := make(chan bool)
		go func() { w.Inject(func() { ran = true }); injected <- true }()
		<-injected
	})
	w.Run()
	if !ran {
		t.Error("what was injected did not run")
	}
}

// TestStartAfterClose: what a deferred call starts while Close ends its thread never happens, and keeps no other deferred
// call from running.
func TestStartAfterClose(t *testing.T) {
	w := sim.New(1)
	var pending bool
	async.Go0(w.Context(), func(ctx context.Context) error {
		defer func() {
			pending = !async.Go0(ctx, func(context.Context) error { panic("it has started") }).IsCompleted()
		}()
		_, err := async.NewSourceFor[int](ctx).Task().Await()
		return err
	})
	w.Close()
	if !pending {
		t.Error("what was started after Close is complete")
	}
}

// TestHandedOver: a World that does not run may be used from another goroutine, and come back.
func TestHandedOver(t *testing.T) {
	w := sim.New(1)
	f, _ := open(t, w, "disk", []byte("abcdef"))
	done := make(chan error)
	go func() { done <- read(f, w.Context(), 3) }()
	if err := <-done; err != nil {
		t.Error(err)
	}
	go func() { done <- w.Settle(time.Second) }()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if err := read(f, w.Context(), 3); err != nil || f.Position() != 6 {
		t.Errorf("%v at %d", err, f.Position())
	}
	go func() { done <- w.Close() }()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestForeignContextOfCombinators: a context of the standard library that carries no World ends a combinator of a World's
// tasks in the World, not on the goroutine that ends the context.
func TestForeignContextOfCombinators(t *testing.T) {
	for name, combine := range map[string]func(context.Context, async.Task[int]) async.Operation{
		"WithTimeout": func(ctx context.Context, task async.Task[int]) async.Operation {
			return async.WithTimeout(ctx, time.Hour, task)
		},
		"WhenAll": func(ctx context.Context, task async.Task[int]) async.Operation { return async.WhenAll(ctx, task) },
		"WhenAny": func(ctx context.Context, task async.Task[int]) async.Operation { return async.WhenAny(ctx, task) },
		"WhenEach": func(ctx context.Context, task async.Task[int]) (first async.Operation) {
			for t := range async.WhenEach(ctx, task) {
				first = t
			}
			return first
		},
	} {
		w := sim.New(1)
		ctx, cancel := context.WithCancel(context.Background())
		task := combine(ctx, async.NewSourceFor[int](w.Context()).Task())
		where := "nowhere"
		task.OnCompleted(async.ContinuationFunc(func(*async.Executor) { where = w.Kernel().CPU().Thread().Name() }))
		cancel()
		time.Sleep(5 * time.Millisecond) // for whoever wants to end it at once
		if task.IsCompleted() {
			t.Errorf("%s: complete before the World ran", name)
		}
		w.RunUntil(task)
		w.Run()
		if where == "nowhere" || where == "main" {
			t.Errorf("%s: went on on %s", name, where)
		}
	}
}

// TestMapWithoutAWorld: a Map whose context carries no World runs that of the first task that it has to wait for.
func TestMapWithoutAWorld(t *testing.T) {
	w := sim.New(1)
	err := async.Map0(context.Background(), 1, []time.Duration{0, time.Second}, func(_ context.Context, d time.Duration) async.Task0 {
		return async.Delay(w.Context(), d)
	}).Await()
	if err != nil || w.Elapsed() < time.Second {
		t.Errorf("%v after %v", err, w.Elapsed())
	}
}

// TestForeignCall: a goroutine that starts an operation while the World waits is told what to do instead, and the World goes on.
func TestForeignCall(t *testing.T) {
	if raceEnabled {
		t.Skip("it is a data race, and found as one")
	}
	w := sim.New(1)
	f, _ := open(t, w, "disk", []byte("abc"))
	ctx, cancel := context.WithCancel(context.Background()) // foreign: the World waits for its end
	done := async.NewSourceFor[int](w.Context())
	w.OnDone(ctx, func() { done.SetResult(1) })
	told := make(chan string, 1)
	go func() {
		defer cancel()
		defer func() { told <- fmt.Sprint(recover()) }()
		time.Sleep(50 * time.Millisecond)
		f.ReadAsync(w.Context(), make([]byte, 3))
	}()
	if n, err := done.Task().Await(); n != 1 || err != nil {
		t.Error(n, err)
	}
	if text := <-told; !strings.Contains(text, "two goroutines") || !strings.Contains(text, "World.Inject") {
		t.Error(text)
	}
	if n, err := f.ReadAsync(w.Context(), make([]byte, 3)).Await(); n != 3 || err != nil {
		t.Error(n, err)
	}
}
