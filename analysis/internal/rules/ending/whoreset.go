package ending

import (
	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

// Who sent a RST, and why. What the capture shows, what that means (net/ipv4/tcp.c, tcp_ipv4.c of
// Linux 6.18, and measured there), and what refutes it:
//
//	RST without ACK          answers a segment for which there is no socket: closed for good, or
//	                         unknown under that address. Its number is that which the segment
//	                         acknowledged, its window 0, its IP identification 0.
//	RST with ACK, no FIN     the program closed with data unread in its socket, or with SO_LINGER of
//	                         zero. A program that is killed or crashes closes by FIN, if it had read
//	                         everything: a RST with ACK is no sign of a crash.
//	FIN, then RST with ACK   shutdown, then close with data unread: SO_LINGER of zero alone sends no
//	                         FIN. Refuted where there was nothing to be read.
//	FIN, then RST            closed in order; the RST answers what came afterwards.
//	window of the RST        shows nothing: what is unread is thrown away before it is sent. That of
//	                         the segment before it does: lower by what lies unread, once more than
//	                         some 10 kB do (before that it only grows).
//	acknowledged             is received, not read.
//	another TTL              another host made it (routes change by a hop or two).
//	IP identification of the a box made it of that segment.
//	segment that it answers
//	its sender went on       its sender's program had not sent it: a kernel has forgotten the
//	                         connection by then. Refuted where the RST overtook what follows.
//	the same octets under    the translation of addresses failed for one of them, and the RST
//	another address          answers that: see untranslated.

const (
	// overtakenWithin is within how many round trips of a RST another segment of its sender may
	// have been overtaken by it: paths of the same connection differ by less than one (reasoning).
	overtakenWithin = 2
	// overtakenAtOnce is how many segments a RST overtakes at most: hosts send one after the other,
	// and paths that reorder do so now and then (reasoning).
	overtakenAtOnce = 1
)

const (
	// idRun is how many segments must carry IP identifications that count up before their sender
	// counts as one that does so: Linux for each connection, Windows for the host (RFC 6864 asks
	// for nothing where a datagram is not fragmented).
	idRun = 4
	// idStep is the largest step between two of them that is still counting: other connections may
	// share the counter.
	idStep = 256
	// idFar is how far off the RST's identification must be at least.
	idFar = 16 * idStep
	// answeredWithin is how many segments of the other side before a RST may be the one that it
	// answers: what is on its way meanwhile (reasoning: a window of them).
	answeredWithin = 64
)

// foreignReset reports whether the program in whose name the RST of dir came did not send it.
func foreignReset(c *reassembly.Conn, dir reassembly.Dir) bool {
	return c.Half[dir].RstSeen && (ledger.OtherHostReset(c, dir) || echoedID(c, dir) || wentOn(c, dir))
}

// oddReset says how the RST differs from what its sender sends.
func oddReset(c *reassembly.Conn, dir reassembly.Dir) []rule.Said {
	var out []rule.Said
	its, others := int64(c.Half[dir].RstTTL), int64(c.Half[dir].TTLMax)
	id, last, odd := foreignID(c, dir)
	switch {
	case ledger.OtherHostReset(c, dir) && odd && !echoedID(c, dir):
		out = append(out, rule.Say(injectedTTLAndID, its, others, int64(id), int64(last)))
	case ledger.OtherHostReset(c, dir):
		out = append(out, rule.Say(injectedTTL, its, others))
	}
	if echoedID(c, dir) {
		out = append(out, rule.Say(injectedEcho, int64(ledger.RecordOf(c, c.Half[dir].Rst).IPID)))
	}
	if wentOn(c, dir) {
		out = append(out, rule.Say(senderWentOn))
	}
	return out
}

// wentOn reports whether the sender of a RST sent anything else behind it: more segments than it
// may have overtaken, or one later than a segment may be overtaken.
func wentOn(c *reassembly.Conn, dir reassembly.Dir) bool {
	h := &c.Half[dir]
	rst, behind := ledger.RecordOf(c, h.Rst), 0 // nil where it has been released meanwhile
	limit := h.Rst.Time + max(reactionTime, overtakenWithin*c.RTTMin())
	for r := range ledger.SegmentsBack(c, h.Rst.Time+1, report.EndOfTime) {
		switch {
		case r.Dir != dir || r.Flags&(capture.RST|capture.SYN) != 0 || r.Trait.Has(reassembly.Wild):
		case r.Time > limit:
			return true
		case rst == nil || sentBefore(r, rst):
		default:
			behind++
		}
	}
	return behind > overtakenAtOnce
}

// sentBefore reports whether r, which came behind a RST of its sender, was sent before it: it holds
// octets that had been sent by then, or has an IP identification shortly before that of the RST.
func sentBefore(r, rst *reassembly.Record) bool {
	before := rst.IPID - r.IPID
	return r.Len > 0 && r.End() <= rst.Seq ||
		rst.IPID != 0 && r.IPID != 0 && before > 0 && before < idStep
}

// foreignID reports whether the RST's IP identification is far from where its sender had counted
// to. It only adds to what the TTL shows: a RST that no socket sends carries 0 on Linux, which says
// nothing, and counters are the sender's own affair.
func foreignID(c *reassembly.Conn, dir reassembly.Dir) (id, last uint16, odd bool) {
	run := 0
	for i := range c.Records {
		r := &c.Records[i]
		if r.Dir != dir || r.Flags.Has(capture.SYN) {
			continue
		}
		if r.Frame == c.Half[dir].Rst.Frame {
			id = r.IPID
			break
		}
		if step := r.IPID - last; run > 0 && (step == 0 || step > idStep) {
			run = 0
		}
		last, run = r.IPID, run+1
	}
	off := min(id-last, last-id)
	return id, last, run >= idRun && id != 0 && off > idFar
}

// echoedID reports whether the RST carries the IP identification of the segment that it answers,
// and not one of its sender's own: boxes make a RST of that segment.
func echoedID(c *reassembly.Conn, dir reassembly.Dir) bool {
	rst := ledger.RecordOf(c, c.Half[dir].Rst)
	if rst == nil || rst.IPID == 0 {
		return false
	}
	looked, echoed, ownKnown := 0, false, false
	for r := range ledger.SegmentsBack(c, 0, rst.Time) {
		switch {
		case r.Frame == rst.Frame:
		case r.Dir == dir && !ownKnown:
			ownKnown = true
			if r.IPID != 0 && min(rst.IPID-r.IPID, r.IPID-rst.IPID) <= idStep {
				return false // its own count, or one that all its connections share, leads there
			}
		case r.Dir != dir && looked < answeredWithin:
			looked++
			echoed = echoed || r.IPID == rst.IPID && answers(rst, r)
		}
		if ownKnown && (echoed || looked == answeredWithin) {
			break
		}
	}
	return echoed
}

// answers reports whether a RST has the numbers of one that answers r (RFC 9293 §3.10.7.1).
func answers(rst, r *reassembly.Record) bool {
	if rst.Flags.Has(capture.ACK) && rst.Ack == r.End() {
		return true
	}
	return r.Flags.Has(capture.ACK) && rst.Seq == r.Ack
}

// unread is what the capture shows of whether a program had read all that came, when it closed.
type unread uint8

const (
	unreadUnknown unread = iota
	allRead
	someUnread
)

// unreadAtReset is whether the server had read the request of x, all of which it had acknowledged,
// when it reset the connection.
func unreadAtReset(c *reassembly.Conn, x *exchange.Exchange) unread {
	switch {
	case x.Request.Complete && x.Request.BodyBytes == 0:
		return allRead // its header has been answered, and there was nothing else
	case closedInSteps(c):
		return someUnread
	}
	return unreadByWindow(c, x)
}

// unreadByWindow tells whether a request was read from the windows that the server offered before
// its RST: lower than before by what lies unread, and as large again once that is read.
func unreadByWindow(c *reassembly.Conn, x *exchange.Exchange) unread {
	var most, last int64
	low, full := false, int64(c.Half[reassembly.FromClient].Eff)
	for i := range c.Records {
		r := &c.Records[i]
		if r.Dir != reassembly.FromServer || r.Flags&(capture.SYN|capture.RST) != 0 ||
			r.Trait.Has(reassembly.Wild) || r.Time > c.Half[reassembly.FromServer].Rst.Time {
			continue
		}
		last = int64(r.Window)
		most = max(most, last)
		low = low || most-last >= 2*full
	}
	switch {
	case full <= 0 || !low:
		return unreadUnknown
	case most-last < full:
		return allRead
	case 2*(most-last) >= x.Request.BodyBytes:
		return someUnread
	}
	return unreadUnknown
}
