package kernel

// This file is the end of a driver: what it must have stopped before it goes.

// RemoveDevice takes a device out of the machine, for a driver that is unloaded. No handle of it may be open and no request
// be on its way; the driver's timers, DPCs and locks, which it names, must rest.
func (k *Kernel) RemoveDevice(dev *DeviceObject, owned ...any) {
	if dev.Queue.busy > 0 || dev.Queue.length > 0 {
		k.violate(vUnloadPending, nil, "%s is unloaded while %s has %d requests", dev.Driver.Name, dev.Name, dev.Queue.busy+dev.Queue.length)
	}
	for i := range k.handles {
		if file := k.handles[i].file; file != nil && file.device == dev {
			k.violate(vUnloadPending, nil, "%s is unloaded while a handle of %s is open", dev.Driver.Name, dev.Name)
		}
	}
	for _, o := range owned {
		switch o := o.(type) {
		case *Timer:
			if o.alarm.Armed() || o.expired {
				k.violate(vUnloadTimer, nil, "%s is unloaded while a timer of it is set", dev.Driver.Name)
			}
		case *DPC:
			if o.queued {
				k.violate(vUnloadTimer, nil, "%s is unloaded while its DPC %s is queued", dev.Driver.Name, o.Name)
			}
		case *SpinLock:
			if o.held {
				k.violate(vLockUnloaded, nil, "%s is unloaded while %s is held", dev.Driver.Name, o.Name)
			}
		}
	}
	delete(k.devices, dev.Name)
}
