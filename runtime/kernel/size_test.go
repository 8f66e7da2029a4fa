package kernel

import (
	"testing"
	"unsafe"
)

// TestSizeOfAnIRP: a million are in flight at a time.
func TestSizeOfAnIRP(t *testing.T) {
	if unsafe.Sizeof(uintptr(0)) != 8 {
		t.Skip("these are the sizes where addresses have 64 bits")
	}
	equal(t, "bytes of an IRP", unsafe.Sizeof(IRP{}), 160)
	if size := unsafe.Sizeof([slabSize]IRP{}); size > 16384 || size < 16000 {
		t.Errorf("a slab has %d bytes", size)
	}
}
