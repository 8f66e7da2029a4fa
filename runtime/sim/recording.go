package sim

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"iter"
	"slices"
	"strings"
)

// Recording is a run's decisions, written down: three or four bytes each. Its text form (String, ParseRecording) is
// compressed, fits into a bug report, and has a checksum: one that was damaged on the way is not read.
//
// A seed replays a run as long as the code is the same. A recording says in addition where a run of changed code goes
// another way (Divergence). Behind its end the decisions are the World's own seed's.
type Recording struct {
	seed   uint64
	count  uint64
	labels []label
	data   []byte // for each decision: label<<1, +1 if its bound follows; the bound; the choice: unsigned varints
}

// label is a kind of decision, and the bound of its last one.
type label struct {
	text string
	of   uint64
}

// Seed returns the seed of the World that was recorded.
func (r *Recording) Seed() uint64 { return r.seed }

// Len returns the number of decisions.
func (r *Recording) Len() uint64 { return r.count }

func (r *Recording) add(text string, chosen, of uint64) {
	r.count++
	i := 0
	for i < len(r.labels) && r.labels[i].text != text {
		i++
	}
	if i == len(r.labels) {
		r.labels = append(r.labels, label{text: text})
	}
	if l := &r.labels[i]; l.of == of {
		r.data = binary.AppendUvarint(r.data, uint64(i)<<1)
	} else {
		l.of = of
		r.data = binary.AppendUvarint(r.data, uint64(i)<<1|1)
		r.data = binary.AppendUvarint(r.data, of)
	}
	r.data = binary.AppendUvarint(r.data, chosen)
}

// recordingPrefix names the format and its version.
const recordingPrefix = "nothread3."

// String returns the recording as text without spaces.
func (r *Recording) String() string {
	head := binary.AppendUvarint(nil, r.seed)
	head = binary.AppendUvarint(head, r.count)
	head = binary.AppendUvarint(head, uint64(len(r.labels)))
	for _, l := range r.labels {
		head = binary.AppendUvarint(head, uint64(len(l.text)))
		head = append(head, l.text...)
	}
	var out bytes.Buffer
	z, err := flate.NewWriter(&out, flate.BestCompression)
	if err != nil {
		panic(err) // the level is legal
	}
	z.Write(head)
	z.Write(r.data)
	z.Close()
	sealed := binary.BigEndian.AppendUint32(out.Bytes(), crc32.ChecksumIEEE(out.Bytes()))
	return recordingPrefix + recordingEncoding.EncodeToString(sealed)
}

// recordingEncoding has one text for each sequence of bytes.
var recordingEncoding = base64.RawURLEncoding.Strict()

// ParseRecording reads what String wrote.
func ParseRecording(s string) (*Recording, error) {
	text, ok := strings.CutPrefix(strings.TrimSpace(s), recordingPrefix)
	if !ok {
		return nil, errors.New("sim: not a recording: no " + recordingPrefix + " begins it")
	}
	sealed, err := recordingEncoding.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("sim: damaged recording: %w", err)
	}
	end := max(len(sealed)-4, 0)
	packed, sum := sealed[:end], sealed[end:]
	if !bytes.Equal(sum, binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE(packed))) {
		return nil, errors.New("sim: damaged recording: its checksum is another one")
	}
	const limit = 1 << 30
	data, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(packed)), limit))
	if err != nil {
		return nil, fmt.Errorf("sim: damaged recording: %w", err)
	}
	in := varints{data: data}
	r := &Recording{seed: in.next(), count: in.next()}
	for n := in.next(); n > 0 && !in.bad; n-- {
		r.labels = append(r.labels, label{text: in.text()})
	}
	r.data = in.data
	for check, n := (varints{data: r.data}), r.count; n > 0; n-- {
		if i := check.next(); i>>1 >= uint64(len(r.labels)) || check.bad {
			return nil, errors.New("sim: damaged recording")
		} else if i&1 == 1 {
			check.next()
		}
		check.next()
		in.bad = in.bad || check.bad
	}
	if in.bad {
		return nil, errors.New("sim: damaged recording")
	}
	return r, nil
}

// varints reads numbers; bad says that there was none.
type varints struct {
	data []byte
	bad  bool
}

func (v *varints) next() uint64 {
	n, size := binary.Uvarint(v.data)
	if size <= 0 {
		v.bad = true
		return 0
	}
	v.data = v.data[size:]
	return n
}

func (v *varints) text() string {
	n := v.next()
	if n > uint64(len(v.data)) {
		v.bad = true
		return ""
	}
	s := string(v.data[:n])
	v.data = v.data[n:]
	return s
}

// player reads a recording again.
type player struct {
	labels []label
	in     varints
	left   uint64
}

func (r *Recording) play() *player {
	p := &player{labels: slices.Clone(r.labels), in: varints{data: r.data}, left: r.count}
	for i := range p.labels {
		p.labels[i].of = 0
	}
	return p
}

// next returns the next decision; there must be one.
func (p *player) next() (text string, chosen, of uint64) {
	p.left--
	i := p.in.next()
	l := &p.labels[i>>1]
	if i&1 == 1 {
		l.of = p.in.next()
	}
	return l.text, p.in.next(), l.of
}

// choose returns the recorded choice; behind the recording's end, the seed's.
func (p *player) choose(d *Decisions, text string, n, seeds uint64) uint64 {
	if p.left == 0 {
		return seeds
	}
	was, chosen, of := p.next()
	if was != text || of != n || chosen >= n {
		p.left = 0
		panic(&Divergence{Number: d.count, Label: text, Of: n, WasLabel: was, WasOf: of, Decided: chosen})
	}
	return chosen
}

// Deviations returns what is not calm in the run: what a World with its seed needs to run so again.
func (r *Recording) Deviations() Deviations {
	var all Deviations
	for d := range r.decisions() {
		if d.Choice > 0 {
			all = append(all, d)
		}
	}
	return all
}

// decisions are all of the run's, also the calm ones, with the number of choices that each had.
func (r *Recording) decisions() iter.Seq2[Deviation, uint64] {
	return func(yield func(Deviation, uint64) bool) {
		made := make(numbering)
		for p := r.play(); p.left > 0; {
			label, chosen, of := p.next()
			if !yield(Deviation{label, made.next(label).number, chosen}, of) {
				return
			}
		}
	}
}

// WithRecording writes the World's decisions down, for World.Recording.
func WithRecording() Option { return func(o *options) { o.record = true } }

// WithReplay lets the World take its decisions from a recording, whatever its own seed is, and those behind the recording's
// end from its seed: so make it with the recording's, and with the options of the World that was recorded.
func WithReplay(r *Recording) Option {
	return func(o *options) { o.script, o.replay = nil, r }
}

// Recording returns the decisions so far; nil without WithRecording. It is valid until the World runs again.
func (w *World) Recording() *Recording { return w.decisions.recorder }

// record sets up recording and replay.
func (d *Decisions) record(seed uint64, o *options) {
	d.script = o.script
	if o.record {
		d.recorder = &Recording{seed: seed}
	}
	if o.replay != nil {
		d.player = o.replay.play()
	}
}
