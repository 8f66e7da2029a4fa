package trace_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/clock"
	"github.com/nothread/nothread/runtime/kernel"
	"github.com/nothread/nothread/runtime/trace"
)

var update = flag.Bool("update", false, "rewrite the expected pictures; inspect the diff")

// states are of a machine that waits at two lines.
var states = &async.States{Func: "f", File: "f.go", Line: 1, At: []async.State{{}, {Line: 2, Awaits: "x"}, {Line: 4, Awaits: "y"}}}

const (
	ui, ioThread, worker = "UI thread", "I/O 1", "workers 2"

	dirql = kernel.DeviceLevel + 2
)

// record makes a run by hand: a read that the UI thread asks for, and an I/O thread completes; a machine that waits
// for it, is posted to the pool of workers, and waits again; a thread that blocks; and a request that is not complete
// at the end. Two CPUs and the hardware take part.
func record(r *trace.Recorder) {
	hop := func(at clock.Time, cpu int, irql kernel.IRQL, thread string, kind kernel.HopKind, irp uint64, name string, n, m int64) {
		r.Hop(&kernel.Hop{Time: at, CPU: cpu, IRQL: irql, Thread: thread, Kind: kind, IRP: irp, Name: name, N: n, M: m}, 1+int(irp))
	}
	machine := func(e async.MachineEvent, number uint64, state int, at clock.Time, thread string) {
		r.Machine(e, number, fmt.Sprint("p.f", number), states, state, kernel.Hop{Time: at, Thread: thread})
	}
	r.Begin()
	hop(10, 0, 0, ui, kernel.HopMessage, 0, "click", 0, 0)
	hop(10, 0, 0, ui, kernel.HopDecision, 0, "of no interest", 1, 2)
	hop(20, 0, 0, ui, kernel.HopIRPBuilt, 1, "disk", 512, 1024)
	hop(6_000, 0, kernel.DispatchLevel, ui, kernel.HopDMAStart, 1, "disk", 512, 1024)
	machine(async.MachineBegan, 1, 1, 6_000, ui)
	hop(6_100, 0, 0, ui, kernel.HopThreadBlocked, 0, ui, 0, 0)
	hop(6_200, 1, 0, worker, kernel.HopThreadBorrowed, 0, worker, 0, 0)
	hop(6_200, 1, 0, worker, kernel.HopWork, 0, worker, 0, 0)
	hop(90_000, -1, 0, "", kernel.HopInterrupt, 0, "disk", int64(dirql), 0)
	hop(90_000, 0, dirql, ui, kernel.HopISR, 0, "disk", 0, 0)
	hop(90_100, 0, dirql, ui, kernel.HopDPCQueued, 0, "disk.sys", 0, 0)
	hop(90_200, 0, kernel.DispatchLevel, ui, kernel.HopDPC, 0, "disk.sys", 0, 0)
	hop(90_200, 0, kernel.DispatchLevel, ui, kernel.HopIRPComplete, 1, "disk.sys", 0, 512)
	hop(90_300, 0, kernel.APCLevel, ui, kernel.HopAPC, 1, ui, 0, 0)
	hop(90_300, 0, kernel.APCLevel, ui, kernel.HopPacket, 1, "I/O port", 0, 0)
	hop(91_000, 1, 0, worker, kernel.HopThreadReturned, 0, worker, 0, 0)
	hop(91_100, 1, 0, ioThread, kernel.HopThreadBorrowed, 1, ioThread, 0, 0)
	hop(91_200, 1, 0, ioThread, kernel.HopTaskComplete, 1, "ReadAsync", 512, 0)
	hop(91_200, 1, 0, ioThread, kernel.HopPosted, 0, "workers", 0, 0)
	hop(91_250, 1, 0, ioThread, kernel.HopPosted, 0, "others", 0, 0) // of another task, which no request has completed
	hop(91_300, 1, 0, ioThread, kernel.HopThreadReturned, 1, ioThread, 0, 0)
	hop(91_400, 1, 0, worker, kernel.HopThreadBorrowed, 0, worker, 0, 0)
	hop(91_400, 1, 0, worker, kernel.HopResumed, 0, worker, 0, 0)
	machine(async.MachineResumed, 1, 1, 91_400, worker)
	hop(91_500, 0, 0, ui, kernel.HopThreadUnblocked, 0, ui, 0, 0)
	machine(async.MachineSuspended, 1, 2, 91_500, worker)
	machine(async.MachineEnded, 9, 1, 91_600, worker) // which began before anybody looked
	machine(async.MachineBegan, 2, 1, 91_600, worker)
	machine(async.MachineEnded, 2, 1, 91_600, worker)
	hop(91_700, 1, 0, worker, kernel.HopThreadReturned, 0, worker, 0, 0)
	hop(91_800, 0, 0, ui, kernel.HopIRPBuilt, 2, "disk", 1, 0)
	hop(91_850, 0, 0, ui, kernel.HopDMAStart, 2, "disk", 1, 0)
	hop(91_900, 0, 0, ui, kernel.HopMessageLoop, 0, ui, 0, 0)
	// A DPC that no interrupt has queued completes a third request, whose task a machine has waited for on that thread; a
	// post, and a machine, that come later have nothing to do with it.
	hop(92_000, 0, 0, ui, kernel.HopIRPBuilt, 3, "disk", 2, 0)
	hop(92_100, 0, kernel.DispatchLevel, ui, kernel.HopDPC, 0, "disk.sys", 0, 0)
	hop(92_100, 0, kernel.DispatchLevel, ui, kernel.HopIRPComplete, 3, "disk.sys", 0, 2)
	hop(92_200, 0, 0, "", kernel.HopTimer, 0, "", 0, 0)
	hop(92_200, 1, 0, ioThread, kernel.HopTaskComplete, 3, "ReadAsync", 2, 0)
	machine(async.MachineResumed, 1, 2, 92_200, ioThread)
	machine(async.MachineSuspended, 1, 1, 92_300, ioThread)
	machine(async.MachineResumed, 1, 1, 92_300, ioThread)
	machine(async.MachineSuspended, 1, 1, 92_300, ioThread)
	hop(92_400, 1, 0, ioThread, kernel.HopPosted, 0, "workers", 0, 0)
	hop(92_500, 1, 0, worker, kernel.HopResumed, 0, worker, 0, 0)
	hop(92_500, 0, 0, ui, kernel.HopIRPBuilt, 4, "disk", 3, 0)
	hop(92_600, 0, kernel.DispatchLevel, ui, kernel.HopIRPComplete, 4, "disk.sys", 0, 3)
	hop(92_600, 1, 0, ioThread, kernel.HopTaskComplete, 4, "ReadAsync", 3, 0)
	hop(92_700, 1, 0, ioThread, kernel.HopThreadReturned, 4, ioThread, 0, 0)
	hop(92_800, 1, 0, ioThread, kernel.HopPosted, 0, ui, 0, 0)
	hop(92_900, 0, 0, ui, kernel.HopResumed, 0, ui, 0, 0)
	hop(95_000, -1, 0, "", kernel.HopFault, 0, "a frame is lost", 0, 0)
}

