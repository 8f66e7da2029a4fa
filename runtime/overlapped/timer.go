package overlapped

import (
	"context"
	"encoding/binary"
	"errors"
	"time"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/clock"
	"github.com/nothread/nothread/runtime/kernel"
)

// Clock is an open timer chip of a World. Each wait is an IRP that the chip's interrupt completes. Its methods may be
// called by whatever runs in the World.
type Clock struct {
	endpoint
	calls   calls[clock.Time]
	pending async.Source[int] // bound to the World, and never used: what each timer's wait begins as
}

// controlWait is the timer's request. Package driver has the same.
const controlWait = 1

// OpenClock opens the timer chip of that name in a World. The caller closes it.
func OpenClock(w World, device string) (*Clock, error) {
	c := new(Clock)
	if err := c.open(w, device, kernel.DeviceTimer); err != nil {
		return nil, err
	}
	c.calls.bind(&c.endpoint)
	c.pending.Bind(w)
	return c, nil
}

// Now returns the virtual time.
func (c *Clock) Now() clock.Time { return c.world.Kernel().CPU().Now() }

// AfterAsync waits until d has passed. The task's result is the time at which that was noticed. A d of 0 or less is over
// at once. It fails with ctx's error if that is done first, and with os.ErrClosed if the clock is closed.
func (c *Clock) AfterAsync(ctx context.Context, d time.Duration) async.Task[clock.Time] {
	return c.AtAsync(ctx, c.Now().Add(d))
}

// AtAsync waits until a point in time; see AfterAsync.
func (c *Clock) AtAsync(ctx context.Context, at clock.Time) async.Task[clock.Time] {
	if err := c.check(ctx); err != nil {
		return async.Completed(c.Now(), c.wrap("wait", err))
	}
	return c.calls.start(c.newWait(ctx, at), kernel.MajorDeviceControl, controlWait)
}

func (c *Clock) newWait(ctx context.Context, at clock.Time) *call[clock.Time] {
	op := c.calls.take(ctx, "AtAsync", rung)
	block, again := op.owner.(*waitBlock)
	if !again {
		block = new(waitBlock)
		op.owner = block
	}
	op.buf = block[:]
	binary.LittleEndian.PutUint64(op.buf, uint64(max(at, 0)))
	return op
}

// waitBlock is a wait's control block.
type waitBlock [8]byte

func rung(op *call[clock.Time], status kernel.Status, _ int) (clock.Time, error) {
	return op.endpoint.world.Kernel().CPU().Now(), op.failure("wait", status)
}

// Close closes the clock. Waits in flight complete with os.ErrClosed.
func (c *Clock) Close() error { return c.close() }

// Timer is a moment to come, or a row of them. It has no task of its own and needs no closing: WaitAsync waits for its
// next moment. Its methods may be called by whatever runs in the World, WaitAsync by one caller at a time.
type Timer struct {
	clock  *Clock
	next   clock.Time // the next moment that nobody has been told of; Never if there is none
	period time.Duration
	wait   *timerWait // in flight; nil: there is none
	free   *timerWait // for the next one
}

// ErrStopped is what the wait of a timer ends with that has no moment to come.
var ErrStopped = errors.New("the timer is stopped")

// NewTimer returns a timer whose first moment comes after first, and if period is not 0, further ones each period after
// the one before. Moments do not drift: how late one is waited for has no part in when the next one comes.
func (c *Clock) NewTimer(first, period time.Duration) *Timer {
	if period < 0 {
		panic("overlapped: a timer with a negative period")
	}
	return &Timer{clock: c, next: c.Now().Add(first), period: period}
}

// WaitAsync waits for the timer's next moment. The task's result is how many have passed since the last wait: more than
// 1 if nobody waited in time. It fails with ErrStopped if there is none to come, or Stop or Reset is called meanwhile;
// with ctx's error if that is done first, and then the moment is still to come.
func (t *Timer) WaitAsync(ctx context.Context) async.Task[int] {
	if t.wait != nil {
		return async.Completed(0, t.clock.wrap("wait", errors.New("somebody waits for the timer already")))
	}
	if t.next == clock.Never {
		return async.Completed(0, t.clock.wrap("wait", ErrStopped))
	}
	if err := t.clock.check(ctx); err != nil {
		return async.Completed(0, t.clock.wrap("wait", err))
	}
	w := t.free
	if t.free = nil; w == nil {
		w = &timerWait{timer: t}
	}
	c := t.clock
	w.clock, w.reset = c.newWait(ctx, t.next), false
	t.wait = w
	task := w.Start(&c.pending)
	w.task = c.calls.start(w.clock, kernel.MajorDeviceControl, controlWait)
	if !w.task.OnCompleted(w) {
		n, err := w.result()
		w.Recycle()
		return async.Completed(n, err)
	}
	return task
}

// timerWait is a WaitAsync in flight.
type timerWait struct {
	async.Anywhere
	async.Reusable[int]
	timer *Timer
	clock *call[clock.Time] // what it waits with
	reset bool              // Reset or Stop has ended it
	task  async.Task[clock.Time]
}

// MoveNext goes on when the moment has come, or not.
func (w *timerWait) MoveNext(ex *async.Executor) async.Continuation {
	if n, err := w.result(); err == nil {
		w.Succeed(ex, n, w)
	} else {
		w.Fail(ex, n, err)
	}
	return nil
}

// Recycle keeps the wait for the timer's next one: its result was read. It implements async.Recyclable.
func (w *timerWait) Recycle() {
	w.Retire()
	w.timer.free = w
}

func (w *timerWait) result() (int, error) {
	t := w.timer
	now, err := w.task.GetResult()
	w.clock, w.task, t.wait = nil, async.Task[clock.Time]{}, nil
	switch {
	case w.reset:
		return 0, t.clock.wrap("wait", ErrStopped)
	case err != nil:
		return 0, err
	}
	return t.passed(now), nil
}

// passed counts the moments up to now.
func (t *Timer) passed(now clock.Time) int {
	if t.period == 0 {
		t.next = clock.Never
		return 1
	}
	n := int(now.Sub(t.next)/t.period) + 1
	t.next = t.next.Add(time.Duration(n) * t.period)
	return n
}

// Stop takes all moments to come away. It reports whether there were any.
func (t *Timer) Stop() bool { return t.Reset(-1, 0) }

// Reset makes the timer as NewTimer does, with no moment at all if first is negative. A wait in flight ends with
// ErrStopped. It reports whether there was a moment to come.
func (t *Timer) Reset(first, period time.Duration) bool {
	if period < 0 {
		panic("overlapped: a timer with a negative period")
	}
	was := t.next != clock.Never
	t.next, t.period = clock.Never, period
	if first >= 0 {
		t.next = t.clock.Now().Add(first)
	}
	if w := t.wait; w != nil {
		w.reset = true
		w.clock.cancel()
	}
	return was
}
