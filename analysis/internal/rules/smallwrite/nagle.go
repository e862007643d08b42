package smallwrite

import (
	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
)

// nagleFixes are what cures a hold: the sender's side for good, the receiver's as a palliative.
func nagleFixes(sender, receiver report.Side, delayed bool) []report.Remedy {
	fixes := []report.Remedy{
		{
			Side: sender,
			Text: "write each message with one call (writev, a buffered " +
				"writer flushed once), or set TCP_NODELAY on the socket",
			Settings: report.NoDelaySettings(),
		},
	}
	if delayed {
		fixes = append(fixes, report.Remedy{
			Side: receiver,
			Text: "only a palliative: acknowledge at once with TCP_QUICKACK " +
				"(to be set again before each read), `ip route change ... " +
				"quickack 1` on Linux, TcpAckFrequency=1 on Windows",
		})
	}
	return fixes
}

// holdCauses are the causes of both rules, by who was held up.
var holdCauses = [2]string{reassembly.FromClient: "request", reassembly.FromServer: "response"}

// The names of the two rules, which claim the same holds.
const (
	delayedAckHold = "nagle-delayed-ack"
	roundTripHold  = "nagle"
)

// NagleDelayedAck is the rule about small pieces held until a delayed acknowledgment came.
var NagleDelayedAck = &rule.Detector{Rule: report.Rule{
	Name:  delayedAckHold,
	Title: "Nagle hold ended by a delayed ACK",
	Doc: `What happens
A program writes a message in two small pieces. Nagle's algorithm (RFC 896; RFC 9293 section 3.7.4)
lets the first go and holds the second until the peer acknowledges the first. The peer has nothing
to send yet, so it delays that acknowledgment (RFC 1122 section 4.2.3.2; 40 ms on Linux, up to 200
ms elsewhere). Both wait for each other until the timer ends it. The first message on a connection
often escapes, because Linux acknowledges the first segments at once.

How it is recognised
By what released the second piece, never by the length of the wait. A segment smaller than the MSS
follows another such segment of the same direction and message. It leaves within the reaction time
of a kernel after an ACK without data that covers the first, seen from the sender: ACKs count from
the moment at which they could have reached it. On the same connection and direction no small
segment ever leaves while a small one is unacknowledged (that proves TCP_NODELAY), and at least 60 %
of the small segments behind small ones leave with the ACK. It takes two such holds, or one that has
the whole signature: the first piece ends with the headers and the ACK is as late as only a timer
makes it. Single holds on five connections and more between the same hosts count together, if no
piece ever left early on any of them. A hold that few connections prove is surer if its ACK was as
late as the receiver's other delayed ACKs, and doubtful if it was not. On a connection of HTTP/2
that ACK may have data: the end of a message behind a full segment had been written with that, and
as much must have been in flight before. Stacks that take RFC 896 to the letter (lwIP, older ones)
hold the small end of a message behind full segments, too: it leaves with the ACK of all before it.
It takes two such ends that the congestion window had room for, or one that stayed while an ACK had
made room, or more whose full segments were as many as the window each time, or one segment, which
no congestion window is without a timeout; and none that left earlier on the connection. A piece
that holds a full segment is none: one that ends no write is as large as the path allows, whatever
the SYNs say of that. How late the ACK was is told by its own round trip between capture point and
receiver, against that of other ACKs of that host, so that a path's varying delay makes none late:
those count as delayed that came 8 ms or more after the last of the prompt ones, four times as late
as the path's jitter, and later than the prompt ones, and than the late ones, differ from each
other. Where few round trips tell the jitter, four late ones and more need only be later than that
once. Fewer than four count only on a steady path, and if they are as late as a timer of some system
(40, 50, 80, 100 or 200 ms): on one that varies, one of four is late by anything. It is proven only
next to their receiver, or where they came four times as late as either differ, and as late as such
a timer or all the same. If so were one in four and more of those that a timer could delay, the
holds of the same sender that a prompt ACK ended (the first on a connection, mostly) belong to the
same finding, from round trips of 2 ms on: one fix cures both; but not those to which the receiver
went back behind late ones, if as many as those: each is then what it is. If fewer, all are rule
nagle's. ACKs count that ended holds of exchanges, not those of session tickets behind a handshake;
the first octets of a response may be held behind such a one, or SETTINGS, that its server sent
after the request.

How cost is counted
The hold, from the first piece to the second, less what the application would have waited anyway.
That wait shows where a second piece left clearly after the ACK; where it never shows, the shortest
hold bounds it, and the range says so.
Where what follows a held piece is held in turn, the message ends no later for the first: it took
along all that had been written by then.

When it is wrong
If the application happens to write its second piece just as an ACK arrives, every time. If the
capture lost the frames between. Behind a proxy the hold may be the proxy's. The timer's length is
the receiver's, the hold the sender's: the sender's fix saves all of it, the receiver's only what
the ACK was late.`,
	Causes: []report.Cause{
		{Code: "request", Title: "Nagle hold ended by a delayed ACK", Side: report.SideClient,
			Message: "The client writes requests in small pieces. Its " +
				"kernel holds the next piece until the server acknowledges " +
				"the one before, and the server delays that acknowledgment.",
			Remedies: nagleFixes(report.SideClient, report.SideServer, true)},
		{Code: "response", Title: "Nagle hold ended by a delayed ACK", Side: report.SideServer,
			Message: "The server writes responses in small pieces. Its " +
				"kernel holds the next piece until the client acknowledges " +
				"the one before, and the client delays that acknowledgment.",
			Remedies: nagleFixes(report.SideServer, report.SideClient, true)},
	},
	References: []string{
		"RFC 896", "RFC 9293 section 3.7.4", "RFC 1122 section 4.2.3.2", "RFC 9293 section 3.8.6.3",
	},
},
	Rests:      rule.Timing,
	Beside:     true,
	Certain:    claimDelayed,
	Across:     nagleAcross,
	Vocabulary: words,
}

