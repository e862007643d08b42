package reassembly

import (
	"time"

	"tcpwhy/capture"
	"tcpwhy/reassembly/exchange"
)

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
	if k.side[e.dir].origin.set && h.Segments > 1 && e.seq > h.Frontier {
		k.side[e.dir].beyond = true
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

// A connection on which nobody came to ask anything is an attempt: an exchange without messages.

const (
	// fewestSilent is from how many SYNs without any answer on a connection is an attempt that may
	// have failed: one may be lost.
	fewestSilent = 2
	// hopelessSYNs is from how many on nobody will answer. With fewer a full queue of the server
	// may still have room for the next.
	hopelessSYNs = 5
	// Impatience is the least time from a SYN to its answer for a client to have gone in the
	// meantime because it took too long: programs that try several addresses give each a tenth of a
	// second and more (RFC 8305 §5). Who resets sooner only looks whether somebody listens.
	Impatience = 100 * time.Millisecond
)

// giveUpAttempt makes an exchange of an attempt as soon as it is certain that it failed: nothing
// that could change that is outstanding.
func (k *track) giveUpAttempt() {
	c := k.c
	if c.ExchangeCount > 0 || c.FirstCloseAt.Frame == 0 && c.State != Refused &&
		(c.TLS == nil || firstAlert(c.TLS).Frame == 0) {
		return
	}
	for dir := range c.Half {
		h := &c.Half[dir]
		if h.Una > h.Frontier || h.Max > h.Frontier || k.side[dir].beyond {
			return
		}
	}
	k.attempt(false)
}

// attempt makes an exchange of a connection on which nobody asked anything, if it failed, or if it
// is over and the capture cut it. over says that no segment will follow.
func (k *track) attempt(over bool) {
	c := k.c
	if c.ExchangeCount > 0 || c.Half[0].Missing+c.Half[1].Missing > 0 || len(c.Records) == 0 ||
		k.side[0].beyond || k.side[1].beyond {
		return
	}
	outcome, ended, failed := k.connecting()
	secure := c.TLS != nil
	if secure {
		outcome, ended, failed = k.securing()
	}
	if !failed || outcome == exchange.Incomplete && !over {
		return
	}
	k.makeContext()
	x := k.context.Begin(c.Released)
	x.Attempt = &exchange.Attempt{Start: c.Start, Ended: ended, Secure: secure}
	if secure {
		x.Host = c.TLS.SNI
	}
	k.context.Finish(x, outcome)
}

// connecting is what became of a handshake of TCP that was not completed; false if nothing did that
// failed, or may have.
func (k *track) connecting() (exchange.Outcome, capture.Mark, bool) {
	c := k.c
	up, down, n := &c.Half[FromClient], &c.Half[FromServer], len(c.SYNs)
	if n == 0 || up.Bytes > 0 || down.Bytes > 0 {
		return 0, capture.Mark{}, false
	}
	answers := len(c.SYNACKs)
	switch {
	case c.State == Refused && answers == 0 && down.RstSeen:
		return exchange.Refused, down.Rst, true
	case c.State == Refused && answers == 0:
		return exchange.Refused, c.End, true
	case c.State == Connecting && k.unheard():
		if n >= hopelessSYNs {
			return exchange.Filtered, c.SYNs[n-1], true
		}
		return exchange.Incomplete, c.SYNs[n-1], true
	case c.State == Reset && c.FirstClose == FromClient && answers > 0 &&
		c.AckOfSYNACK.Frame == 0 && !up.RstActive && !up.FinSeen &&
		c.SYNACKs[0].Time-c.SYNs[0].Time >= Impatience:
		return exchange.GivenUp, up.Rst, true
	}
	return 0, capture.Mark{}, false
}

// unheard reports whether the client asked again and again, as it heard of no answer.
func (k *track) unheard() bool {
	c := k.c
	n, answers := len(c.SYNs), len(c.SYNACKs)
	if c.Half[FromServer].Segments > uint32(answers) {
		return false
	}
	if answers > 0 { // that to the last SYN may be the one that arrives
		return answers >= fewestSilent && n > fewestSilent
	}
	return n >= fewestSilent
}

// securing is what became of a TLS handshake that was not completed; false if it was, or if that is
// not known.
func (k *track) securing() (exchange.Outcome, capture.Mark, bool) {
	c, t := k.c, k.c.TLS
	alert := firstAlert(t)
	read := !t.Unread || t.Foreign || t.Alert[0].Fatal() || t.Alert[1].Fatal() || !k.wentOn()
	if !read || len(c.SYNs) == 0 && t.ClientHello.Frame == 0 {
		return 0, capture.Mark{}, false
	}
	switch {
	case t.Established():
		// what the client could not know when it was done with the handshake
		a := &t.Alert[FromServer]
		if a.At.Frame != 0 && a.At.Frame == alert.Frame && a.Hidden && !t.ServerSpoke {
			return exchange.TLSFailed, a.At, true
		}
		return exchange.TLSFailed, c.FirstCloseAt, k.refusedFinished()
	case alert.Frame != 0:
		return exchange.TLSFailed, alert, true
	case c.FirstCloseAt.Frame != 0:
		return exchange.TLSFailed, c.FirstCloseAt, true
	}
	return exchange.Incomplete, c.End, true
}

// refusedFinished reports whether the server closed in answer to the client's Finished, which it
// had not accepted by any word. One that waits for a request closes later, and says so.
func (k *track) refusedFinished() bool {
	c, t := k.c, k.c.TLS
	late := c.FirstCloseAt.Time - t.ClientFinished.Time
	return t.Version == "TLS 1.3" && !t.ServerSpoke && c.FirstCloseAt.Frame != 0 &&
		c.FirstClose == FromServer && firstAlert(t).Frame == 0 && late < k.roundTrip()+Impatience
}

// wentOn reports whether the client sent anything after the server's first data: without that no
// handshake of TLS is complete (RFC 8446 §2, RFC 5246 §7.3).
func (k *track) wentOn() bool {
	answered := false
	for i := range k.c.Records {
		r := &k.c.Records[i]
		if r.Len > 0 && r.Dir == FromClient && answered && r.Trait.Has(Advances) {
			return true
		}
		answered = answered || r.Len > 0 && r.Dir == FromServer
	}
	return k.c.Released > 0
}

// firstAlert is the first alert of either side; no frame if there was none.
func firstAlert(t *exchange.TLSInfo) capture.Mark {
	a, b := t.Alert[FromClient].At, t.Alert[FromServer].At
	if a.Frame == 0 || b.Frame != 0 && b.Time < a.Time {
		return b
	}
	return a
}
