// A machine's fields cannot be of every type that its variables are of: not of
// one that another package keeps to itself, nor of one of two that bear the same
// name in a function. What lives across an await is kept as any then.
package main

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/nothread/nothread/golden/play"
)

func main() { play.Main(Boxed, BoxedAsync) }

// Boxed reads a header and a name.
//
//nothread:async
func Boxed(ctx context.Context) {
	order := binary.BigEndian // a binary.bigEndian
	{
		type record struct{ kind, size uint16 }
		var header record
		header.kind = order.Uint16(play.Ask(ctx, []byte{0, 7}).Await())
		header.size = order.Uint16(play.Ask(ctx, []byte{1, 0}).Await())
		fmt.Printf("%+v\n", header)
	}
	{
		type record struct{ name string }
		r := record{play.Ask(ctx, "no").Await()}
		r.name += play.Ask(ctx, "thread").Await()
		fmt.Printf("%+v\n", r)
	}
}
