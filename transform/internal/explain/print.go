package explain

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// Text writes the explanation for people.
func (f *Func) Text(w io.Writer) error {
	p := &printer{f: f}
	p.head()
	p.states()
	p.machine()
	p.locals()
	p.allocations()
	p.list("coroutines: a range over a function with an await in its body keeps the function on a stack of its own", p.coroutines())
	p.list("fast paths", f.FastPaths)
	if _, err := io.WriteString(w, p.b.String()); err != nil {
		return err
	}
	for _, c := range f.Closures {
		if _, err := io.WriteString(w, "\n"); err != nil {
			return err
		}
		if err := c.Text(w); err != nil {
			return err
		}
	}
	return nil
}

const textWidth = 60 // of a line of the source

type printer struct {
	f *Func
	b strings.Builder
}

func (p *printer) line(format string, args ...any) {
	p.b.WriteString(strings.TrimRight(fmt.Sprintf(format, args...), " ") + "\n")
}

// at is a line of the function's file.
func (p *printer) at(line int) string {
	if line == 0 {
		return ""
	}
	return fmt.Sprintf(":%d", line)
}

func (p *printer) list(title string, items []string) {
	if len(items) == 0 {
		return
	}
	p.line("\n%s", title)
	for _, item := range items {
		p.line("  %s", item)
	}
}

func (p *printer) head() {
	p.line("%s  %s:%d", p.f.Name, p.f.File, p.f.Line)
	size := p.f.Machine.Bytes.String() + " bytes"
	if p.f.Machine.Bytes == Depends {
		size = "its size depends on type parameters"
	}
	p.line("  becomes %s and the machine %s, %s", p.f.Twin, p.f.Machine.Name, size)
}

func (p *printer) states() {
	for _, s := range p.f.States {
		awaits, on := "awaits "+s.Awaits, ", goes on at "+s.Resume
		if s.Deferred {
			awaits, on = "awaits at the end "+s.Awaits, ""
		}
		p.line("\nstate %d  %s%s  %s%s", s.State, p.f.base, p.at(s.Line), Short(awaits, textWidth), on)
		p.saves(s.Saves)
	}
}

func (p *printer) saves(list []Saved) {
	if len(list) == 0 {
		p.line("  saves  nothing")
		return
	}
	var rows [][]string
	for i, v := range list {
		lead := "saves"
		if i > 0 {
			lead = ""
		}
		if v.Use == nil {
			rows = append(rows, []string{lead, v.Field, ">" + v.Bytes.String(), ">", v.Why})
			continue
		}
		at := p.at(v.Use.Line)
		if v.Use.Again {
			at = "next time " + at
		}
		rows = append(rows, []string{lead, v.Field, ">" + v.Bytes.String(), ">" + at, Short(v.Use.Text, textWidth)})
	}
	p.table(rows)
}

// machine lists the fields, and sums up.
func (p *printer) machine() {
	m := p.f.Machine
	p.line("\n%s", m.Name)
	var rows [][]string
	for _, field := range m.Fields {
		note := field.Note
		if field.Role != Fixed {
			note += p.alive(field.States)
		}
		rows = append(rows, []string{">" + field.Offset.String(), ">" + field.Bytes.String(), field.Name, field.Type, note})
	}
	p.table(rows)
	switch {
	case m.Bytes == Depends:
		p.line("  its size differs from one instantiation to the next: ? depends on a type parameter")
		return
	case m.Padding > 0:
		p.line("  %s bytes, %s of them padding", m.Bytes, m.Padding)
	default:
		p.line("  %s bytes", m.Bytes)
	}
	switch spare := m.Bytes - m.LowerBound; {
	case m.Fullest == 0:
	case spare == 0:
		p.line("  as few as can be: all of it is alive in state %d", m.Fullest)
	default:
		p.line("  at least %s are needed: %s always, %s more alive in state %d; %s could be shared or spared",
			m.LowerBound, m.Fixed, m.LowerBound-m.Fixed, m.Fullest, spare)
	}
}

// alive names the states in which a field is.
func (p *printer) alive(states []int) string {
	var all []int
	for _, s := range p.f.States {
		all = append(all, s.State)
	}
	switch {
	case len(states) == 0:
		return "" // the note says why it is there
	case slices.Equal(states, all) && len(all) > 1:
		return ", alive in all states"
	case len(states) == 1:
		return fmt.Sprintf(", alive in state %d", states[0])
	}
	return ", alive in states " + strings.Trim(strings.Join(strings.Fields(fmt.Sprint(states)), ", "), "[]")
}

func (p *printer) locals() {
	var rows [][]string
	for _, v := range p.f.Locals {
		rows = append(rows, []string{v.Name, p.at(v.Line), v.Why})
	}
	if len(rows) > 0 {
		p.line("\nnot in the machine")
		p.table(rows)
	}
}

func (p *printer) allocations() {
	p.line("\nallocations, beside those of its own code")
	sure := false
	var rows [][]string
	for _, a := range p.f.Allocations {
		sure = sure || a.Line > 0
		size, when := ">", a.When
		if a.Bytes > 0 {
			size += a.Bytes.String() + " bytes"
		}
		if a.Line > 0 {
			when += " (" + p.at(a.Line) + ")"
		}
		what := a.What
		if a.Maybe != "" {
			what += ", unless " + a.Maybe
		}
		rows = append(rows, []string{size, when, what})
	}
	if !sure {
		p.line("  none if no await has to wait")
	}
	p.table(rows)
}

func (p *printer) coroutines() []string {
	var items []string
	for _, c := range p.f.Coroutines {
		items = append(items, p.at(c.Line)+"  "+c.Over)
	}
	return items
}

// table writes rows in columns, indented by two; a cell that begins with > is set
// to the right.
func (p *printer) table(rows [][]string) {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], len([]rune(strings.TrimPrefix(cell, ">"))))
		}
	}
	for _, row := range rows {
		text := ""
		for i, cell := range row {
			bare, right := strings.CutPrefix(cell, ">")
			space := strings.Repeat(" ", widths[i]-len([]rune(bare)))
			if right {
				text += "  " + space + bare
			} else {
				text += "  " + bare + space
			}
		}
		p.line("%s", text)
	}
}
