package transfer

import (
	"cmp"
	"slices"
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

// blackHoleCopies is how often a full segment must have been sent in vain before its size is
// blamed: chance loses three in a row once in a million at 1 %.
const blackHoleCopies = 3

// unheeded is the cause where routers told the sender, and the capture shows it.
const unheeded = "unheeded"

// unheededCopies is the same where a router said that the size is to blame.
const unheededCopies = 2

// repeatLeast is after how long, at the latest, an acknowledgment that did not arrive shows: what
// it acknowledges is sent again after a second or sooner (RFC 6298 §2).
const repeatLeast = time.Second

// PathMTU is the rule about paths that swallow full segments.
var PathMTU = &rule.Detector{Rule: report.Rule{
	Name:  "path-mtu",
	Title: "full segments do not get through",
	Doc: `What happens
Somewhere on the path the MTU is smaller than the sender believes, and the ICMP message that says so
is filtered or lost (RFC 1191, RFC 8201, RFC 2923). Full segments vanish, small ones pass: a
connection is set up, small requests work, and the first large message hangs.

How it is recognised
The same full segment was sent at least three times without acknowledgment, no segment of its size
of that direction was ever acknowledged on the connection, and smaller ones were: selectively behind
it, or after the sender cut it in pieces. Or the sender's acknowledgments, which are small, arrived:
the peer did not send again what they acknowledge, though it was heard of after three copies and
lacked them all. That is medium if only one arrived that was sent just before the first copy. Where
only what gets through is seen: a small segment came, what it follows came a second later at the
soonest, in pieces that are not full, and nothing larger ever did (medium); or it never came, though
three copies of it must have been sent by then (RFC 6298 section 2: a second for the first, two for
the next; medium, too).
unheeded: a router said that the segment is too big (ICMP type 3 code 4, ICMPv6 type 2), the capture
shows it, and the sender sent it again as large afterwards; then two copies are enough.

How cost is counted
The waits for its retransmissions. If it never got through, the exchange failed, and that outranks
time.

When it is wrong
Chance can lose three full segments in a row, and a receiver that vanished acknowledges nothing;
therefore small segments sent after the first copy must have been acknowledged.`,
	Causes: []report.Cause{{Code: "", Side: report.SideNetwork,
		Message: "Full segments did not get through while small ones did: the " +
			"path's MTU is smaller than the sender believes, and nothing tells it.",
		Remedies: []report.Remedy{
			{
				Side: report.SideNetwork,
				Text: "let ICMP type 3 code 4 and ICMPv6 type 2 pass; clamp " +
					"the MSS at the tunnel: `iptables -t mangle -A FORWARD -p " +
					"tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu`",
			},
			{
				Side: report.SideServer,
				Text: "sysctl net.ipv4.tcp_mtu_probing=1 on " +
					"Linux, or the right MTU on the interface",
			}}},
		{
			Code:  unheeded,
			Title: "full segments do not get through, and the sender does not heed the errors",
			Side:  report.SideNetwork,
			Message: "Full segments did not get through while small ones did. A router says so by " +
				"ICMP, and the sender goes on sending them as large: the errors passed here, and do " +
				"not reach its kernel or are ignored.",
			Remedies: []report.Remedy{
				{
					Side: report.SideNetwork,
					Text: "see what stops the errors between here and the sender: translation of " +
						"addresses that leaves alone what an error quotes (a container's bridge, a " +
						"load balancer), a firewall of the sender's host; until then lower what is " +
						"sent: the tunnel's MTU on the sender's interface, or `iptables -t mangle -A " +
						"FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu`",
				},
				{
					Side: report.SideServer,
					Text: "where the server sends them: its stack must do path MTU discovery (sysctl " +
						"net.ipv4.ip_no_pmtu_disc=0 on Linux); net.ipv4.tcp_mtu_probing=1 does " +
						"without the errors",
				},
			}}},
	References: []string{"RFC 1191", "RFC 8201", "RFC 4821", "RFC 2923"},
},
	Rests:      rule.Timing,
	Makes:      rule.LostSize,
	Attempts:   true,
	Beside:     true,
	When:       rule.Repaired | rule.Repeated | rule.Lacking | rule.Full,
	Exchange:   runPathMTU,
	Vocabulary: words,
}

// blackHole is a full segment that was sent again and again in vain.
type blackHole struct {
	dir    reassembly.Dir
	seq    int64
	size   uint32
	copies []capture.Mark
	// the peer acknowledges smaller data sent after the first copy; no frame if it never does
	small  capture.Mark
	solved bool // the octets arrived in smaller pieces
	// small is a small segment of dir itself: that it arrived shows in what the peer did not repeat
	quiet bool
	later bool // that was after enough copies had been sent in vain
	told  reassembly.TooBig
	heard int // copies after that
}

// unheeded reports whether the sender was told that the segment is too big, and sent it again.
func (b *blackHole) unheeded() bool {
	return b.heard > 0 && b.told.Payload < b.size && !b.solved
}

// enough is how many copies in vain show that the size is to blame.
func (b *blackHole) enough() int {
	if b.unheeded() {
		return unheededCopies
	}
	return blackHoleCopies
}

// runPathMTU looks for a size that does not get through.
func runPathMTU(p *rule.Pass) {
	for _, dir := range []reassembly.Dir{reassembly.FromClient, reassembly.FromServer} {
		least := blackHoleCopies - 1
		if ledger.Seen(p.Conn.Half[dir].TooBig.At) {
			least = unheededCopies - 1
		}
		if int(p.Conn.Half[dir].Retrans) < least || p.State.FullPassed[dir] {
			continue
		}
		if b, ok := findBlackHole(p, dir); ok {
			p.Report(blackHoleClaim(p, &b))
			return
		}
	}
	if w, ok := cutElsewhere(p); ok {
		p.Report(cutClaim(p, &w))
		return
	}
	for _, dir := range []reassembly.Dir{reassembly.FromClient, reassembly.FromServer} {
		if cl, ok := onlySmallArrived(p, dir); ok {
			p.Report(cl)
			return
		}
	}
	// Only now: a sender that cuts its segments sends full ones that pass, of its new size.
	for dir := range p.State.FullPassed {
		passed := p.State.Sender(reassembly.Dir(dir)).FullPassed()
		p.State.FullPassed[dir] = p.State.FullPassed[dir] || passed
	}
}

// leastPiece is the least size to which a sender cuts its segments for want of a way through: half
// of a kilobyte, after 1024 octets (RFC 4821 §7.2, net.ipv4.tcp_base_mss; RFC 9293 §3.7.1: 536).
const leastPiece = 488

// cutElsewhere looks for the wait for segments that a sender had sent in full size, all in vain,
// and sends in smaller pieces at last, where only what did get through is seen: a small segment
// behind them came first, none of full size ever, and of what was missing, several segments' worth,
// the first piece is not full, though larger than anything before.
func cutElsewhere(p *rule.Pass) (ledger.Wait, bool) {
	for _, w := range p.Draft.WaitsWith(report.RTO, report.LostRetx, report.TLP) {
		h := &p.Conn.Half[w.Dir]
		first, piece := ledger.RecordOf(p.Conn, w.Cause), ledger.RecordOf(p.Conn, w.End)
		if w.Unseen && first != nil && piece != nil &&
			!piece.Trait.Has(reassembly.Full) && !p.State.FullPassed[w.Dir] && h.Eff > 0 &&
			h.Largest < h.Eff && piece.Len >= max(h.Largest, leastPiece) &&
			first.Seq-piece.Seq >= 2*int64(h.Eff) && w.Length() >= repeatLeast {
			return w, true
		}
	}
	return ledger.Wait{}, false
}

// cutClaim is the claim of such a wait.
func cutClaim(p *rule.Pass, w *ledger.Wait) rule.Claim {
	sender, cost := rule.SideOf(w.Dir), w.Length()
	return rule.Claim{
		Rule:       "path-mtu",
		Confidence: report.ConfidenceMedium,
		Occ: rule.Occurrence{
			Start: w.From,
			End:   w.To,
			Cost:  report.Cost{Low: cost / 2, Expected: cost, High: cost},
			Proof: []rule.Evidence{
				rule.Shows(w.Cause, sender, laterShows),
				rule.Shows(w.End, sender, cutAtLast, int64(w.Octets)),
			},
		},
		Lost: []report.Interval{{From: w.From, To: w.To}},
	}
}

// copiesSent is how long three copies of a segment take at most (RFC 6298 §2.1, §5.5).
const copiesSent = 3 * time.Second

// onlySmallArrived looks for the small end of a message whose full segments were lost before they
// passed the capture point.
func onlySmallArrived(p *rule.Pass, dir reassembly.Dir) (rule.Claim, bool) {
	c, h := p.Conn, &p.Conn.Half[dir]
	hole := h.Frontier
	if p.State.FullPassed[dir] || h.Eff == 0 || h.Una > hole || h.Missing > 0 {
		return rule.Claim{}, false
	}
	small, lack, end := capture.Mark{}, capture.Mark{}, p.Draft.Until
	for i := range c.Records {
		r := &c.Records[i]
		switch {
		case r.Time > end || r.Trait.Has(reassembly.Wild):
		case r.Dir == dir && r.Len > 0 && (r.Trait.Has(reassembly.Full) || r.Len >= h.Eff):
			return rule.Claim{}, false
		case r.Dir == dir && r.Len > 0 && r.Seq >= hole+int64(h.Eff) && !ledger.Seen(small):
			small = r.Mark()
		case r.Dir == dir.Peer() && ledger.Seen(small) && r.Ack == hole && !ledger.Seen(lack):
			lack = r.Mark()
		}
	}
	if !ledger.Seen(small) || !ledger.Seen(lack) || end-small.Time < copiesSent {
		return rule.Claim{}, false
	}
	cost := end - small.Time
	return rule.Claim{
		Rule:        "path-mtu",
		Kind:        rule.LostSize,
		Confidence:  report.ConfidenceMedium,
		Correctness: true,
		Lost:        []report.Interval{{From: small.Time, To: end}},
		Says:        hangs(p, nil),
		Occ: rule.Occurrence{
			Start: small.Time,
			End:   end,
			Cost:  report.Cost{Low: cost / 2, Expected: cost, High: cost},
			Proof: []rule.Evidence{
				rule.Shows(small, rule.SideOf(dir), onlyTheEnd),
				rule.Shows(lack, rule.SideOf(dir.Peer()), lacksTheRest),
			},
		},
	}, true
}

// blackHoleClaim draws up the claim.
func blackHoleClaim(p *rule.Pass, b *blackHole) rule.Claim {
	c := rule.Claim{
		Rule:        "path-mtu",
		Kind:        rule.LostSize,
		Confidence:  report.ConfidenceHigh,
		Correctness: !b.solved,
	}
	if b.quiet && !b.later {
		c.Confidence = report.ConfidenceMedium
	}
	if b.unheeded() {
		c.Cause, c.Confidence = unheeded, report.ConfidenceHigh
		if b.told.MTU > 0 {
			c.Says = []rule.Said{rule.Say(toldSize, int64(b.told.MTU))}
		}
	}
	var cost time.Duration
	for _, w := range p.Draft.WaitsWith(report.RTO, report.LostRetx, report.TLP, report.FastRetx) {
		if w.Dir == b.dir {
			cost += w.Length()
		}
	}
	c.Says = hangs(p, c.Says)
	if p.Exchange.Attempt != nil && !b.solved {
		cost = max(cost, p.Draft.Until-b.copies[0].Time) // it waited for nothing else
	}
	c.Occ = rule.Occurrence{
		Start: b.copies[0].Time,
		End:   b.copies[len(b.copies)-1].Time,
		Cost:  report.Cost{Low: cost / 2, Expected: cost, High: cost},
		Proof: b.proof(),
	}
	c.Lost = []report.Interval{{From: c.Occ.Start, To: c.Occ.End}}
	return c
}

// hangs adds to what is said of a TLS handshake that it did not get through.
func hangs(p *rule.Pass, says []rule.Said) []rule.Said {
	if a := p.Exchange.Attempt; a != nil && a.Secure {
		return append(says, rule.Say(handshakeHangs))
	}
	return says
}

// proof shows the segment that did not get through, and a smaller one that did.
func (b *blackHole) proof() []rule.Evidence {
	sender, receiver := rule.SideOf(b.dir), rule.SideOf(b.dir.Peer())
	passed := rule.Shows(b.small, receiver, smallAcked)
	if b.quiet {
		passed = rule.Shows(b.small, sender, smallHeard)
	}
	n := len(b.copies)
	out := []rule.Evidence{
		rule.Shows(b.copies[0], sender, largeLost, int64(b.size)),
		rule.Shows(b.copies[n-1], sender, lastCopy, int64(n)), passed,
	}
	switch {
	case b.unheeded() && b.told.MTU > 0:
		out = append(out, rule.Shows(b.told.At, report.SideNetwork, toldTooBig,
			int64(b.told.MTU), int64(b.told.Count)))
	case b.unheeded():
		out = append(out, rule.Shows(b.told.At, report.SideNetwork, toldTooBigOnly,
			int64(b.told.Count)))
	}
	slices.SortStableFunc(out, byTime)
	return out
}

// byTime orders evidence by when its frames were captured.
func byTime(a, b rule.Evidence) int { return cmp.Compare(a.Mark.Time, b.Mark.Time) }

// findBlackHole is the first segment of dir that was sent in vain often enough while smaller ones
// arrived.
func findBlackHole(p *rule.Pass, dir reassembly.Dir) (blackHole, bool) {
	c := p.Conn
	tried := int64(-1)
	for i := max(p.Exchange.FirstRecord-c.Released, 0); i < len(c.Records); i++ {
		r := &c.Records[i]
		if r.Dir != dir || r.Len == 0 || !r.Kind.Retransmitted() || !r.Trait.Has(reassembly.Full) ||
			r.Seq == tried {
			continue
		}
		tried = r.Seq
		b := blackHole{dir: dir, seq: r.Seq, size: r.Len, told: c.Half[dir].TooBig}
		if follow(p, &b) {
			return b, true
		}
	}
	return blackHole{}, false
}

// follow collects what became of the segment; false if its size is not to blame.
func follow(p *rule.Pass, b *blackHole) bool {
	cut := false
	for i := range p.Conn.Records {
		r := &p.Conn.Records[i]
		switch {
		case r.Dir == b.dir:
			if r.Trait.Has(reassembly.Full) && r.Seq+int64(r.Len) <= b.seq && r.Len >= b.size {
				return false // one as large had arrived before: the peer has acknowledged up to seq
			}
			if r.Seq <= b.seq && r.Seq+int64(r.Len) >= b.seq+int64(b.size) {
				b.copies = append(b.copies, r.Mark())
				if ledger.Seen(b.told.At) && r.Time > b.told.At.Time {
					b.heard++
				}
			}
			cut = cut || r.Seq == b.seq && r.Len > 0 && r.Len < b.size
		case len(b.copies) == 0 || r.Flags&capture.ACK == 0:
		case r.Ack > b.seq:
			b.solved = cut
			if !ledger.Seen(b.small) {
				b.small = r.Mark()
			}
			return cut && len(b.copies) >= b.enough()
		case r.SACK > 0 && !ledger.Seen(b.small) && smallAt(p, b, r.Ack+int64(r.SACK)):
			b.small = r.Mark()
		case !ledger.Seen(b.small) && smallDoubled(p.Conn, b, r):
			b.small = r.Mark()
		}
	}
	return len(b.copies) >= b.enough() && (ledger.Seen(b.small) || quietlyPassed(p, b))
}

// smallDoubled reports whether r is a duplicate acknowledgment, without SACK, that only a smaller
// segment behind the hole can have called forth: hosts that have nothing to say send none (RFC 5681
// section 4.2). It comes as soon as the answer to that segment may.
func smallDoubled(c *reassembly.Conn, b *blackHole, r *reassembly.Record) bool {
	if !r.PureAck() || r.SACK > 0 || r.Ack != b.seq || c.Half[0].SACKOK && c.Half[1].SACKOK ||
		grewWindow(c, r) {
		return false
	}
	soonest := r.Time - c.Far(r.Dir) - max(c.RTTMin(), atOnce)
	for s := range ledger.SegmentsBack(c, soonest, r.Time) {
		if s.Dir == b.dir && s.Len > 0 {
			return s.End() > b.seq+int64(b.size) && endsSmall(c, b, s)
		}
	}
	return false
}

// grewWindow reports whether r offers more than the segment of its sender before it: then it may
// say no more than that.
func grewWindow(c *reassembly.Conn, r *reassembly.Record) bool {
	for s := range ledger.SegmentsBack(c, 0, r.Time) {
		if s.Dir == r.Dir && s.Frame != r.Frame {
			return s.Window < r.Window
		}
	}
	return true
}

// quietlyPassed looks for a small segment that arrived though nobody acknowledged it: an
// acknowledgment, no earlier than a round trip before the first copy, of what the peer did not send
// again, though it was alive when enough copies had been lost and still had none of them.
func quietlyPassed(p *rule.Pass, b *blackHole) bool {
	c := p.Conn
	enough := b.copies[b.enough()-1].Time + c.Far(b.dir.Peer())
	var acked int64
	alive := false
	for i := range c.Records {
		r := &c.Records[i]
		switch {
		case r.Dir == b.dir:
			if r.PureAck() && r.Ack > acked && r.Time >= b.copies[0].Time-c.RTTMin() &&
				r.Time <= c.End.Time-repeatLeast {
				b.small, b.later = r.Mark(), r.Time > enough
			}
			if r.Flags&capture.ACK != 0 {
				acked = max(acked, r.Ack)
			}
		case r.End() > r.Seq && r.Seq < acked:
			if ledger.Seen(b.small) && r.Time > b.small.Time {
				return false // it had not heard of it
			}
			acked = r.Seq // it had not heard of what the large ones acknowledged by the way
		case r.Flags&(capture.ACK|capture.RST) == capture.ACK && r.Time >= enough:
			alive = alive || r.Ack <= b.seq
		}
	}
	b.quiet = true
	return alive && ledger.Seen(b.small)
}

// smallAt reports whether a segment smaller than the one in question ends at the given offset,
// alone or as the end of a frame that the sender's host had not cut into segments yet.
func smallAt(p *rule.Pass, b *blackHole, end int64) bool {
	for i := range p.Conn.Records {
		r := &p.Conn.Records[i]
		if r.Dir != b.dir || r.Len == 0 || r.Seq+int64(r.Len) != end {
			continue
		}
		if endsSmall(p.Conn, b, r) {
			return true
		}
	}
	return false
}

// endsSmall reports whether r is smaller than the segment in question, or ends with one that is: of
// one that a network card cuts up, the last is small. Without a router's word the full ones before
// it may have arrived, too.
func endsSmall(c *reassembly.Conn, b *blackHole, r *reassembly.Record) bool {
	eff := c.Half[b.dir].Eff
	return !r.Trait.Has(reassembly.Full) && (r.Len < b.size || ledger.Seen(b.told.At)) ||
		eff > 0 && r.Len > eff && r.Len%eff > 0 && r.Len%eff < b.size
}
