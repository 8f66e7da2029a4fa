package async

// This file is for machines that hold values of types which their fields cannot
// be of: types that another package does not export, or that are declared in the
// function itself. While the machine waits, it keeps those as any. Only generated
// code calls what is here.

// Unboxed takes a value out of a machine again, which has kept it as any; like is
// of its type. It is the zero value if nothing was kept, or a nil interface.
func Unboxed[T any](kept any, like T) T {
	v, _ := kept.(T)
	return v
}

// NewOf is new for a type that has no name.
func NewOf[T any](*T) *T { return new(T) }

// ZeroOf is the zero value of the type of like.
func ZeroOf[T any](like T) (zero T) { return }

// An UnboxedRange is a FuncRange or a StreamRange, whatever its values are.
type UnboxedRange interface {
	Open() bool
	After(*Panic) *Panic
}

// UnboxedFunc returns a FuncRange that a machine keeps as any; if that has not begun, one
// that has not either.
func UnboxedFunc(kept any) UnboxedRange {
	if r, ok := kept.(UnboxedRange); ok {
		return r
	}
	return (*FuncRange[struct{}, struct{}])(nil)
}

// An UnboxedStreamRange is a StreamRange, whatever its values are.
type UnboxedStreamRange interface {
	UnboxedRange
	IsCompleted() bool
	OnCompleted(Continuation) bool
}

// UnboxedStream is UnboxedFunc for a StreamRange.
func UnboxedStream(kept any) UnboxedStreamRange {
	if r, ok := kept.(UnboxedStreamRange); ok {
		return r
	}
	return (*StreamRange[struct{}])(nil)
}

// UnwindBoxed is FuncRange.Unwind of one that a machine keeps as any; nil if it has
// not begun.
func UnwindBoxed(kept any, p **Panic) {
	r, ok := kept.(interface {
		Open() bool
		unwind(v any, p **Panic)
	})
	if ok && r.Open() {
		r.unwind(recover(), p)
	}
}
