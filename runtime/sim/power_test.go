package sim_test

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/nothread/nothread/runtime/device"
	"github.com/nothread/nothread/runtime/overlapped"
	"github.com/nothread/nothread/runtime/sim"
)

// A journal is a record and, in another sector, how many there are.
type journal struct {
	file    *overlapped.File
	flushes bool // between the one and the other
}

const recordAt = 2 * device.SectorSize

// append returns once the record stays whatever comes, or with an error.
func (j journal) append(ctx context.Context, record []byte) error {
	if _, err := j.file.WriteAtAsync(ctx, record, recordAt).Await(); err != nil {
		return err
	}
	if j.flushes {
		if err := j.file.FlushAsync(ctx).Await(); err != nil {
			return err
		}
	}
	if _, err := j.file.WriteAtAsync(ctx, []byte{1}, 0).Await(); err != nil {
		return err
	}
	return j.file.FlushAsync(ctx).Await()
}

// read returns the record, nil if there is none.
func (j journal) read(ctx context.Context, size int) ([]byte, error) {
	count, record := make([]byte, 1), make([]byte, size)
	if _, err := j.file.ReadAtAsync(ctx, count, 0).Await(); err != nil || count[0] == 0 {
		return nil, err
	}
	_, err := j.file.ReadAtAsync(ctx, record, recordAt).Await()
	return record, err
}

// TestPowerFailures: a journal that flushes its record before it counts it keeps its promise wherever the power fails and
// whatever that loses. One that does not is found out.
func TestPowerFailures(t *testing.T) {
	record := bytes.Repeat([]byte("record"), device.SectorSize/4) // in two sectors
	for _, flushes := range []bool{true, false} {
		broken, lost, kept := 0, 0, 0
		sim.Explore(t, 2, func(w *sim.World) {
			medium := device.NewMemory(make([]byte, 8*device.SectorSize))
			plug := func(name string, cache int) journal {
				d, err := w.NewDisk(name, medium, device.DiskConfig{WriteCache: cache})
				if err != nil {
					t.Fatal(err)
				}
				f, err := d.Open()
				if err != nil {
					t.Fatal(err)
				}
				return journal{f, flushes}
			}
			failed := plug("disk", 1<<20).append(w.Context(), record)
			if failed != nil && !errors.Is(failed, overlapped.ErrRemoved) {
				t.Fatal(failed)
			}
			w.Heal()
			got, err := plug("disk, later", 0).read(w.Context(), len(record))
			switch {
			case err != nil:
				t.Fatal(err)
			case got == nil && failed == nil, got != nil && !bytes.Equal(got, record):
				broken++
			case got == nil:
				lost++
			default:
				kept++
			}
		}, sim.WithFaults(sim.Faults{SurpriseRemoval: sim.Percent}))
		if (broken == 0) != flushes || lost == 0 || kept == 0 {
			t.Errorf("flushes %v: the record was there %d times, not there %d times, and broken %d times", flushes, kept, lost, broken)
		}
	}
}
