package async_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/nothread/nothread/runtime/async"
)

// mustSay checks how a WaitToRead or a WaitToWrite ended.
func mustSay(t *testing.T, task async.Task[bool], want bool, wantErr error) {
	t.Helper()
	if !task.IsCompleted() {
		t.Error("it waits")
		return
	}
	if got, err := task.Await(); got != want || !errors.Is(err, wantErr) {
		t.Errorf("got %v, %v, want %v, %v", got, err, want, wantErr)
	}
}

func mustWait(t *testing.T, task async.Task[bool]) {
	t.Helper()
	if task.IsCompleted() {
		t.Error("it does not wait")
	}
}

func TestC55_WaitToReadEndsWithTheChannel(t *testing.T) {
	why := errors.New("why")
	for _, tt := range []struct{ closed, says error }{{nil, nil}, {io.EOF, nil}, {why, why}} {
		c := newChannel(1, async.WaitForRoom, nil)
		early := c.WaitToReadAsync(bg)
		mustWait(t, early)
		c.Close(tt.closed)
		mustSay(t, early, false, tt.says)
		mustSay(t, c.WaitToReadAsync(bg), false, tt.says)
		mustSay(t, c.WaitToWriteAsync(bg), false, tt.says)

		c = newChannel(1, async.WaitForRoom, nil)
		c.TryWrite(1)
		room := c.WaitToWriteAsync(bg)
		mustWait(t, room)
		c.Close(tt.closed)
		mustSay(t, room, false, tt.says)
		mustSay(t, c.WaitToReadAsync(bg), true, nil) // of what is left
		mustGive(t, c.ReadAsync(bg), 1)
		mustSay(t, c.WaitToReadAsync(bg), false, tt.says)
	}
}

// All that wait are told, and nothing is taken; who reads already comes first.
func TestWaitToRead(t *testing.T) {
	for _, capacity := range []int{0, 1, 3, async.Unbounded} {
		c := newChannel(capacity, async.WaitForRoom, nil)
		one, two := c.WaitToReadAsync(bg), c.WaitToReadAsync(bg)
		reader := c.ReadAsync(bg)
		c.WriteAsync(bg, 1)
		mustGive(t, reader, 1)
		mustWait(t, one)
		c.WriteAsync(bg, 2)
		mustSay(t, one, true, nil)
		mustSay(t, two, true, nil)
		if v, ok := c.TryRead(); !ok || v != 2 {
			t.Errorf("capacity %d: %d, %v", capacity, v, ok)
		}
		mustWait(t, c.WaitToReadAsync(bg))
	}
}

func TestWaitToWrite(t *testing.T) {
	c := newChannel(1, async.WaitForRoom, nil)
	mustSay(t, c.WaitToWriteAsync(bg), true, nil)
	c.TryWrite(1)
	one, two := c.WaitToWriteAsync(bg), c.WaitToWriteAsync(bg)
	ctx, cancel := context.WithCancel(bg)
	c.WriteAsync(ctx, 2)
	writer := c.WriteAsync(bg, 3)
	cancel()
	mustGive(t, c.ReadAsync(bg), 1) // the writer has its room
	mustEnd(t, writer, nil)
	mustWait(t, one)
	mustGive(t, c.ReadAsync(bg), 3)
	mustSay(t, one, true, nil)
	mustSay(t, two, true, nil)

	c = newChannel(0, async.WaitForRoom, nil) // a write waits for its reader
	one = c.WaitToWriteAsync(bg)
	mustWait(t, one)
	reader := c.ReadAsync(bg)
	mustSay(t, one, true, nil)
	mustSay(t, c.WaitToWriteAsync(bg), true, nil)
	if !c.TryWrite(4) {
		t.Error("nobody reads")
	}
	mustGive(t, reader, 4)
	mustWait(t, c.WaitToWriteAsync(bg))
	c.ReadAsync(ctx)
	mustWait(t, c.WaitToWriteAsync(bg)) // that reader has never come

	for _, full := range []async.Fullness{async.DropWrite, async.DropNewest, async.DropOldest} {
		c = newChannel(1, full, nil)
		c.TryWrite(1)
		mustSay(t, c.WaitToWriteAsync(bg), true, nil)
	}
}

// Who waits is posted (C56), and who has been cancelled is told that, and no more.
func TestC56_WhoWaitsForAChannelIsPosted(t *testing.T) {
	q := new(queueContext)
	c := newChannel(1, async.WaitForRoom, nil)
	ran := false
	c.WaitToReadAsync(bg).OnCompleted(&posting{context: q, f: func() { ran = true }})
	c.TryWrite(1)
	if ran || len(q.posted) != 1 {
		t.Error("a write has run who waits for it")
	}
	q.run()
	if !ran {
		t.Error("it was not told")
	}
	ctx, cancel := context.WithCancelCause(bg)
	room := c.WaitToWriteAsync(ctx)
	cancel(io.ErrNoProgress)
	if ready, err := room.Await(); ready || !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("cancelled: %v, %v", ready, err)
	}
	mustSay(t, c.WaitToWriteAsync(ctx), false, io.ErrNoProgress)
	mustSay(t, c.WaitToReadAsync(ctx), false, io.ErrNoProgress)
	c.TryRead()
}

// posting is a continuation of a context.
type posting struct {
	async.Anywhere
	context async.SyncContext
	f       func()
}

func (p *posting) SyncContext() async.SyncContext { return p.context }

func (p *posting) MoveNext(*async.Executor) async.Continuation {
	p.f()
	return nil
}

