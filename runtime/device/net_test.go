package device

import (
	"testing"
	"time"
)

// pair is two adapters on a wire, each with buffers to receive into, on one bench.
func newPair(t *testing.T, cfg AdapterConfig, wire WireConfig) (b *bench, from, to *Adapter, w *Wire) {
	t.Helper()
	b = new(bench)
	var err error
	if from, err = NewAdapter("a", cfg); err != nil {
		t.Fatal(err)
	}
	if to, err = NewAdapter("b", cfg); err != nil {
		t.Fatal(err)
	}
	from.Connect(&b.Virtual, b, new(bench), nil)
	to.Connect(&b.Virtual, b, b, nil)
	for i := range to.ReceiveSize() {
		to.Receive(uint64(i)).Buffer = make([]byte, to.MTU())
	}
	to.ReceiveDoorbell(uint64(to.ReceiveSize()))
	if w, err = NewWire(from, to, wire); err != nil {
		t.Fatal(err)
	}
	return b, from, to, w
}

// settle lets everything happen.
func (b *bench) settle() {
	for b.Step() {
	}
}

func transmit(a *Adapter, tail uint64, frames ...string) {
	for i, f := range frames {
		a.Transmit(tail + uint64(i)).Frame = []byte(f)
	}
	a.TransmitDoorbell(tail + uint64(len(frames)))
}

func TestRings(t *testing.T) {
	b, from, to, _ := newPair(t, AdapterConfig{Receive: 2, Transmit: 3, MTU: 8}, WireConfig{})
	transmit(from, 0, "one", "two", "much too long")
	b.settle()
	if !from.Transmit(0).Done || !from.Transmit(2).Done || !to.InterruptPending() {
		t.Fatal("not sent, or no interrupt")
	}
	if d := to.Receive(0); !d.Done || string(d.Buffer[:d.Length]) != "one" {
		t.Errorf("%+v", d)
	}
	// Both buffers are full: what comes now is missed, until the driver gives one back.
	transmit(from, 3, "three")
	b.settle()
	if c := to.Counts(); c.Missed != 1 || c.Received != 2 {
		t.Errorf("%+v", c)
	}
	to.Receive(0).Done = false
	to.ReceiveDoorbell(3)
	transmit(from, 4, "four")
	b.settle()
	if d := to.Receive(2); !d.Done || string(d.Buffer[:d.Length]) != "four" {
		t.Errorf("%+v", d)
	}
	to.Acknowledge()
	if to.InterruptPending() || b.asserted {
		t.Error("still asserted after Acknowledge")
	}
}

func TestDoorbellsThatMakeNoSense(t *testing.T) {
	_, from, to, _ := newPair(t, AdapterConfig{Receive: 2, Transmit: 2}, WireConfig{})
	for what, f := range map[string]func(){
		"more buffers than descriptors": func() { to.ReceiveDoorbell(3) },
		"more frames than descriptors":  func() { from.TransmitDoorbell(3) },
		"backwards":                     func() { to.ReceiveDoorbell(1) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", what)
				}
			}()
			f()
		}()
	}
	if _, err := NewWire(from, to, WireConfig{}); err == nil {
		t.Error("two wires on one adapter: no error")
	}
	if _, err := NewAdapter("x", AdapterConfig{MTU: -1}); err == nil {
		t.Error("a negative MTU: no error")
	}
}

// TestA29_AdapterCoalesces: one interrupt for Threshold+1 descriptors, or for those that have waited long enough.
func TestA29_AdapterCoalesces(t *testing.T) {
	b, from, to, _ := newPair(t, AdapterConfig{Coalesce: Coalescing{Threshold: 2, Time: 1}}, WireConfig{})
	transmit(from, 0, "1", "2", "3", "4", "5")
	b.settle()
	if b.asserts != 2 || to.Counts().Received != 5 {
		t.Errorf("%d interrupts for %d frames: three at once, two after a while", b.asserts, to.Counts().Received)
	}
}

