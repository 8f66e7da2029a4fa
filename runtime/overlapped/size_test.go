package overlapped

import (
	"testing"
	"unsafe"
)

// TestSizeOfAnOperation: a million are in flight at a time, each in a line of a processor's cache.
func TestSizeOfAnOperation(t *testing.T) {
	if unsafe.Sizeof(uintptr(0)) != 8 {
		t.Skip("these are the sizes where addresses have 64 bits")
	}
	if size := unsafe.Sizeof(operation{}); size != 64 {
		t.Errorf("an operation has %d bytes, want 64", size)
	}
}
