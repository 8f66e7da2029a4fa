package async

import (
	"context"
	"errors"
	"iter"
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
		defer func() { it.CloseAsync().Await() }()
		for {
			v, ok, err := it.NextAsync().Await()
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
// stream ends when produce does: with its error, or its panic. A pass that is neither
// ranged to its end nor closed leaves produce where it is, for the garbage collector.
func NewStream[T any](produce func(ctx context.Context, out Yielder[T]) Task0) Stream[T] {
	return func(ctx context.Context) Iterator[T] {
		g := &generator[T]{produce: produce, ctx: ctx}
		g.asked.bindTo(ctx)
		g.turn.bindTo(ctx)
		g.closed.bindTo(ctx)
		return g
	}
}

// ErrLeft is how a yield fails when no more values are wanted. A producer cleans up and
// returns, with this error or any other.
var ErrLeft = errors.New("async: the stream was left")

// A Yielder is where the function behind a stream puts its values.
type Yielder[T any] struct{ generator *generator[T] }

// YieldAsync hands v to whoever has asked for it, and completes when the next value is
// asked for, or with [ErrLeft]. It is to be awaited before the next call.
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
	g.mu.Lock()
	was := g.stage
	switch {
	case was == finished, g.left:
		g.mu.Unlock()
		var none T
		return Completed2(none, false, nil)
	case was == wanted:
		g.mu.Unlock()
		panic("async: C50: the next value of a stream was asked for before the one before had come")
	}
	g.stage = wanted
	g.asked.Reset()
	t := g.asked.Task()
	g.mu.Unlock()
	if was == unbegun {
		g.begin()
	} else {
		g.turn.SetResult(struct{}{})
	}
	g.belong()
	return Task2[T, bool]{t}
}

// belong makes a pass whose context carries no host belong to that of what its producer
// waits for, for who blocks on it.
func (g *generator[T]) belong() {
	if g.asked.host() != nil {
		return
	}
	if h := g.producing.host(); h != nil {
		g.asked.Bind(h)
		g.closed.Bind(h)
	}
}

// begin calls the producer. If that is no machine, and panics or exits, there is no task
// to say so: then NextAsync does.
func (g *generator[T]) begin() {
	began := false
	defer func() {
		if !began {
			g.mu.Lock()
			g.stage = finished
			g.mu.Unlock()
		}
	}()
	g.producing = g.produce(g.ctx, Yielder[T]{g})
	began = true
	if !g.producing.OnCompleted(g) {
		g.MoveNext(nil) // releases nothing: nobody has the task yet
	}
}

// yield is YieldAsync.
func (g *generator[T]) yield(v T) Task0 {
	g.mu.Lock()
	switch {
	case g.left:
		g.mu.Unlock()
		return Completed0(ErrLeft)
	case g.stage != wanted:
		g.mu.Unlock()
		panic("async: a value was yielded that nobody has asked for; await each YieldAsync before the next")
	}
	g.stage = yielded
	g.turn.Reset()
	t := g.turn.Task()
	g.mu.Unlock()
	g.asked.SetResult(Pair[T, bool]{v, true})
	return Task0{t}
}

// CloseAsync is Iterator.CloseAsync.
func (g *generator[T]) CloseAsync() Task0 {
	g.mu.Lock()
	was, again := g.stage, g.left
	g.left = true
	if was == yielded && !again {
		g.stage = leaving
	} else if was == unbegun {
		g.stage = finished
	}
	g.mu.Unlock()
	switch {
	case again:
	case was == yielded:
		g.turn.SetError(ErrLeft)
	case was == unbegun || was == finished:
		g.closed.SetResult(struct{}{})
	}
	return Task0{g.closed.Task()}
}

// MoveNext goes on where the producer has ended.
func (g *generator[T]) MoveNext(ex *Executor) Continuation {
	_, err := take(g.producing.task)
	g.mu.Lock()
	was, left := g.stage, g.left
	g.stage = finished
	g.mu.Unlock()
	var released Continuation
	if left {
		var said error
		if !errors.Is(err, ErrLeft) {
			said = err
		}
		released, _ = g.closed.cell.complete(struct{}{}, said)
		err = nil
	}
	if was == wanted {
		ex.release(released)
		released, _ = g.asked.cell.complete(Pair[T, bool]{}, err)
	}
	return released
}

func (g *generator[T]) awaitedBy() []Continuation {
	return append(g.asked.awaitedBy(), g.closed.awaitedBy()...)
}

func (g *generator[T]) mustResume() bool { return true }
