package xz

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"hash/crc64"
	"io"

	"github.com/ulikunitz/xz/lzma"
)

// block is a block being read.
type block struct {
	packed    countedReader
	data      *lzma.Reader2
	sum       hash.Hash
	header    uint64 // octets of its header
	plain     uint64 // octets that were given
	mayPacked uint64 // what the header says of the lengths, 0 for nothing
	mayPlain  uint64
}

const (
	lzma2Filter = 0x21
	// aheadMost is how many octets of a block must be there before its dictionary is allocated as
	// large as it asks for.
	aheadMost = 1 << 20
)

// newBlock reads the header of a block, whose first octet is given, and enough of its data to
// know what dictionary it needs.
func newBlock(raw *bufio.Reader, size, check byte, largest uint64) (*block, error) {
	head := make([]byte, (int(size)+1)*4)
	head[0] = size
	if _, err := io.ReadFull(raw, head[1:]); err != nil {
		return nil, cutShort(err)
	}
	end := len(head) - 4
	if !sealed(head[:end], head[end:]) {
		return nil, fmt.Errorf("%w: header of a block", errDamaged)
	}
	x := &block{header: uint64(len(head)), sum: newCheck(check)}
	dictionary, err := x.fields(head[1], bytes.NewReader(head[2:end]))
	if err != nil {
		return nil, err
	}
	if dictionary > largest {
		return nil, fmt.Errorf("xz: dictionary of %d MiB is larger than %d MiB", dictionary>>20,
			largest>>20)
	}
	ahead, needed, err := readAhead(raw, dictionary)
	x.packed.from = io.MultiReader(bytes.NewReader(ahead), raw)
	if err != nil && err != io.EOF { // what is there before the cut is data
		return nil, err
	}
	x.data, err = lzma.Reader2Config{
		DictCap: int(max(needed, lzma.MinDictCap)),
	}.NewReader2(&x.packed)
	return x, err
}

// fields reads the fields of a block's header: flags, optional lengths, filters, each an
// identifier, a length and its properties. It gives the size of the dictionary.
func (x *block) fields(flags byte, in *bytes.Reader) (dictionary uint64, err error) {
	lengths := [2]*uint64{&x.mayPacked, &x.mayPlain}
	for i, bit := range [2]byte{0x40, 0x80} {
		if flags&bit != 0 && err == nil {
			*lengths[i], err = binary.ReadUvarint(in)
		}
	}
	filter, err2 := binary.ReadUvarint(in)
	size, err3 := binary.ReadUvarint(in)
	property, err4 := in.ReadByte()
	if err := errors.Join(err, err2, err3, err4); err != nil {
		return 0, fmt.Errorf("%w: header of a block", errDamaged)
	}
	if flags&0x3f != 0 || filter != lzma2Filter || size != 1 || property > 40 {
		return 0, errors.New("xz: a filter other than LZMA2 is not supported")
	}
	if property == 40 {
		return 1<<32 - 1, nil
	}
	return uint64(2|property&1) << (property/2 + 11), nil
}

// readAhead reads whole chunks of a block until it is known what dictionary it needs: none larger
// than its plain octets, so that nothing is allocated for data that is not there.
func readAhead(raw *bufio.Reader, dictionary uint64) (ahead []byte, needed uint64, err error) {
	for plain := uint64(0); len(ahead) < aheadMost; {
		head, _ := raw.Peek(6)
		if len(head) == 0 || head[0] == 0 {
			return ahead, min(plain, dictionary), nil
		}
		packed, size := chunkSize(head)
		plain += size
		if plain >= dictionary {
			break
		}
		at := len(ahead)
		ahead = append(ahead, make([]byte, packed)...)
		if n, err := io.ReadFull(raw, ahead[at:]); err != nil {
			return ahead[:at+n], min(plain, dictionary), ignoreEnd(err)
		}
	}
	return ahead, dictionary, nil
}

// ignoreEnd leaves the end to be met again by whoever decodes.
func ignoreEnd(err error) error {
	if err == io.ErrUnexpectedEOF {
		return io.EOF
	}
	return err
}

// chunkSize is how many octets a chunk of LZMA2 has, header included, and how many it makes.
// Control octets from 0x80 say that they are compressed, from 0xc0 that an octet of properties
// follows the lengths.
func chunkSize(head []byte) (packed int, plain uint64) {
	var b [6]byte
	copy(b[:], head)
	size := int(binary.BigEndian.Uint16(b[1:]))
	if b[0] < 0x80 {
		return 3 + size + 1, uint64(size) + 1
	}
	packed = 5 + int(binary.BigEndian.Uint16(b[3:])) + 1
	if b[0] >= 0xc0 {
		packed++
	}
	return packed, uint64(b[0]&0x1f)<<16 + uint64(size) + 1
}

// Read implements io.Reader.
func (x *block) Read(b []byte) (int, error) {
	n, err := x.data.Read(b)
	x.plain += uint64(n)
	x.sum.Write(b[:n])
	return n, err
}

// end reads the padding and the checksum after the data, and gives the length of the block without
// padding.
func (x *block) end() (unpadded uint64, err error) {
	packed := uint64(x.packed.n)
	if x.mayPacked != 0 && x.mayPacked != packed || x.mayPlain != 0 && x.mayPlain != x.plain {
		return 0, fmt.Errorf("%w: length of a block", errDamaged)
	}
	rest := make([]byte, int(-packed&3)+x.sum.Size())
	if _, err := io.ReadFull(&x.packed, rest); err != nil {
		return 0, cutShort(err)
	}
	if !bytes.Equal(rest[-packed&3:], x.sum.Sum(nil)) {
		return 0, fmt.Errorf("%w: checksum of a block", errDamaged)
	}
	return x.header + packed + uint64(x.sum.Size()), nil
}

// newCheck makes the checksum of a kind; nil for one that is not known.
func newCheck(kind byte) hash.Hash {
	switch kind {
	case 0:
		return noSum{crc32.NewIEEE()}
	case 1:
		return littleSum{crc32.NewIEEE()}
	case 4:
		return littleSum{crc64.New(crc64.MakeTable(crc64.ECMA))}
	case 10:
		return sha256.New()
	}
	return nil
}

// littleSum is a checksum whose octets come the other way round.
type littleSum struct{ hash.Hash }

// Sum implements hash.Hash.
func (s littleSum) Sum(b []byte) []byte {
	sum := s.Hash.Sum(nil)
	for i := len(sum) - 1; i >= 0; i-- {
		b = append(b, sum[i])
	}
	return b
}

// noSum is no checksum.
type noSum struct{ hash.Hash }

// Size implements hash.Hash.
func (noSum) Size() int { return 0 }

// Sum implements hash.Hash.
func (noSum) Sum(b []byte) []byte { return b }

// Write implements hash.Hash.
func (noSum) Write(b []byte) (int, error) { return len(b), nil }
