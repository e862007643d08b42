package pcapio

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/bits"
	"time"

	"tcpwhy/capture/internal/frame"
)

// frameReader reads the frames of one input. It fills everything of a Frame but Input.
type frameReader interface {
	// next gives io.EOF after the last frame if the input ends where one may end, and otherwise an
	// error that says where and how it is damaged.
	next(f *frame.Frame) error
	// glance tells of the record that begins with the given octets, as far as they are there;
	// false if they do not tell.
	glance(record []byte) (glance, bool)
}

// The limits on what one frame may claim to hold, in octets. Wireshark refuses records of more than
// 256 KiB; captures of hosts that use BIG TCP hold larger ones, but then the header of the file
// says so.
const (
	frameUsual = 256 << 10
	frameMax   = 2 << 20
)

// frameLimit is the largest frame that a file with the given snapshot length may hold. Real files
// hold frames that are longer than their snapshot length, so it is never taken for less than is
// usual. 0 is no limit known.
func frameLimit(snapLen uint32) uint32 {
	if snapLen == 0 {
		return frameMax
	}
	return min(max(snapLen, frameUsual), frameMax)
}

// byteOrder is the order in which a file holds its numbers: big-endian if true.
type byteOrder bool

func (o byteOrder) u16(b []byte) uint16 {
	if o {
		return binary.BigEndian.Uint16(b)
	}
	return binary.LittleEndian.Uint16(b)
}

func (o byteOrder) u32(b []byte) uint32 {
	v := binary.LittleEndian.Uint32(b)
	if o {
		v = bits.ReverseBytes32(v)
	}
	return v
}

func (o byteOrder) u64(b []byte) uint64 {
	if o {
		return binary.BigEndian.Uint64(b)
	}
	return binary.LittleEndian.Uint64(b)
}

// The magic numbers of pcap files, as their writer saw them.
const (
	pcapMicro = 0xa1b2c3d4
	pcapNano  = 0xa1b23c4d
	// Alexey Kuznetsov's patch of libpcap: 8 octets more in the header of every record
	pcapModified = 0xa1b2cd34
)

// The lengths of the headers of pcap files.
const (
	pcapFileHeader     = 24
	pcapRecordHeader   = 16
	pcapModifiedHeader = 24
)

// pcapReader reads pcap files (draft-ietf-opsawg-pcap).
type pcapReader struct {
	in     *feed
	order  byteOrder
	header int   // octets before the data of each record
	tick   int64 // ns
	limit  uint32
	number uint64
	iface  uint32
	link   frame.LinkType
}

// isPcap tells by the first four octets whether a file is a pcap file, and in which order it holds
// numbers.
func isPcap(head []byte) (magic uint32, order byteOrder, ok bool) {
	if len(head) < 4 {
		return 0, false, false
	}
	for _, order := range []byteOrder{false, true} {
		switch magic := order.u32(head); magic {
		case pcapMicro, pcapNano, pcapModified:
			return magic, order, true
		}
	}
	return 0, false, false
}

// newPcapReader reads the header of a pcap file.
func newPcapReader(in *feed, account Account) (*pcapReader, error) {
	head, err := in.peek(pcapFileHeader)
	if err != nil {
		return nil, cutError(err, "within the header of the file", len(head), pcapFileHeader)
	}
	magic, order, _ := isPcap(head)
	snapLen := order.u32(head[16:])
	r := &pcapReader{
		in:     in,
		order:  order,
		header: pcapRecordHeader,
		tick:   int64(time.Microsecond),
		limit:  frameLimit(snapLen),
		// the other bits tell of the FCS
		link: frame.LinkType(min(order.u32(head[20:])&0x03ffffff, math.MaxUint16)),
	}
	switch magic {
	case pcapNano:
		r.tick = 1
	case pcapModified:
		r.header = pcapModifiedHeader
	}
	in.consume(pcapFileHeader)
	iface, err := account.AddInterface(Interface{
		Link: r.link, Resolution: time.Duration(r.tick), SnapLen: snapLen,
	})
	r.iface = iface
	return r, err
}

// next reads the next record in place.
func (r *pcapReader) next(f *frame.Frame) error {
	head, err := r.in.peek(r.header)
	if err != nil {
		return r.ended(head, err)
	}
	o := r.order
	captured, wire := o.u32(head[8:]), o.u32(head[12:])
	if captured > r.limit {
		return fmt.Errorf("frame %d claims %d captured octets, the limit is %d", r.number+1,
			captured, r.limit)
	}
	f.Time = r.time(head)
	f.Direction = frame.Unknown
	if r.header == pcapModifiedHeader {
		f.Direction = sllDirection(head[22])
	}
	whole := r.header + int(captured)
	record, err := r.in.peek(whole)
	if err != nil {
		return cutError(err, fmt.Sprintf("within frame %d", r.number+1),
			max(len(record)-r.header, 0), int(captured))
	}
	r.in.consume(whole)
	r.number++
	f.Number = r.number
	f.Iface = r.iface
	f.Link = r.link
	f.OrigLen = max(wire, captured)
	f.Data = record[r.header:]
	f.Bad = false
	return nil
}

// time is the time of a record, by its header.
func (r *pcapReader) time(head []byte) int64 {
	return int64(r.order.u32(head))*int64(time.Second) + int64(r.order.u32(head[4:]))*r.tick
}

// ended says how the file ended where a record should start.
func (r *pcapReader) ended(head []byte, err error) error {
	if len(head) > 0 {
		return cutError(err, fmt.Sprintf("within the header of frame %d", r.number+1), len(head),
			r.header)
	}
	if err == io.EOF {
		return io.EOF
	}
	return fmt.Errorf("after frame %d: %w", r.number, readable(err))
}

// sllDirection translates the packet type of Linux.
func sllDirection(packetType uint8) frame.Direction {
	switch packetType {
	case 0:
		return frame.Incoming
	case 4:
		return frame.Outgoing
	}
	return frame.Unknown
}

// errCut is an input that ends before it should.
var errCut = errors.New("cut")

// cutError says that an input ended early, or why it could not be read on.
func cutError(err error, where string, have, want int) error {
	if err == io.EOF {
		return fmt.Errorf("%w %s: %d of %d octets", errCut, where, have, want)
	}
	return fmt.Errorf("%s: %w", where, readable(err))
}

// readable words the ends of compressed streams.
func readable(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: the compressed stream ends early", errCut)
	}
	return nameless(err)
}
