package trace_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/kernel"
	"github.com/nothread/nothread/runtime/trace"
)

// small is a trace that is right; each planted fault replaces a part of it.
const small = `{"otherData":{},"traceEvents":[
{"ph":"M","pid":1,"tid":0,"name":"process_name","args":{"name":"threads"}},
{"ph":"M","pid":1,"tid":9,"name":"thread_name","args":{"name":"one"}},
{"ph":"B","pid":1,"tid":9,"ts":1,"name":"outer"},
{"ph":"s","pid":1,"tid":9,"ts":1,"name":"way","cat":"way","id":1},
{"ph":"X","pid":1,"tid":9,"ts":1,"dur":0.5,"name":"inner"},
{"ph":"C","pid":1,"tid":0,"ts":1,"name":"n","args":{"count":1}},
{"ph":"b","pid":1,"tid":0,"ts":2,"name":"span","cat":"irp","id":1},
{"ph":"f","pid":1,"tid":9,"ts":2,"name":"way","cat":"way","id":1,"bp":"e"},
{"ph":"E","pid":1,"tid":9,"ts":3},
{"ph":"e","pid":1,"tid":0,"ts":3,"name":"span","cat":"irp","id":1}
]}`

const (
	opens      = `{"ph":"B","pid":1,"tid":9,"ts":1,"name":"outer"},` + "\n"
	beginsFlow = `{"ph":"s","pid":1,"tid":9,"ts":1,"name":"way","cat":"way","id":1},` + "\n"
	endsFlow   = `{"ph":"f","pid":1,"tid":9,"ts":2,"name":"way","cat":"way","id":1,"bp":"e"},` + "\n"
)

