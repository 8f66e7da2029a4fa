package async

import (
	"context"
	"sync"
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
//	func (m *copyStreamMachine) leaveStack() {
//		h := copyStreamMachines.Get()
//		token := h.Token()                  // before the copy: it outlives it
//		*h = *m
//		h.heap, m.heap = h, h
//		h.PromotePooled(m.ctx, h, token)    // instead of Promote(m.ctx, h); without
//		                                    // one PromotePooledAnywhere(h, token)
//	}
//
//	// Recycle puts the machine back; reading its task's result calls it.
//	func (m *copyStreamMachine) Recycle() {
//		token := m.Retire()
//		*m = copyStreamMachine{}
//		m.Restore(token)
//		copyStreamMachines.Put(m)
//	}
//
// After SetResult a pooled machine may be somebody else's at once: MoveNext
// returns SetResult's value and touches m no more, neither after the call nor in
// a deferred function. References are gone with the zeroing, so clearing them
// before SetResult is needless. A package variable cannot be generic, so a
// generic machine reaches its pool by PoolOf[M]().
//
// A kickoff whose awaits all complete synchronously touches no pool (C19).

// A Pool keeps finished machines of one type for their next use. The zero Pool
// is ready; it may be used from any goroutine, and gives up what it keeps when
// memory is collected. Only generated code uses it.
type Pool[M any] struct{ machines sync.Pool }

// Get returns a machine that nobody uses: zero but for its token.
func (p *Pool[M]) Get() *M {
	if m, ok := p.machines.Get().(*M); ok {
		return m
	}
	return new(M)
}

// Put takes back a machine whose task nobody may use any more.
func (p *Pool[M]) Put(m *M) { p.machines.Put(m) }

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

// A PooledMachine is a machine that goes back to a pool.
type PooledMachine interface {
	Continuation
	Recyclable
}

// envelope stands where a pooled cell keeps its error and says whose cell it
// is, so that cells not pooled need no room for that.
type envelope struct {
	err   error
	owner Recyclable
}

// Error is the error's own.
func (e *envelope) Error() string { return "async: result of a task from a pool" }

// A PooledBuilder is the [Builder] of a machine that goes back to a [Pool] once
// its result was read, even if the read raises a panic (C19). Its task may be
// awaited once (C14) and read once (C13). Only generated code uses it.
type PooledBuilder[T any] struct {
	Builder[T]
	out *envelope // &own once on the heap; a load of it does not make the machine escape
	own envelope
}

// Token returns the version that the machine's next task will have.
func (b *PooledBuilder[T]) Token() uint32 { return b.status & versions }

// PromotePooled is Promote for owner, the machine that b is embedded in, whose
// Token was token before the copy.
func (b *PooledBuilder[T]) PromotePooled(ctx context.Context, owner PooledMachine, token uint32) {
	b.Promote(ctx, owner)
	b.pool(owner, token)
}

// PromotePooledAnywhere is PromotePooled for a function that has no
// context.Context.
func (b *PooledBuilder[T]) PromotePooledAnywhere(owner PooledMachine, token uint32) {
	b.PromoteAnywhere(owner)
	b.pool(owner, token)
}

func (b *PooledBuilder[T]) pool(owner Recyclable, token uint32) {
	b.status |= token | single
	b.own.owner = owner
	b.out = &b.own
}

// Retire returns the token of the machine's next use.
func (b *PooledBuilder[T]) Retire() uint32 { return nextUse(b.status) & versions }

// Restore gives the cleared machine the token that Retire returned.
func (b *PooledBuilder[T]) Restore(token uint32) { b.status = token }

// SetResult is Builder.SetResult. Once it has been called on a machine on the
// heap, the machine may be in use for another call.
func (b *PooledBuilder[T]) SetResult(v T, err error) Continuation {
	if !b.has(promoted) {
		return b.Builder.SetResult(v, err)
	}
	b.out.err = err
	return b.settle(v, b.out)
}

func (b *PooledBuilder[T]) fail(f *fault) Continuation {
	var zero T
	return b.SetResult(zero, f)
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
	if v := recover(); v != nil {
		b.fail(newPanic(v))
		*task = b.Result()
	}
}
