package pcapio

import (
	"encoding/binary"
	"fmt"
	"io"
	"time"

	"tcpwhy/capture/internal/frame"
)

// The lengths of the headers of snoop files (RFC 1761 §2), whose numbers are all big-endian.
const (
	snoopFileHeader   = 16
	snoopRecordHeader = 24
	snoopVersion      = 2
	snoopMagic        = "snoop\x00\x00\x00"
)

// snoopReader reads the files of Solaris' snoop (RFC 1761).
type snoopReader struct {
	in      *feed
	account Account
	number  uint64
	iface   uint32
	link    frame.LinkType
	drops   uint32 // so far, as the latest record says
}

// isSnoop tells by the first octets whether a file is snoop's.
func isSnoop(head []byte) bool {
	return len(head) >= len(snoopMagic) && string(head[:len(snoopMagic)]) == snoopMagic
}

// newSnoopReader reads the header of a snoop file.
func newSnoopReader(in *feed, account Account) (*snoopReader, error) {
	head, err := in.peek(snoopFileHeader)
	if err != nil {
		return nil, cutError(err, "within the header of the file", len(head), snoopFileHeader)
	}
	if version := binary.BigEndian.Uint32(head[8:]); version != snoopVersion {
		return nil, fmt.Errorf("a snoop capture of version %d, only %d is known", version,
			snoopVersion)
	}
	link, ok := snoopLink(binary.BigEndian.Uint32(head[12:]))
	if !ok {
		return nil, fmt.Errorf("a snoop capture of data link %d, only Ethernet is known",
			binary.BigEndian.Uint32(head[12:]))
	}
	in.consume(snoopFileHeader)
	iface, err := account.AddInterface(Interface{Link: link, Resolution: time.Microsecond})
	return &snoopReader{in: in, account: account, iface: iface, link: link}, err
}

// snoopLink is the link type of a datalink code (RFC 1761 §3). IEEE 802.3 is framed as Ethernet is.
func snoopLink(code uint32) (frame.LinkType, bool) {
	const ieee8023, ethernet = 0, 4
	return frame.LinkEthernet, code == ieee8023 || code == ethernet
}

// next reads the next record in place: its data, and padding up to its length.
func (r *snoopReader) next(f *frame.Frame) error {
	head, err := r.in.peek(snoopRecordHeader)
	if err != nil {
		return r.ended(head, err)
	}
	u32 := binary.BigEndian.Uint32
	wire, captured, length := u32(head), u32(head[4:]), u32(head[8:])
	if length < snoopRecordHeader || captured > length-snoopRecordHeader || length > frameMax {
		return fmt.Errorf("frame %d claims %d captured octets in a record of %d", r.number+1,
			captured, length)
	}
	if drops := u32(head[12:]); drops != r.drops {
		r.drops = drops
		r.account.SetDrops(uint64(drops))
	}
	f.Time = snoopTime(head)
	record, err := r.in.peek(int(length))
	if err != nil {
		return cutError(err, fmt.Sprintf("within frame %d", r.number+1),
			max(len(record)-snoopRecordHeader, 0), int(captured))
	}
	r.in.consume(int(length))
	r.number++
	f.Number, f.Iface, f.Link = r.number, r.iface, r.link
	f.Direction, f.Bad = frame.Unknown, false
	f.OrigLen = max(wire, captured)
	f.Data = record[snoopRecordHeader : snoopRecordHeader+captured]
	return nil
}

// snoopTime is the time of a record, by its header.
func snoopTime(head []byte) int64 {
	u32 := binary.BigEndian.Uint32
	return int64(u32(head[16:]))*int64(time.Second) + int64(u32(head[20:]))*int64(time.Microsecond)
}

// ended says how the file ended where a record should start.
func (r *snoopReader) ended(head []byte, err error) error {
	if len(head) > 0 {
		return cutError(err, fmt.Sprintf("within the header of frame %d", r.number+1), len(head),
			snoopRecordHeader)
	}
	if err == io.EOF {
		return io.EOF
	}
	return fmt.Errorf("after frame %d: %w", r.number, readable(err))
}
