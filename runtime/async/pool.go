package async

import (
	"context"
	"sync"
	"sync/atomic"
	"unsafe"
)

// # What the compiler emits for //nothread:async pool
//
// The machine embeds PooledBuilder[T] (PooledBuilder0, …2, …3) where it would
// embed Builder[T]; its package has one pool for it, for a generic machine one
// that is made for each instantiation (see below). Kickoff, MoveNext, SetResult,
// Catch, Result and Task stay as they are. Two things differ:
//
//	var copyStreamMachines async.Pool[copyStreamMachine]
//
//	func (m *copyStreamMachine) leaveStack(awaited *async.Header) *copyStreamMachine {
//		h, env := copyStreamMachines.Get(awaited, m.ctx)
//		h.ctx = m.ctx
//		…
//		m.PromotePooled(h, env) // instead of Promote(h, m.ctx, awaited)
//		return h
//	}
//
//	// Recycle puts the machine back; reading its task's result calls it.
//	func (m *copyStreamMachine) Recycle() {
//		past := m.Retire()
//		*m = copyStreamMachine{}
//		m.Restore(past)
//		copyStreamMachines.Put(m, past)
//	}
//
// After SetResult a pooled machine may be somebody else's at once: MoveNext
// returns SetResult's value and touches m no more, neither after the call nor in
// a deferred function. References are gone with the zeroing, so clearing them
// before SetResult is needless. A package variable cannot be generic, so a
// generic machine reaches its pool by PoolOf[M]().
//
// A kickoff whose awaits all complete synchronously touches no pool (C19); nor does
// one whose first await that has to wait is a tail await, of what the function
// returns as it is: the caller gets that task ([Awaiter.HandsOn]).

// A Pool keeps finished machines of one type for their next use. The zero Pool
// is ready; it may be used from any goroutine. Machines of a host stay with the
// host, up to a number: they cost no more than taking one from a stack. The others
// are given up when memory is collected. Only generated code uses it.
type Pool[M any] struct {
	number   atomic.Uint32 // from 1, once a host has machines of it
	machines sync.Pool
}

// Get returns a machine that nobody uses, zero but for its token, for one that
// leaves the stack, and what that one belongs to: see [Builder.Promote].
func (p *Pool[M]) Get(awaited *Header, ctx context.Context) (*M, *environment) {
	env := environmentOf(ctx)
	if env == nil {
		env = (*head)(awaited).lends()
	}
	if env != nil {
		if host, number := env.bare, int(p.number.Load()); number < len(host.idle) {
			if m := host.idle[number].pop(); m != nil {
				return (*M)(m), env
			}
		}
	}
	if m, ok := p.machines.Get().(*M); ok {
		return m, env
	}
	return new(M), env
}

// Put takes back a machine whose task nobody may use any more, and past, which its
// Retire returned.
func (p *Pool[M]) Put(m *M, past Retired) {
	if e := past.host; e != nil {
		if number := int(p.number.Load()); number < len(e.idle) && e.idle[number].push(unsafe.Pointer(m)) {
			return
		}
		if e.keep(&p.number, unsafe.Pointer(m)) {
			return
		}
	}
	p.machines.Put(m)
}

// idleMachines are a host's machines of one pool that are in no use.
type idleMachines struct {
	machines []unsafe.Pointer // the first n of them
	n        int
}

// push adds a machine; false if there is no room for it.
func (l *idleMachines) push(m unsafe.Pointer) bool {
	if l.n == len(l.machines) {
		return false
	}
	l.machines[l.n] = m
	l.n++
	return true
}

// pop takes the last machine, nil if there is none.
func (l *idleMachines) pop() unsafe.Pointer {
	if l.n == 0 {
		return nil
	}
	l.n--
	return l.machines[l.n]
}

// idleOfHost is how many machines of a pool a host keeps.
const idleOfHost = 1024

// keep makes room for one more machine of a pool and keeps it, unless the host keeps
// enough.
func (e *environment) keep(pool *atomic.Uint32, m unsafe.Pointer) bool {
	number := pool.Load()
	if number == 0 {
		pool.CompareAndSwap(0, poolNumbers.Add(1))
		number = pool.Load()
	}
	for int(number) >= len(e.idle) {
		e.idle = append(e.idle, idleMachines{})
	}
	list := &e.idle[number]
	if list.n == idleOfHost {
		return false
	}
	grown := make([]unsafe.Pointer, max(8, 2*len(list.machines)))
	copy(grown, list.machines)
	list.machines = grown
	return list.push(m)
}

// poolNumbers numbers the pools of which hosts keep machines.
var poolNumbers atomic.Uint32

var pools sync.Map // of *Pool[M] by (*M)(nil)

// PoolOf returns the pool of M, the same at each call: for generic machines.
func PoolOf[M any]() *Pool[M] {
	key := any((*M)(nil))
	if p, ok := pools.Load(key); ok {
		return p.(*Pool[M])
	}
	p, _ := pools.LoadOrStore(key, new(Pool[M]))
	return p.(*Pool[M])
}

// Recyclable is a pooled machine or source.
type Recyclable interface {
	// Recycle clears it, with a new token, and puts it back into its pool.
	Recycle()
}

// pooledCell is a cell whose status has single: it says whom reading its result
// gives back. Cells that are not pooled need no room for that.
type pooledCell[T any] struct {
	cell  cell[T]
	owner Recyclable
	err   error
}

// pooled returns what a cell with single is the beginning of.
func (c *cell[T]) pooled() *pooledCell[T] { return (*pooledCell[T])(unsafe.Pointer(c)) }

