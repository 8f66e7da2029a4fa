package device

import (
	"testing"
	"unsafe"
)

// TestSizeOfASlot: a disk may have sixty thousand, in groups of which Go makes no larger objects than they are.
func TestSizeOfASlot(t *testing.T) {
	if size := unsafe.Sizeof(diskSlot{}); size != 96 {
		t.Errorf("a slot has %d bytes, want 96", size)
	}
	if size := unsafe.Sizeof(slotGroup{}); size != 3072 {
		t.Errorf("a group of slots has %d bytes, want a size class", size)
	}
}
