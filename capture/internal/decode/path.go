package decode

import (
	"encoding/binary"
	"net/netip"

	"tcpwhy/capture/internal/flow"
	"tcpwhy/capture/internal/frame"
	"tcpwhy/capture/segment"
)

// path is the way into the frame that is being decoded, as far as it was walked.
type path struct {
	frame       *frame.Frame
	seg         *segment.Segment
	src, dst    netip.Addr // of the innermost IP header
	ends        flow.Ends  // the same addresses, for hashing
	tcp         []byte     // the TCP segment with its header, as much as was captured
	ipLen       int        // octets of the innermost IP datagram on the wire, with headers
	ipID        uint16
	hasIPID     bool
	ttl         uint8
	reassembled bool // the data was put together from fragments
	// the checksum covers another address than the header's (routing header), or other octets
	noChecksum bool
	// the header of the link said how long what is decoded now is on the wire. Elsewhere the
	// frame's length does, which those who cut frames do not always leave as it was, or that of a
	// tunnel, which carries cut frames where it mirrors traffic.
	measured  bool
	depth     uint8
	vlanCount uint8
	hop       uint32    // the innermost Ethernet addresses, the same in both directions
	udpPorts  [2]uint16 // source and destination of UDP that is no tunnel
	vlans     [4]uint16 // outermost first; more tags are not kept
	tunnels   Tunnels
	side      segment.Options // Outgoing or Incoming, if known
}

// begin forgets the frame before. The fields of the IP header are set with each one.
func (at *path) begin(f *frame.Frame, seg *segment.Segment) {
	at.frame, at.seg, at.side = f, seg, sideOf(f.Direction)
	at.reassembled, at.noChecksum, at.measured = false, false, false
	at.depth, at.vlanCount, at.tunnels, at.hop = 0, 0, 0, 0
}

// complete fills in what the headers around a segment say.
func (at *path) complete() {
	at.seg.TTL = at.ttl
	at.seg.Options |= at.side
}

// sideOf translates the direction flags of a pcapng Enhanced Packet Block.
func sideOf(direction frame.Direction) segment.Options {
	switch direction {
	case frame.Incoming:
		return segment.Incoming
	case frame.Outgoing:
		return segment.Outgoing
	}
	return 0
}

// be16 and be32 read network byte order.
func be16(p []byte) uint16 { return binary.BigEndian.Uint16(p) }
func be32(p []byte) uint32 { return binary.BigEndian.Uint32(p) }
