// Whatever has the four methods of the pattern can be awaited: a type of one's
// own, with as many results as it likes, embedded, or behind an interface.
package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/nothread/nothread/golden/play"
	"github.com/nothread/nothread/runtime/async"
)

func main() { play.Main(Customawaitable, CustomawaitableAsync) }

// A sentence is awaited for two results, and no error.
type sentence struct{ task async.Task[string] }

func (s sentence) IsCompleted() bool                     { return s.task.IsCompleted() }
func (s sentence) OnCompleted(c async.Continuation) bool { return s.task.OnCompleted(c) }
func (s sentence) GetResult() (string, int)              { return split(s.task.GetResult()) }
func (s sentence) Await() (string, int)                  { return split(s.task.Await()) }

// split returns the first word and the number of words.
func split(s string, _ error) (string, int) {
	words := strings.Fields(s)
	return words[0], len(words)
}

// A letter is awaitable because what it embeds is.
type letter struct {
	sentence
	from string
}

// An awaitable is any of them.
type awaitable interface {
	IsCompleted() bool
	OnCompleted(c async.Continuation) bool
	GetResult() (string, int)
	Await() (string, int)
}

// Customawaitable awaits one of each.
//
//nothread:async
func Customawaitable(ctx context.Context) {
	first, words := sentence{play.Value(ctx, "there is no thread")}.Await()
	fmt.Println(first, words)

	post := &letter{sentence{play.Value(ctx, "dear reader")}, "bob"}
	first, words = post.Await()
	fmt.Println(first, words, post.from)

	var any awaitable = sentence{play.Value(ctx, "whatever it is")}
	fmt.Println(any.Await())

	fmt.Println(play.Value(ctx, 5).ConfigureAwait(false).Await())
}
