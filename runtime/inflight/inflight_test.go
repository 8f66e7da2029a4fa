package inflight_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/device"
	"github.com/nothread/nothread/runtime/inflight"
	"github.com/nothread/nothread/runtime/overlapped"
	"github.com/nothread/nothread/runtime/sim"
)

func world(t *testing.T, opts ...sim.Option) (*sim.World, *overlapped.File) {
	t.Helper()
	w := sim.New(1, opts...)
	disk, err := w.NewDisk("disk", device.NewMemory(make([]byte, 4096)), device.DiskConfig{Depth: 8})
	if err != nil {
		t.Fatal(err)
	}
	f, err := disk.Open()
	if err != nil {
		t.Fatal(err)
	}
	return w, f
}

// A dump goes from each request up to whom nobody awaits: places, variables, ages. Equal ones are counted.
func TestDumpOfRequests(t *testing.T) {
	w, f := world(t)
	for at := range 3 {
		serveAsync(w.Context(), f, int64(at), time.Second)
	}
	bothAsync(w.Context(), f)
	w.RunFor(10 * time.Microsecond)
	const want = `  1 timers are set, the next not before TIME
11 machines in flight
  3 × read of 512 bytes on disk, issued by main: started by disk.sys: the device has it (irp#1 at 0, irp#2 at 1, irp#3 at 2), for AGE to AGE
    of the first:
    inflight_test.fetch  program_test.go:21  state 1, awaits f.ReadAtAsync(ctx, buf, at), for AGE
        at = 0
    inflight_test.serve  program_test.go:29  state 1, awaits fetchAsync(ctx, f, at, "asked"), for AGE
        limit = 1s
    nobody awaits it
  read of 512 bytes on disk, issued by main: started by disk.sys: the device has it (irp#4 at 0), for AGE
    inflight_test.fetch  program_test.go:21  state 1, awaits f.ReadAtAsync(ctx, buf, at), for AGE
        at = 0
    inflight_test.serve  program_test.go:29  state 1, awaits fetchAsync(ctx, f, at, "asked"), for AGE
        limit = 1s
    awaited by a combinator of package async
    inflight_test.both  program_test.go:40  state 1, awaits async.WhenAll(ctx, serveAsync(ctx, f, 0, time.Second), serv…, for AGE
    nobody awaits it
`
	got := w.Dump()
	if anonymous(got) != anonymous(want) {
		t.Errorf("%s", got)
	}
	if strings.Contains(got, "0x") {
		t.Error("there are addresses in it")
	}
	w.Run()
	if left := w.Dump(); !strings.Contains(left, "\n0 machines in flight\n  nothing is in flight") {
		t.Errorf("when all is done:\n%s", left)
	}
}

// Who takes tasks one by one awaits all of them.
func TestDumpOfWhenEach(t *testing.T) {
	w, f := world(t)
	task := eachAsync(w.Context(), f)
	for range 100 {
		if strings.Contains(w.Dump(), "sum = 512") { // the second is left
			break
		}
		w.RunFor(time.Microsecond)
	}
	const want = `
    inflight_test.fetch  program_test.go:21  state 1, awaits f.ReadAtAsync(ctx, buf, at), for AGE
        at = 512
    awaited by a combinator of package async
    inflight_test.each  program_test.go:66  state 1, awaits t, for AGE
        iterator = of a range over a function,
`
	if got := w.Dump(); !strings.Contains(anonymous(got), strings.Join(strings.Fields(want), " ")) {
		t.Errorf("%s", got)
	}
	w.Run()
	if n, err := task.GetResult(); n != 1536 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
}

// anonymous takes out times, and what comes before the timers and after the first cause of both.
func anonymous(s string) string {
	_, s, _ = strings.Cut(s, "timers are set")
	fields := strings.Fields(s)
	for i, f := range fields {
		if strings.HasSuffix(strings.TrimSuffix(f, ","), "s") && strings.ContainsAny(f[:1], "0123456789") && fields[i-1] != "=" {
			fields[i] = "AGE"
		}
		if f == "TIME" || i > 0 && fields[i-1] == "before" {
			fields[i] = "TIME"
		}
	}
	text := strings.Join(fields, " ")
	if i := strings.Index(text, "read of 512 bytes on disk, issued by main: started by disk.sys: the device has it (irp#5"); i >= 0 {
		text = text[:i]
	}
	return strings.TrimSpace(text)
}

