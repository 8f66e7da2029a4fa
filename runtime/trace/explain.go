package trace

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/kernel"
)

// Explain writes the way of one IRP as r has kept it: a line for each hop, with its time, how long after the one before
// that was, the IRQL, and on what it ran. Those that bear no number, from the interrupt to the DPC and from the post to the
// machine that goes on, are found as in a trace for Perfetto.
func Explain(out io.Writer, r *Recorder, irp uint64) error {
	records, dropped := r.kept()
	seen, hops := wayOf(records, irp)
	if seen == nil {
		return fmt.Errorf("irp#%d is not in the record%s", irp, kept(records, dropped))
	}
	complete := slices.ContainsFunc(hops, func(i int) bool {
		kind := records[i].hop.Kind
		return kind == kernel.HopIRPComplete || kind == kernel.HopTaskComplete // the former may not be kept
	})
	w := bufio.NewWriter(out)
	fmt.Fprintf(w, "%s, %d hops", seen.name, len(hops))
	if !complete {
		fmt.Fprintf(w, ", not complete yet")
	}
	fmt.Fprintln(w)
	if dropped > 0 && records[hops[0]].hop.Kind != kernel.HopIRPBuilt {
		fmt.Fprintf(w, "%12s  (what came before is not kept)\n", "⋮")
	}
	before := records[hops[0]].hop.Time
	for _, i := range hops {
		h := &records[i].hop
		later := ""
		if d := h.Time.Sub(before); d > 0 {
			later = "+" + d.String()
		}
		fmt.Fprintf(w, "%s  %s  %-8s  %-14s  %s\n", right(h.Time.String(), timeWidth), right(later, timeWidth), h.Level(), h.Where(),
			strings.TrimPrefix(says(&records[i]), fmt.Sprintf("irp#%d: ", irp)))
		before = h.Time
	}
	return w.Flush()
}

// wayOf finds the IRP, nil if it was not seen, and its hops' places in records. It follows requests as a chart does, with
// places for times.
func wayOf(records []record, irp uint64) (seen *request, hops []int) {
	c := &chart{way: newWay()}
	moves := make(map[string][]bool) // by device and offset: of the transfers that have begun, whether it is the IRP's
	queued := make(map[int]int)      // by a DPC's place: that of its being queued
	last := make(map[string]int)     // of those that wait, by name
	for i := range records {
		x := &records[i]
		h := &x.hop
		c.now = int64(i + 1)
		if x.machine != 0 {
			if x.event == async.MachineResumed {
				c.goesOn(x, track{})
			}
			continue
		}
		switch h.Kind {
		case kernel.HopDPCQueued:
			last[h.Name] = i
		case kernel.HopDPC:
			queued[i] = last[h.Name]
			delete(last, h.Name)
		}
		c.requests(x, track{})
		if h.IRP == irp {
			hops = append(hops, i)
		}
		move := fmt.Sprint(h.Name, " ", h.M)
		switch begun := moves[move]; {
		case h.Kind == kernel.HopDMAStart:
			moves[move] = append(begun, h.IRP == irp)
		case h.Kind == kernel.HopDMADone && len(begun) > 0:
			if begun[0] {
				hops = append(hops, i)
			}
			moves[move] = begun[1:]
		}
	}
	if seen = c.byID[irp]; seen == nil || irp == 0 {
		return nil, nil
	}
	for _, p := range seen.way {
		i := int(p.ts - 1)
		switch kind := records[i].hop.Kind; {
		case kind == kernel.HopDPC && queued[i] != 0:
			hops = append(hops, queued[i])
		case kind == kernel.HopResumed && i+1 < len(records) && records[i+1].event == async.MachineResumed && records[i+1].machine != 0:
			hops = append(hops, i+1) // the machine
		}
		hops = append(hops, i)
	}
	slices.Sort(hops)
	return seen, slices.Compact(hops)
}

// kept says which IRPs there are.
func kept(records []record, dropped int) string {
	var first, last uint64
	for i := range records {
		if n := records[i].hop.IRP; n != 0 {
			if first == 0 || n < first {
				first = n
			}
			last = max(last, n)
		}
	}
	switch {
	case last == 0:
		return ": no IRP is"
	case first == last:
		return fmt.Sprintf(": irp#%d is the only one", first)
	case dropped > 0:
		return fmt.Sprintf(": of what is kept, the last %d records, the IRPs are irp#%d to irp#%d", len(records), first, last)
	}
	return fmt.Sprintf(": the IRPs are irp#%d to irp#%d", first, last)
}

// right puts a text at the right of a column.
func right(s string, width int) string {
	return strings.Repeat(" ", max(0, width-utf8.RuneCountInString(s))) + s
}
