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
	"weak"

	"github.com/nothread/nothread/runtime/async"
)

func newChannel(capacity int, full async.Fullness, dropped *[]int) *async.Channel[int] {
	return async.NewChannel(async.ChannelConfig[int]{Capacity: capacity, Full: full, Dropped: func(v int) { *dropped = append(*dropped, v) }})
}

// mustEnd checks how a task ended, and that it did.
func mustEnd(t *testing.T, task async.Task0, want error) {
	t.Helper()
	if !task.IsCompleted() {
		t.Errorf("the task is pending, want %v", want)
	} else if err := task.GetResult(); err != want {
		t.Errorf("the task ended with %v, want %v", err, want)
	}
}

func TestC52_AWriteIsHandedToTheOldestReader(t *testing.T) {
	for _, capacity := range []int{0, 1, async.Unbounded} {
		c := newChannel(capacity, async.WaitForRoom, nil)
		first, second := c.ReadAsync(bg), c.ReadAsync(bg)
		for v := 1; v <= 2; v++ {
			mustEnd(t, c.WriteAsync(bg, v), nil)
			if c.Len() != 0 {
				t.Errorf("capacity %d: a value was kept while a reader waited", capacity)
			}
		}
		mustGive(t, first, 1)
		mustGive(t, second, 2)
	}
}

func TestC53_WhatAWriteDoesThatFindsItFull(t *testing.T) {
	for _, tt := range []struct {
		full          async.Fullness
		kept, dropped []int
	}{
		{async.WaitForRoom, []int{1, 2, 3, 4}, nil},
		{async.DropWrite, []int{1, 2}, []int{3, 4}},
		{async.DropNewest, []int{1, 4}, []int{2, 3}},
		{async.DropOldest, []int{3, 4}, []int{1, 2}},
	} {
		var dropped, kept []int
		c := newChannel(2, tt.full, &dropped)
		for v := 1; v <= 4; v++ {
			waits := tt.full == async.WaitForRoom && v > 2
			if waits && c.TryWrite(-v) {
				t.Errorf("%v: a write that should wait was taken", tt.full)
			}
			if task := c.WriteAsync(bg, v); task.IsCompleted() == waits {
				t.Errorf("%v: write %d: completed %v", tt.full, v, !waits)
			}
		}
		if c.Len() != len(tt.kept) {
			t.Errorf("%v: %d may be read", tt.full, c.Len())
		}
		for v, ok := c.TryRead(); ok; v, ok = c.TryRead() {
			kept = append(kept, v)
		}
		if !slices.Equal(kept, tt.kept) || !slices.Equal(dropped, tt.dropped) {
			t.Errorf("%v: kept %v and dropped %v", tt.full, kept, dropped)
		}
	}
	var dropped []int
	c := newChannel(0, async.DropWrite, &dropped)
	if !c.TryWrite(1) || !slices.Equal(dropped, []int{1}) {
		t.Error("a channel that holds nothing kept what it was to drop")
	}
	mustPanic(t, "negative", func() { newChannel(-1, async.WaitForRoom, nil) })
	mustPanic(t, "holds nothing", func() { newChannel(0, async.DropNewest, nil) })
	mustPanic(t, "holds nothing", func() { newChannel(0, async.DropOldest, nil) })
}

func TestC54_AReadLetsTheOldestWriterIn(t *testing.T) {
	for _, capacity := range []int{0, 1, 3} {
		c := newChannel(capacity, async.WaitForRoom, nil)
		var writes []async.Task0
		for v := range 10 {
			writes = append(writes, c.WriteAsync(bg, v))
		}
		for v := range 10 {
			for i, w := range writes {
				if w.IsCompleted() != (i < v+capacity) {
					t.Fatalf("capacity %d: after %d reads write %d: completed %v", capacity, v, i, w.IsCompleted())
				}
			}
			mustGive(t, c.ReadAsync(bg), v)
		}
	}
}

