package reassembly

import "tcpwhy/capture"

// maxSYNs caps Conn.SYNs and Conn.SYNACKs: Linux gives up after 6 of the first and 5 of the second.
const maxSYNs = 16

// takeHeader takes what a segment shows beside its numbers: that the connection begins, the options
// of a SYN, the TTL, and what the capture says of the frame's direction and checksum.
func (k *track) takeHeader(e *segment) {
	c, seg := k.c, e.seg
	h, d := &c.Half[e.dir], &k.side[e.dir]
	if c.Start.Frame == 0 {
		c.Start, c.End = e.at, e.at
		if !seg.Flags.Has(capture.SYN) || seg.Flags.Has(capture.ACK) {
			c.MidStream = true
			c.Caveats.Add(CaveatMidStream)
		}
		if !seg.Flags.Has(capture.SYN) {
			c.State = Established
		}
	}
	if seg.Flags.Has(capture.SYN) && !e.wild {
		k.takeSYN(e)
	}
	if seg.Options.Has(capture.HasTS) && !seg.Flags.Has(capture.SYN) &&
		(c.Half[0].CutSYN || c.Half[1].CutSYN) {
		k.takeTimestamps()
	}
	if seg.Options.Has(capture.BadOptions) {
		c.Caveats.Add(CaveatBadOptions)
	}
	switch reset := seg.Flags.Has(capture.RST); {
	case h.TTLMax == 0, d.onlyRST && !reset:
		h.TTLMin, h.TTLMax, d.onlyRST = seg.TTL, seg.TTL, reset
	case reset == d.onlyRST:
		h.TTLMin, h.TTLMax = min(h.TTLMin, seg.TTL), max(h.TTLMax, seg.TTL)
	}
	if seg.Options.Has(capture.Outgoing) {
		d.outgoing++
	}
	if seg.Options.Has(capture.Incoming) {
		d.incoming++
	}
	if seg.Options.Has(capture.BadChecksum) {
		d.badSum++
	}
}

// takeSYN keeps what a SYN offers (RFC 9293 §3.7.1, RFC 7323 §2 and §3, RFC 2018 §2).
func (k *track) takeSYN(e *segment) {
	seg := e.seg
	h, p := &k.c.Half[e.dir], &k.c.Half[e.dir.Peer()]
	if !h.HasISN {
		h.HasISN, h.ISN = true, seg.Seq
		h.HasWS, h.SACKOK, h.TSOK = seg.Options.Has(capture.HasWScale), seg.Options.Has(
			capture.HasSACKPerm,
		), seg.Options.Has(capture.HasTS)
		h.CutSYN = seg.Options.Has(capture.CutOptions)
		if h.HasWS {
			h.WScale = min(seg.WScale, 14)
		}
		if seg.Options.Has(capture.HasMSS) {
			h.MSS = seg.MSS
		}
	}
	if p.HasISN || p.Eff == 0 {
		p.Eff = effOf(p, h, k.v6)
	}
	if p.HasISN {
		h.Eff = effOf(h, p, k.v6)
	}
}

// takeTimestamps takes from a later segment that both SYNs offered timestamps, where the capture
// cut those (RFC 7323 §3.2).
func (k *track) takeTimestamps() {
	h, p := &k.c.Half[FromClient], &k.c.Half[FromServer]
	if h.TSOK && p.TSOK || !h.HasISN || !p.HasISN {
		return
	}
	h.TSOK, p.TSOK = true, true
	h.Eff, p.Eff = effOf(h, p, k.v6), effOf(p, h, k.v6)
}

