package kernel

import (
	"cmp"
	"slices"

	"github.com/nothread/nothread/runtime/clock"
)

// This file is what the kernel tells of requests in flight: for dumps.

// RequestInfo is a request in flight as it is now. Of one that is complete, and whose packet waits in a port, its IRP is
// gone, and with it what it was to do.
type RequestInfo struct {
	IRP       uint64
	Packet    bool // it is complete, and its packet waits
	Major     MajorFunction
	Device    string
	Length    int // bytes; of a packet, those that were transferred
	Offset    int64
	Thread    string     // who issued it; "": a driver
	State     string     // where it is, in words
	Since     clock.Time // when it got there, or was first asked to end
	Cancelled bool       // somebody has asked to cancel it
	Context   any        // of its Overlapped, or what Submit was given
}

// Requests returns all requests in flight, in the order of their numbers.
func (k *Kernel) Requests() []RequestInfo {
	var all []RequestInfo
	for i := range k.irps.count {
		if irp := k.irps.at(i); irp.id != 0 {
			all = append(all, irp.info())
		}
	}
	for _, p := range k.ports {
		for packet := range p.packets.all {
			all = packet.appendInfo(all, "complete; its packet waits in the "+p.name)
		}
	}
	for _, t := range k.threads {
		if t.handed {
			all = t.packet.appendInfo(all, "complete; "+t.name+" is about to take its packet")
		}
	}
	slices.SortFunc(all, func(a, b RequestInfo) int { return cmp.Compare(a.IRP, b.IRP) })
	return all
}

func (irp *IRP) info() RequestInfo {
	top := irp.top()
	r := RequestInfo{
		IRP: irp.id, Major: top.Major, Length: top.Parameters.Length, Offset: top.Parameters.ByteOffset,
		State: irp.state(), Since: irp.since, Cancelled: irp.Cancel,
	}
	if irp.file != nil {
		r.Device = irp.file.device.Name
	}
	if irp.thread != nil {
		r.Thread = irp.thread.name
	}
	r.Context = requester(irp.context)
	return r
}

// state says where the IRP is.
func (irp *IRP) state() string {
	driver := "a driver"
	if irp.current <= irp.depth && irp.current > 0 && irp.location(irp.current).Device != nil {
		driver = irp.location(irp.current).Device.Driver.Name
	}
	switch {
	case irp.stage == stageAPC:
		return "complete; its APC waits for " + irp.thread.name
	case irp.completed():
		return "complete"
	case irp.queue != 0:
		return "in the device queue of " + driver
	case irp.stage == stageBuilt:
		return "built"
	case irp.stage == stageTaken:
		return "on its way to StartIo of " + driver
	case irp.stage == stageStarted:
		return "started by " + driver + ": the device has it"
	}
	return "with " + driver
}

// appendInfo adds the packet to a list, if it is a request's.
func (p *Packet) appendInfo(all []RequestInfo, state string) []RequestInfo {
	if p.IRP == 0 {
		return all
	}
	return append(all, RequestInfo{
		IRP: p.IRP, Packet: true, Device: p.file.device.Name, Length: p.Information, State: state, Since: p.since,
		Context: p.Requester(),
	})
}