func TestC55_AClosedChannel(t *testing.T) {
	why := errors.New("why")
	for _, tt := range []struct{ closed, read, done error }{{nil, io.EOF, nil}, {io.EOF, io.EOF, nil}, {why, why, why}} {
		c := newChannel(1, async.WaitForRoom, nil)
		kept, waits, done := c.WriteAsync(bg, 1), c.WriteAsync(bg, 2), c.DoneAsync(bg)
		if !c.Close(tt.closed) || c.Close(errors.New("later")) {
			t.Error("it is not the first call that counts")
		}
		mustEnd(t, kept, nil)
		mustEnd(t, waits, async.ErrClosed)
		mustEnd(t, c.WriteAsync(bg, 3), async.ErrClosed)
		if c.TryWrite(3) || done.IsCompleted() {
			t.Error("written to after the end, or done before all was read")
		}
		mustGive(t, c.ReadAsync(bg), 1)
		mustEnd(t, done, tt.done)
		mustEnd(t, c.DoneAsync(bg), tt.done)
		for range 2 {
			if _, err := c.ReadAsync(bg).Await(); err != tt.read {
				t.Errorf("read after the end: %v", err)
			}
		}
		if _, ok := c.TryRead(); ok {
			t.Error("there was something to read after the end")
		}

		c = newChannel(1, async.WaitForRoom, nil)
		reader, ended := c.ReadAsync(bg), c.DoneAsync(bg)
		c.Close(tt.closed)
		if _, err := reader.GetResult(); err != tt.read {
			t.Errorf("a waiting reader got %v", err)
		}
		mustEnd(t, ended, tt.done)
	}
}

// C56: neither a cancellation nor a counterpart runs what waits; and what was cancelled
// has not happened.
func TestC56_WhatWaitsIsPosted(t *testing.T) {
	q := new(queueContext)
	ctx, cancel := context.WithCancel(q.context())
	c := newChannel(1, async.WaitForRoom, nil)
	reader := awaitIn(q.context(), c.ReadAsync(ctx))
	c.TryWrite(1)
	if reader.IsCompleted() || len(q.posted) != 1 {
		t.Error("a write has run its reader")
	}
	q.run()
	mustGive(t, reader, 1)

	anywhere, gate, ran := c.ReadAsync(bg), make(chan bool), make(chan bool)
	anywhere.OnCompleted(async.ContinuationFunc(func(*async.Executor) { <-gate; close(ran) }))
	c.TryWrite(1) // would wait for the gate
	close(gate)
	<-ran

	late := c.ReadAsync(ctx)
	cancel()
	if _, err := late.Await(); err != context.Canceled {
		t.Errorf("a cancelled read gives %v", err)
	}
	c.TryWrite(2)
	write := c.WriteAsync(ctx, 3)
	mustEnd(t, write, context.Canceled)
	if _, err := c.ReadAsync(ctx).Await(); err != context.Canceled {
		t.Errorf("a read whose context is done gives %v", err)
	}
	mustEnd(t, c.DoneAsync(ctx), context.Canceled)
	if v, ok := c.TryRead(); !ok || v != 2 || c.Len() != 0 {
		t.Errorf("read %d, %v, and %d are left", v, ok, c.Len())
	}
}

// What waited and was cancelled stands in no line, and is passed over.
func TestChannelForgetsWhoseContextIsDone(t *testing.T) {
	c := newChannel(1, async.WaitForRoom, nil)
	for _, v := range []int{1, 2, 3} {
		ctx, cancel := context.WithCancelCause(bg)
		if v != 2 {
			ctx = bg
		}
		w := c.WriteAsync(ctx, v)
		cancel(io.ErrNoProgress)
		if v == 2 && !errors.Is(w.Await(), io.ErrNoProgress) {
			t.Error("a cancelled write does not say why")
		}
	}
	if c.Len() != 2 {
		t.Errorf("%d may be read", c.Len())
	}
	mustGive(t, c.ReadAsync(bg), 1)
	mustGive(t, c.ReadAsync(bg), 3)

	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 10_000 {
		ctx, cancel := context.WithCancel(bg)
		r := c.ReadAsync(ctx)
		cancel()
		r.Await()
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapObjects) - int64(before.HeapObjects); grown > 5000 {
		t.Errorf("%d objects are left of 10,000 cancelled reads", grown)
	}
}

