package connect

import (
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

// answeredLate looks for a handshake in which nothing was lost, though SYN or SYN-ACK were
// repeated: what led on answers the first copy, and only came late. nil if that is not so.
func answeredLate(p *rule.Pass) *synFault {
	c := p.Conn
	syns, answers := len(c.SYNs), len(c.SYNACKs)
	if syns < 2 && answers < 2 || syns == 0 || answers == 0 || metTimeWait(c) != nil ||
		p.Draft.Times[report.SYNRetx]+p.Draft.Times[report.SYNACKRetx] <= 0 {
		return nil
	}
	first, answer := c.SYNs[0], c.SYNACKs[0]
	fault := &synFault{
		cause:    lateCause,
		first:    first,
		answered: answer,
		proof:    []rule.Evidence{rule.Shows(first, report.SideClient, firstOfSeveral)},
	}
	if syns > 1 && answer.Time > c.SYNs[1].Time {
		if !sentEarly(c, answer) {
			return nil
		}
		took := rule.Ns(answer.Time - first.Time)
		fault.says = rule.Say(synackLate, took)
		fault.proof = append(fault.proof,
			rule.Shows(answer, report.SideServer, answersFirstSYN, took))
		return fault
	}
	ack := c.AckOfSYNACK
	if answers < 2 || !ledger.Seen(ack) || ack.Time < c.SYNACKs[1].Time || !answersFirst(c) {
		return nil
	}
	took := rule.Ns(ack.Time - answer.Time)
	fault.says = rule.Say(synackAckLate, took)
	fault.proof = []rule.Evidence{
		rule.Shows(answer, report.SideServer, answersSYN),
		rule.Shows(ack, report.SideClient, answersFirstSYNACK, took),
	}
	return fault
}

const (
	// stampTick is the tick of the fastest timestamp clocks in use (RFC 7323 section 5.4).
	stampTick = time.Millisecond
	// aheadLeast is by how much a clock must have gone on more than the capture's to show that a
	// segment was under way for long (reasoning: less than any timer for a SYN, more than jitter).
	aheadLeast = 50 * time.Millisecond
	// leastTold is from which round trip on an answer that is too soon is told from one that is not
	// (reasoning: a kernel under load takes a millisecond).
	leastTold = 2 * time.Millisecond
)

// sentEarly reports whether a SYN-ACK was sent long before it came, by the timestamp of the
// server's next segment: that clock went on by more in between than time did. The echo does not
// tell: the server's own timer repeats a SYN-ACK with that of the first SYN, too.
func sentEarly(c *reassembly.Conn, answer capture.Mark) bool {
	a := ledger.RecordOf(c, answer)
	if a == nil || !a.Trait.Has(reassembly.HasTS) {
		return false
	}
	for i := range c.Records {
		next := &c.Records[i]
		if next.Dir != a.Dir || next.Time <= a.Time || !next.Trait.Has(reassembly.HasTS) {
			continue
		}
		ticks := time.Duration(int32(next.TSVal-a.TSVal)) * stampTick
		elapsed := next.Time - a.Time
		// a clock that is faster than any in use would seem to have gone on for longer than it can
		return ticks > 2*elapsed+aheadLeast && ticks <= 2*(next.Time-c.SYNs[0].Time)
	}
	return false
}

// answersFirst reports whether the client's acknowledgment answers the first SYN-ACK, though others
// passed before it: it echoes the timestamp of the first (RFC 7323 section 4.3), or came sooner
// after the second, the last, than a round trip.
func answersFirst(c *reassembly.Conn) bool {
	first, last := c.SYNACKs[0], c.SYNACKs[len(c.SYNACKs)-1]
	a, one, two := ledger.RecordOf(c, c.AckOfSYNACK), ledger.RecordOf(c, first), ledger.RecordOf(c,
		last)
	if a != nil && one != nil && two != nil && a.Trait.Has(reassembly.HasTS) &&
		one.Trait.Has(reassembly.HasTS) && one.TSVal != two.TSVal {
		return a.TSEcr == one.TSVal
	}
	rtt := &c.Half[reassembly.FromClient].RTT
	return rtt.Firm && len(c.SYNACKs) == 2 && rtt.Min >= leastTold &&
		c.AckOfSYNACK.Time-last.Time < rtt.Min*leastWay/100
}