// TestWire: each rate does what it says, and no other choice is made.
func TestWire(t *testing.T) {
	for name, c := range map[string]struct {
		cfg  WireConfig
		want WireCounts
		got  int // frames that arrive, of 10
	}{
		"good":       {WireConfig{}, WireCounts{Carried: 10}, 10},
		"loses":      {WireConfig{Loss: perMillion}, WireCounts{Lost: 10}, 0},
		"duplicates": {WireConfig{Duplicates: perMillion}, WireCounts{Carried: 10, Duplicated: 10}, 20},
		"reorders":   {WireConfig{Reorders: perMillion}, WireCounts{Carried: 10, Reordered: 10}, 10},
	} {
		b, from, to, w := newPair(t, AdapterConfig{}, c.cfg)
		for i := range uint64(10) {
			transmit(from, i, "frame")
		}
		b.settle()
		if w.Counts() != c.want || int(to.Counts().Received) != c.got {
			t.Errorf("%s: %+v, %d have arrived", name, w.Counts(), to.Counts().Received)
		}
		w.Cut(true)
		transmit(from, 10, "frame")
		b.settle()
		if int(to.Counts().Received) != c.got {
			t.Errorf("%s: a wire that is cut carries", name)
		}
		if w.SetConfig(WireConfig{Loss: -1}) == nil || w.SetConfig(WireConfig{Jitter: -1}) == nil {
			t.Errorf("%s: a negative rate or delay: no error", name)
		}
	}
}

func TestWireToItself(t *testing.T) {
	b := new(bench)
	a, err := NewAdapter("a", AdapterConfig{})
	if err != nil {
		t.Fatal(err)
	}
	a.Connect(&b.Virtual, b, b, nil)
	a.Receive(0).Buffer = make([]byte, 100)
	a.ReceiveDoorbell(1)
	if _, err := NewWire(a, a, WireConfig{}); err != nil {
		t.Fatal(err)
	}
	transmit(a, 0, "echo")
	b.settle()
	if d := a.Receive(0); string(d.Buffer[:d.Length]) != "echo" {
		t.Errorf("%q", d.Buffer[:d.Length])
	}
}

func TestTimerChip(t *testing.T) {
	b := new(bench)
	c, err := NewTimer("timer", TimerConfig{Resolution: time.Microsecond})
	if err != nil {
		t.Fatal(err)
	}
	c.Connect(&b.Virtual, b, b)
	c.Compare(1500)
	c.Compare(2500) // what it said before is forgotten
	b.settle()
	if b.Now() != 3000 || b.asserts != 1 || !c.InterruptPending() {
		t.Errorf("at %v, %d interrupts", b.Now(), b.asserts)
	}
	c.Acknowledge()
	c.Compare(9000)
	c.Compare(1<<63 - 1) // never
	if b.Step() || c.InterruptPending() || b.asserted {
		t.Error("the comparator says never, and it rings")
	}
}

func TestToasterHardware(t *testing.T) {
	b := new(bench)
	toaster, err := NewToaster("toaster", ToasterConfig{Slots: 2})
	if err != nil {
		t.Fatal(err)
	}
	toaster.Connect(&b.Virtual, b, b, b)
	if n := toaster.Load([]byte("abc")); n != 2 {
		t.Errorf("%d slices in two slots", n)
	}
	toaster.PullLever()
	if toaster.InterruptPending() || len(toaster.Plate()) != 0 {
		t.Error("done before its time")
	}
	b.settle()
	popped, ok := toaster.TakePopped()
	if !ok || popped != (Popped{Slices: 2}) || string(toaster.Plate()) != "ab" || !b.asserted {
		t.Errorf("%+v, %q", popped, toaster.Plate())
	}
	toaster.Acknowledge()
	if _, ok := toaster.TakePopped(); ok || b.asserted {
		t.Error("the result register is not cleared, or the line is asserted")
	}
	toaster.PullLever() // on nothing: Load was not called
	b.settle()
	if popped, _ := toaster.TakePopped(); popped.Status != BadCommand {
		t.Errorf("%+v", popped)
	}
}

// troubled is a bench whose hardware fails in the ways named, at every opportunity.
type troubled struct {
	*bench
	faults map[Fault]bool
}

func (t troubled) Strike(f Fault) bool { return t.faults[f] }

