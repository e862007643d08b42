package sender

import (
	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

const (
	// idsTrusted is how many packets in a row, before a gap and after it together, must have
	// counted IP identification up by one before the gap means a packet that never arrived. Hosts
	// that share a counter between connections, or draw it at random, never get there.
	idsTrusted = 3
	// maxVanished is the longest such gap believed.
	maxVanished = 16
)

// packetIDs follows the IP identification of one host's packets. Linux counts them per connection
// (net/ipv4/ip_output.c, ip_select_ident_segs); nothing forbids others not to (RFC 6864 §4.1).
type packetIDs struct {
	next    uint16 // that of the next packet
	regular int    // packets that counted up by one
	started bool   // next is valid
	broken  bool   // they do not count packets
}

// packets is how many packets r is on the wire, to a host with the given effective MSS.
func packets(r *reassembly.Record, mss uint32) uint16 {
	if mss == 0 || r.Len <= mss {
		return 1
	}
	return uint16((r.Len + mss - 1) / mss)
}

// gap is how many packets are missing before r, the first of the records given.
func (k *packetIDs) gap(records []reassembly.Record, mss uint32) int {
	r := &records[0]
	missing := int(r.IPID - k.next)
	was := k.started
	k.started, k.next = true, r.IPID+packets(r, mss)
	switch {
	case !was || k.broken:
		return 0
	case missing == 0:
		k.regular++
		return 0
	case missing > maxVanished:
		k.broken = true
		return 0
	}
	if k.regular < idsTrusted && k.regular+k.ahead(records[1:], r.Dir, mss) < idsTrusted {
		k.broken = true
		return 0
	}
	return missing
}

// ahead is how many of the packets from dir among the records count on from where the counter is,
// idsTrusted at most.
func (k *packetIDs) ahead(records []reassembly.Record, dir reassembly.Dir, mss uint32) int {
	n, next := 0, k.next
	for i := range records {
		r := &records[i]
		if r.Dir != dir {
			continue
		}
		if r.IPID != next || n == idsTrusted {
			break
		}
		n, next = n+1, next+packets(r, mss)
	}
	return n
}

// countPackets looks whether r, record n, shows that packets of its sender never passed the capture
// point.
func (s *State) countPackets(r *reassembly.Record, n int) {
	if r.Flags&(capture.SYN|capture.RST) != 0 {
		return
	}
	c := s.path.Conn
	if r.IPID != 0 && r.Kind != reassembly.OutOfOrder {
		s.since.missing += s.ids.gap(c.Records[n-c.Released:], s.mss())
	}
	if r.PureAck() && r.Seq == s.stream.sent {
		s.since.unsent = r.Time
	}
	if r.Len == 0 && r.Seq > s.stream.sent && (s.stream.sent > 0 || !c.MidStream) &&
		!r.Trait.Has(reassembly.Wild) && !Seen(s.since.skipped) {
		s.since.skipped = r.Mark()
	}
}