// What a loop over WhenAny leaves behind with a channel that never has anything is one task, or none if each turn has a
// context of its own, which ends.
func TestWaitingForNothingLeavesNothing(t *testing.T) {
	busy, quiet := newChannel(1, async.WaitForRoom, nil), newChannel(1, async.WaitForRoom, nil)
	const turns, most = 40_000, 50 // bytes of a turn; the Go runtime itself keeps half a megabyte, for its goroutines
	before := heap()
	for turn := range turns {
		ctx, cancel := bg, context.CancelFunc(func() {})
		if turn%2 == 0 {
			ctx, cancel = context.WithCancel(bg)
		}
		any := async.WhenAny(bg, busy.WaitToReadAsync(bg), quiet.WaitToReadAsync(ctx))
		busy.TryWrite(turn)
		if i, err := any.Await(); i != 0 || err != nil {
			t.Fatal(i, err)
		}
		if v, ok := busy.TryRead(); v != turn || !ok {
			t.Fatal(v, ok)
		}
		cancel()
	}
	for i := 0; heap() > before+turns*most; i++ {
		if i == 1000 {
			t.Fatalf("%d bytes are left of %d turns", heap()-before, turns)
		}
		time.Sleep(time.Millisecond) // cancellations come by goroutines
	}
	left := quiet.WaitToReadAsync(bg)
	quiet.TryWrite(1)
	mustSay(t, left, true, nil)
}

func heap() int {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int(stats.HeapAlloc)
}

// A context that cannot be compared is one of its own each time.
func TestWaitingWithAContextThatCannotBeCompared(t *testing.T) {
	type odd struct {
		context.Context
		_ []int
	}
	c := newChannel(1, async.WaitForRoom, nil)
	ctx, cancel := context.WithCancel(bg)
	one, two, last := c.WaitToReadAsync(odd{bg, nil}), c.WaitToReadAsync(odd{bg, nil}), c.WaitToReadAsync(odd{ctx, nil})
	cancel()
	if ready, err := last.Await(); ready || err != context.Canceled {
		t.Errorf("%v, %v", ready, err)
	}
	c.TryWrite(1)
	mustSay(t, one, true, nil)
	mustSay(t, two, true, nil)
}

// After each of many random calls nobody waits for whom there is something.
func TestWhoWaitsForAChannel(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 7))
		capacity := r.IntN(4)
		c := newChannel(capacity, async.WaitForRoom, nil)
		var readers []async.Task[int]
		var readable, writable []async.Task[bool]
		closed, said := false, ""
		for range 200 {
			op := r.IntN(8)
			if op == 7 && r.IntN(30) > 0 {
				continue
			}
			said += fmt.Sprint(op)
			ctx, cancel := context.WithCancel(bg)
			defer cancel()
			var began []async.Operation
			switch op {
			case 0:
				readers = append(readers, c.ReadAsync(ctx))
				began = append(began, readers[len(readers)-1])
			case 1:
				c.TryRead()
			case 2:
				began = append(began, c.WriteAsync(ctx, 1))
			case 3:
				c.TryWrite(1)
			case 4:
				readable = append(readable, c.WaitToReadAsync(bg))
			case 5:
				writable = append(writable, c.WaitToWriteAsync(bg))
			case 6:
				readers = append(readers, c.ReadAsync(ctx))
				began = append(began, c.WriteAsync(ctx, 1), readers[len(readers)-1])
			case 7:
				closed = true
				c.Close(nil)
			}
			if r.IntN(2) == 0 {
				cancel()
				async.WhenAny(bg, async.WhenAll0(bg, began...)).Await() // until it has left its line
			}
			pending := func(t async.Task[int]) bool { return !t.IsCompleted() }
			reads := slices.ContainsFunc(readers, pending)
			for what, x := range map[string]struct {
				tasks *[]async.Task[bool]
				over  bool
			}{
				"read":  {&readable, c.Len() > 0 || closed},
				"write": {&writable, c.Len() < capacity || reads || closed},
			} {
				for _, task := range *x.tasks {
					if x.over && !task.IsCompleted() {
						t.Fatalf("capacity %d, %s: one still waits to %s", capacity, said, what)
					}
				}
				*x.tasks = slices.DeleteFunc(*x.tasks, async.Task[bool].IsCompleted)
			}
		}
	}
}

// Several that take turns at waiting and trying get all that several write, each value once.
func TestWaitingAndTrying(t *testing.T) {
	for _, capacity := range []int{0, 1, 5} {
		c := newChannel(capacity, async.WaitForRoom, nil)
		const each, sides = 500, 4
		var writers, readers sync.WaitGroup
		got := make(chan int, each*sides)
		for side := range sides {
			writers.Go(func() {
				for i := range each {
					for !c.TryWrite(side*each + i) {
						if ready, err := c.WaitToWriteAsync(bg).Await(); !ready || err != nil {
							t.Errorf("not to be written: %v", err)
							return
						}
					}
				}
			})
			readers.Go(func() {
				for {
					v, err := 0, error(nil)
					if capacity == 0 { // where all try, nobody meets
						v, err = c.ReadAsync(bg).Await()
					} else {
						ready, ok := true, false
						for v, ok = c.TryRead(); ready && !ok; v, ok = c.TryRead() {
							ready, err = c.WaitToReadAsync(bg).Await()
						}
						if !ok {
							err = io.EOF
						}
					}
					if err != nil {
						return
					}
					got <- v
				}
			})
		}
		writers.Wait()
		c.Close(nil)
		readers.Wait()
		close(got)
		var all []int
		for v := range got {
			all = append(all, v)
		}
		slices.Sort(all)
		if len(all) != each*sides || len(slices.Compact(all)) != each*sides {
			t.Errorf("capacity %d: %d values of %d", capacity, len(all), each*sides)
		}
	}
}
