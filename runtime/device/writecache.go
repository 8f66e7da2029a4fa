package device

import (
	"io"
	"iter"
	"slices"
)

// SectorSize is how many bytes a disk puts on its medium in one piece: where the power fails during a write, each sector of it
// is there as a whole, or as it was.
const SectorSize = 512

// writeCache is a disk's volatile write cache. It is a Backing in front of the medium: what is written stays in it until a
// flush, or until it has no room for more; then the oldest goes to the medium. When the power fails, any of the rest may have
// got there: of a sector that was written several times, any of its versions.
type writeCache struct {
	medium   Backing
	room     int                 // how many versions it holds
	sectors  map[int64][]version // by number, the oldest first
	order    []version           // of all sectors
	written  uint64              // how many versions there have ever been
	end      int64               // behind the last byte that was written
	flushing map[*Registers]uint64
}

// version is what a write has made of a sector.
type version struct {
	number uint64 // in the order of the writes, from 1
	sector int64
	image  []byte // shorter than a sector where the disk ends in it
}

// newWriteCache makes a cache of so many bytes.
func newWriteCache(medium Backing, bytes int) *writeCache {
	return &writeCache{
		medium: medium, room: (bytes + SectorSize - 1) / SectorSize,
		sectors: make(map[int64][]version), flushing: make(map[*Registers]uint64),
	}
}

// ReadAt reads what was written last.
func (c *writeCache) ReadAt(p []byte, off int64) (int, error) {
	n, err := c.medium.ReadAt(p, off)
	if err != nil && err != io.EOF {
		return n, err
	}
	if known := int(min(c.end-off, int64(len(p)))); n < known { // behind the medium's end
		clear(p[n:known])
		n = known
	}
	for at, piece := range pieces(p[:n], off) {
		if image, from := c.image(at/SectorSize), int(at%SectorSize); from < len(image) {
			copy(piece, image[from:])
		}
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// WriteAt writes to the cache. If the medium refuses a write of nothing it fails; other errors of the medium come with a flush,
// or a write for which there is no room.
func (c *writeCache) WriteAt(p []byte, off int64) (n int, err error) {
	if _, err := c.medium.WriteAt(nil, off); err != nil {
		return 0, err
	}
	for at, piece := range pieces(p, off) {
		if err := c.put(at, piece); err != nil {
			return n, err
		}
		n += len(piece)
	}
	return n, nil
}

// pieces are the parts of sectors that p lies in, with their offsets, if it begins at off.
func pieces(p []byte, off int64) iter.Seq2[int64, []byte] {
	return func(yield func(int64, []byte) bool) {
		for len(p) > 0 {
			n := min(SectorSize-int(off%SectorSize), len(p))
			if !yield(off, p[:n]) {
				return
			}
			p, off = p[n:], off+int64(n)
		}
	}
}

// image is what the cache has of a sector, nil if nothing.
func (c *writeCache) image(sector int64) []byte {
	if all := c.sectors[sector]; len(all) > 0 {
		return all[len(all)-1].image
	}
	return nil
}

// put writes a part of a sector.
func (c *writeCache) put(at int64, piece []byte) error {
	sector, from := at/SectorSize, int(at%SectorSize)
	var now [SectorSize]byte
	n := copy(now[:], c.image(sector))
	if n == 0 && len(piece) < SectorSize {
		var err error
		if n, err = c.medium.ReadAt(now[:], sector*SectorSize); err != nil && err != io.EOF {
			return err
		}
	}
	n = max(n, from+copy(now[from:], piece))
	c.written++
	v := version{number: c.written, sector: sector, image: slices.Clone(now[:n])}
	c.sectors[sector] = append(c.sectors[sector], v)
	c.order = append(c.order, v)
	c.end = max(c.end, at+int64(len(piece)))
	if len(c.order) > c.room {
		return c.settle()
	}
	return nil
}

// settle puts the oldest version on the medium.
func (c *writeCache) settle() error {
	v := c.order[0]
	if err := c.save(v); err != nil {
		return err
	}
	c.order = c.order[1:]
	if c.sectors[v.sector] = c.sectors[v.sector][1:]; len(c.sectors[v.sector]) == 0 {
		delete(c.sectors, v.sector)
	}
	return nil
}

func (c *writeCache) save(v version) error {
	n, err := c.medium.WriteAt(v.image, v.sector*SectorSize)
	if err == nil && n < len(v.image) {
		err = io.ErrShortWrite
	}
	return err
}

// ask notes what the flush in these registers is of: all that was written before its doorbell.
func (c *writeCache) ask(r *Registers) { c.flushing[r] = c.written }

// flush puts that on the medium.
func (c *writeCache) flush(r *Registers) error {
	last := c.flushing[r]
	delete(c.flushing, r)
	for len(c.order) > 0 && c.order[0].number <= last {
		if err := c.settle(); err != nil {
			return err
		}
	}
	return sync(c.medium)
}

// interrupt is what becomes of a write that the power fails in: any of its sectors may have come into the cache.
func (c *writeCache) interrupt(r *Registers, o Oracle) {
	for at, piece := range pieces(r.DMA, max(r.Offset, 0)) {
		if o.Choose("disk.torn", 2) == 1 {
			c.put(at, piece) // what fails is lost
		}
	}
}

// lose is the power failure: each sector has got to the medium in some version, or in none. Calm is that nothing is lost.
func (c *writeCache) lose(o Oracle) {
	for _, v := range c.order {
		all := c.sectors[v.sector]
		delete(c.sectors, v.sector)
		if len(all) == 0 {
			continue // it was this sector's turn before
		}
		if lost := int(o.Choose("disk.lost", uint64(len(all))+1)); lost < len(all) {
			c.save(all[len(all)-1-lost]) // what fails is lost
		}
	}
	c.order = nil
}

// sync flushes a backing of which flushes are known.
func sync(b Backing) error {
	if s, ok := b.(Syncer); ok {
		return s.Sync()
	}
	return nil
}
