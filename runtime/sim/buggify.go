package sim

// buggifyRate is how many places are on in a World, and how often one that is on says true: FoundationDB's figures.
const buggifyRate = 25 * Percent

// buggifyOn is what the decisions whether a place is on are labelled by, before its name.
const buggifyOn = "buggify.on: "

// Buggify reports whether code under test should do now, at this place, what it may do but seldom does; code that has a
// context asks async.Buggify. It is false in Worlds without faults (WithFaults, Swarm), and once those are healed: whatever
// a test waits for at its end must come about. With faults, of four places one is on in a World, and says true one time in
// four. In a calm World all are on, and each true is a deviation: Explore tries each of them. Test tells of places that
// have never said true.
func (w *World) Buggify(place string) bool {
	if w.healed || w.hazard == nil && w.decisions.script == nil {
		return false
	}
	on, known := w.buggified[place]
	if !known {
		if w.buggified == nil {
			w.buggified = make(map[string]bool)
		}
		on = w.decisions.Choose(buggifyOn+place, uint64(Always)) < uint64(buggifyRate)
		w.buggified[place] = on
	}
	strikes := on && w.decisions.strikes("buggify: "+place, buggifyRate)
	w.Sometimes("buggify: "+place, strikes)
	return strikes
}