// The run as lanes, in colour, cut to so many lines, and with only its end kept; as a trace, alone and beside another;
// and the ways of its IRPs. What is expected is in testdata.
func TestPictures(t *testing.T) {
	pictures := make(map[string]*bytes.Buffer)
	draw := func(name string) *bytes.Buffer {
		pictures[name] = new(bytes.Buffer)
		return pictures[name]
	}
	whole, end := trace.NewRecorder(0), trace.NewRecorder(15)
	record(whole)
	record(whole) // begins anew
	record(end)
	lanes := draw("run.lanes.txt")
	for _, o := range []trace.TimelineOptions{{}, {Width: 60, Lines: 6}, {Color: true, Lines: 17}} {
		if err := trace.Timeline(lanes, whole, o); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(lanes)
	}
	if err := trace.Timeline(lanes, end, trace.TimelineOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := trace.Write(draw("run.trace.json"), whole); err != nil {
		t.Fatal(err)
	}
	if err := trace.Write(draw("two.trace.json"), end, end); err != nil {
		t.Fatal(err)
	}
	ways := draw("run.ways.txt")
	for irp := range uint64(6) {
		for _, r := range []*trace.Recorder{whole, end, trace.NewRecorder(0)} {
			if err := trace.Explain(ways, r, irp); err != nil {
				fmt.Fprintln(ways, err)
			}
		}
	}
	for name, got := range pictures {
		path := "testdata/" + name
		if strings.HasSuffix(name, ".json") {
			if err := trace.Validate(bytes.NewReader(got.Bytes())); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if *update {
			if err := os.WriteFile(path, got.Bytes(), 0o666); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got.Bytes(), want) {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
		}
	}
	if n, w := end.Len(), whole.Len(); n != w {
		t.Errorf("%d records, and %d where only the last are kept", w, n)
	}
}

// TestContextsOfLikeNames: a post to a serial context that is called as the UI thread's first word is not what that thread
// resumes: the arrow of the request ends where what was posted to the thread goes on.
func TestContextsOfLikeNames(t *testing.T) {
	r := trace.NewRecorder(0)
	hop := func(at clock.Time, thread string, kind kernel.HopKind, irp uint64, name string) {
		r.Hop(&kernel.Hop{Time: at, Thread: thread, Kind: kind, IRP: irp, Name: name}, 1)
	}
	hop(1000, ui, kernel.HopIRPBuilt, 1, "disk")
	hop(2000, ui, kernel.HopPosted, 0, "UI")
	hop(3000, ioThread, kernel.HopTaskComplete, 1, "ReadAsync")
	hop(4000, ioThread, kernel.HopPosted, 0, ui)
	hop(5000, ui, kernel.HopResumed, 0, ui)
	var out bytes.Buffer
	if err := trace.Write(&out, r); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(out.String()) {
		if strings.HasPrefix(line, `{"ph":"f"`) && !strings.Contains(line, `"ts":5.000`) {
			t.Error("the arrow ends at ", line)
		}
	}
}
