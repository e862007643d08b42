package pcapio

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"tcpwhy/capture/internal/frame"
)

// The types of pcapng blocks (draft-ietf-opsawg-pcapng §4 and §11.1).
const (
	blockSection    = 0x0a0d0d0a // the same in both byte orders
	blockInterface  = 1
	blockOldPacket  = 2
	blockSimple     = 3
	blockStatistics = 5
	blockEnhanced   = 6
	blockSecrets    = 10
)

// The blocks that hold no frame of a network, but are numbered as one by Wireshark: an entry of the
// systemd journal, custom blocks, and events of sysdig.
const (
	blockJournal     = 9
	blockCustom      = 0xbad
	blockCustomLocal = 0x40000bad
	blockEvent       = 0x204
	blockEventV2     = 0x216
	blockEventLarge  = 0x221
)

// The limits on the lengths of blocks, in octets.
const (
	blockLeast    = 12           // type, length, length again
	blockPacket   = frameMax * 2 // a frame with its options
	blockKept     = 1 << 20      // any other block that is looked into
	byteOrderMark = 0x1a2b3c4d   // as its writer saw it
	sectionLeast  = blockLeast + 16
)

// pcapngReader reads pcapng files.
type pcapngReader struct {
	in         *feed
	account    Account
	order      byteOrder
	interfaces []ngInterface // of this section
	number     uint64
	last       int64  // time of the last frame, for those that have none
	dropped    uint64 // frames that the capturing host dropped, of all sections
	blocks     Blocks // nil: nobody wants them
}

// Blocks is an Account that takes the blocks of a pcapng file, too, as they stand there.
type Blocks interface {
	// TakeBlock takes the next block: after the Account was told of what it says, and before Next
	// returns the frame that it holds. number is that of the frame, 0 if there is none. A block of
	// no frame that is longer than blockKept comes in pieces.
	TakeBlock(order binary.ByteOrder, number uint64, block []byte)
}

// hand hands a block to who wants it.
func (r *pcapngReader) hand(number uint64, block []byte) {
	switch {
	case r.blocks == nil:
	case bool(r.order):
		r.blocks.TakeBlock(binary.BigEndian, number, block)
	default:
		r.blocks.TakeBlock(binary.LittleEndian, number, block)
	}
}

// ngInterface is an interface of the section that is being read.
type ngInterface struct {
	index      uint32 // that the account gave it
	link       frame.LinkType
	snapLen    uint32
	limit      uint32
	unit       tickUnit
	statistics uint64 // frames dropped as the last statistics block says
	dropped    uint64 // frames dropped as the packet blocks say, added up
}

// isPcapng tells by the first twelve octets whether a file is a pcapng file.
func isPcapng(head []byte) bool {
	if len(head) < 12 || byteOrder(false).u32(head) != blockSection {
		return false
	}
	_, ok := sectionOrder(head)
	return ok
}

// sectionOrder reads the byte-order mark of a section header.
func sectionOrder(head []byte) (byteOrder, bool) {
	for _, order := range []byteOrder{false, true} {
		if order.u32(head[8:]) == byteOrderMark {
			return order, true
		}
	}
	return false, false
}

// newPcapngReader reads the header of the first section.
func newPcapngReader(in *feed, account Account) (*pcapngReader, error) {
	r := &pcapngReader{in: in, account: account}
	r.blocks, _ = account.(Blocks)
	if err := r.block(&frame.Frame{}); err != errNoFrame {
		return nil, err
	}
	return r, nil
}

// errNoFrame says that a block was read that holds no frame.
var errNoFrame = errors.New("no frame")

// next reads blocks up to the next one that holds a frame.
func (r *pcapngReader) next(f *frame.Frame) error {
	for {
		if err := r.block(f); err != errNoFrame {
			return err
		}
	}
}

// block reads one block; f is filled unless there is an error.
func (r *pcapngReader) block(f *frame.Frame) error {
	head, err := r.in.peek(8)
	if err != nil {
		return r.ended(head, err)
	}
	kind := r.order.u32(head)
	if kind == blockSection {
		if kind, err = r.section(); err != nil {
			return err
		}
		head, _ = r.in.peek(8)
	}
	length := r.order.u32(head[4:])
	if length < blockLeast || length%4 != 0 {
		return fmt.Errorf("%s: a block claims a length of %d octets", r.place("damaged"), length)
	}
	switch kind {
	case blockEnhanced, blockSimple, blockOldPacket:
		return r.packet(kind, length, f)
	case blockSection, blockInterface, blockStatistics, blockSecrets:
		return r.information(kind, length)
	}
	err = r.passOver(length)
	if err == errNoFrame && isNumbered(kind) {
		r.number++
	}
	return err
}

