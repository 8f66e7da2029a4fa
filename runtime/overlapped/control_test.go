package overlapped

import (
	"testing"

	"github.com/nothread/nothread/runtime/driver"
	"github.com/nothread/nothread/runtime/kernel"
)

// TestOneLanguage: this room and the drivers' do not know each other, and mean the same by the same numbers.
func TestOneLanguage(t *testing.T) {
	for _, c := range []struct {
		name         string
		here, driver int64
	}{
		{"listen", controlListen, driver.ControlListen},
		{"connect", controlConnect, driver.ControlConnect},
		{"accept", controlAccept, driver.ControlAccept},
		{"name", controlName, driver.ControlName},
		{"shutdown", controlShutdown, driver.ControlShutdown},
		{"bind", controlBind, driver.ControlBind},
		{"receive", controlReceive, driver.ControlReceive},
		{"wait", controlWait, driver.ControlWait},
		{"socket block", int64(len(socketBlock{})), driver.SocketBlock},
		{"wait block", int64(len(waitBlock{})), driver.WaitBlock},
		{"datagram prefix", datagramPrefix, driver.DatagramPrefix},
	} {
		if c.here != c.driver {
			t.Errorf("%s: %d here, %d in the driver", c.name, c.here, c.driver)
		}
	}
	for here, there := range map[kernel.Status]kernel.Status{
		statusAddressAlreadyExists: driver.StatusAddressAlreadyExists, statusConnectionReset: driver.StatusConnectionReset,
		statusConnectionRefused: driver.StatusConnectionRefused, statusBufferTooLong: driver.StatusBufferTooLong,
		statusInvalidConnection: driver.StatusInvalidConnection, statusPipeClosing: driver.StatusPipeClosing,
	} {
		if here != there {
			t.Errorf("%v here, %v in the driver", here, there)
		}
	}
}
