package capture

import (
	"encoding/binary"
	"net/netip"
)

// maxDepth is how many layers may enclose a segment (tags, tunnels, IP headers). Real stacks stay
// below ten; the cap keeps a hostile frame from costing more than its length.
const maxDepth = 16

// be16 and be32 read network byte order.
func be16(p []byte) uint16 { return binary.BigEndian.Uint16(p) }
func be32(p []byte) uint32 { return binary.BigEndian.Uint32(p) }

// decoded is what decoding made of a frame.
type decoded uint8

// What a frame may turn out to be.
const (
	gotSegment     decoded = iota // a TCP segment
	gotICMPError                  // an ICMP error about a TCP segment
	gotFragment                   // an IP fragment that waits for, or was used in, a whole packet
	gotUDP                        // UDP that is none of the finer kinds
	gotQUIC                       // UDP that looks like QUIC (RFC 9000 §17)
	gotDNS                        // UDP port 53
	gotOtherIP                    // IP of another protocol
	gotNotIP                      // ARP, LLDP, ...
	gotUnknownLink                // a link type that cannot be decoded
	gotMalformed                  // headers that contradict themselves
	gotShort                      // cut before the end of the TCP header
)

// decoder turns frames into segments. It keeps what must be known across frames: fragments that
// wait for the rest of their datagram, what was learned about each interface, and UDP flows known
// to be QUIC. All of it is bounded. A decoder is used by one goroutine.
type decoder struct {
	lost  *uint64 // counts datagrams whose fragments never became whole
	frags fragTable
	quic  quicTable
	icmp  icmpLayers
	links []linkState // by interface
	at    path
}

// linkState is what was learned about one interface.
type linkState struct {
	verdicts uint16 // TCP checksums judged, up to checksumVerdicts
	mtu      uint32 // octets of IP: the largest that a SYN's MSS option told of
}

// path is the way into the frame that is being decoded, as far as it was walked.
type path struct {
	frame       *rawFrame
	seg         *Segment
	src, dst    netip.Addr // of the innermost IP header
	ends        flowEnds   // the same addresses, for hashing
	tcp         []byte     // the TCP segment with its header, as much as was captured
	ipLen       int        // octets of the innermost IP datagram on the wire, with headers
	ipID        uint16
	hasIPID     bool
	ttl         uint8
	reassembled bool // the data was put together from fragments
	noChecksum  bool // the checksum covers another address than the header's (routing header)
	depth       uint8
	vlanCount   uint8
	vlans       [4]uint16 // outermost first; more tags are not kept
	tunnels     tunnelSet
	ifindex     uint32  // of the capturing host, if the link layer tells it (SLL2)
	side        Options // Outgoing or Incoming, if known
}

// newDecoder makes a decoder. It counts in lost the datagrams whose fragments never became whole.
func newDecoder(lost *uint64) *decoder {
	d := &decoder{lost: lost}
	d.frags.init()
	return d
}

// decode reads one frame and fills seg, all but its Mark, which the caller has set. Only after
// gotSegment and gotICMPError is seg valid; its Payload is valid until the next call.
func (d *decoder) decode(f *rawFrame, seg *Segment) decoded {
	*seg = Segment{Mark: seg.Mark, Iface: f.Iface}
	d.at.begin(f, seg)
	wire := max(int(f.OrigLen), len(f.Data))
	if f.Link == linkEthernet {
		return d.ethernet(f.Data, wire)
	}
	return d.link(f.Link, f.Data, wire)
}

// begin forgets the frame before. The fields of the IP header are set with each one.
func (at *path) begin(f *rawFrame, seg *Segment) {
	at.frame, at.seg, at.side = f, seg, sideOf(f.Direction)
	at.reassembled, at.noChecksum = false, false
	at.depth, at.vlanCount, at.tunnels, at.ifindex = 0, 0, 0, 0
}

// finish ends the capture: fragments that still wait will never be whole.
func (d *decoder) finish() {
	*d.lost += d.frags.drain()
}

// sideOf translates the direction flags of a pcapng Enhanced Packet Block.
func sideOf(direction uint8) Options {
	switch direction {
	case directionIncoming:
		return Incoming
	case directionOutgoing:
		return Outgoing
	}
	return 0
}

// cut is the outcome of a header that needs more octets than p has, of a layer that had wire
// octets.
func cut(p []byte, wire int) decoded {
	if len(p) < wire {
		return gotShort
	}
	return gotMalformed
}

// enter notes that the frame holds another layer of the given kind. It is false when there are too
// many.
func (d *decoder) enter(t tunnelSet) bool {
	d.at.tunnels |= t
	d.at.depth++
	return d.at.depth <= maxDepth
}

// linkOf is what is known about the frame's interface.
func (d *decoder) linkOf() *linkState {
	i := int(d.at.frame.Iface)
	for i >= len(d.links) {
		d.links = append(d.links, linkState{}) // 65,536 at most
	}
	return &d.links[i]
}

// complete fills in what the headers around a segment say.
func (at *path) complete() {
	at.seg.TTL = at.ttl
	at.seg.Options |= at.side
}

// ends are the addresses of the segment that was decoded last. They are valid until the next one.
func (d *decoder) ends() *flowEnds { return &d.at.ends }

// inVLANs are the numbers of the VLANs around the frame that was decoded last, the outermost first.
// They are valid until the next one.
func (d *decoder) inVLANs() []uint16 { return d.at.vlans[:d.at.vlanCount] }

// device is which of the capturing host's interfaces showed the frame that was decoded last; 0 if
// the link layer does not tell.
func (d *decoder) device() uint32 { return d.at.ifindex }

// traits are what is to be told of a segment that its fields do not show.
type traits struct {
	tunnels   tunnelSet // in which it was found
	offloaded bool      // it is larger than its link can carry
}

// inspect looks closer at the segment that was decoded last, one that is to be handed out. It
// learns from it about its interface, and marks it if its checksum is wrong.
func (d *decoder) inspect() traits {
	link := d.linkOf()
	seen := traits{tunnels: d.at.tunnels, offloaded: d.offloaded(link)}
	d.judgeChecksum(link)
	return seen
}

// ethernetMTU is what a link carries when nothing says that it carries more: octets of IP.
const ethernetMTU = 1500

// offloaded reports whether the segment is larger than its link can carry, which shows that the
// capture saw it before the sending host cut it up, or after the receiving host joined it. The MSS
// that an end offers in a SYN is the proof of a larger MTU (RFC 9293 §3.7.1). Traffic within one
// host has no link.
func (d *decoder) offloaded(link *linkState) bool {
	at, seg := &d.at, d.at.seg
	if at.reassembled || at.src.IsLoopback() || at.src == at.dst {
		return false
	}
	if seg.Options.Has(HasMSS) {
		header := uint32(40)
		if at.src.Is6() {
			header = 60
		}
		link.mtu = max(link.mtu, uint32(seg.MSS)+header)
	}
	return at.ipLen > ethernetMTU && at.ipLen > int(link.mtu)
}
