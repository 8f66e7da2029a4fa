package async

import "context"

// A Group is operations that belong together, of which more may be added while others
// are in flight: a server's connections, say. WaitAsync waits for all of them, so that
// nothing of a group is in flight once it is over. It is what errgroup's Group is for
// goroutines; where all are known beforehand [WhenAll] and [Map] are shorter.
//
//	var answers async.Group
//	for {
//		conn, err := l.AcceptAsync(ctx).Await()
//		if err != nil {
//			return errors.Join(err, answers.WaitAsync().Await())
//		}
//		answers.Add(AnswerAsync(ctx, conn))
//	}
//
// In the zero Group what fails leaves the others alone; in that of [NewGroup] it ends
// them. A group must not be copied once it was used. Its methods may be called from any
// goroutine, in a World as all that is the World's.
type Group struct {
	scope[struct{}]
	waited bool  // for the end; mu is its, as err's
	err    error // what comes first of the worst that has happened
}

// NewGroup makes a group, and the context that its operations are to be started with. That
// ends when ctx does; when the first of them fails, which is then its cause; and at the
// latest when the group is over.
func NewGroup(ctx context.Context) (*Group, context.Context) {
	refuseNil(ctx)
	g := new(Group)
	g.init(ctx)
	return g, g.ctx
}

// Add adds an operation, complete or not, and reads its result when it has one: what value
// that has is lost, and a task from a pool is nobody else's from then on. Add panics if the
// group is over; before that, what is in flight there may add others.
func (g *Group) Add(op Operation) {
	g.admit(op)
	m := &groupMember{g: g, op: op}
	asked := false
	defer func() {
		if !asked { // nobody may await it any more, which is the caller's panic
			postAll(nil, g.result.host(), m.end(nil))
		}
	}()
	waits := op.OnCompleted(m)
	asked = true
	if !waits {
		postAll(nil, g.result.host(), m.MoveNext(nil))
	}
}

// WaitAsync completes when the group is over: when all of its operations have ended, those
// too that are added meanwhile; at once if there are none. Its error is that of the first
// that failed; a cancellation counts only if nothing else failed, and a panic, or else a
// Goexit, rises before any error. It goes on waiting when a context ends: whoever is to wait
// no longer than that takes [WithTimeout0] of it.
func (g *Group) WaitAsync() Task0 {
	g.mu.Lock()
	g.waited = true
	g.mu.Unlock()
	postAll(nil, g.result.host(), g.finish()) // another's, who was here first
	return Task0{g.result.Task()}
}

// admit counts op in.
func (g *Group) admit(op Operation) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.ended {
		panic("async: an operation was added to a group that is over: it was waited for, and all that it had have ended")
	}
	g.belong(op)
	g.inFlight++
}

// finish completes the group if it was waited for and nothing is in flight.
func (g *Group) finish() Continuation {
	g.mu.Lock()
	last := g.waited && !g.ended && g.inFlight == 0
	g.ended = g.ended || last
	g.mu.Unlock()
	if !last {
		return nil
	}
	return g.end(struct{}{}, g.err)
}

// groupMember is one operation of a group, and what happens at its end.
type groupMember struct {
	Anywhere
	g  *Group
	op Operation
}

func (m *groupMember) MoveNext(*Executor) Continuation { return m.end(m.op.outcome()) }

func (m *groupMember) end(err error) Continuation {
	g := m.g
	g.mu.Lock()
	if gravityOf(err) > gravityOf(g.err) {
		g.err = err
	}
	g.mu.Unlock()
	g.leave(err, g.finish)
	return g.finish()
}

func (m *groupMember) awaitedBy() []Continuation { return m.g.awaitedBy() }
func (m *groupMember) mustResume() bool          { return true } // a group waits for all that it has
