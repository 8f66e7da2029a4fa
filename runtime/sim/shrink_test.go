package sim

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestLeast: of a failure that needs some deviations, whatever else there is, exactly those are left, each as the simplest
// that fails; and of any other one no deviation can be left out.
func TestLeast(t *testing.T) {
	labels := rapid.SampledFrom([]string{"disk.latency", "lost interrupt", "thread.next", "a, b:1=2"})
	rapid.Check(t, func(t *rapid.T) {
		var all, needed Deviations
		for i := range rapid.IntRange(0, 60).Draw(t, "deviations") {
			d := Deviation{Label: labels.Draw(t, "label"), Number: uint64(i + 1), Choice: rapid.Uint64Range(1, 1e6).Draw(t, "choice")}
			all = append(all, d)
			if rapid.IntRange(0, 5).Draw(t, "needed") == 0 {
				needed = append(needed, d)
			}
		}
		has := func(d Deviations, x Deviation) bool {
			return slices.ContainsFunc(d, func(y Deviation) bool { return y.Label == x.Label && y.Number == x.Number && y.Choice >= x.Choice })
		}
		tries := 0
		got, ok := least(all, func(d Deviations) bool {
			tries++
			return !slices.ContainsFunc(needed, func(x Deviation) bool { return !has(d, x) })
		})
		for i := range needed {
			needed[i].Choice = Greatest
		}
		if !ok || !slices.Equal(got, needed) {
			t.Errorf("%v of %v, want %v", got, all, needed)
		}
		if most := 8 + 8*(len(needed)+1)*7 + 2*len(needed) + vainMoves; tries > most {
			t.Errorf("%d tries for %d of %d", tries, len(needed), len(all))
		}
		parity, ok := least(all, func(d Deviations) bool { return len(d)%2 == len(all)%2 && len(d) >= len(needed) })
		if !ok || len(parity)%2 != len(all)%2 || len(parity) < len(needed) {
			t.Errorf("%v of %v does not fail", parity, all)
		}
	})
	if d, ok := least(Deviations{{"a", 1, 1}}, func(Deviations) bool { return false }); ok {
		t.Errorf("%v, of what does not fail", d)
	}
}

// TestSmallerChoices: where the greatest does not fail a smaller choice is looked for.
func TestSmallerChoices(t *testing.T) {
	got, ok := least(Deviations{{"disk.latency", 3, 900}}, func(d Deviations) bool {
		return len(d) == 1 && d[0].Choice >= 100 && d[0].Choice < 1000
	})
	if want := (Deviations{{"disk.latency", 1, 112}}); !ok || !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// TestMovedDeviations: what only fails because others come before it is brought to where it fails without them.
func TestMovedDeviations(t *testing.T) {
	all := Deviations{{"slow", 1, 7}, {"slow", 3, 7}, {"slow", 4, 7}, {"slow", 8, 7}, {"slow", 9, 7}, {"lost", 31, Greatest}}
	got, ok := least(all, func(d Deviations) bool {
		slow := uint64(len(d) - 1)
		return slices.ContainsFunc(d, func(x Deviation) bool { return x.Label == "lost" && x.Number == 21+2*slow })
	})
	if !ok || len(got) > veryFew {
		t.Errorf("%v", got)
	}
}
