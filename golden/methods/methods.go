// Methods may be async, with value and pointer receivers: a value receiver is
// copied when the method is called.
package main

import (
	"context"
	"fmt"

	"github.com/nothread/nothread/golden/play"
	"github.com/nothread/nothread/runtime/async"
)

func main() { play.Main(Methods, MethodsAsync) }

// An account has a balance.
type account struct {
	owner   string
	balance int
}

// deposit adds to the balance and returns it.
//
//nothread:async
func (a *account) deposit(ctx context.Context, amount int) int {
	a.balance += play.Ask(ctx, amount).Await()
	return a.balance
}

// after returns what the account would be; it changes only its copy.
//
//nothread:async
func (a account) after(ctx context.Context, amounts ...int) account {
	for _, amount := range amounts {
		a.balance += play.Ask(ctx, amount).Await()
	}
	return a
}

// origin has no use for its receiver.
//
//nothread:async
func (account) origin(ctx context.Context) string {
	return play.Ask(ctx, "the bank").Await()
}

// Methods calls them on a value, a pointer and through an interface.
//
//nothread:async
func Methods(ctx context.Context) {
	a := account{owner: "ann"}
	balance, _ := a.depositAsync(ctx, 10).Await()
	later := a.afterAsync(ctx, 5, 6) // copies a
	a.balance = 1000
	then, _ := later.Await()
	fmt.Println(balance, then, a)

	var depositor interface {
		depositAsync(context.Context, int) async.Task[int]
	} = &a
	balance, _ = depositor.depositAsync(ctx, 1).Await()
	from, _ := a.originAsync(ctx).Await()
	fmt.Println(balance, a.balance, from)
}
