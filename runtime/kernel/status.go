package kernel

import "fmt"

// Status is the outcome of a request, with Windows' values: the two top bits are the severity (success, informational,
// warning, error).
type Status uint32

// The statuses that this kernel uses.
const (
	StatusSuccess                Status = 0
	StatusUserAPC                Status = 0x000000C0 // a wait ended because a user APC ran
	StatusTimeout                Status = 0x00000102
	StatusPending                Status = 0x00000103 // not complete: somebody will call CompleteRequest
	StatusBufferOverflow         Status = 0x80000005 // a warning: there was more
	StatusInvalidHandle          Status = 0xC0000008
	StatusInvalidParameter       Status = 0xC000000D
	StatusNoSuchDevice           Status = 0xC000000E
	StatusInvalidDeviceRequest   Status = 0xC0000010
	StatusEndOfFile              Status = 0xC0000011
	StatusMoreProcessingRequired Status = 0xC0000016 // a completion routine stops the walk
	StatusObjectTypeMismatch     Status = 0xC0000024
	StatusObjectNameCollision    Status = 0xC0000035
	StatusPortAlreadySet         Status = 0xC0000048
	StatusInsufficientResources  Status = 0xC000009A
	StatusMediaWriteProtected    Status = 0xC00000A2
	StatusIoTimeout              Status = 0xC00000B5
	StatusCancelled              Status = 0xC0000120
	StatusFileClosed             Status = 0xC0000128
	StatusIoDeviceError          Status = 0xC0000185
	StatusDeviceRemoved          Status = 0xC00002B6
	statusMinusOne               Status = 0xFFFFFFFF // never legal in an IRP
)

// IsSuccess reports whether s is a success or informational (NT_SUCCESS).
func (s Status) IsSuccess() bool { return s < 0x80000000 }

// IsError reports whether s is an error (NT_ERROR): warnings are neither success nor error.
func (s Status) IsError() bool { return s >= 0xC0000000 }

var statusNames = map[Status]string{
	StatusSuccess:                "STATUS_SUCCESS",
	StatusUserAPC:                "STATUS_USER_APC",
	StatusTimeout:                "STATUS_TIMEOUT",
	StatusPending:                "STATUS_PENDING",
	StatusBufferOverflow:         "STATUS_BUFFER_OVERFLOW",
	StatusInvalidHandle:          "STATUS_INVALID_HANDLE",
	StatusInvalidParameter:       "STATUS_INVALID_PARAMETER",
	StatusNoSuchDevice:           "STATUS_NO_SUCH_DEVICE",
	StatusInvalidDeviceRequest:   "STATUS_INVALID_DEVICE_REQUEST",
	StatusEndOfFile:              "STATUS_END_OF_FILE",
	StatusMoreProcessingRequired: "STATUS_MORE_PROCESSING_REQUIRED",
	StatusObjectTypeMismatch:     "STATUS_OBJECT_TYPE_MISMATCH",
	StatusObjectNameCollision:    "STATUS_OBJECT_NAME_COLLISION (there is a device of this name: choose another one)",
	StatusPortAlreadySet:         "STATUS_PORT_ALREADY_SET (a handle is bound to one completion port, for good: open another one)",
	StatusInsufficientResources:  "STATUS_INSUFFICIENT_RESOURCES",
	StatusMediaWriteProtected:    "STATUS_MEDIA_WRITE_PROTECTED",
	StatusIoTimeout:              "STATUS_IO_TIMEOUT",
	StatusCancelled:              "STATUS_CANCELLED",
	StatusFileClosed:             "STATUS_FILE_CLOSED",
	StatusIoDeviceError:          "STATUS_IO_DEVICE_ERROR",
	StatusDeviceRemoved:          "STATUS_DEVICE_REMOVED",
}

func (s Status) String() string {
	if name, ok := statusNames[s]; ok {
		return name
	}
	return fmt.Sprintf("STATUS 0x%08X", uint32(s))
}