// An operation is not served once its context is done, though the standard library's may
// tell of that later.
func TestChannelServesNobodyWhoseContextIsDone(t *testing.T) {
	for range 1000 {
		ctx, cancel := context.WithCancel(bg)
		c := newChannel(0, async.WaitForRoom, nil)
		read := c.ReadAsync(ctx)
		cancel()
		if c.TryWrite(1) {
			t.Fatal("a read whose context is done has swallowed a value")
		}
		next := c.ReadAsync(bg)
		if !c.TryWrite(1) {
			t.Fatal("a read is not served")
		}
		mustGive(t, next, 1)
		if _, err := read.Await(); err != context.Canceled {
			t.Fatal(err)
		}

		ctx, cancel = context.WithCancel(bg)
		write, done := c.WriteAsync(ctx, 1), c.DoneAsync(ctx)
		cancel()
		if v, ok := c.TryRead(); ok {
			t.Fatalf("%d was read, whose write is cancelled", v)
		}
		c.Close(nil)
		if err := errors.Join(write.Await(), done.Await()); errors.Is(err, async.ErrClosed) {
			t.Fatal(err)
		}

		ctx, cancel = context.WithCancel(bg)
		s := async.NewSemaphore(1)
		s.TryAcquire()
		s.AcquireAsync(ctx)
		cancel()
		if s.Release(); !s.TryAcquire() {
			t.Fatal("whose context is done has the turn")
		}
	}
}

func TestZeroChannelHoldsNothing(t *testing.T) {
	var c async.Channel[int]
	if c.TryWrite(1) {
		t.Error("it holds something")
	}
	read, write := c.ReadAsync(bg), c.WriteAsync(bg, 1)
	mustGive(t, read, 1)
	mustEnd(t, write, nil)
	if !c.Close(nil) {
		t.Error("it was closed")
	}
}

// What need not wait makes no object.
func TestChannelAllocatesOnlyWhatWaits(t *testing.T) {
	c := newChannel(4, async.WaitForRoom, nil)
	c.TryWrite(0)
	if n := testing.AllocsPerRun(100, func() {
		c.WriteAsync(bg, 1).Await()
		c.ReadAsync(bg).Await()
	}); n != 0 {
		t.Errorf("a write and a read make %v objects", n)
	}
}

// brokenContext panics in its first Post.
type brokenContext struct {
	queueContext
	broken bool
}

func (b *brokenContext) Post(c async.Continuation) {
	if !b.broken {
		b.broken = true
		panic("the first Post")
	}
	b.queueContext.Post(c)
}

// A Post that panics leaves the call, and keeps nobody else waiting.
func TestChannelClosesWhateverAPostDoes(t *testing.T) {
	b := new(brokenContext)
	ctx := async.WithSyncContext(bg, b)
	c := newChannel(0, async.WaitForRoom, nil)
	for range 3 {
		awaitIn(ctx, c.ReadAsync(bg))
	}
	done := make(chan bool)
	c.DoneAsync(bg).OnCompleted(async.ContinuationFunc(func(*async.Executor) { close(done) }))
	mustPanic(t, "the first Post", func() { c.Close(nil) })
	if len(b.posted) < 2 {
		t.Errorf("%d of two were posted", len(b.posted))
	}
	<-done
}

// valuelessContext panics when it is asked for a value.
type valuelessContext struct{ context.Context }

func (valuelessContext) Value(any) any { panic("no value") }

