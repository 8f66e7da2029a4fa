package device

import (
	"errors"
	"fmt"
	"io"
)

// Backing is where a disk's bytes are. ReadAt past the end transfers fewer bytes, or none, with io.EOF; WriteAt past
// the end extends. An *os.File is one. A backing is used by one disk at a time, from the goroutine that runs the World;
// once that is pulled out it may be another's.
type Backing interface {
	io.ReaderAt
	io.WriterAt
}

// Syncer is a Backing that is told of flushes, as an *os.File is: what was written before is to be where nothing is lost.
type Syncer interface{ Sync() error }

// ErrWriteProtected is the error of a write to a backing that can only be read.
var ErrWriteProtected = errors.New("device: write to a read-only backing")

// Memory is a backing in memory. The zero value is empty.
type Memory struct {
	data []byte
}

// NewMemory returns a backing that holds data; the slice is the backing's from now on.
func NewMemory(data []byte) *Memory { return &Memory{data: data} }

// Bytes returns what the backing holds; it is valid until the next write.
func (m *Memory) Bytes() []byte { return m.data }

// ReadAt implements io.ReaderAt.
func (m *Memory) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, errors.New("device: negative offset")
	}
	if off >= int64(len(m.data)) {
		return 0, io.EOF
	}
	n := copy(p, m.data[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// maxGap is how far behind its end a Memory lets itself be written to: an offset beyond that is a mistake, which would
// cost the process all its memory.
const maxGap = 1 << 30

// WriteAt implements io.WriterAt; a gap before off reads as zeros. It may be of a gigabyte at most.
func (m *Memory) WriteAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, errors.New("device: negative offset")
	}
	if len(p) == 0 {
		return 0, nil
	}
	if gap := off - int64(len(m.data)); gap > maxGap {
		return 0, fmt.Errorf("device: a write %d bytes behind the end of a Memory, which has room for all that is before it", gap)
	} else if gap > 0 {
		m.data = append(m.data, make([]byte, gap)...)
	}
	n := copy(m.data[off:], p)
	m.data = append(m.data, p[n:]...)
	return len(p), nil
}

// ReadOnly makes a backing of an io.ReaderAt: writes fail with ErrWriteProtected. Of nil it makes none: nil.
func ReadOnly(r io.ReaderAt) Backing {
	if r == nil {
		return nil
	}
	return readOnly{r}
}

type readOnly struct{ io.ReaderAt }

func (readOnly) WriteAt([]byte, int64) (int, error) { return 0, ErrWriteProtected }

// WriteOnly makes a backing of an io.WriterAt: reads find nothing. Of nil it makes none: nil.
func WriteOnly(w io.WriterAt) Backing {
	if w == nil {
		return nil
	}
	return writeOnly{w}
}

type writeOnly struct{ io.WriterAt }

func (writeOnly) ReadAt([]byte, int64) (int, error) { return 0, io.EOF }
