// Package decode finds the TCP segment in a frame: link layers, tags, tunnels, IP, fragments, and
// the TCP header. It says of every frame what it holds, allocates nothing for it, and does not know
// a connection.
package decode

import (
	"net/netip"

	"tcpwhy/capture/internal/flow"
	"tcpwhy/capture/internal/frame"
	"tcpwhy/capture/segment"
)

// maxDepth is how many layers may enclose a segment (tags, tunnels, IP headers). Real stacks stay
// below ten; the cap keeps a hostile frame from costing more than its length.
const maxDepth = 16

// Decoder turns frames into segments. It keeps what must be known across frames: fragments that
// wait for the rest of their datagram, what was learned about each interface, and UDP flows known
// to be QUIC. All of it is bounded. A decoder is used by one goroutine.
type Decoder struct {
	lost  *uint64 // counts datagrams whose fragments never became whole
	frags fragTable
	quic  quicTable
	links []linkState // by interface
	at    path
	trail *Trail // nil: nobody follows
}

// New makes a decoder. It counts in lost the datagrams whose fragments never became whole.
func New(lost *uint64) *Decoder {
	d := &Decoder{lost: lost}
	d.frags.init()
	return d
}

// Decode reads one frame and fills seg, all but its Mark, which the caller has set. Only after
// Segment, ICMPError and DNS is seg valid; its Payload is valid until the next call.
func (d *Decoder) Decode(f *frame.Frame, seg *segment.Segment) Outcome {
	*seg = segment.Segment{Mark: seg.Mark, Iface: f.Iface}
	d.at.begin(f, seg)
	if d.trail != nil {
		d.trail.Parts = d.trail.Parts[:0]
	}
	wire := max(int(f.OrigLen), len(f.Data))
	if f.Link == frame.LinkEthernet {
		return d.ethernet(f.Data, wire)
	}
	return d.link(f.Link, f.Data, wire)
}

// Finish ends the capture: fragments that still wait will never be whole.
func (d *Decoder) Finish() {
	*d.lost += d.frags.drain()
}

// enter notes that the frame holds another layer of the given kind. It is false when there are too
// many.
func (d *Decoder) enter(t Tunnels) bool {
	d.at.tunnels |= t
	d.at.depth++
	return d.at.depth <= maxDepth
}

// Ends are the addresses of the segment that was decoded last. They are valid until the next one.
func (d *Decoder) Ends() *flow.Ends { return &d.at.ends }

// VLANs are the numbers of the VLANs around the frame that was decoded last, the outermost first.
// They are valid until the next one.
func (d *Decoder) VLANs() []uint16 { return d.at.vlans[:d.at.vlanCount] }

// UDPPorts are the source and destination port of the datagram that was decoded last: of UDP, QUIC
// or DNS.
func (d *Decoder) UDPPorts() (src, dst uint16) { return d.at.udpPorts[0], d.at.udpPorts[1] }

// Hop stands for the Ethernet addresses around the segment that was decoded last, the innermost
// ones, in whichever direction it went; 0 if there are none.
func (d *Decoder) Hop() uint32 { return d.at.hop }

// Addrs are the innermost addresses of the frame that was decoded last, which had an IP header:
// also of a fragment.
func (d *Decoder) Addrs() (src, dst netip.Addr) { return d.at.src, d.at.dst }
