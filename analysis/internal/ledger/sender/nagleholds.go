package sender

import (
	"time"

	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

// defaultMSS is what a sender assumes without an option (RFC 9293 §3.7.1).
const defaultMSS = 536

// HeldByNagle looks whether Nagle's algorithm may have held r back, counts what happened, and gives
// the hold; nil if there was none. since is up to when the time before r has been explained,
// follows tells that r follows data of its own sender.
func (s *State) HeldByNagle(r *reassembly.Record, since time.Duration, follows bool) *Hold {
	if r.Len == 0 || !endsSmall(r) || s.mss() > 0 && r.Len > s.mss() || // it has a full one
		r.Flags&capture.FIN != 0 || r.Kind != reassembly.Plain {
		return nil
	}
	if h := s.heldSmall(r, since); h != nil || !follows {
		return h
	}
	return s.heldTail(r, since)
}

// endsSmall reports whether r ends with a segment that is smaller than the path allows. One that
// ends no write is as large as the path allows, whatever the SYNs say of that.
func endsSmall(r *reassembly.Record) bool {
	return !r.Trait.Has(reassembly.Full) && (r.Flags&capture.PSH != 0 || r.Len < defaultMSS)
}

// heldSmall looks whether r, which is small, follows a small one that had not been acknowledged
// when r was sent, and counts what happened. The result is the hold, if r was held.
func (s *State) heldSmall(r *reassembly.Record, since time.Duration) *Hold {
	k, n := &s.nagle.small, &s.nagle
	spoken := k.answered ||
		k.acked && !k.pure // the peer has said something, which may have caused r
	if !k.valid || r.Seq < k.end || spoken && !s.queued(r) {
		return nil
	}
	if !k.acked {
		// Else it is too close to tell, or the capture lacks what would tell.
		if !s.ackedWithin(r) && !s.echoesUnseen(r) && !s.maybeProbe(r) {
			n.prompt++
			if n.held > 0 {
				n.promptAfterHeld++
			}
		}
		return nil
	}
	if s.bound(r) || s.path.loose(s.dir) || spoken && !s.stayed(r) {
		return nil
	}
	return s.judgeSmall(r, since)
}

// queued reports whether r had been written when the segment before it left, which had as many
// octets as the path allows: a write ends just there hardly ever. Then nothing that came meanwhile,
// of whatever else shares the connection, made its program write it, and the congestion window, as
// much as was in flight before, had room.
func (s *State) queued(r *reassembly.Record) bool {
	return s.path.Conn.HTTP2 != nil && len(s.stream.holes) == 0 && s.last.any() && s.last.full && s.last.end == r.Seq &&
		r.Seq == s.stream.sent && !s.growth.cut &&
		!s.growth.needless &&
		s.roomy(int64(r.Len), int64(s.mss()))
}

// stayed reports whether r, which had been written, stayed when what was before it left, and the
// acknowledgment of the small segment before came later.
func (s *State) stayed(r *reassembly.Record) bool {
	once, gap := s.path.AtOnce(s.dir)+s.jitters(), r.Time-s.last.Time
	return gap > once && !s.BackToBack(r, gap) &&
		s.nagle.small.ack.Time+s.far() > s.last.Time+once
}

const (
	// lateTimes: a segment was clearly not released by an ACK if it left so many times later than
	// "at once" reaches, and lateLeast later (reasoning: what lies between proves nothing).
	lateTimes = 3
	lateLeast = 2 * time.Millisecond
)

// jitters is how much longer than the least round trip an ACK may be on its way to the sender.
func (s *State) jitters() time.Duration {
	return reactionJitters * s.path.Conn.Half[s.dir].RTT.Jitter
}

// judgeSmall tells a hold from an application that wrote late.
func (s *State) judgeSmall(r *reassembly.Record, since time.Duration) *Hold {
	k, n := &s.nagle.small, &s.nagle
	once := s.path.AtOnce(s.dir)
	after := s.knownBy(r) - k.ack.Time
	wait := r.Time - k.Time
	switch {
	case after <= once+s.jitters():
		n.held++
		if n.least == 0 || wait < n.least {
			n.least = wait
		}
	case after > max(lateTimes*once, lateLeast):
		n.late++
		if len(n.waits) < maxAppDelays {
			n.waits = append(n.waits, wait)
		}
		return nil
	default:
		n.late++ // neither proves anything: what the others are, this one is
	}
	h := &Hold{
		Dir:     r.Dir,
		First:   k.Mark,
		Ack:     k.ack,
		Second:  r.Mark(),
		Size:    [2]uint32{k.size, r.Len},
		Headers: k.headers,
		Pure:    k.pure,
		From:    max(since, k.Time),
		To:      r.Time,
	}
	s.endedBy(h, k.ack.Time-k.Time, k.octets)
	return h
}

// endedBy divides a hold by the ACK that ended it, of so many octets, which came that long after
// the segment before the hold: by how much a timer made it late; by nothing if it came as other
// acknowledgments of its host do. That is judged by its own round trip between capture point and
// host: what else the path added to the hold has made no acknowledgment late. More than a full
// segment calls for an acknowledgment at once, so such a one tells nothing of a timer (RFC 9293
// §3.8.6.3; Linux, net/ipv4/tcp_input.c, __tcp_ack_snd_check).
func (s *State) endedBy(h *Hold, took time.Duration, octets int64) {
	near := s.path.Conn.Half[s.dir.Peer()].RTT
	late, beyond := took-near.Min, delackBeyond*near.Jitter
	if near.Unsure { // all of them together tell whether it was a timer at all
		beyond = near.Jitter
	}
	if late < max(DelackFloor, beyond) {
		late = 0
	}
	h.divide(late)
	h.took, h.near, h.tells = took, near, late > 0 || octets <= int64(s.mss())
}

// Counts takes note of the ACK that ended a hold within an exchange: what held up something else,
// as a session ticket behind a handshake, says nothing of how long exchanges were held.
func (n *Nagle) Counts(h *Hold) {
	if !h.tells {
		return
	}
	if h.Delayed < DelackFloor && n.ended.later(DelackFloor) > 0 {
		n.recovered++
	}
	n.ended.add(h.took, h.near, h.near.Min < nearHost)
}

// loose reports whether all that is known of the way to the sender of dir is how old its word was
// when it sent something of its own accord: by that measure whatever it sends left as soon as it
// could.
func (p *Path) loose(dir reassembly.Dir) bool {
	r := &p.Conn.Half[dir].RTT
	return r.Samples > 0 && !r.Firm
}

// maybeProbe reports whether the timer for a tail loss probe may have sent r: it prefers new data,
// which Nagle's algorithm does not hold back then (RFC 8985 §7.3). The timer is two round trips,
// and leaves a delayed acknowledgment its time if only one segment is outstanding
// (net/ipv4/tcp_output.c, tcp_schedule_loss_probe). One probe is sent at a time: a second without
// an acknowledgment in between is none.
func (s *State) maybeProbe(r *reassembly.Record) bool {
	least := max(s.path.probeSoonest(), probeTicks)
	if s.flying.sent-s.flying.acked <= 1 {
		least += rtoMin
	}
	k := &s.nagle.small
	if k.probe || r.Time-max(k.Time, s.known.by.Time+s.far()) < least {
		return false
	}
	s.hand.probe = true
	return true
}

// ackedWithin reports whether an ACK of the small segment passed so soon after what the sender of r
// surely knew that it may have known of it.
func (s *State) ackedWithin(r *reassembly.Record) bool {
	c := s.path.Conn
	if s.far() < nearHost {
		// the capture is next to the sender: the order of the frames is the order of events
		return false
	}
	limit := s.knownBy(r) + s.path.AtOnce(s.dir)
	for i := max(s.known.upTo, c.Released); i < s.hand.n; i++ {
		a := s.path.record(i)
		if a.Time > limit {
			return false
		}
		if a.Dir != r.Dir && a.Flags&capture.ACK != 0 && a.Ack >= s.nagle.small.end {
			return true
		}
	}
	return false
}

// echoesUnseen reports whether the sender of r echoes a timestamp later than all that its peer sent
// as far as the capture shows (RFC 7323 §4): it had received a segment that the capture lacks, the
// acknowledgment perhaps.
func (s *State) echoesUnseen(r *reassembly.Record) bool {
	if !r.Trait.Has(reassembly.HasTS) {
		return false
	}
	for i := s.hand.n - 1; i >= s.path.Conn.Released; i-- {
		if a := s.path.record(i); a.Dir != r.Dir && a.Trait.Has(reassembly.HasTS) {
			return int32(r.TSEcr-a.TSVal) > 0
		}
	}
	return false
}

// bound reports whether a window, not Nagle's algorithm, may have kept r back.
func (s *State) bound(r *reassembly.Record) bool {
	mss := max(int64(s.mss()), defaultMSS)
	end := r.Seq + int64(r.Len)
	if s.path.Conn.Scaled() && s.prior.edge > 0 && end > s.prior.edge {
		return true
	}
	return end-s.known.former > max(InitialWindow*mss, s.growth.most)
}
