package sender

import (
	"cmp"
	"time"

	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

const (
	// idsTrusted is how many steps of the same length there must be among those around a gap before
	// the gap means packets. Random identifications never get there.
	idsTrusted = 3
	// idsKept is how many steps are remembered until the length of one is known, and idsAhead how
	// many packets to come are looked at for that.
	idsKept  = 5
	idsAhead = 5
	// maxStride is the longest step believed: 256 is one of a host that counts in the other order
	// of octets; longer ones have not been seen.
	maxStride = 1 << 12
	// maxVanished is the longest gap believed, in packets.
	maxVanished = 16
)

// packetIDs follows the IP identifications of one direction. What they count is each system's own
// affair (RFC 6864 §4.1): the packets of one connection (Linux, net/ipv4/ip_output.c,
// ip_select_ident_segs), those to one host (Windows), or all that a host or a translator sends.
// Only in the first case a gap is packets of this connection; in the others it is how much else
// went on.
type packetIDs struct {
	latestID
	started bool // the latest is valid
	stride  int16
	steps   [idsKept]int16 // until the stride is known: how far apart packets were
	noted   int            // of these
	broken  bool           // they count nothing
	// the SYN-ACK has none, though what follows does: a kernel that gives a connection its counter
	// when it is set up (Linux, ip_build_and_send_pkt)
	ownCounter bool
	others     bool          // something else was counted, too: a gap that no loss explains
	gapAt      time.Duration // when the packet behind the latest gap passed
	quiet      time.Duration // how long it was, in all, between packets without a gap
	runs       idRuns        // those that nobody has asked for yet
}

// latestID is the identification of the latest packet.
type latestID struct {
	last    uint16
	packets uint16 // that it is, on the wire
	at      time.Duration
}

// next is the identification of the packet after it.
func (l *latestID) next(stride int16) uint16 { return l.last + uint16(stride)*l.packets }

// packets is how many packets r is on the wire, to a host with the given effective MSS.
func packets(r *reassembly.Record, mss uint32) uint16 {
	if mss == 0 || r.Len <= mss {
		return 1
	}
	return uint16((r.Len + mss - 1) / mss)
}

// handshake takes note of r, a SYN or SYN-ACK.
func (k *packetIDs) handshake(r *reassembly.Record) {
	k.ownCounter = r.Flags&capture.ACK != 0 && r.IPID == 0
	if r.IPID != 0 {
		k.latestID, k.started = latestID{r.IPID, 1, r.Time}, true
	}
}

// gap is how many packets are missing before r, the first of the records given.
func (k *packetIDs) gap(records []reassembly.Record, mss uint32) int {
	r := &records[0]
	step, apart, lasted := k.step(r), k.packets, r.Time-k.at
	was := k.started
	k.latestID, k.started = latestID{r.IPID, packets(r, mss), r.Time}, true
	if !was || k.broken || k.stride == 0 && !k.learn(step, apart, records[1:], r.Dir, mss) {
		return 0
	}
	missing := k.beyond(step, apart)
	switch {
	case missing == 0:
		k.quiet += lasted
	case missing < 0 || missing > maxVanished:
		k.broken = true
		return 0
	}
	return missing
}

// step is how far r's identification is from that of the packet before.
func (k *packetIDs) step(r *reassembly.Record) int16 { return int16(r.IPID - k.last) }

// beyond is how many strides more a step is than so many packets take; negative if it is no whole
// number of them.
func (k *packetIDs) beyond(step int16, packets uint16) int {
	rest, stride := int(step)-int(k.stride)*int(packets), int(k.stride)
	if rest%stride != 0 {
		return -1
	}
	return rest / stride
}

// learn looks for the stride among the steps so far, the latest, and those of the records to come.
func (k *packetIDs) learn(
	step int16, apart uint16, ahead []reassembly.Record, dir reassembly.Dir, mss uint32,
) bool {
	if k.noted == len(k.steps) {
		k.broken = true // they are random
		return false
	}
	k.steps[k.noted] = step / int16(apart)
	k.noted++
	var room [idsKept + idsAhead]int16
	all := append(room[:0], k.steps[:k.noted]...)
	last, wire := k.last, k.packets
	for i := range ahead {
		r := &ahead[i]
		if r.Dir != dir || !numbered(r) {
			continue
		}
		if len(all) == cap(all) {
			break
		}
		all = append(all, int16(r.IPID-last)/int16(wire))
		last, wire = r.IPID, packets(r, mss)
	}
	k.stride = usual(all)
	return k.stride != 0
}

// usual is the step that occurs idsTrusted times and most often, the shorter of two; 0 if none
// does.
func usual(steps []int16) (stride int16) {
	most := idsTrusted - 1
	for _, s := range steps {
		n := 0
		for _, o := range steps {
			if o == s {
				n++
			}
		}
		if n > most && s != 0 && s <= maxStride && s >= -maxStride {
			most, stride = n, s
		}
	}
	return stride
}

// numbered reports whether the identification of r is that of a packet sent in order.
func numbered(r *reassembly.Record) bool {
	return r.IPID != 0 && r.Kind != reassembly.OutOfOrder &&
		r.Flags&(capture.SYN|capture.RST) == 0
}

// note takes note of the identification of r. follows says that none is missing before it.
func (k *packetIDs) note(r *reassembly.Record, mss uint32, follows bool) {
	behind := uint16(k.stride) * (packets(r, mss) - 1)
	k.runs.add(r.IPID, r.IPID+behind, r.Time, follows)
}

// TakeIDRuns are the runs of identifications that have ended since it was last asked, in the order
// of time: the latest maxIDRuns. over ends the one that goes on, too.
func (s *State) TakeIDRuns(over bool) []IDRun {
	if over {
		s.ids.runs.end()
	}
	return s.ids.runs.take()
}

// countPackets looks whether r, record n, shows that packets of its sender never passed the capture
// point.
func (s *State) countPackets(r *reassembly.Record, n int) {
	if r.Flags&capture.SYN != 0 {
		s.ids.handshake(r)
		if r.IPID != 0 {
			s.ids.note(r, 0, false)
		}
	}
	if r.Flags&(capture.SYN|capture.RST) != 0 {
		return
	}
	c := s.path.Conn
	if numbered(r) {
		before := s.ids.latestID
		missing := s.ids.gap(c.Records[n-c.Released:], s.mss())
		s.ids.note(r, s.mss(), r.IPID == before.next(cmp.Or(s.ids.stride, 1)))
		if missing > 0 {
			s.ids.gapAt = r.Time
			s.since.lacks(missing, IDGap{
				IDRun:  IDRun{before.last, r.IPID, before.at, r.Time},
				Stride: s.ids.stride,
			})
		}
		if missing > 0 && r.Time-before.at < s.path.probeSoonest() &&
			!r.Trait.Has(reassembly.Hole) {
			s.ids.others = true // too soon for a timer, and nothing was skipped
		}
	}
	if r.PureAck() && r.Seq == s.stream.sent {
		s.since.unsent = r.Time
	}
	if r.Len == 0 && r.Seq > s.stream.sent && (s.stream.sent > 0 || !c.MidStream) &&
		!r.Trait.Has(reassembly.Wild) && !Seen(s.since.skipped) {
		s.since.skipped = r.Mark()
	}
}

// vanished is what the gaps of identifications say of copies of the sender's that were lost.
type vanished uint8

const (
	noCopies        vanished = iota // nothing
	perhapsCopies                   // that they may have been: what else was counted is not known
	certainlyCopies                 // that they were
)

// quietTrips is how many times longer than a wait it must have been between packets without a gap
// for one in that wait to mean something, where what is counted is not known: a program that keeps
// silent is silent exactly while other connections of its host count on.
const quietTrips = 2

// missingCopies tells whether the packets that are missing by their identification are n copies of
// what the sender repeated at last, for which it had waited so long. fits says that n timers in a
// row last as long.
func (s *State) missingCopies(n int, wait time.Duration, fits bool) vanished {
	k := &s.ids
	switch {
	case k.ownCounter && fits:
		return certainlyCopies
	case k.ownCounter:
		return perhapsCopies
	case k.others || !fits || n != s.since.missing:
		return noCopies
	case k.stride != 1 && n > 1:
		// No host was seen to count all its flows in longer steps and to fill just as many of them
		// as timers that double have run in that time.
		return certainlyCopies
	case k.quiet >= quietTrips*wait:
		return perhapsCopies
	}
	return noCopies
}