// A context that panics is its caller's trouble, and no other's.
func TestChannelOutlivesABrokenContext(t *testing.T) {
	var c async.Channel[int]
	mustPanic(t, "no value", func() { c.ReadAsync(valuelessContext{bg}) })
	if c.TryWrite(1) {
		t.Error("a read that has failed took a value")
	}
}

// What was read is the reader's alone.
func TestChannelKeepsNothingOfWhatWasRead(t *testing.T) {
	c := async.NewChannel(async.ChannelConfig[*[64]byte]{Capacity: 4})
	c.TryWrite(new([64]byte))
	v, _ := c.TryRead()
	read := weak.Make(v)
	v = nil
	runtime.GC()
	if read.Value() != nil {
		t.Error("the channel keeps it")
	}
	for cancelled := range 2 {
		c = async.NewChannel(async.ChannelConfig[*[64]byte]{})
		ctx, cancel := context.WithCancel(bg)
		v = new([64]byte)
		read = weak.Make(v)
		write := c.WriteAsync(ctx, v)
		if cancelled == 0 {
			c.TryRead()
		}
		cancel()
		v = nil
		write.Await()
		runtime.GC()
		if read.Value() != nil {
			t.Error("the task of its write keeps it")
		}
		runtime.KeepAlive(write)
	}
	runtime.KeepAlive(c)
}

// A modelled channel is compared with slices, in one goroutine.
type modelled struct {
	*testing.T
	channel          *async.Channel[int]
	capacity         int
	items            []int
	readers, writers []modelWaits
}

type modelWaits struct {
	read   async.Task[int]
	write  async.Task0
	value  int // that is written
	cancel context.CancelFunc
}

func TestChannelAgainstAModel(t *testing.T) {
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 0))
		capacity := random.IntN(4)
		m := &modelled{T: t, channel: newChannel(capacity, async.WaitForRoom, nil), capacity: capacity}
		for v := range 300 {
			switch random.IntN(5) {
			case 0, 1:
				m.write(v)
			case 2, 3:
				m.read()
			case 4:
				m.writers = m.cancelOne(m.writers, random)
				m.readers = m.cancelOne(m.readers, random)
			}
			if want := len(m.items) + len(m.writers); m.channel.Len() != want {
				t.Errorf("%d may be read, want %d", m.channel.Len(), want)
			}
			if t.Failed() {
				t.Fatalf("seed %d, capacity %d, step %d", seed, capacity, v)
			}
		}
	}
}

func (m *modelled) write(v int) {
	ctx, cancel := context.WithCancel(bg)
	w := modelWaits{write: m.channel.WriteAsync(ctx, v), value: v, cancel: cancel}
	switch {
	case len(m.readers) > 0:
		mustGive(m.T, m.readers[0].read, v)
		m.readers = m.readers[1:]
		mustEnd(m.T, w.write, nil)
	case len(m.items) < m.capacity:
		m.items = append(m.items, v)
		mustEnd(m.T, w.write, nil)
	default:
		m.writers = append(m.writers, w)
	}
}

func (m *modelled) read() {
	ctx, cancel := context.WithCancel(bg)
	r := modelWaits{read: m.channel.ReadAsync(ctx), cancel: cancel}
	if len(m.writers) > 0 {
		mustEnd(m.T, m.writers[0].write, nil)
		m.items = append(m.items, m.writers[0].value)
		m.writers = m.writers[1:]
	}
	if len(m.items) == 0 {
		m.readers = append(m.readers, r)
		return
	}
	mustGive(m.T, r.read, m.items[0])
	m.items = m.items[1:]
}

func (m *modelled) cancelOne(of []modelWaits, random *rand.Rand) []modelWaits {
	if len(of) == 0 {
		return of
	}
	i := random.IntN(len(of))
	of[i].cancel()
	err := of[i].write.Await()
	if err == nil {
		_, err = of[i].read.Await()
	}
	if err != context.Canceled {
		m.Error("a cancelled operation gave", err)
	}
	return slices.Delete(of, i, i+1)
}