// What waits for no request is found too, also if nothing refers to it any more.
func TestDumpOfTheRest(t *testing.T) {
	w, _ := world(t)
	source := async.NewSourceFor[int](w.Context())
	for range 2 {
		anywhereAsync(listenAsync(w.Context(), source.Task(), []string{"a", "b"}, nil), "title")
	}
	got := w.Dump()
	const want = `4 machines in flight
  2 × waits for what nobody has completed yet, for 0s
    of the first:
    inflight_test.listen  program_test.go:48  state 1, awaits done, for 0s
        names = []string of 2, seen = nil
    inflight_test.anywhere  program_test.go:56  state 1, awaits task, for 0s
        title = "title"
    nobody awaits it
`
	if !strings.Contains(got, want) {
		t.Errorf("%s", got)
	}
	other := async.NewSourceFor[int](w.Context())
	waiting := listenAsync(w.UIContext(), other.Task(), nil, nil)
	// On a worker, so that the machine has to be posted.
	w.Workers().Go(func() { other.SetResult(2); got = w.Dump() })
	w.Go("complete", func(context.Context) { source.SetResult(1) })
	w.Run()
	if !strings.Contains(got, "has what it awaited, and waits for its turn") || !waiting.IsCompleted() {
		t.Errorf("posted:\n%s", got)
	}
}

// Those that await one machine and are awaited alike are counted together, too.
func TestDumpOfManyAwaiters(t *testing.T) {
	w, _ := world(t)
	first := listenAsync(w.Context(), async.NewSourceFor[int](w.Context()).Task(), nil, nil)
	for i := range 5 {
		listenAsync(w.Context(), first, make([]string, min(i, 1)), nil)
	}
	const want = `6 machines in flight
  waits for what nobody has completed yet, for 0s
    inflight_test.listen  program_test.go:48  state 1, awaits done, for 0s
        names = nil, seen = nil
      5 alike, of the first:
      inflight_test.listen  program_test.go:48  state 1, awaits done, for 0s
          names = []string of 0, seen = nil
      nobody awaits it
`
	if got := w.Dump(); !strings.Contains(got, want) {
		t.Errorf("%s", got)
	}
}

// What a dump costs grows with the machines, not with their square: many that await one, one after the other, or are taken as
// they come.
func TestDumpOfMany(t *testing.T) {
	for name, begin := range map[string]func(ctx context.Context, n int, task async.Task[int]){
		"of one": func(ctx context.Context, n int, task async.Task[int]) {
			for range n {
				listenAsync(ctx, listenAsync(ctx, task, nil, nil), nil, nil)
			}
		},
		"of one another": func(ctx context.Context, n int, task async.Task[int]) {
			for range n {
				task = listenAsync(ctx, task, nil, nil)
			}
		},
		"as they come": func(ctx context.Context, n int, task async.Task[int]) {
			all := make([]async.Task[int], n)
			for i := range all {
				all[i] = listenAsync(ctx, task, nil, nil)
			}
			for t := range async.WhenEach(ctx, all...) {
				listenAsync(ctx, t, nil, nil)
				break
			}
		},
	} {
		cost := func(n int) time.Duration {
			w, _ := world(t)
			begin(w.Context(), n, listenAsync(w.Context(), async.NewSourceFor[int](w.Context()).Task(), nil, nil))
			best := time.Hour
			for range 3 {
				begun := time.Now()
				w.Dump()
				best = min(best, time.Since(begun))
			}
			return best
		}
		few, many := cost(200), cost(8000)
		for range 4 { // what else the machine does may have fallen on one of them
			if many > 250*few {
				few, many = cost(200), cost(8000)
			}
		}
		if many > 250*few { // 40 times as many; the square is 1,600
			t.Errorf("%s: %v for 200, %v for 8,000", name, few, many)
		}
	}
}

// A World that was not told to keeps no list, and shows what is above its requests all the same.
func TestDumpWithoutAList(t *testing.T) {
	w, f := world(t, sim.WithoutVerifier())
	serveAsync(w.Context(), f, 0, time.Second)
	got := w.Dump()
	if strings.Contains(got, "machines in flight") || !strings.Contains(got, "inflight_test.serve  program_test.go:29  state 1") {
		t.Errorf("%s", got)
	}
}

