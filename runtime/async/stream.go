package async

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"slices"
	"sync"
)

// A Stream is a sequence of values each of which may have to be waited for. It is no
// sequence yet but how to begin one, with the context that this is to have (C49): each
// range begins its own.
//
//	for line, err := range lines.Await(ctx) {
//		…
//	}
//
// [NewStream] makes one of an async function; any function that returns an [Iterator] is
// one, too.
type Stream[T any] func(context.Context) Iterator[T]

// An Iterator is one pass through a stream. Its methods are called one after the other:
// the next one when the task of the one before is complete (C50), but for CloseAsync,
// which may come at any time.
type Iterator[T any] interface {
	// NextAsync asks for the next value. ok is false behind the last one, and if there
	// is an error; and from then on (C51). Nothing happens before the first call (C47).
	// The task's source may be used again for the next: it is to be read before that.
	NextAsync() Task2[T, bool]
	// CloseAsync ends the pass, wherever it is, and completes when nothing of it is in
	// flight any more (C48). A second call has the first one's result.
	CloseAsync() Task0
}

// Await returns the values of one pass, for a range. That asks for each before its
// iteration, and however the loop is left it waits for the pass to be closed (C48). A
// failure is the last pair: whatever came with it, and the error. What the pass says to
// being closed gets lost, unless it panics.
//
// In a function marked //nothread:async such a range suspends the machine where it has to
// wait; anywhere else it blocks, as [Task.Await] does.
func (s Stream[T]) Await(ctx context.Context) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		it := s(ctx)
		var next Task2[T, bool]
		waits := false
		defer func() {
			closing := it.CloseAsync()
			if waits && !next.IsCompleted() {
				return // one cannot wait here, as in a World that is stuck, and says so
			}
			closing.Await()
		}()
		for {
			next, waits = it.NextAsync(), true
			v, ok, err := next.Await()
			waits = false
			if !ok && err == nil || !yield(v, err) || err != nil {
				return
			}
		}
	}
}

// NewStream returns the stream of what produce yields. It is an async function, or calls
// one:
//
//	async.NewStream(func(ctx context.Context, out async.Yielder[string]) async.Task0 {
//		return linesAsync(ctx, f, out)
//	})
//
// It begins when the first value is asked for (C47), with the context of the pass, and
// goes on from each yield when the next one is: never while nobody waits for it, unless
// it is being closed. It runs in the call that asks, as any async function does. The
// stream ends when produce does: with its error, or its panic; of a pass that is being
// closed CloseAsync has those, but for [ErrLeft]. A pass that is neither ranged to its end
// nor closed leaves produce where it is, for the garbage collector.
func NewStream[T any](produce func(ctx context.Context, out Yielder[T]) Task0) Stream[T] {
	return func(ctx context.Context) Iterator[T] {
		g := &generator[T]{produce: produce, ctx: ctx}
		g.asked.bindTo(ctx)
		g.turn.bindTo(ctx)
		g.closed.bindTo(ctx)
		g.solo = g.asked.host() != nil
		return g
	}
}

// ErrLeft is how a yield fails when no more values are wanted. A producer cleans up and
// returns, with this error or any other.
var ErrLeft = errors.New("async: the stream was left")

// A Yielder is where the function behind a stream puts its values.
type Yielder[T any] struct{ generator *generator[T] }

// YieldAsync hands v to whoever has asked for it, and completes when the next value is
// asked for, or with [ErrLeft]. It is to be awaited before the next call, for which its
// source is used again.
func (y Yielder[T]) YieldAsync(v T) Task0 { return y.generator.yield(v) }

// A generator is a pass through what a function yields. It is the continuation of that
// function's task.
type generator[T any] struct {
	Anywhere
	produce   func(context.Context, Yielder[T]) Task0
	ctx       context.Context
	producing Task0 // once it has begun

	mu    sync.Mutex
	stage stage
	left  bool // CloseAsync was called
	solo  bool // its context is a host's, so that one goroutine at a time knows it

	asked  Source[Pair[T, bool]] // what NextAsync returns, used again for each value (C50)
	turn   Source[struct{}]      // what YieldAsync returns, used again likewise
	closed Source[struct{}]      // what CloseAsync returns
}

// A stage is where a generator is.
type stage int

const (
	unbegun  stage = iota
	yielded        // the producer waits for its turn
	wanted         // the producer runs, or waits for something else; a value was asked for
	leaving        // likewise, but none was
	finished       // the producer has ended
)

// NextAsync is Iterator.NextAsync.
func (g *generator[T]) NextAsync() Task2[T, bool] {
	g.lock()
	was := g.stage
	switch {
	case was == finished, g.left:
		var none T
		err := g.end()
		g.unlock()
		return Completed2(none, false, err)
	case was == wanted:
		g.unlock()
		panic("async: C50: the next value of a stream was asked for before the one before had come")
	}
	g.stage = wanted
	g.asked.Reset()
	t := g.asked.Task()
	if was == unbegun {
		g.unlock()
		g.begin()
	} else {
		released, _ := g.turn.cell.complete(struct{}{}, nil)
		g.release(released)
	}
	if !t.IsCompleted() { // somebody is going to wait for it
		g.belong()
	}
	return Task2[T, bool]{t}
}

