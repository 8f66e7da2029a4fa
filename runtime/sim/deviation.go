package sim

import (
	"fmt"
	"math"
	"net/url"
	"strconv"
	"strings"

	"github.com/nothread/nothread/runtime/clock"
)

// Deviation is a decision that is not calm. Of a World's decisions 0 is the calm choice each time: nothing fails, who came
// first goes first, nothing takes longer than it must.
type Deviation struct {
	Label  string
	Number uint64 // of the decision among those with its label, from 1
	Choice uint64 // not 0; Greatest, or as much as there is
}

// Greatest is the last choice of any decision, however many it has.
const Greatest = math.MaxUint64

// Deviations are all that is not calm in a run. With the World's seed, which decides nothing then, they are the run.
type Deviations []Deviation

// calm is the text of no deviations.
const calm = "calm"

// String returns the deviations as text without spaces, such as "lost+interrupt:2,disk.latency:1=40000"; or "calm".
func (d Deviations) String() string {
	if len(d) == 0 {
		return calm
	}
	texts := make([]string, len(d))
	for i, x := range d {
		texts[i] = x.String()
	}
	return strings.Join(texts, ",")
}

// String returns the deviation as Deviations have it. The greatest choice is not mentioned.
func (d Deviation) String() string {
	text := fmt.Sprintf("%s:%d", strings.ReplaceAll(url.QueryEscape(d.Label), "%3A", ":"), d.Number)
	if d.Choice != Greatest {
		text += fmt.Sprintf("=%d", d.Choice)
	}
	return text
}

// ParseDeviations reads what String wrote.
func ParseDeviations(s string) (Deviations, error) {
	if s = strings.TrimSpace(s); s == calm {
		return nil, nil
	}
	var all Deviations
	for _, text := range strings.Split(s, ",") {
		d, ok := parseDeviation(text)
		if !ok {
			return nil, fmt.Errorf("sim: %q is no deviation: it should look like disk.latency:1=40000, or disk.latency:1 for the greatest choice", text)
		}
		all = append(all, d)
	}
	return all, nil
}

func parseDeviation(text string) (d Deviation, ok bool) {
	text, choice, chosen := strings.Cut(text, "=")
	colon := max(0, strings.LastIndexByte(text, ':')) // the label may have some, too
	label, number := text[:colon], strings.TrimPrefix(text[colon:], ":")
	d.Choice = Greatest
	var errs [3]error
	d.Label, errs[0] = url.QueryUnescape(label)
	d.Number, errs[1] = strconv.ParseUint(number, 10, 64)
	if chosen {
		d.Choice, errs[2] = strconv.ParseUint(choice, 10, 64)
	}
	return d, errs == [3]error{} && d.Label != "" && d.Number > 0 && d.Choice > 0
}

// WithDeviations makes every decision of the World calm, whatever its seed, but for these. One whose label and number do
// not come up changes nothing. Of this and WithReplay the last one counts.
func WithDeviations(d Deviations) Option {
	return func(o *options) { o.script, o.replay = newScript(d), nil }
}

// script decides in the place of a seed.
type script struct {
	numbering
	all    Deviations
	choice map[place]uint64
	clock  clock.Clock // the World's
	came   []arrival
}

// arrival is a deviation that has come up, and when.
type arrival struct {
	Deviation
	at clock.Time
}

// place is a decision: the first, second … with its label.
type place struct {
	label  string
	number uint64
}

// numbering counts decisions by their labels.
type numbering map[string]uint64

// next is the place of the next decision with a label.
func (made numbering) next(label string) place {
	made[label]++
	return place{label, made[label]}
}

// deviation is the next decision with a label; its Choice is 0 if that is calm.
func (made numbering) deviation(label string, chosen, of uint64) Deviation {
	at := made.next(label)
	if chosen > 0 && chosen == of-1 {
		chosen = Greatest
	}
	return Deviation{at.label, at.number, chosen}
}

// newScript takes the last deviation of a decision, if there are several.
func newScript(all Deviations) *script {
	s := &script{numbering: make(numbering), all: all, choice: make(map[place]uint64)}
	for _, d := range all {
		s.choice[place{d.Label, d.Number}] = d.Choice
	}
	return s
}

func (s *script) choose(label string, n uint64) uint64 {
	at := s.next(label)
	choice, deviates := s.choice[at]
	if !deviates {
		return 0
	}
	s.came = append(s.came, arrival{Deviation{label, at.number, choice}, s.clock.Now()})
	return min(choice, n-1)
}

// missed are the deviations whose decisions have not come up.
func (s *script) missed() (missed Deviations) {
	for _, d := range s.all {
		if d.Number > s.numbering[d.Label] {
			missed = append(missed, d)
		}
	}
	return missed
}
