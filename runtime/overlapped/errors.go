package overlapped

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/nothread/nothread/runtime/kernel"
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