// lock keeps others out who are on other goroutines. A host's pass has none.
func (g *generator[T]) lock() {
	if !g.solo {
		g.mu.Lock()
	}
}

func (g *generator[T]) unlock() {
	if !g.solo {
		g.mu.Unlock()
	}
}

// release unlocks the pass and resumes what a completion released. Sources are completed
// while the pass is locked, so that what is complete is used again only then. (Of closed,
// which is not, the host may be asked at any time.)
func (g *generator[T]) release(released Continuation) {
	g.unlock()
	if released != nil {
		g.closed.executor().release(released)
	}
}

// belong makes a pass whose context carries no host belong to that of its producer, who
// may have got it from what it waits for: for who blocks on the pass.
func (g *generator[T]) belong() {
	if g.closed.host() != nil {
		return
	}
	g.lock()
	defer g.unlock()
	if g.stage == finished || g.producing.task.token == 0 {
		return
	}
	if env := headOf(g.producing.task.err).lends(); env != nil {
		g.asked.cell.head.belong(env)
		g.turn.cell.head.belong(env)
		g.closed.cell.head.belong(env)
	}
}

// begin calls the producer. If that is no machine, and panics or exits, there is no task
// to say so, but the pass ends like that all the same. What panics during an exit is the
// caller's, as the exit is.
func (g *generator[T]) begin() {
	end, waits, returned := Completed0(exited), false, false
	defer func() {
		if !returned && !exiting() {
			if v := recover(); v != nil {
				end = Completed0(newPanic(v))
			}
		}
		if !waits {
			g.runs(end)
			postAll(nil, g.closed.host(), g.MoveNext(nil))
		}
	}()
	producing := g.produce(g.ctx, Yielder[T]{g})
	g.runs(producing)
	waits = producing.OnCompleted(g)
	end, returned = producing, true
}

func (g *generator[T]) runs(producing Task0) {
	g.lock()
	g.producing = producing
	g.unlock()
}

// yield is YieldAsync.
func (g *generator[T]) yield(v T) Task0 {
	g.lock()
	switch {
	case g.left:
		g.unlock()
		return Completed0(ErrLeft)
	case g.stage != wanted:
		g.unlock()
		panic("async: a value was yielded that nobody has asked for; await each YieldAsync before the next")
	}
	g.stage = yielded
	g.turn.Reset()
	t := g.turn.Task()
	released, _ := g.asked.cell.complete(Pair[T, bool]{v, true}, nil)
	g.release(released)
	return Task0{t}
}

// CloseAsync is Iterator.CloseAsync.
func (g *generator[T]) CloseAsync() Task0 {
	var released Continuation
	g.lock()
	was, again := g.stage, g.left
	g.left = true
	switch {
	case again:
	case was == yielded:
		g.stage = leaving
		released, _ = g.turn.cell.complete(struct{}{}, ErrLeft)
	case was == unbegun || was == finished:
		g.stage = finished
		g.closed.cell.complete(struct{}{}, g.end())
	}
	g.release(released)
	t := g.closed.Task()
	if !t.IsCompleted() {
		g.belong()
	}
	return Task0{t}
}

// MoveNext goes on where the producer has ended. If it did so behind a value, without
// having waited for its turn, who comes next is told how.
func (g *generator[T]) MoveNext(*Executor) Continuation {
	g.lock()
	defer g.unlock()
	was := g.stage
	g.stage = finished
	if was == yielded {
		return nil
	}
	var asked, closed Continuation
	err := g.end()
	if g.left {
		closed, _ = g.closed.cell.complete(struct{}{}, err)
		err = nil
	}
	if was == wanted {
		asked, _ = g.asked.cell.complete(Pair[T, bool]{}, err)
	}
	if asked != nil && closed != nil {
		return &bound{&continuations{list: []Continuation{asked, closed}}}
	}
	return cmp.Or(asked, closed)
}

// end returns how the producer has ended, if it has, to the first that asks. The pass is
// locked.
func (g *generator[T]) end() (err error) {
	if g.stage != finished {
		return nil
	}
	defer func() {
		if v := recover(); v != nil { // the task was read before, or the error is broken
			err = newPanic(v)
		}
	}()
	producing := g.producing
	g.producing = Task0{}
	if _, err = take(producing.task); g.left && saysLeft(err) {
		return nil
	}
	return err
}

// saysLeft reports whether err says that a stream was left, and nothing else.
func saysLeft(err error) bool {
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		return saysLeft(e.Unwrap())
	case interface{ Unwrap() []error }:
		all := e.Unwrap()
		return len(all) > 0 && !slices.ContainsFunc(all, func(err error) bool { return !saysLeft(err) })
	}
	return err == ErrLeft
}

// What awaits a pass that was left goes on once its producer has ended; before, whoever
// the producer has given its Yielder to may let it go on.
func (g *generator[T]) mustResume() bool {
	g.lock()
	defer g.unlock()
	return g.left
}

func (g *generator[T]) awaitedBy() []Continuation {
	g.lock()
	defer g.unlock()
	return append(g.asked.awaitedBy(), g.closed.awaitedBy()...)
}