// ended says how the file ended where a block should start.
func (r *pcapngReader) ended(head []byte, err error) error {
	if len(head) > 0 {
		return cutError(err, r.place("within the header of a block"), len(head), 8)
	}
	if err == io.EOF {
		return io.EOF
	}
	return fmt.Errorf("after frame %d: %w", r.number, readable(err))
}

// isNumbered reports whether Wireshark gives a frame number to a block without a frame.
func isNumbered(kind uint32) bool {
	switch kind {
	case blockJournal, blockCustom, blockCustomLocal, blockEvent, blockEventV2, blockEventLarge:
		return true
	}
	return false
}

// place says where in the input something is, in frames, which is what a user can look up.
func (r *pcapngReader) place(what string) string {
	return fmt.Sprintf("%s after frame %d", what, r.number)
}

// section reads the byte order of a new section, which is that of its length already.
func (r *pcapngReader) section() (kind uint32, err error) {
	head, err := r.in.peek(12)
	if err != nil {
		return 0, cutError(err, r.place("within the header of a section"), len(head), 12)
	}
	order, ok := sectionOrder(head)
	if !ok {
		return 0, fmt.Errorf("%s: a section has the byte-order mark % x", r.place("damaged"),
			head[8:12])
	}
	r.order = order
	r.interfaces = r.interfaces[:0]
	return blockSection, nil
}

// whole shows a block, of which most is between its two lengths, and consumes it. Where it is cut,
// the error names the frame if the block is to hold one.
func (r *pcapngReader) whole(length uint32, holdsFrame bool) (block, body []byte, err error) {
	block, err = r.in.peek(int(length))
	if err != nil {
		where := r.place("within a block")
		if holdsFrame {
			where = fmt.Sprintf("within the block of frame %d", r.number+1)
		}
		return nil, nil, cutError(err, where, len(block), int(length))
	}
	r.in.consume(int(length))
	return block, block[8 : length-4], r.sameLength(length, block[length-4:])
}

// sameLength checks the length that ends a block: where it differs, the next block cannot be found.
func (r *pcapngReader) sameLength(length uint32, trailer []byte) error {
	if again := r.order.u32(trailer); again != length {
		return fmt.Errorf("%s: a block has length %d at its start and %d at its end",
			r.place("damaged"), length, again)
	}
	return nil
}

// passOver skips a block that is not looked into, whatever its length.
func (r *pcapngReader) passOver(length uint32) error {
	if r.blocks != nil {
		return r.copyOver(length)
	}
	have, err := r.in.skip(uint64(length - 4))
	if err == nil {
		var trailer []byte
		if trailer, err = r.in.peek(4); err == nil {
			r.in.consume(4)
			if err = r.sameLength(length, trailer); err != nil {
				return err
			}
			return errNoFrame
		}
		have += uint64(len(trailer))
	}
	return cutError(err, r.place("within a block"), int(have), int(length))
}

// copyOver hands over a block that is not looked into, in pieces if it is long. How it ends is not
// checked: it is as it was.
func (r *pcapngReader) copyOver(length uint32) error {
	for left := int(length); left > 0; {
		piece, err := r.in.peek(min(left, blockKept))
		if err != nil {
			return cutError(err, r.place("within a block"), len(piece), left)
		}
		r.hand(0, piece)
		r.in.consume(len(piece))
		left -= len(piece)
	}
	return errNoFrame
}

// information reads a block that tells about the capture.
func (r *pcapngReader) information(kind, length uint32) error {
	if length > blockKept {
		if kind == blockSecrets {
			return r.passOver(length)
		}
		return fmt.Errorf("%s: a block of type %d claims a length of %d octets", r.place("damaged"),
			kind, length)
	}
	block, body, err := r.whole(length, false)
	if err != nil {
		return err
	}
	switch kind {
	case blockSection:
		err = r.readSection(body)
	case blockInterface:
		err = r.readInterface(body)
	case blockStatistics:
		r.readStatistics(body)
	case blockSecrets:
		r.readSecrets(body)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", r.place("damaged"), err)
	}
	r.hand(0, block)
	return errNoFrame
}