// TestAdapterFaults: a frame that fails on its way out goes nowhere, and is done all the same; an interrupt that comes
// before its frame has left does not come again.
func TestAdapterFaults(t *testing.T) {
	for _, tc := range []struct {
		fault                   Fault
		sent, spoiled, received uint64
	}{{HardError, 1, 1, 0}, {PassingError, 1, 1, 0}, {InterruptBeforeDMA, 1, 0, 1}, {HeavyTail, 1, 0, 1}, {ShortTransfer, 1, 0, 1}} {
		b, from, to, _ := newPair(t, AdapterConfig{}, WireConfig{})
		calls := new(bench)
		from.Connect(&b.Virtual, troubled{b, map[Fault]bool{tc.fault: true}}, calls, nil)
		transmit(from, 0, "frame")
		began := b.Now()
		for !from.Transmit(0).Done && b.Step() {
			if tc.fault == InterruptBeforeDMA && !from.Transmit(0).Done && !from.InterruptPending() {
				t.Error("no interrupt before the frame has left")
			}
		}
		from.Acknowledge()
		if took := b.Now().Sub(began); (tc.fault == HeavyTail) != (took >= 600*time.Nanosecond) && tc.fault != InterruptBeforeDMA {
			t.Errorf("%v: sent in %v", tc.fault, took)
		}
		b.settle()
		if c := from.Counts(); c.Sent != tc.sent || c.Spoiled != tc.spoiled || to.Counts().Received != tc.received || from.InterruptPending() {
			t.Errorf("%v: %+v, received %+v, interrupt pending %v", tc.fault, c, to.Counts(), from.InterruptPending())
		}
	}
}

// torn is a bench whose adapter has one fault.
type torn struct {
	*bench
	fault Fault
	times int
}

func (o *torn) Strike(f Fault) bool {
	if f != o.fault || o.times == 0 {
		return false
	}
	o.times--
	return true
}

// TestTornFrames: a short transfer lets a part of a frame through, a zero transfer nothing, out and in.
func TestTornFrames(t *testing.T) {
	for _, tc := range []struct {
		fault    Fault
		in       bool // at the receiver
		received uint64
		length   int
	}{
		{ShortTransfer, false, 1, 3}, {ZeroTransfer, false, 0, 0}, {ShortTransfer, true, 1, 3}, {ZeroTransfer, true, 1, 0},
	} {
		b, from, to, _ := newPair(t, AdapterConfig{}, WireConfig{})
		b.draw = 2
		at := from
		if tc.in {
			at = to
		}
		at.Connect(&b.Virtual, &torn{b, tc.fault, 1}, b, nil)
		transmit(from, 0, "frame")
		b.settle()
		d := to.Receive(0)
		if !from.Transmit(0).Done || to.Counts().Received != tc.received || d.Length != tc.length || at.Counts().Torn != 1 {
			t.Errorf("%v, in: %v: %+v, %+v, %+v", tc.fault, tc.in, from.Counts(), to.Counts(), d)
		}
	}
}

// TestPulledOut: an adapter that is pulled out sends nothing more and takes nothing, and its slot says so until it is heard.
func TestPulledOut(t *testing.T) {
	b, from, to, _ := newPair(t, AdapterConfig{}, WireConfig{})
	from.Connect(&b.Virtual, &torn{b, Removal, 1}, b, nil)
	b.asserts = 0
	transmit(from, 0, "one", "two")
	b.Advance(b.Now().Add(10*repeat + repeat/2))
	if from.Present() || from.Transmit(0).Done || to.Counts().Received != 0 || !from.InterruptPending() {
		t.Errorf("%+v, %+v", from.Counts(), to.Counts())
	}
	if b.asserts != 11 {
		t.Errorf("the slot has called %d times", b.asserts)
	}
	from.Acknowledge()
	transmit(to, 0, "to nobody")
	transmit(from, 2, "three")
	from.Remove()
	b.settle()
	if b.asserts != 12 || from.Counts().Missed != 1 || from.Counts().Sent != 0 { // and the other one's interrupt
		t.Errorf("%d interrupts, %+v", b.asserts, from.Counts())
	}
}
