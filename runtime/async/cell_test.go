package async

import (
	"slices"
	"sync/atomic"
	"testing"
	"time"
)

// Completers and registrants that meet a cell in the middle of something wait.
func TestC01_PhasesExcludeOneAnother(t *testing.T) {
	host := newEnvironment(nil, someHost(1), nil)
	for _, test := range []struct {
		name  string
		phase uint32
		after uint32
		call  func(c *cell[int]) bool
		want  bool
	}{
		{"complete while a list changes", appending, stored, func(c *cell[int]) bool { _, ok := c.complete(1, nil); return ok }, true},
		{"complete while a first one is stored", storing, stored, func(c *cell[int]) bool { _, ok := c.complete(1, nil); return ok }, true},
		{"finish while a first one is stored", storing, stored, func(c *cell[int]) bool { _, ok := c.finish(1, nil); return ok }, true},
		{"belong while a first one is stored", storing, stored, func(c *cell[int]) bool { c.head.belong(host); return c.head.status == hosted|solo|stored }, true},
		{"belong while a list changes", appending, stored, func(c *cell[int]) bool { c.head.belong(host); return c.head.status == hosted|solo|stored }, true},
		{"finish while a list changes", appending, stored, func(c *cell[int]) bool { _, ok := c.finish(1, nil); return ok }, true},
		{"remove while a list changes", appending, done, func(c *cell[int]) bool { return c.head.remove(nil) }, false},
		{"register while completing", completing, done, func(c *cell[int]) bool { return c.head.onCompleted(1, ContinuationFunc(nil)) }, false},
		{"register while another does", storing, stored, func(c *cell[int]) bool { return c.head.onCompleted(1, ContinuationFunc(nil)) }, true},
	} {
		c := &cell[int]{head: head{status: test.phase, next: ContinuationFunc(nil)}}
		returned := make(chan bool)
		go func() { returned <- test.call(c) }()
		select {
		case <-returned:
			t.Errorf("%s: did not wait", test.name)
			continue
		case <-time.After(5 * time.Millisecond):
		}
		atomic.StoreUint32(&c.head.status, test.after)
		if got := <-returned; got != test.want {
			t.Errorf("%s: %v", test.name, got)
		}
	}
	late := &cell[int]{head: head{status: completing}}
	if _, ok := late.complete(2, nil); ok {
		t.Error("a second completer won while the first stores its result")
	}
}

func TestRemoveTakesOneBack(t *testing.T) {
	var c cell[int]
	ks := []*arm{new(arm), new(arm), new(arm)}
	for _, k := range ks {
		c.head.onCompleted(1, k)
	}
	if !c.head.remove(ks[1]) || c.head.remove(ks[1]) || !c.head.remove(ks[0]) || !c.head.remove(ks[2]) || c.head.remove(ks[2]) {
		t.Error("remove does not tell whether it was there")
	}
	if c.head.status != pending || c.head.next != nil {
		t.Errorf("status %d, next %v after the last was taken", c.head.status, c.head.next)
	}
	if !c.head.onCompleted(1, ks[0]) {
		t.Error("the cell takes no more")
	}
	if released, ok := c.complete(1, nil); released != Continuation(ks[0]) || !ok {
		t.Error("the cell lost a continuation")
	}
}

// What is left of a list when others were taken back, and added, goes on in its order, whoever is asked.
func TestRemoveKeepsTheOrder(t *testing.T) {
	var c cell[int]
	arms, order := make([]arm, 40), []int(nil)
	store := func(from, to int) {
		for i := from; i < to; i++ {
			arms[i].i, arms[i].arrived = int32(i), func(i int) Continuation { order = append(order, i); return nil }
			c.head.onCompleted(1, &arms[i])
		}
	}
	store(0, 30)
	for i := range 30 {
		if i%4 != 1 && !c.head.remove(&arms[i]) {
			t.Error("not found:", i)
		}
	}
	store(30, 40)
	c.head.remove(&arms[33])
	want, waiting := []int{1, 5, 9, 13, 17, 21, 25, 29, 30, 31, 32, 34, 35, 36, 37, 38, 39}, []int(nil)
	for _, k := range c.head.awaitedBy() {
		waiting = append(waiting, int(k.(*arm).i))
	}
	released, _ := c.complete(1, nil)
	new(round).run(released)
	if !slices.Equal(order, want) || !slices.Equal(waiting, want) {
		t.Errorf("waiting %v\nran %v\nwant %v", waiting, order, want)
	}
}

// A machine hands on a task only if its caller could not tell: neither where
// continuations resume nor whom a blocking Await parks would be another.
func TestHandsOn(t *testing.T) {
	host := newEnvironment(nil, someHost(1), nil)
	again := newEnvironment(nil, someHost(1), nil)
	other := newEnvironment(nil, someHost(2), nil)
	sc := someContext{}
	header := func(env *environment) *head {
		if env == nil {
			return new(head)
		}
		return &head{env: env, status: env.flags}
	}
	ui := host.with(sc, nil)
	for _, test := range []struct {
		what        string
		own, theirs *environment // own is the function's context's
		want        bool
	}{
		{"nobody's", nil, nil, true},
		{"nobody's, awaiting a host's", nil, host, true},
		{"nobody's, awaiting a context's", nil, newEnvironment(sc, nil, nil), true},
		{"of one host", host, host, true},
		{"of one host, told of it twice", host, again, true},
		{"of one host, with workers", host.with(nil, sc), host, true},
		{"of one context", ui, ui, true},
		{"of a context, awaiting what has none", ui, host, false},
		{"of a context without a host, awaiting what is nobody's", newEnvironment(sc, nil, nil), nil, false},
		{"with workers alone, awaiting what is nobody's", newEnvironment(nil, nil, sc), nil, true},
		{"of a host, awaiting what is nobody's", host, nil, false},
		{"of a host, awaiting another's", host, other, false},
	} {
		if got := header(test.theirs).handsOn(test.own); got != test.want {
			t.Errorf("%s: %v", test.what, got)
		}
	}
}

type someHost int

func (someHost) Executor() *Executor { return nil }
func (someHost) Block(Pending)       {}

type someContext struct{}

func (someContext) Post(Continuation) {}
