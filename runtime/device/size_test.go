package device

import (
	"testing"
	"unsafe"
)

// TestSizeOfASlot: a disk may have sixty thousand, in groups that fill a page.
func TestSizeOfASlot(t *testing.T) {
	if size := unsafe.Sizeof(diskSlot{}); size != 96 {
		t.Errorf("a slot has %d bytes, want 96", size)
	}
	if size := unsafe.Sizeof(slotGroup{}); size > 4096 || size < 4000 {
		t.Errorf("a group of slots has %d bytes", size)
	}
}