// lifecycle follows the handshake and the first FIN of each side.
func (k *track) lifecycle(e *segment) {
	c, f := k.c, e.seg.Flags
	h := &c.Half[e.dir]
	switch {
	case f.Has(capture.RST):
	case f.Has(capture.SYN | capture.ACK):
		if len(c.SYNACKs) < maxSYNs {
			c.SYNACKs = append(c.SYNACKs, e.at)
		}
	case f.Has(capture.SYN):
		if len(c.SYNs) < maxSYNs {
			c.SYNs = append(c.SYNs, e.at)
		}
	case c.State == Connecting && (e.dir == FromClient || e.end > e.seq):
		// A server's bare ACK may answer another copy of the SYN (RFC 9293 §3.10.7.4), or stand for
		// an older connection.
		k.established(e)
	}
	if f.Has(capture.FIN) && !f.Has(capture.RST) && !h.FinSeen {
		h.FinSeen, h.FinSeq, h.Fin = true, e.end-1, e.at
		k.firstClose(e, false)
		switch {
		case c.State == Reset:
		case c.Half[e.dir.Peer()].FinSeen:
			c.State = Closed
		default:
			c.State = HalfClosed
		}
	}
}

// established notes the end of the handshake: the client's acknowledgment of the SYN-ACK, or
// whatever shows that it has taken place.
func (k *track) established(e *segment) {
	k.c.State = Established
	// Where the SYN-ACK is missing, this is what acknowledges it, if nothing was sent before.
	answers := k.c.Half[FromServer].HasISN && e.ack >= 0 || e.seq == 0 && !k.c.MidStream
	if e.dir == FromClient && e.hasAck && answers {
		k.c.AckOfSYNACK = e.at
	}
	k.c.Vantage = k.vantage()
}

// firstClose notes who began to close the connection.
func (k *track) firstClose(e *segment, rst bool) {
	if c := k.c; c.FirstCloseAt.Frame == 0 {
		c.FirstClose, c.FirstCloseAt, c.ClosedByRST = e.dir, e.at, rst
	}
}

// closing follows a RST, after everything else of its segment.
func (k *track) closing(e *segment) {
	if !e.seg.Flags.Has(capture.RST) || !k.resets(e) {
		return
	}
	c, h := k.c, &k.c.Half[e.dir]
	if !h.RstSeen {
		h.RstSeen, h.Rst, h.RstActive = true, e.at, e.seg.Flags.Has(capture.ACK)
		h.RstTTL = e.seg.TTL
	}
	k.firstClose(e, true)
	switch {
	case c.State == Connecting && e.dir == FromServer && !c.Half[FromServer].HasISN:
		c.State = Refused
	case c.State != Closed && c.State != Refused:
		c.State = Reset
	}
	if k.reader != nil {
		k.reader.Rst(e.dir, e.at)
	}
}

// resets reports whether the receiver of a RST accepts it (RFC 9293 §3.10.7.3 and .4): it
// acknowledges the SYN, or its number lies within the receive window. Numbers just below are
// allowed for, as senders reset from what was acknowledged.
func (k *track) resets(e *segment) bool {
	h, p, d := &k.c.Half[e.dir], &k.c.Half[e.dir.Peer()], &k.side[e.dir]
	if k.c.State == Connecting && p.HasISN && !h.HasISN {
		return e.seg.Flags.Has(capture.ACK) && e.ack >= 0 && e.ack <= p.Max
	}
	high := h.Max
	if d.edgeSet {
		high = max(high, d.edge)
	}
	return !d.origin.set || h.Segments <= 1 || e.seq >= h.Una-1 && e.seq <= high
}

// icmp takes an ICMP error about a segment that dir sent.
func (k *track) icmp(dir Dir, seg *capture.Segment) {
	i := &seg.ICMP
	const unreachable4, unreachable6, fragNeeded, tooBig6 = 3, 1, 4, 2
	if i.V6 && i.Type == tooBig6 || !i.V6 && i.Type == unreachable4 && i.Code == fragNeeded {
		at := seg.Mark
		at.Time = max(at.Time, k.now) // the capture's clock may have been set back
		k.c.Half[dir].tell(at, i.MTU, k.v6)
	}
	unreachable := !i.V6 && i.Type == unreachable4 && i.Code != fragNeeded ||
		i.V6 && i.Type == unreachable6
	if k.c.State == Connecting && unreachable {
		k.c.State = Refused
		k.c.Refusal, k.c.End = *i, seg.Mark
		k.c.End.Time = max(k.c.End.Time, k.now) // the capture's clock may have been set back
	}
}
