//go:build !race

package async

// publish ends a phase of a cell that its caller owns: it sets the status, and with it
// makes known what the caller has written to the cell. Here a plain store does: the
// compiler and this processor keep stores in their order, nobody else stores to the
// status meanwhile, and who loads it atomically sees all that came before. An atomic
// store would be interlocked, and take as long as the rest of a completion. It would
// also hold back later loads, which nothing needs: each phase is entered by an
// interlocked instruction on the same word, and who finds it entered waits.
func publish(status *uint32, s uint32) { *status = s }
