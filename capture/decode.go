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

// decoder turns frames into segments. It keeps what must be known across frames: fragments that
// wait for the rest of their datagram, recent segments and the points they were seen at, and UDP
// flows known to be QUIC. All of it is bounded. A decoder is used by one goroutine.
type decoder struct {
	stats  *Stats
	filter *Filter // nil matches everything
	frags  fragTable
	dedup  dedup
	quic   quicTable
	icmp   icmpLayers
	links  []linkState // by interface
	at     path
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
	srcBits     addrBits   // the same addresses, for hashing
	dstBits     addrBits
	tcp         []byte // the TCP segment with its header, as much as was captured
	ipLen       int    // octets of the innermost IP datagram on the wire, with headers
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

// newDecoder makes a decoder that counts into stats. A nil filter matches everything.
func newDecoder(stats *Stats, filter *Filter) *decoder {
	if stats.UnknownLinks == nil {
		stats.UnknownLinks = make(map[string]uint64)
	}
	if stats.Tunnels == nil {
		stats.Tunnels = make(map[string]uint64)
	}
	d := &decoder{stats: stats, filter: filter}
	d.frags.init()
	d.dedup.init(stats)
	return d
}

// decode reads one frame and fills seg, all but its Mark, which the caller has set. Only after
// OutcomeSegment and OutcomeICMP is seg valid; its Payload is valid until the next call. The caller
// counts the outcome.
func (d *decoder) decode(f *rawFrame, seg *Segment) Outcome {
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
	d.stats.FragmentsLost += d.frags.drain()
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
func cut(p []byte, wire int) Outcome {
	if len(p) < wire {
		return OutcomeShort
	}
	return OutcomeMalformed
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

// deliver judges a segment whose fields are complete: filter, then duplicates, then the account.
func (d *decoder) deliver(outcome Outcome) Outcome {
	at, seg := &d.at, d.at.seg
	seg.TTL = at.ttl
	seg.Options |= at.side
	if d.filter != nil && !d.filter.match(at, seg) {
		return OutcomeFiltered
	}
	if d.dedup.duplicate(at) {
		return OutcomeDuplicate
	}
	if outcome == OutcomeSegment {
		d.account()
	}
	return outcome
}

// account counts what Stats tells about segments that are handed out.
func (d *decoder) account() {
	at, seg := &d.at, d.at.seg
	if at.tunnels != 0 {
		at.tunnels.count(d.stats.Tunnels)
	}
	if uint32(len(seg.Payload)) < seg.Len {
		d.stats.Snapped++
	}
	link := d.linkOf()
	if d.offloaded(link) {
		d.stats.Offloaded++
	}
	d.judgeChecksum(link)
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
