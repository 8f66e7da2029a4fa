package clock

import (
	"math/rand/v2"
	"slices"
	"sort"
	"strconv"
	"testing"
	"time"
)

type bell struct {
	Timer
	id   int
	rung *[]int
	at   *[]Time
}

func (b *bell) Ring(now Time) {
	*b.rung = append(*b.rung, b.id)
	*b.at = append(*b.at, now)
}

// TestOrder compares the wheel with the plainest store there is: a stable sort by deadline.
func TestOrder(t *testing.T) {
	for seed := range uint64(400) {
		rng := rand.New(rand.NewPCG(seed, 1))
		var v Virtual
		var rung, want []int
		var at, wantAt []Time
		type set struct {
			id int
			at Time
		}
		var model []set
		bells := map[int]*bell{}
		id := 0
		pop := func(limit Time) {
			sort.SliceStable(model, func(i, j int) bool { return model[i].at < model[j].at })
			for len(model) > 0 && model[0].at <= limit {
				want, wantAt = append(want, model[0].id), append(wantAt, model[0].at)
				model = model[1:]
			}
		}
		for range 400 {
			switch rng.IntN(4) {
			case 0, 1:
				when := v.Now() + Time(rng.Int64N(1<<rng.IntN(1+int(seed%40)))) // crowded or sparse
				if rng.IntN(4) == 0 && len(model) > 0 {
					when = model[len(model)-1].at // an equal deadline
				}
				b := &bell{id: id, rung: &rung, at: &at}
				b.Alarm = b
				bells[id] = b
				v.Set(&b.Timer, when)
				model = append(model, set{id, when})
				id++
			case 2:
				to := v.Now() + Time(rng.Int64N(1<<rng.IntN(36)))
				v.Advance(to)
				pop(to)
				if v.Now() != to {
					t.Fatalf("seed %d: clock stands at %v, want %v", seed, v.Now(), to)
				}
			case 3:
				if len(model) > 0 {
					i := rng.IntN(len(model))
					if !v.Stop(&bells[model[i].id].Timer) {
						t.Fatalf("seed %d: Stop says not armed", seed)
					}
					model = slices.Delete(model, i, i+1)
				}
			}
			if v.Len() != len(model) {
				t.Fatalf("seed %d: %d armed, want %d", seed, v.Len(), len(model))
			}
		}
		for v.Step() {
		}
		pop(Never)
		if !slices.Equal(rung, want) || !slices.Equal(at, wantAt) {
			t.Fatalf("seed %d: rang %v at %v\nwant %v at %v", seed, rung, at, want, wantAt)
		}
	}
}

// TestSetWhileRinging arms timers for the present moment from within Ring: they ring in the same advance, last.
func TestSetWhileRinging(t *testing.T) {
	var v Virtual
	var rung []int
	var at []Time
	late := &bell{id: 2, rung: &rung, at: &at}
	late.Alarm = late
	second := &bell{id: 1, rung: &rung, at: &at}
	second.Alarm = second
	first := &Timer{Alarm: AlarmFunc(func(now Time) { v.Set(&late.Timer, now-5); rung = append(rung, 0) })}
	v.Set(first, 1000)
	v.Set(&second.Timer, 1000)
	v.Advance(1000)
	if want := []int{0, 1, 2}; !slices.Equal(rung, want) {
		t.Fatalf("rang %v, want %v", rung, want)
	}
}

func TestFarDeadlines(t *testing.T) {
	var v Virtual
	var rung []int
	var at []Time
	for i, when := range []Time{Never, 1 << 40, 3} {
		b := &bell{id: i, rung: &rung, at: &at}
		b.Alarm = b
		v.Set(&b.Timer, when)
	}
	for v.Step() {
	}
	if want := []int{2, 1, 0}; !slices.Equal(rung, want) {
		t.Fatalf("rang %v, want %v", rung, want)
	}
	if v.Now() != Never || v.Next() != Never {
		t.Fatalf("clock stands at %v, next %v", v.Now(), v.Next())
	}
}

// TestStepBy: what is due by the limit rings, what is later does not, and the clock stands at the limit.
func TestStepBy(t *testing.T) {
	var v Virtual
	var rung []int
	var at []Time
	for i, when := range []Time{500, 70_000, 70_001} {
		b := &bell{id: i, rung: &rung, at: &at}
		b.Alarm = b
		v.Set(&b.Timer, when)
	}
	for v.StepBy(70_000) {
	}
	if want := []int{0, 1}; !slices.Equal(rung, want) || v.Now() != 70_000 || v.Len() != 1 {
		t.Fatalf("rang %v, want %v; the clock stands at %v with %d timers", rung, want, v.Now(), v.Len())
	}
	if v.StepBy(69_999) || v.Now() != 70_000 {
		t.Fatalf("a limit that has passed moved the clock to %v", v.Now())
	}
	if !v.StepBy(Never) || v.StepBy(80_000) || v.Now() != 70_001 {
		t.Fatalf("rang %v, the clock stands at %v with nothing left", rung, v.Now())
	}
}

func TestTimeText(t *testing.T) {
	for ns, want := range map[Time]string{0: "0.000µs", 5: "0.005µs", 104250: "104.250µs", -1: "-0.001µs"} {
		if got := ns.String(); got != want {
			t.Errorf("%d ns: %q, want %q", int64(ns), got, want)
		}
	}
	if got := Time(5).Add(time.Duration(Never)); got != Never {
		t.Errorf("Add overflows to %d", got)
	}
}

func TestReal(t *testing.T) {
	r := NewReal()
	rang := make(chan Time, 1)
	tm := &Timer{Alarm: AlarmFunc(func(now Time) { rang <- now })}
	r.Set(tm, r.Now().Add(time.Hour))
	if !r.Stop(tm) {
		t.Fatal("Stop of an armed timer says false")
	}
	due := r.Now().Add(time.Millisecond)
	r.Set(tm, due)
	if now := <-rang; now < due {
		t.Fatalf("rang at %v, before %v", now, due)
	}
}

// BenchmarkTimer sets and rings one timer while n others are armed: the cost must not grow with n.
func BenchmarkTimer(b *testing.B) {
	for _, n := range []int{1, 1000, 1_000_000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			var v Virtual
			rng := rand.New(rand.NewPCG(1, 2))
			timers := make([]Timer, n)
			for i := range timers {
				tm := &timers[i]
				tm.Alarm = AlarmFunc(func(now Time) { v.Set(tm, now+80_000+Time(rng.Int64N(40_000))) })
				v.Set(tm, Time(rng.Int64N(40_000)))
			}
			b.ReportAllocs()
			for b.Loop() {
				v.Step()
			}
		})
	}
}