// Every value that was written arrives once, whoever is cancelled meanwhile, and those
// of one writer in their order.
func TestChannelFromManyGoroutines(t *testing.T) {
	const writers, each = 8, 2000
	for _, capacity := range []int{0, 1, 16} {
		c := newChannel(capacity, async.WaitForRoom, nil)
		var writing, reading sync.WaitGroup
		var mu sync.Mutex
		read, gone := map[int]int{}, 0
		for w := range writers {
			writing.Go(func() {
				for i := range each {
					ctx, cancel := context.WithCancel(bg)
					if i%5 == 0 {
						go cancel()
					}
					if c.WriteAsync(ctx, w*each+i).Await() != nil {
						mu.Lock()
						gone++
						mu.Unlock()
					}
					cancel()
				}
			})
			reading.Go(func() {
				last := [writers]int{}
				for i := 0; ; i++ {
					ctx, cancel := context.WithCancel(bg)
					if i%7 == 0 {
						go cancel()
					}
					v, err := c.ReadAsync(ctx).Await()
					cancel()
					if err == io.EOF {
						return
					}
					if err != nil {
						continue
					}
					if from, n := v/each, v%each+1; n <= last[from] {
						t.Errorf("%d of writer %d came after %d", n, from, last[from])
					} else {
						last[from] = n
					}
					mu.Lock()
					read[v]++
					mu.Unlock()
				}
			})
		}
		writing.Wait()
		c.Close(nil)
		reading.Wait()
		for v, times := range read {
			if times != 1 {
				t.Errorf("capacity %d: %d was read %d times", capacity, v, times)
			}
		}
		if len(read)+gone != writers*each {
			t.Errorf("capacity %d: %d were read and %d cancelled, of %d", capacity, len(read), gone, writers*each)
		}
	}
}

// A read is cancelled while it is served: either it gets the value, or the write is told
// that nobody has.
func TestChannelServesOrCancels(t *testing.T) {
	c := newChannel(0, async.WaitForRoom, nil)
	for v := range 20_000 {
		ctx, cancel := context.WithCancel(bg)
		read := c.ReadAsync(ctx)
		go cancel()
		if v%3 == 0 {
			runtime.Gosched()
		}
		handed := c.TryWrite(v)
		got, err := read.Await()
		if handed != (err == nil) || handed && got != v {
			t.Fatalf("the write was taken: %v; the read gave %d, %v", handed, got, err)
		}
		cancel()
	}
}

// A host's machines are resumed by its executor, after the one that runs.
func TestChannelInAHost(t *testing.T) {
	h := &testHost{ex: async.NewExecutor(nil)}
	ctx := async.WithHost(bg, h)
	c := newChannel(1, async.WaitForRoom, nil)
	reader := awaitIn(ctx, c.ReadAsync(ctx))
	after := false
	h.ex.Run(async.ContinuationFunc(func(*async.Executor) {
		c.TryWrite(1)
		after = !reader.IsCompleted()
	}))
	if !after {
		t.Error("a write has run its reader")
	}
	mustGive(t, reader, 1)
}

// Whichever of two channels has something first. The read that lost stands in line still:
// it is asked again the next time, and in the end told to stop.
func ExampleChannel_first() {
	var numbers, letters async.Channel[string]
	from := []*async.Channel[string]{&numbers, &letters}
	ctx, cancel := context.WithCancel(bg)
	reads := []async.Task[string]{numbers.ReadAsync(ctx), letters.ReadAsync(ctx)}
	for which, v := range []string{"one", "B", "two"} {
		from[which%2].TryWrite(v) // as somebody else does
		i, _ := async.WhenAny(bg, reads...).Await()
		fmt.Println(reads[i].Await())
		reads[i] = from[i].ReadAsync(ctx)
	}
	cancel()
	for _, r := range reads {
		fmt.Println(r.Await()) // a value that came before, or the context's error
	}
	// Output:
	// one <nil>
	// B <nil>
	// two <nil>
	//  context canceled
	//  context canceled
}
