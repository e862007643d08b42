// Package xz decompresses files in the xz format, and trusts nothing that they claim.
package xz

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"hash/fnv"
	"io"
)

// Reader reads files in the xz format (tukaani.org/xz/xz-file-format.txt), which are streams of
// blocks. The library that decodes the blocks reads such files, too, but allocates whatever
// dictionary each of their blocks asks for, takes a stream that is cut between blocks for one that
// ended, and remembers every block.
type Reader struct {
	raw     *bufio.Reader
	largest uint64      // dictionary that a block may ask for, in octets
	check   byte        // the kind of checksum of this stream's blocks
	block   *block      // being read, nil between blocks
	blocks  uint64      // of this stream so far
	records hash.Hash64 // of the lengths of those, which the index repeats
}

// Magic is how a file begins.
const Magic = "\xfd7zXZ\x00"

// endMagic is how a stream ends.
const endMagic = "YZ"

var errDamaged = errors.New("xz: damaged")

// NewReader reads the header of the first stream. A block that asks for a dictionary of more
// octets than the largest is refused, and none is allocated before there is data for it.
func NewReader(raw *bufio.Reader, largest uint64) (*Reader, error) {
	x := &Reader{raw: raw, largest: largest}
	if err := x.header(); err != nil {
		return nil, err
	}
	return x, nil
}

// Read implements io.Reader.
func (x *Reader) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	for {
		if x.block == nil {
			if err := x.next(); err != nil {
				return 0, err
			}
			continue
		}
		n, err := x.block.Read(b)
		if err == io.EOF {
			err = x.endBlock()
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
}

// next begins the next block, or reads the end of a stream and the header of the stream that
// follows.
func (x *Reader) next() error {
	size, err := x.raw.ReadByte()
	if err != nil {
		return cutShort(err)
	}
	if size != 0 {
		x.block, err = newBlock(x.raw, size, x.check, x.largest)
		return err
	}
	if err := x.index(); err != nil {
		return err
	}
	for { // streams may be padded with groups of four zeros
		head, err := x.raw.Peek(4)
		if len(head) == 0 {
			return err // the end
		}
		if err != nil {
			return cutShort(err)
		}
		if binary.LittleEndian.Uint32(head) != 0 {
			return x.header()
		}
		_, _ = x.raw.Discard(len(head))
	}
}

// header reads the header of a stream: magic, two octets of flags, their checksum.
func (x *Reader) header() error {
	var head [12]byte
	if _, err := io.ReadFull(x.raw, head[:]); err != nil {
		return cutShort(err)
	}
	if string(head[:6]) != Magic || !sealed(head[6:8], head[8:]) || head[6] != 0 {
		return fmt.Errorf("%w: header of a stream", errDamaged)
	}
	x.check, x.blocks, x.records = head[7], 0, fnv.New64a()
	if newCheck(x.check) == nil {
		return fmt.Errorf("xz: checksums of kind %d are not supported", x.check)
	}
	return nil
}

// endBlock reads what follows the data of a block.
func (x *Reader) endBlock() error {
	unpadded, err := x.block.end()
	if err != nil {
		return err
	}
	x.blocks++
	x.records.Write(binary.AppendUvarint(binary.AppendUvarint(nil, unpadded), x.block.plain))
	x.block = nil
	return nil
}

// index reads the index, of which the first octet is read, and the footer: both repeat what is
// known.
func (x *Reader) index() error {
	in := &indexReader{raw: x.raw}
	in.take(0)
	blocks, err := binary.ReadUvarint(in)
	if err != nil {
		return cutShort(err)
	}
	records := fnv.New64a()
	var b []byte
	for range min(blocks, x.blocks+1) {
		unpadded, err := binary.ReadUvarint(in)
		if err != nil {
			return cutShort(err)
		}
		plain, err := binary.ReadUvarint(in)
		if err != nil {
			return cutShort(err)
		}
		b = binary.AppendUvarint(binary.AppendUvarint(b[:0], unpadded), plain)
		records.Write(b)
	}
	if blocks != x.blocks || records.Sum64() != x.records.Sum64() {
		return fmt.Errorf("%w: index of blocks", errDamaged)
	}
	for in.n%4 != 0 {
		if _, err := in.ReadByte(); err != nil {
			return cutShort(err)
		}
	}
	return x.footer(in.sum, uint32(in.n/4))
}

// footer reads the checksum of the index, and the footer: its checksum, the length of the index in
// words of four octets (the checksum is one, and one is not counted), the flags of the header,
// magic.
func (x *Reader) footer(indexSum, words uint32) error {
	var b [16]byte
	if _, err := io.ReadFull(x.raw, b[:]); err != nil {
		return cutShort(err)
	}
	if binary.LittleEndian.Uint32(b[:]) != indexSum || !sealed(b[8:14], b[4:8]) ||
		binary.LittleEndian.Uint32(b[8:]) != words || b[12] != 0 || b[13] != x.check ||
		string(b[14:]) != endMagic {
		return fmt.Errorf("%w: footer of a stream", errDamaged)
	}
	return nil
}

// sealed reports whether sum is the checksum of b.
func sealed(b, sum []byte) bool { return crc32.ChecksumIEEE(b) == binary.LittleEndian.Uint32(sum) }

// cutShort is an end where none may be.
func cutShort(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// indexReader reads an index octet by octet, counts, and sums up.
type indexReader struct {
	raw *bufio.Reader
	n   int64
	sum uint32
	one [1]byte
}

// ReadByte implements io.ByteReader.
func (r *indexReader) ReadByte() (byte, error) {
	b, err := r.raw.ReadByte()
	if err == nil {
		r.take(b)
	}
	return b, err
}

func (r *indexReader) take(b byte) {
	r.one[0] = b
	r.n++
	r.sum = crc32.Update(r.sum, crc32.IEEETable, r.one[:])
}

// countedReader counts what is read.
type countedReader struct {
	from io.Reader
	n    int64
}

// Read implements io.Reader.
func (c *countedReader) Read(b []byte) (int, error) {
	n, err := c.from.Read(b)
	c.n += int64(n)
	return n, err
}
