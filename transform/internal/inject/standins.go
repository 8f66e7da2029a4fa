package inject

// standIns take the place of internal packages that belong to the runtime: they
// do the same in plain Go, as far as copied packages ask for it.
var standIns = map[string]string{
	"internal/asan": `package asan

import "unsafe"

const Enabled = false

func Read(addr unsafe.Pointer, len uintptr)  {}
func Write(addr unsafe.Pointer, len uintptr) {}
`,
	"internal/msan": `package msan

import "unsafe"

const Enabled = false

func Read(addr unsafe.Pointer, len uintptr)  {}
func Write(addr unsafe.Pointer, len uintptr) {}
`,
	"internal/race": `package race

import "unsafe"

const Enabled = false

func Acquire(addr unsafe.Pointer)                 {}
func Release(addr unsafe.Pointer)                 {}
func ReleaseMerge(addr unsafe.Pointer)            {}
func Disable()                                    {}
func Enable()                                     {}
func Read(addr unsafe.Pointer)                    {}
func Write(addr unsafe.Pointer)                   {}
func ReadRange(addr unsafe.Pointer, len int)      {}
func WriteRange(addr unsafe.Pointer, len int)     {}
func Errors() int                                 { return 0 }
`,
	"internal/godebug": `package godebug

type Setting struct{ name string }

func New(name string) *Setting           { return &Setting{name} }
func (s *Setting) Name() string          { return s.name }
func (s *Setting) Undocumented() bool    { return false }
func (s *Setting) String() string        { return s.name + "=" }
func (s *Setting) IncNonDefault()        {}
func (s *Setting) Value() string         { return "" }
`,
	"internal/testenv": `package testenv

import (
	"os"
	"os/exec"
	"runtime"
	"testing"
)

func Builder() string                               { return "" }
func HasGoBuild() bool                              { return true }
func MustHaveGoBuild(t testing.TB)                  {}
func MustHaveCGO(t testing.TB)                      { t.Skip("no cgo") }
func MustHaveGoRun(t testing.TB)                    {}
func MustHaveExec(t testing.TB)                     {}
func MustHaveSource(t testing.TB)                   {}
func MustHaveExternalNetwork(t testing.TB)          { t.Skip("no network") }
func MustHaveSymlink(t testing.TB)                  {}
func HasSymlink() bool                              { return true }
func HasExec() bool                                 { return true }
func HasSrc() bool                                  { return true }
func SkipIfOptimizationOff(t testing.TB)            {}
func OptimizationOff() bool                         { return false }
func SkipFlaky(t testing.TB, issue int)             { t.Skip("flaky") }
func HasParallelism() bool                          { return false }
func MustHaveParallelism(t testing.TB)              { t.Skip("no parallelism") }
func GoToolPath(t testing.TB) string                { return "go" }
func GOROOT(t testing.TB) string                    { return runtime.GOROOT() }
func CleanCmdEnv(cmd *exec.Cmd) *exec.Cmd           { return cmd }
func Executable(t testing.TB) string                { exe, _ := os.Executable(); return exe }
func SkipIfShortAndSlow(t testing.TB)               {}
func CPUIsSlow() bool                               { return true }
func Command(t testing.TB, name string, args ...string) *exec.Cmd { return exec.Command(name, args...) }
`,
	"internal/bytealg": bytealg,
	"internal/abi": `package abi

import "unsafe"

func NoEscape(p unsafe.Pointer) unsafe.Pointer {
	x := uintptr(p)
	return unsafe.Pointer(x ^ 0)
}

func Escape[T any](x T) T { return x }
`,
	"internal/reflectlite": `package reflectlite

import "reflect"

type (
	Type  = reflect.Type
	Value = reflect.Value
	Kind  = reflect.Kind
)

const (
	Ptr       = reflect.Pointer
	Interface = reflect.Interface
	Slice     = reflect.Slice
	String    = reflect.String
	Struct    = reflect.Struct
)

func TypeOf(x any) Type             { return reflect.TypeOf(x) }
func ValueOf(x any) Value           { return reflect.ValueOf(x) }
func Swapper(x any) func(i, j int)  { return reflect.Swapper(x) }
`,
	"internal/cpu": `package cpu

const CacheLinePadSize = 64

type CacheLinePad struct{ _ [CacheLinePadSize]byte }

var X86 struct{ HasAVX, HasAVX2, HasADX, HasBMI1, HasBMI2, HasSSE41, HasSSE42, HasPCLMULQDQ, HasPOPCNT, HasAVX512VPCLMULQDQ, HasAVX512VL bool }

func Name() string { return "" }
`,
}

const bytealg = `package bytealg

const MaxBruteForce = 0
const PrimeRK = 16777619

var MaxLen int

func Cutover(n int) int { return 4 }

func MakeNoZero(n int) []byte { return make([]byte, n) }

func Compare(a, b []byte) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			if a[i] < b[i] {
				return -1
			}
			return 1
		}
	}
	switch {
	case len(a) < len(b):
		return -1
	case len(a) > len(b):
		return 1
	}
	return 0
}

func CompareString(a, b string) int { return Compare([]byte(a), []byte(b)) }

func Equal(a, b []byte) bool { return string(a) == string(b) }

func Count(b []byte, c byte) (n int) {
	for _, x := range b {
		if x == c {
			n++
		}
	}
	return n
}

func CountString(s string, c byte) int { return Count([]byte(s), c) }

func Index(a, b []byte) int { panic("MaxLen is 0") }

func IndexString(a, b string) int { panic("MaxLen is 0") }

func IndexByte(b []byte, c byte) int { return IndexByteString(string(b), c) }

func IndexByteString(s string, c byte) int {
	for i := range len(s) {
		if s[i] == c {
			return i
		}
	}
	return -1
}

func LastIndexByte(b []byte, c byte) int { return LastIndexByteString(string(b), c) }

func LastIndexByteString(s string, c byte) int {
	for i := len(s) - 1; i >= 0; i-- {
		if s[i] == c {
			return i
		}
	}
	return -1
}

func IndexRabinKarp[T string | []byte](s, sep T) int {
	for i := 0; i+len(sep) <= len(s); i++ {
		if string(s[i:i+len(sep)]) == string(sep) {
			return i
		}
	}
	return -1
}

func LastIndexRabinKarp[T string | []byte](s, sep T) int {
	for i := len(s) - len(sep); i >= 0; i-- {
		if string(s[i:i+len(sep)]) == string(sep) {
			return i
		}
	}
	return -1
}

func HashStr[T string | []byte](sep T) (uint32, uint32) { panic("not used") }

func HashStrRev[T string | []byte](sep T) (uint32, uint32) { panic("not used") }
`
