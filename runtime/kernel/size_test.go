package kernel

import (
	"testing"
	"unsafe"
)

// TestSizeOfAnIRP: a million are in flight at a time.
func TestSizeOfAnIRP(t *testing.T) {
	equal(t, "bytes of an IRP", unsafe.Sizeof(IRP{}), 160)
	if size := unsafe.Sizeof([slabSize]IRP{}); size > 16384 || size < 16000 {
		t.Errorf("a slab has %d bytes", size)
	}
}
