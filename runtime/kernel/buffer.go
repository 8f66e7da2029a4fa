package kernel

import "hash/maphash"

// This file is how the verifier finds out that somebody touches a buffer in flight (A21). The buffer of a write must look
// the same when the write is complete. That of a read is not given to the driver at all: the device works on a copy, which
// replaces the original on completion; so a change of the original in the meantime was somebody else's, and the data
// cannot be seen before the read is complete.

// guard is what a request's buffer looked like.
type guard struct {
	original []byte // the requester's buffer; nil: it is not watched
	sum      uint64
	copy     []byte // what the device works on, for a read; kept from one use of the IRP to the next
}

var guardSeed = maphash.MakeSeed()

// guardBuffer begins to watch a request's buffer.
func (irp *IRP) guardBuffer(major MajorFunction) {
	buf := irp.UserBuffer
	if len(buf) == 0 || major != MajorRead && major != MajorWrite {
		return
	}
	g := &irp.rest().guard
	g.original, g.sum = buf, maphash.Bytes(guardSeed, buf)
	if major == MajorRead {
		g.copy = append(g.copy[:0], buf...)
		irp.UserBuffer = g.copy
	}
}

// releaseBuffer ends that, and gives the requester what was read.
func (c *CPU) releaseBuffer(irp *IRP) {
	if irp.annex.guard.original == nil {
		return
	}
	g := &irp.annex.guard
	changed := maphash.Bytes(guardSeed, g.original) != g.sum
	read := irp.top().Major == MajorRead
	switch {
	case changed && read:
		c.kernel.bugCheckIn(nil, vReadChanged, irp.id, "the buffer of a read of %s was written to by somebody else while the read was in flight: give each operation a buffer of its own, and use it when the operation is complete", irp.file.device.Name)
	case changed:
		c.kernel.bugCheckIn(nil, vWriteChanged, irp.id, "the buffer of a write to %s was changed while the write was in flight: wait for its completion, or write a copy", irp.file.device.Name)
	case read:
		copy(g.original, irp.UserBuffer)
		irp.UserBuffer = g.original
	}
	g.original = nil
}