func TestValidate(t *testing.T) {
	if err := trace.Validate(strings.NewReader(small)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ old, new, says string }{
		{`"ph":"E","pid":1,"tid":9,"ts":3`, `"ph":"E","pid":1,"tid":9,"ts":0.5`, "after one at"},
		{`"ph":"E","pid":1,"tid":9`, `"ph":"E","pid":1,"tid":0`, "ends what has not begun"},
		{`{"ph":"E","pid":1,"tid":9,"ts":3},`, ``, "do not end"},
		{`"ts":3,"name":"span"`, `"ts":3,"name":"other"`, "not the innermost"},
		{`{"ph":"e","pid":1,"tid":0,"ts":3,"name":"span","cat":"irp","id":1}`, `{"ph":"C","pid":1,"tid":0,"ts":3,"name":"n","args":{"count":2}}`, "does not end"},
		{`"cat":"irp","id":1},`, `"cat":"irp"},`, "no category or no id"},
		{`"ph":"s","pid":1,"tid":9`, `"ph":"s","pid":1,"tid":0`, "hangs in the air"},
		{`"ph":"s"`, `"ph":"t"`, "has not begun"},
		{`"bp":"e"`, `"bp":""`, "ends in the slice around it"},
		{`"ph":"f"`, `"ph":"t"`, "flow way 1 does not end"},
		{`"count":1`, `"count":"one"`, "no number"},
		{`"count":1`, ``, "without a number"},
		{`"name":"threads"`, `"name":""`, "names nothing"},
		{`"ts":1,"dur"`, `"ts":-1,"dur"`, "no time"},
		{`"ts":1,"dur"`, `"ts":1e999,"dur"`, "ts is a JSON number"},
		{beginsFlow, beginsFlow + beginsFlow, "a second time"},
		{endsFlow, endsFlow + endsFlow, "has not begun"},
		{opens, strings.Repeat(opens, 512), "too many slices"},
		{`"ph":"B","pid":1,"tid":9,"ts":1`, `"ph":"B","pid":1,"tid":1`, "no time"},
		{`"name":"outer"`, `"name":""`, "no name"},
		{`"ph":"B"`, `"ph":"Q"`, "no such phase"},
		{`"ph":"C"`, `"ph":"i"`, "an instant that does not say of what"},
		{`"thread_name"`, `"thread_mane"`, "no such metadata"},
		{`"tid":9,"name":"thread_name"`, `"tid":7,"name":"thread_name"`, "thread 9 of process 1 has no name"},
		{`"ph":"B","pid":1,`, `"ph":"B",`, "no pid"},
		{`"dur":0.5`, `"dur":2.5`, "ends what has a slice in it"},
		{`"dur":0.5`, `"dur":0.0001`, "no duration"},
		{`"ph":"X","pid":1,"tid":9,"ts":1,"dur":0.5`, `"ph":"E","pid":1,"tid":9,"ts":1`, "hangs in the air"},
		{`"bp":"e"},
`, `"bp":"e"},
{"ph":"B","pid":1,"tid":9,"ts":2,"name":"inner"},
`, "do not end"},
		{`"id":1,"bp"`, `"id":1.5,"bp"`, "not a whole number"},
		{`"name":"way","cat":"way","id":1,"bp"`, `"name":"other","cat":"way","id":1,"bp"`, "has begun as"},
		{`"otherData":{}`, `"displayTimeUnit":"ns"`, "displayTimeUnit"},
		{`{"ph":"C","pid":1,"tid":0,"ts":1`, `{"ph":"C","pid":2,"tid":9,"ts":1`, "thread 9 is of process 1"},
		{`"ph":"C","pid":1`, `"ph":"C","pid":0`, "no pid"},
		{`]}`, `,{"ph":"M","pid":9,"tid":0,"name":"process_name","args":{"name":"other"}}]}`, "number of a process"},
		{`]}`, `]}{`, "behind the trace"},
		{`]}`, ``, "not JSON"},
		{small, `[]`, `not of the form {"traceEvents": [{…}, …]}: it is a JSON array`},
		{`"ts":2`, `"ts":"2"`, "ts is a JSON string"},
		{`"id":1,"bp"`, `"id":"0x1","bp"`, "not a whole number"},
	} {
		planted := strings.Replace(small, c.old, c.new, 1)
		if planted == small {
			t.Fatalf("%q is not there", c.old)
		}
		if err := trace.Validate(strings.NewReader(planted)); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%q for %q: %v", c.new, c.old, err)
		}
	}
}

// A recorder that keeps only the end of a run shows it all the same, whatever it begins in the middle of.
func TestTheEndOfARun(t *testing.T) {
	states := &async.States{Func: "f", File: "f.go", Line: 1, At: []async.State{{}, {Line: 2, Awaits: "x"}}}
	kinds := []kernel.HopKind{kernel.HopMessage, kernel.HopIRPBuilt, kernel.HopDMAStart, kernel.HopThreadBlocked, kernel.HopThreadUnblocked,
		kernel.HopTaskComplete, kernel.HopPosted, kernel.HopResumed, kernel.HopMessageLoop, kernel.HopThreadReturned}
	for most := 1; most < 30; most++ {
		r := trace.NewRecorder(most)
		r.Begin()
		for i := range 100 {
			h := kernel.Hop{CPU: i % 2, Thread: []string{"UI thread", "worker 1"}[i%3%2], Kind: kinds[i*7%len(kinds)], IRP: uint64(i % 5), Name: "UI thread"}
			r.Hop(&h, 1)
			r.Machine(async.MachineEvent(i%4), uint64(i%6+1), "p.f", states, 1, h)
		}
		var b, again bytes.Buffer
		if err := trace.Write(&b, r); err != nil {
			t.Fatal(err)
		}
		if err := trace.Validate(&b); err != nil {
			t.Errorf("of the last %d: %v", most, err)
		}
		if trace.Timeline(&again, r, trace.TimelineOptions{}); !strings.Contains(again.String(), "are not kept") {
			t.Errorf("of the last %d: %s", most, again.String())
		}
	}
}
