package inflight_test

import "github.com/nothread/nothread/runtime/async"

// late is there when it has been asked twice.
type late struct{ fail error }

func (late) IsCompleted() bool                   { return false }
func (late) OnCompleted(async.Continuation) bool { return false }
func (l late) GetResult() error                  { return l.fail }

// Await is for callers that are not async.
func (l late) Await() error { return l.fail }

// hasty is about to wait again and again, and never does, until then.
//
//nothread:async
func hasty(times int, fail error, then async.Task[int]) (int, error) {
	for range times {
		if err := (late{}).Await(); err != nil {
			return 0, err
		}
	}
	if err := (late{fail}).Await(); err != nil {
		return 0, err
	}
	n, err := then.Await()
	return n + 1, err
}
