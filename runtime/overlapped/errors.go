package overlapped

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/nothread/nothread/runtime/kernel"
)

var (
	errNilContext = errors.New("the context is nil: pass World.Context, or one derived from it")
	errNilWorld   = errors.New("the World is nil: pass one that sim.New has made")
)

// The errors of misuse.
var (
	ErrNilBuffer      = errors.New("the buffer is nil: make one of as many bytes as are wanted")
	ErrNegativeOffset = errors.New("the offset is negative: offsets count from 0, the beginning")
	ErrOtherWorld     = errors.New("the handle belongs to another World than the context: use Context of the World that it was opened in")
	ErrDevice         = errors.New("the device reports an error")
	ErrReadOnly       = errors.New("the device is write protected")
	ErrRemoved        = errors.New("the device was pulled out")
)

// The errors of sockets; errors.Is finds them in what their operations end with.
var (
	ErrRefused     = errors.New("the other side refuses the connection")
	ErrReset       = errors.New("the connection was reset by the other side")
	ErrUnreachable = errors.New("the other side does not answer")
	ErrAddressUsed = errors.New("the address is in use")
	ErrTooLong     = errors.New("the message is longer than the network carries")
)

// timeoutError is ErrUnreachable as net.Error has it.
type timeoutError struct{ error }

func (timeoutError) Timeout() bool   { return true }
func (e timeoutError) Unwrap() error { return e.error }

// The statuses of sockets, with Windows' values. Package driver has the same.
const (
	statusAddressAlreadyExists kernel.Status = 0xC000020A
	statusConnectionReset      kernel.Status = 0xC000020D
	statusConnectionRefused    kernel.Status = 0xC0000236
	statusBufferTooLong        kernel.Status = 0xC0000206
	statusInvalidConnection    kernel.Status = 0xC0000140
	statusPipeClosing          kernel.Status = 0xC00000B1
)

// openError translates the status of an open that failed: of a device that is not there it says which are, and of one of
// another kind what it is not.
func openError(k *kernel.Kernel, status kernel.Status, want kernel.DeviceType) error {
	switch status {
	case kernel.StatusNoSuchDevice:
	case kernel.StatusObjectTypeMismatch:
		return fmt.Errorf("%w: it is no %v", fs.ErrInvalid, want)
	default:
		return errorOf(status)
	}
	if devices := k.Devices(); len(devices) > 0 {
		return fmt.Errorf("%w: the devices of this World are %s", fs.ErrNotExist, strings.Join(devices, ", "))
	}
	return fmt.Errorf("%w: this World has no devices: plug one in first, such as by NewDisk", fs.ErrNotExist)
}

// errorOf translates a status.
func errorOf(status kernel.Status) error {
	switch status {
	case kernel.StatusEndOfFile:
		return io.EOF
	case kernel.StatusNoSuchDevice:
		return fs.ErrNotExist
	case kernel.StatusInvalidHandle, kernel.StatusFileClosed:
		return os.ErrClosed
	case kernel.StatusMediaWriteProtected:
		return ErrReadOnly
	case kernel.StatusIoDeviceError:
		return ErrDevice
	case kernel.StatusDeviceRemoved:
		return ErrRemoved
	case kernel.StatusCancelled:
		return context.Canceled
	}
	return fmt.Errorf("the kernel reports %v", status)
}

// socketError translates a status of a socket.
func socketError(status kernel.Status) error {
	switch status {
	case statusAddressAlreadyExists:
		return ErrAddressUsed
	case statusConnectionReset:
		return ErrReset
	case statusConnectionRefused:
		return ErrRefused
	case statusBufferTooLong:
		return ErrTooLong
	case kernel.StatusDeviceRemoved:
		return ErrRemoved
	case statusPipeClosing:
		return io.ErrClosedPipe
	case statusInvalidConnection:
		return fmt.Errorf("the socket is not connected, or not free to be")
	case kernel.StatusIoTimeout:
		return timeoutError{ErrUnreachable}
	case kernel.StatusCancelled:
		return context.Canceled
	}
	return errorOf(status)
}
