package transform

import (
	"path/filepath"
	"strings"

	"github.com/nothread/nothread/transform/internal/diag"
	"github.com/nothread/nothread/transform/internal/explain"
)

// keepBudgets reports the functions of a file whose machines cost more than
// their directives allow.
func keepBudgets(r *run, o *output) {
	for _, u := range o.units {
		budget := u.fn.Options.Budget
		if budget.Bytes == nil && budget.Allocs == nil {
			continue
		}
		e := explain.New(r.subject(candidate{o, u, u.ir}))
		if budget.Bytes != nil {
			r.over(u, e.OverBytes(*budget.Bytes))
		}
		if budget.Allocs != nil {
			r.over(u, e.OverAllocs(*budget.Allocs))
		}
	}
}

// over reports what is over its budget, if it is.
func (r *run) over(u *unit, excess string) {
	if excess != "" {
		excess = strings.ReplaceAll(strings.TrimSpace(excess), "\n", "\n\t")
		r.diags.Errorf(u.pkg.Fset.Position(u.fn.Options.Pos), diag.Budget, "%s", strings.ReplaceAll(excess, "\n\t\n", "\n\n"))
	}
}

// subject is a function to be explained.
func (r *run) subject(c candidate) explain.Subject {
	return explain.Subject{
		Func: c.f, Output: c.o.proved, Sizes: c.u.pkg.Sizes, Twin: c.twin(), Pool: c.u.fn.Options.Pool && c.f.Parent == nil,
		File: filepath.ToSlash(diag.Rel(r.cfg.Dir, c.o.file.Path)),
	}
}