// Nagle is the rule about small pieces held for a round trip each.
var Nagle = &rule.Detector{Rule: report.Rule{
	Name:  roundTripHold,
	Title: "Nagle hold of one round trip",
	Doc: `What happens
As nagle-delayed-ack, but the peer acknowledges at once: the second small piece of a message waits
one round trip.

How it is recognised
As nagle-delayed-ack, with ACKs that no timer made late. Only where the least round
trip is 2 ms or more: below that a hold costs less than it takes to tell it from other causes.

How cost is counted
As nagle-delayed-ack.

When it is wrong
As nagle-delayed-ack. An application that needs exactly one round trip for its own reasons between
two writes looks alike; it would have to do so every time.`,
	Causes: []report.Cause{
		{Code: "request", Title: "Nagle hold of one round trip", Side: report.SideClient,
			Message: "The client writes requests in small pieces, " +
				"and its kernel holds the next piece until the server " +
				"has acknowledged the one before: one round trip for each.",
			Remedies: nagleFixes(report.SideClient, report.SideServer, false)},
		{Code: "response", Title: "Nagle hold of one round trip", Side: report.SideServer,
			Message: "The server writes responses in small pieces, " +
				"and its kernel holds the next piece until the client " +
				"has acknowledged the one before: one round trip for each.",
			Remedies: nagleFixes(report.SideServer, report.SideClient, false)},
	},
	References: []string{"RFC 896", "RFC 9293 section 3.7.4"},
},
	Rests:      rule.Timing,
	Beside:     true,
	Certain:    claimPrompt,
	Across:     nagleAcross,
	Vocabulary: words,
}

// claimHolds claims the holds of an exchange that belong to the rule, and refers those that the
// connection alone could not prove.
func claimHolds(p *rule.Pass, of string) {
	for i := range p.Draft.Held {
		h := &p.Draft.Held[i]
		c := nagleClaim(p, h)
		if c.Rule != of {
			continue
		}
		if writtenLater(p, i) {
			c.Occ.Cost = report.Cost{High: c.Occ.Cost.High}
		}
		c.Occ.Cost = c.Occ.Cost.Add(h.Others)
		c.Also = h.Also
		p.Draft.Claims = append(p.Draft.Claims, c)
	}
	for i := range p.Draft.Lone {
		h := &p.Draft.Lone[i]
		if c := nagleClaim(p, h); c.Rule == of {
			c.Referred = true
			c.Num[loneDir], c.Num[loneRoundTrip] = int64(h.Dir), int64(h.RoundTrip)
			p.Draft.Claims = append(p.Draft.Claims, c)
		}
	}
}

