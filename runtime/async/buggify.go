package async

import "context"

// Buggifier is a host whose programs are tested.
type Buggifier interface {
	// Buggify is what [Buggify] asks.
	Buggify(place string) bool
}

// Buggify reports whether the code at a place, which it names, should do now what it may do but seldom does: hand on less
// than it could, give up early, flush, try again, be slow. So a test meets often what would take years (FoundationDB's
// BUGGIFY). The host of ctx decides, a simulated World by its seed; without a host, as in production, it is false.
//
//	if async.Buggify(ctx, "a batch of one") {
//		batch = batch[:1]
//	}
func Buggify(ctx context.Context, place string) bool {
	b, ok := HostOf(ctx).(Buggifier)
	return ok && b.Buggify(place)
}
