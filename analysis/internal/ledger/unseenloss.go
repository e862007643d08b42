package ledger

import (
	"time"

	"tcpwhy/analysis/report"
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

// counter follows the IP identification of one host's packets. Linux counts them per connection
// (net/ipv4/ip_output.c, ip_select_ident_segs); nothing forbids others not to (RFC 6864 §4.1).
type counter struct {
	next    uint16
	regular int
	started bool
	broken  bool
}

// packets is how many packets r is on the wire, to a host with the given effective MSS.
func packets(r *reassembly.Record, eff uint32) uint16 {
	if eff == 0 || r.Len <= eff {
		return 1
	}
	return uint16((r.Len + eff - 1) / eff)
}

// gap is how many packets are missing before r, the first of the records given.
func (k *counter) gap(records []reassembly.Record, eff uint32) int {
	r := &records[0]
	missing := int(r.IPID - k.next)
	was := k.started
	k.started, k.next = true, r.IPID+packets(r, eff)
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
	if k.regular < idsTrusted && k.regular+k.ahead(records[1:], r.Dir, eff) < idsTrusted {
		k.broken = true
		return 0
	}
	return missing
}

// ahead is how many of the packets from dir among the records count on from where the counter is,
// idsTrusted at most.
func (k *counter) ahead(records []reassembly.Record, dir reassembly.Dir, eff uint32) int {
	n, next := 0, k.next
	for i := range records {
		r := &records[i]
		if r.Dir != dir {
			continue
		}
		if r.IPID != next || n == idsTrusted {
			break
		}
		n, next = n+1, next+packets(r, eff)
	}
	return n
}

// observe looks whether r shows that packets of its sender never passed the capture point.
func (s *sender) observe(w *walker, r *reassembly.Record) {
	if r.Flags&(capture.SYN|capture.RST) != 0 {
		return
	}
	h := &w.s.Conn.Half[r.Dir]
	if r.IPID != 0 && r.Kind != reassembly.OutOfOrder {
		s.view.missing += s.ids.gap(w.s.Conn.Records[w.next-w.s.Conn.Released:], h.Eff)
	}
	if r.PureAck() && r.Seq == s.Max {
		s.view.unsent = r.Time
	}
	if r.Len == 0 && r.Seq > s.Max && (s.Max > 0 || !w.s.Conn.MidStream) &&
		!r.Trait.Has(reassembly.Wild) &&
		!Seen(s.view.beyond) {
		s.view.beyond = r.Mark()
	}
}

// vanished reports whether r, which looks like new data, is the second copy of a segment that was
// lost before it passed the capture point, with the label of the wait for it and the earliest
// moment at which the first copy can have been sent, both as the capture point would have seen
// them.
//
// What proves it: another segment of the sender had shown a later sequence number, or a packet is
// missing by its identification. An acknowledgment may also be missing; so without data before it
// in the same message, the capture must show the one that was due, or that the peer repeated its
// data for want of one, which then was with the lost segment. The wait must last as long as a
// timer.
func (w *walker) vanished(
	s *sender,
	r *reassembly.Record,
	turn bool,
) (report.Label, time.Duration, bool) {
	c := w.s.Conn
	proof := Seen(s.view.beyond) && s.view.beyond.Time < r.Time
	if r.Kind != reassembly.Plain || r.Len == 0 ||
		c.Half[r.Dir].Missing+c.Half[r.Dir.Peer()].Missing > 0 ||
		!proof && (s.view.missing == 0 || turn && !w.acknowledgedTurn(r) && !w.repeatedTurn(r)) {
		return report.Unknown, 0, false
	}
	from := max(w.at, s.view.unsent)
	if turn {
		from = max(from, w.at+c.Far(r.Dir))
	}
	rto := w.s.Timeout()
	since := max(from, s.view.heard+c.Far(r.Dir))
	switch wait := r.Time - since; {
	case wait >= rto*9/10:
		if most := oneTimer(rto, wait); s.view.missing < 2 && !proof {
			// Only one copy is missing, so one timer has run: what is longer is not its doing.
			from = max(from, r.Time-(since-from)-most)
		}
		return report.RTO, from, true
	case !turn && wait >= 2*c.RTTMin()*97/100 && c.RTTMin() > 0:
		return report.TLP, from, true
	}
	return report.Unknown, 0, false
}

// oneTimer is the most that one retransmission timer of the given least value can have made of a
// wait. Stacks that keep to RFC 6298 §2.4 wait a second at least.
func oneTimer(least, wait time.Duration) time.Duration {
	for _, t := range [...]time.Duration{least, max(time.Second, least)} {
		if most := t*115/100 + 50*time.Millisecond; wait <= most && wait >= timerSoonest(t) {
			return most
		}
	}
	return least*115/100 + 50*time.Millisecond
}

// acknowledgedTurn reports whether the capture shows that the sender of r had acknowledged what the
// peer sent before: then a missing packet of its was no acknowledgment.
func (w *walker) acknowledgedTurn(r *reassembly.Record) bool {
	c := w.s.Conn
	peer := &w.Send[r.Dir.Peer()]
	for i := len(c.Records) - 1; i >= 0; i-- {
		a := &c.Records[i]
		if a.Time >= r.Time {
			continue
		}
		if a.Time < w.at {
			return false
		}
		if a.Dir == r.Dir && a.PureAck() && a.Ack >= peer.Max {
			return true
		}
	}
	return false
}

// repeatedTurn reports whether the peer of r's sender had repeated what it said last, which had
// arrived: no acknowledgment of it came back in time, though a host must not delay one for as long
// (RFC 9293 §3.8.6.3).
func (w *walker) repeatedTurn(r *reassembly.Record) bool {
	c := w.s.Conn
	for i := len(c.Records) - 1; i >= 0; i-- {
		a := &c.Records[i]
		switch {
		case a.Time >= r.Time:
		case a.Time < w.at:
			return false
		case a.Dir != r.Dir && a.Len > 0 && a.Kind == reassembly.SpuriousRetransmission:
			return true
		}
	}
	return false
}