// writtenLater reports whether what follows the i-th piece that was held was held in turn, in a
// message that counts as a whole: with the piece went all that its program had written by then, so
// that the message ends no later for it.
func writtenLater(p *rule.Pass, i int) bool {
	held := p.Draft.Held
	if x := p.Exchange; x.Turn || p.Draft.Streams() || i+1 >= len(held) {
		return false
	}
	this, next := &held[i], &held[i+1]
	return this.Dir == next.Dir && this.Second == next.First && !this.Tail
}

// claimDelayed and claimPrompt claim the holds of each rule.
func claimDelayed(p *rule.Pass) { claimHolds(p, delayedAckHold) }
func claimPrompt(p *rule.Pass)  { claimHolds(p, roundTripHold) }

// nagleClaim is what the rules claim of a hold that was Nagle's.
func nagleClaim(p *rule.Pass, h *ledger.SettledHold) rule.Claim {
	c := rule.Claim{
		Rule:       roundTripHold,
		Cause:      holdCauses[h.Dir],
		Confidence: holdConfidence(h),
		Index:      p.Exchange.Index,
		Lost:       []report.Interval{{From: h.From, To: h.To}},
	}
	switch {
	case h.RoundTripOnly():
		c.Rule = "" // whatever the others were
	case h.Tally.ByTimer() && (h.Delayed >= ledger.DelackFloor || !h.Tally.Apart()):
		c.Rule = delayedAckHold
	}
	if h.Delayed >= ledger.DelackFloor {
		c.Num[heldLateness] = int64(h.Delayed)
	}
	c.Occ = rule.Occurrence{
		Connection: p.Conn.ID,
		Start:      h.From,
		End:        h.To,
		Cost:       h.Waited,
		Proof:      holdProof(h),
	}
	if h.Tail {
		tailClaim(h, &c)
	}
	if c.Rule == roundTripHold && p.Conn.MidStream && p.Conn.Half[h.Dir.Peer()].Bytes == 0 {
		// the sender had nothing to answer within the capture: what is taken for the round trip is
		// the pace of what it sent when it pleased, which fits itself
		c.Confidence, c.Most, c.Occ.Cost.Low = report.ConfidenceLow, rule.AtMost(report.Low), 0
	}
	return c
}

// holdProof shows the piece that was waited for, the acknowledgment that ended the hold, and the
// piece that was held.
func holdProof(h *ledger.SettledHold) []rule.Evidence {
	sender, receiver := rule.SideOf(h.Dir), rule.SideOf(h.Dir.Peer())
	octets := int64(h.Size[0])
	first := rule.Shows(h.First, sender, firstPiece, octets)
	ack := rule.Shows(h.Ack, receiver, pieceACK)
	switch {
	case h.Tail:
		first = rule.Shows(h.First, sender, lastFull)
		ack = rule.Shows(h.Ack, receiver, tailACK)
	case h.Headers:
		first = rule.Shows(h.First, sender, firstHeaders, octets)
	}
	if !h.Pure {
		ack = rule.Shows(h.Ack, receiver, pieceDataACK)
	}
	held := rule.Shows(h.Second, sender, heldPiece, int64(h.Size[1]), rule.Ns(h.Behind))
	return []rule.Evidence{first, ack, held}
}

const (
	// surelyHeld is how many holds of a connection make it certain that an algorithm held them: an
	// application that writes as an ACK arrives does so by chance, not three times of three.
	surelyHeld = 3
	// surelyTails is the same of ends of messages, which other things hold back, too.
	surelyTails = 4
)

// holdConfidence grades a hold by how many there are and whether a timer's ACK ended it.
func holdConfidence(h *ledger.SettledHold) report.Confidence {
	n := &h.Tally
	switch {
	case n.Held >= surelyHeld && n.Late == 0 && n.Prompt == 0 && n.ByTimer() &&
		n.Surely > 0 && h.Delayed >= ledger.DelackFloor:
		return report.Proven
	case n.Held >= 2:
		return report.ConfidenceHigh
	}
	return report.ConfidenceMedium
}

// tailClaim is what is special about the claim of a hold at the end of a message.
func tailClaim(h *ledger.SettledHold, c *rule.Claim) {
	c.Confidence = report.ConfidenceMedium
	if h.Tails >= surelyTails {
		c.Confidence = report.ConfidenceHigh
	}
	length := h.Length()
	c.Occ.Cost = report.Cost{Low: length / 2, Expected: length, High: length}
	c.Says = []rule.Said{rule.Say(heldTails)}
}
