package inject

import "strings"

// Few are the packages of every run, Packages those of a full one.
var (
	Few      = []string{"container/list", "text/tabwriter"}
	Packages = strings.Fields(`container/list container/heap container/ring sort strings bytes text/tabwriter
		encoding/hex encoding/base32 encoding/base64 encoding/ascii85 encoding/csv encoding/pem encoding/binary
		encoding/json encoding/xml encoding/gob encoding/asn1 path path/filepath strconv unicode/utf8 unicode/utf16
		text/template text/template/parse text/scanner go/scanner go/parser go/printer go/ast go/token go/constant
		go/doc/comment go/build/constraint go/format regexp/syntax regexp archive/tar archive/zip compress/flate
		compress/bzip2 compress/gzip compress/lzw compress/zlib hash/adler32 hash/crc32 hash/fnv html net/url net/mail
		net/textproto mime mime/multipart bufio math/big math/cmplx index/suffixarray image image/png image/gif
		image/jpeg flag fmt io errors slices maps log log/slog debug/dwarf debug/elf html/template go/types
		internal/strconv internal/diff internal/zstd internal/fmtsort internal/saferio`)
)

// together are packages that share a variable of an internal one.
var together = map[string]string{"go/parser": "go/scanner"}

// Excused are tests that say nothing, by package.
var Excused = map[string]string{
	"encoding/gob":  "TestLargeSlice",        // twenty million elements: takes minutes
	"encoding/json": "TestUnsupportedValues", // panics through a thousand nested drivers: takes minutes

	"math/big": "TestEscape", // what gc says of the source

	// These look at their callers on the stack.
	"flag": "TestDefineAfterSet",
	"io":   "TestMultiReaderFlatten TestMultiWriterSingleChainFlatten",
	"log":  "TestAll ExampleLogger ExampleLogger_Output",
}

// Odd are programs about what awaits change: the stack, the collector, time.
var Odd = map[string]string{
	"heapsampling.go":                "expects allocations of a profile",
	"inline_literal.go":              "looks at the lines on the stack",
	"rename.go":                      "gives the predeclared names other meanings; the support file needs them",
	"stackobj3.go":                   "looks at what the collector finds dead",
	"linkmain_run.go":                "runs the linker",
	"linkobj.go":                     "runs the linker",
	"fixedbugs/issue43444.go":        "prints in the order of initialisation, which the support file's variable changes",
	"fixedbugs/issue13169.go":        "has two million calls of thirty-two levels: takes minutes",
	"fixedbugs/issue18149.go":        "looks at the lines on the stack",
	"fixedbugs/issue18636.go":        "has a stack of 64 KB",
	"fixedbugs/issue21317.go":        "runs the compiler, and prints the time",
	"fixedbugs/issue21879.go":        "looks at the functions on the stack",
	"fixedbugs/issue22662.go":        "looks at the lines on the stack",
	"fixedbugs/issue24491a.go":       "has addresses kept alive by a directive of what it calls by name",
	"typeparam/chans.go":             "looks at what the collector finds dead",
	"typeparam/issue49295.go":        "makes gc fail, which cannot compile the length of a call's result whose type is a parameter",
	"fixedbugs/issue27518b.go":       "looks at what the collector finds dead",
	"typeparam/nested.go":            "prints gc's numbers of local types",
	"noinit.go":                      "expects no initialisation at run time",
	"fixedbugs/issue4562.go":         "looks at the lines on the stack",
	"fixedbugs/issue4618.go":         "counts allocations",
	"fixedbugs/issue4667.go":         "counts allocations",
	"fixedbugs/issue29312.go":        "has types of 253 levels, each of which go/types infers again: takes minutes",
	"fixedbugs/issue32477.go":        "looks at what the collector finds dead",
	"fixedbugs/issue46725.go":        "looks at what the collector finds dead",
	"closure.go":                     "counts allocations",
	"devirtualization_nil_panics.go": "looks at the lines on the stack",
	"divmod.go":                      "divides a hundred million times: takes minutes",
}