// A program without a World: machines go on on other goroutines while they are looked at. (-race watches.)
func TestWriteWhileMachinesRun(t *testing.T) {
	defer inflight.Track()()
	const machines = 50
	var all sync.WaitGroup
	left := make(chan struct{})
	for i := range machines {
		all.Go(func() {
			for range 20 {
				source := async.NewSource[int]()
				task := anywhereAsync(listenAsync(context.Background(), source.Task(), []string{"a"}, nil), "a title of many letters")
				go source.SetResult(i % 7)
				task.Await()
			}
		})
	}
	go func() { all.Wait(); close(left) }()
	for n := 0; ; n++ {
		var b bytes.Buffer
		if err := inflight.Write(&b); err != nil {
			t.Fatal(err)
		}
		select {
		case <-left:
			b.Reset()
			inflight.Write(&b)
			if b.String() != "0 machines in flight\n" {
				t.Errorf("after %d looks, when all had ended:\n%s", n, b.String())
			}
			return
		default:
		}
	}
}

// A machine that leaves the stack and then need not wait goes on there: no copy of it
// is in flight, however it goes on.
func TestMachinesThatNeedNotWaitAfterAll(t *testing.T) {
	defer inflight.Track()()
	count := func(want string) {
		t.Helper()
		var b bytes.Buffer
		inflight.Write(&b)
		if !strings.HasPrefix(b.String(), want) {
			t.Errorf("%s\nwant %s", b.String(), want)
		}
	}
	if n, err := hastyAsync(3, nil, async.Completed(1, nil)).Await(); n != 2 || err != nil {
		t.Error(n, err)
	}
	count("0 machines in flight\n")
	failure := errors.New("it failed")
	if _, err := hastyAsync(3, failure, async.Completed(1, nil)).Await(); err != failure {
		t.Error(err)
	}
	count("0 machines in flight\n")
	source := async.NewSource[int]()
	task := hastyAsync(3, nil, source.Task())
	count("1 machines in flight\n")
	source.SetResult(1)
	if n, err := task.Await(); n != 2 || err != nil {
		t.Error(n, err)
	}
	count("0 machines in flight\n")
}

// Calls of Track that overlap keep one list until the last of them is stopped, in whatever order that is, and each
// once: then there is nobody who keeps track.
func TestTrackTwice(t *testing.T) {
	for _, order := range [][]int{{0, 0, 1}, {1, 1, 0}} {
		stops := []func(){inflight.Track(), inflight.Track()}
		source := async.NewSource[int]()
		listenAsync(context.Background(), source.Task(), nil, nil)
		for i, which := range order {
			stops[which]()
			var b bytes.Buffer
			inflight.Write(&b)
			if tracked := strings.Contains(b.String(), "1 machines in flight"); tracked != (i < 2) {
				t.Errorf("after %d stops of %v: %s", i+1, order, b.String())
			}
		}
		source.SetResult(0)
		if list := async.Track(nil); list != nil {
			t.Errorf("after %v, somebody keeps track all the same", order)
		}
	}
}

func TestWriteWithoutTrack(t *testing.T) {
	var b bytes.Buffer
	inflight.Write(&b)
	if !strings.Contains(b.String(), "inflight.Track") {
		t.Errorf("%q", b.String())
	}
}

// Causes that are alike are counted together, the first three by name; those whose awaiters differ are not alike.
func TestReportOfCauses(t *testing.T) {
	ctx := context.Background()
	var causes []inflight.Cause
	for i, id := range []string{"a", "b", "c", "d"} {
		causes = append(causes, inflight.Cause{What: "read", ID: id, Since: time.Duration(4-i) * time.Second})
	}
	for i := range 3 {
		causes = append(causes, inflight.Cause{What: "write", ID: causes[i].ID, Since: time.Second})
	}
	for i := range 2 { // two await each, alike, but for whether they are awaited
		source := async.NewSource[int]()
		for range 2 {
			if task := listenAsync(ctx, source.Task(), nil, nil); i == 0 {
				anywhereAsync(task, "")
			}
		}
		causes = append(causes, inflight.Cause{What: "timer", ID: causes[i].ID, Since: time.Second, Of: source})
	}
	r := inflight.Report{Causes: causes, Now: 10 * time.Second}
	const want = `  4 × read (a, b, c, …), for 6s to 9s
    nobody awaits it
  3 × write (a, b, c), for 9s
    nobody awaits it
  timer (a), for 9s
      2 alike, of the first:
      inflight_test.listen  program_test.go:48  state 1, awaits done
          names = nil, seen = nil
      inflight_test.anywhere  program_test.go:56  state 1, awaits task
          title = ""
      nobody awaits it
  timer (b), for 9s
      2 alike, of the first:
      inflight_test.listen  program_test.go:48  state 1, awaits done
          names = nil, seen = nil
      nobody awaits it
`
	if got := string(r.Append(nil)); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}
