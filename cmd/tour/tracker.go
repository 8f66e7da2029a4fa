package main

import (
	"context"
	"fmt"
	"sort"
	"strings"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/device"
	"github.com/nothread/nothread/runtime/overlapped"
)

// This is the story of the mission tracker: what a thread knew when it left must
// stand on the heap, or it is gone with the thread's stack. First it is put
// there by hand, in a map of missions, and each callback finds it by its number.
// Then the compiler does it. Both do the same job, copying a file.
//
// Look at what the map and the machine hold while no thread knows of the job.

// missionInfo has the facts of one job in flight: state only, no behavior.
type missionInfo struct {
	phase  int
	target *overlapped.File
	data   []byte
	done   *async.Source0
}

// A tracker keeps the missions, each of which survives the thread that began it.
type tracker struct {
	missions map[int]*missionInfo
	lastID   int
}

// readFile is phase 1: it runs on the calling thread, and leaves.
func (k *tracker) readFile(ctx context.Context, original, target *overlapped.File) async.Task0 {
	k.lastID++
	missionID := k.lastID
	info := &missionInfo{phase: 1, target: target, data: make([]byte, 4096), done: async.NewSource0For(ctx)}
	k.missions[missionID] = info
	overlappedCall(original.ReadAsync(ctx, info.data), missionID, func(missionID, n int, err error) {
		k.onBytesReady(ctx, missionID, n, err)
	})
	return info.done.Task()
}

// onBytesReady is phase 2: it is called later, on a thread that the system
// supplies, when the bytes are there.
func (k *tracker) onBytesReady(ctx context.Context, missionID, n int, err error) {
	say(ctx, "phase 2")
	info := k.missions[missionID]
	if err != nil {
		delete(k.missions, missionID)
		info.done.SetError(err)
		return
	}
	info.phase = 2
	info.data = info.data[:n]
	overlappedCall(info.target.WriteAsync(ctx, info.data), missionID, func(missionID, n int, err error) {
		k.onBytesWritten(ctx, missionID, err)
	})
}

// onBytesWritten is phase 3. A second wait has cost a third function.
func (k *tracker) onBytesWritten(ctx context.Context, missionID int, err error) {
	say(ctx, "phase 3")
	info := k.missions[missionID]
	delete(k.missions, missionID) // mission accomplished
	if err != nil {
		info.done.SetError(err)
		return
	}
	info.done.SetResult()
}

// overlappedCall stands for a system call that takes a mission's number and a
// callback, and returns: a voicemail, and the number to call back.
func overlappedCall(call async.Task[int], missionID int, callback func(missionID, n int, err error)) {
	back := func(*async.Executor) {
		n, err := call.GetResult()
		callback(missionID, n, err)
	}
	if !call.OnCompleted(async.ContinuationFunc(back)) {
		back(nil)
	}
}

// String says what the tracker holds.
func (k *tracker) String() string {
	var b strings.Builder
	ids := make([]int, 0, len(k.missions))
	for id := range k.missions {
		ids = append(ids, id)
	}
	sort.Ints(ids)
	for _, id := range ids {
		info := k.missions[id]
		fmt.Fprintf(&b, "missions[%d]: phase = %d; target %T; data %T, %d long", id, info.phase, info.target, info.data,
			len(info.data))
	}
	if b.Len() == 0 {
		return "no mission"
	}
	return b.String()
}

// ReadFile is the same job as its author writes it.
//
//nothread:async
func ReadFile(ctx context.Context, original, target *overlapped.File, see func(async.Continuation)) error {
	data := make([]byte, 4096)
	n, err := watch(original.ReadAsync(ctx, data), see).Await()
	say(ctx, "phase 2")
	if err != nil {
		return err
	}
	_, err = watch(target.WriteAsync(ctx, data[:n]), see).Await()
	say(ctx, "phase 3")
	return err
}

func tellTracker(t *teller, _ []string) error {
	byHand := &tracker{missions: make(map[int]*missionInfo)}
	byHandSays, err := t.mission(func(ctx context.Context, original, target *overlapped.File, held func(string)) async.Task0 {
		task := byHand.readFile(ctx, original, target)
		held(byHand.String())
		return task
	})
	if err != nil {
		return err
	}
	t.printf("A file is copied, and nobody waits for it. Seed %d; » is the program's own word.\n", t.seed)
	t.printf("\nThe mission tracker, by hand:\n\n")
	t.printWords()
	t.printf("\n  On the target stands: %s\n", byHandSays.copied)
	t.printf("  While the read was in flight it held\n    %s\n", strings.Join(byHandSays.held, "\n    "))
	t.printf("  When all was done it held\n    %v\n", byHand)

	machineSays, err := t.mission(func(ctx context.Context, original, target *overlapped.File, held func(string)) async.Task0 {
		return ReadFileAsync(ctx, original, target, func(machine async.Continuation) {
			held(nameOf(machine) + ": " + strings.Join(fieldsOf(machine), "; "))
		})
	})
	if err != nil {
		return err
	}
	t.printf("\nThe machine that the compiler made of ReadFile:\n\n")
	t.printWords()
	t.printf("\n  On the target stands: %s\n", machineSays.copied)
	t.printf("  While the read was in flight, and then the write, it held\n    %s\n", strings.Join(machineSays.held, "\n    "))
	same := "differ"
	if byHandSays.hash == machineSays.hash {
		same = "are equal: the two Worlds did the same, down to the last interrupt"
	}
	t.printf("\nThe digests of both runs %s.\n", same)
	t.printThesis()
	return nil
}

// An outcome is what is left of a mission.
type outcome struct {
	copied []byte   // what stands on the target
	held   []string // what the job said that it held
	hash   uint64   // the digest of the World's run
}

// mission runs the job, done in one way or the other, in a World of its own.
func (t *teller) mission(
	job func(ctx context.Context, original, target *overlapped.File, held func(string)) async.Task0,
) (*outcome, error) {
	if err := t.start(nothing); err != nil {
		return nil, err
	}
	original, err := t.file("original", []byte("There is no thread."), device.DiskConfig{})
	if err != nil {
		return nil, err
	}
	copied := device.NewMemory(nil)
	disk, err := t.disk("target", copied)
	if err != nil {
		return nil, err
	}
	target, err := disk.Open()
	if err != nil {
		return nil, err
	}
	out := new(outcome)
	var task async.Task0
	t.onUI("copy the file", func(ctx context.Context) {
		ctx = async.WithSyncContext(ctx, nil) // the callback's thread will do
		say(ctx, "phase 1")
		task = job(ctx, original, target, func(s string) { out.held = append(out.held, s) })
		say(ctx, "phase 1 has returned, and the thread is free")
	})
	t.world.Run()
	if err := t.stop(); err != nil {
		return nil, err
	}
	out.copied, out.hash = copied.Bytes(), t.world.Hash()
	return out, task.GetResult()
}
