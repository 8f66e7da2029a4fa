package device

import (
	"testing"
	"unsafe"
)

// TestSizeOfASlot: a disk may have sixty thousand, in groups for which Go has a size of object, with a word of its own.
func TestSizeOfASlot(t *testing.T) {
	if unsafe.Sizeof(uintptr(0)) != 8 {
		t.Skip("these are the sizes where addresses have 64 bits")
	}
	if size := unsafe.Sizeof(diskSlot{}); size != 96 {
		t.Errorf("a slot has %d bytes, want 96", size)
	}
	if size := unsafe.Sizeof(slotGroup{}); size > 3200-8 || size < 3000 {
		t.Errorf("a group of slots has %d bytes", size)
	}
}