// give returns the result, and its owner to the pool.
func (c *pooledCell[T]) give() (T, error) {
	v, err := c.cell.value, c.err
	c.owner.Recycle()
	return v, err
}

// A PooledBuilder is the [Builder] of a machine that goes back to a [Pool] once
// its result was read, even if the read raises a panic (C19). Its task may be
// awaited once (C14) and read once (C13). Only generated code uses it.
type PooledBuilder[T any] struct { // a pooledCell
	Builder[T]
	owner Recyclable
	err   error
}

// PromotePooled is Promote where the copy m is from a pool and belongs to env.
func (b *PooledBuilder[T]) PromotePooled(m Recyclable, env *environment) {
	c, h := cellOfMachine(&b.Builder), (*pooledCell[T])(addressOf(m))
	c.forsake()
	h.owner = m
	h.cell.head.promote(promoted|single, env)
	*c.head.promotedTo() = unsafe.Pointer(h)
	if h.cell.head.followed() {
		h.cell.head.began(m.(Continuation))
	}
}

// SetResult is Builder.SetResult.
func (b *PooledBuilder[T]) SetResult(v T, err error) Continuation {
	s := atomic.LoadUint32(&b.status)
	if s&(promoted|solo|tracked) != promoted|solo || s&phases == done {
		return b.Builder.SetResult(v, err)
	}
	b.err = err
	return cellOfMachine(&b.Builder).completeSolo(s, v)
}

// Retired is what outlives the use of a pooled machine.
type Retired struct {
	status uint32
	host   *environment // nil if it belonged to none
}

// Retire ends a use of the machine. Only generated code uses it.
func (b *PooledBuilder[T]) Retire() Retired { return (*head)(&b.Header).retire() }

// Restore gives the cleared machine the token of its next use. Only generated code
// uses it.
func (b *PooledBuilder[T]) Restore(past Retired) { b.status = past.status }

// HandedOn reports whether a machine on the stack that waits has handed on what it
// awaits: it has never left the stack. Only generated code uses it.
func (b *PooledBuilder[T]) HandedOn() bool { return *(*head)(&b.Header).promotedTo() == nil }

func (h *head) retire() Retired {
	past := Retired{status: nextUse(h.status) & versions}
	if h.status&solo != 0 {
		past.host = h.env.bare
	}
	return past
}

// A PooledBuilder0 is the [PooledBuilder] of a machine that ends in a Task0.
type PooledBuilder0 struct{ PooledBuilder[struct{}] }

// SetResult is PooledBuilder.SetResult.
func (b *PooledBuilder0) SetResult(err error) Continuation {
	return b.PooledBuilder.SetResult(struct{}{}, err)
}

// Result is Builder.Result.
func (b *PooledBuilder0) Result() Task0 { return Task0{b.PooledBuilder.Result()} }

// Task is Builder.Task.
func (b *PooledBuilder0) Task() Task0 { return Task0{b.PooledBuilder.Task()} }

// Catch is Builder.Catch.
func (b *PooledBuilder0) Catch(task *Task0) {
	if nothingToCatch(&b.Builder, task.task) {
		return
	}
	if v := recover(); v != nil {
		b.fail(newPanic(v))
		*task = b.Result()
	}
}

// A PooledBuilder2 is the [PooledBuilder] of a machine that ends in a Task2.
type PooledBuilder2[A, B any] struct{ PooledBuilder[Pair[A, B]] }

// SetResult is PooledBuilder.SetResult.
func (b *PooledBuilder2[A, B]) SetResult(v1 A, v2 B, err error) Continuation {
	return b.PooledBuilder.SetResult(Pair[A, B]{v1, v2}, err)
}

// Result is Builder.Result.
func (b *PooledBuilder2[A, B]) Result() Task2[A, B] { return Task2[A, B]{b.PooledBuilder.Result()} }

// Task is Builder.Task.
func (b *PooledBuilder2[A, B]) Task() Task2[A, B] { return Task2[A, B]{b.PooledBuilder.Task()} }

// Catch is Builder.Catch.
func (b *PooledBuilder2[A, B]) Catch(task *Task2[A, B]) {
	if nothingToCatch(&b.Builder, task.task) {
		return
	}
	if v := recover(); v != nil {
		b.fail(newPanic(v))
		*task = b.Result()
	}
}

// A PooledBuilder3 is the [PooledBuilder] of a machine that ends in a Task3.
type PooledBuilder3[A, B, C any] struct {
	PooledBuilder[Triple[A, B, C]]
}

// SetResult is PooledBuilder.SetResult.
func (b *PooledBuilder3[A, B, C]) SetResult(v1 A, v2 B, v3 C, err error) Continuation {
	return b.PooledBuilder.SetResult(Triple[A, B, C]{v1, v2, v3}, err)
}

// Result is Builder.Result.
func (b *PooledBuilder3[A, B, C]) Result() Task3[A, B, C] {
	return Task3[A, B, C]{b.PooledBuilder.Result()}
}

// Task is Builder.Task.
func (b *PooledBuilder3[A, B, C]) Task() Task3[A, B, C] {
	return Task3[A, B, C]{b.PooledBuilder.Task()}
}

// Catch is Builder.Catch.
func (b *PooledBuilder3[A, B, C]) Catch(task *Task3[A, B, C]) {
	if nothingToCatch(&b.Builder, task.task) {
		return
	}
	if v := recover(); v != nil {
		b.fail(newPanic(v))
		*task = b.Result()
	}
}
