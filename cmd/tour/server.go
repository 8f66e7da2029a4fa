package main

import (
	"context"
	"time"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/device"
	"github.com/nothread/nothread/runtime/overlapped"
	"github.com/nothread/nothread/runtime/sim"
)

// This is the story of the server: so many requests come at once, each five
// async calls deep, and all of them wait for the storage. So five times as many
// machines are alive, and a handful of threads, none of which waits.
//
// Look at the machines, and at the threads that the requests ran on.

// A server answers requests from its storage. It counts the calls that have begun
// and not ended.
type server struct {
	storage       *overlapped.File
	running, most int
	threads       map[string]bool // on which a request ran
}

func (s *server) begin(ctx context.Context) {
	s.running++
	s.most = max(s.most, s.running)
	s.threads[threadOf(ctx)] = true
}

func (s *server) end(ctx context.Context) {
	s.running--
	s.threads[threadOf(ctx)] = true
}

// Handle answers a request.
//
//nothread:async
func (s *server) Handle(ctx context.Context, id int) (int, error) {
	s.begin(ctx)
	n, err := s.AuthorizeAsync(ctx, id).Await()
	s.end(ctx)
	return n, err
}

// Authorize looks whether the user may.
//
//nothread:async
func (s *server) Authorize(ctx context.Context, id int) (int, error) {
	s.begin(ctx)
	n, err := s.SessionAsync(ctx, id).Await()
	s.end(ctx)
	return n, err
}

// Session finds the user's session.
//
//nothread:async
func (s *server) Session(ctx context.Context, id int) (int, error) {
	s.begin(ctx)
	n, err := s.QueryAsync(ctx, id).Await()
	s.end(ctx)
	return n, err
}

// Query asks for a row.
//
//nothread:async
func (s *server) Query(ctx context.Context, id int) (int, error) {
	s.begin(ctx)
	row, err := s.ReadRowAsync(ctx, id).Await()
	s.end(ctx)
	return int(row), err
}

// ReadRow reads it.
//
//nothread:async
func (s *server) ReadRow(ctx context.Context, id int) (byte, error) {
	s.begin(ctx)
	row := make([]byte, 1)
	_, err := s.storage.ReadAtAsync(ctx, row, int64(id%256)).Await()
	s.end(ctx)
	return row[0], err
}

func tellServer(t *teller, _ []string) error {
	if err := t.start(nothing, sim.WithCPUs(4)); err != nil {
		return err
	}
	rows := make([]byte, 256)
	for i := range rows {
		rows[i] = byte(i)
	}
	// Slow enough that all requests have come before the first is answered.
	slow := device.DiskConfig{Depth: min(t.count, 1<<16), Access: 20*time.Millisecond + time.Duration(t.count)*20*time.Microsecond}
	storage, err := t.file("storage", rows, slow)
	if err != nil {
		return err
	}
	s := &server{storage: storage, threads: make(map[string]bool)}
	requests := make([]async.Task[int], t.count)
	before, during := inUse(), heap{}
	for id := range requests {
		t.worker(func(ctx context.Context) { requests[id] = s.HandleAsync(ctx, id) })
	}
	arrived := 0
	t.world.AfterFunc(slow.Access/2, func() { during, arrived = inUse(), s.running })
	began := time.Now()
	t.world.Run()
	took := time.Since(began)
	if err := t.stop(); err != nil {
		return err
	}
	right := 0
	for id, task := range requests {
		row, err := task.GetResult()
		if err != nil {
			return err
		}
		if row == id%256 {
			right++
		}
	}
	c := t.world.Counters()
	t.printf("%d requests at once, each five async calls deep, on four processors. Seed %d.\n\n", t.count, t.seed)
	t.printf("  %-46s %d\n", "requests answered, and rightly", right)
	t.printf("  %-46s %d\n", "machines alive at once", s.most)
	t.printf("  %-46s %d\n", "IRPs", c.IRPs)
	t.printf("  %-46s %d\n", "threads that the requests ran on", len(s.threads))
	t.printf("  %-46s %d\n", "threads of the whole machine", len(t.world.Kernel().Threads()))
	t.printf("  %-46s %d\n", "threads blocked at once", t.blocked)
	t.printf("  %-46s %d\n", "goroutines", t.goroutines)
	t.printf("  %-46s %v\n", "the machine's time", t.world.Elapsed())
	t.printf("\nAnd on the computer that you sit at, while %d machines were alive:\n\n", arrived)
	t.printf("  %-46s %d\n", "objects on the heap for each request", (during.objects-before.objects)/t.count)
	t.printf("  %-46s %d\n", "bytes for each request, all told", (during.bytes-before.bytes)/t.count)
	t.printf("  %-46s %v\n", "wall time for all of them", took.Round(time.Millisecond))
	t.printThesis()
	return nil
}
