package transfer

import (
	"slices"
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/internal/whatif"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

// lossFixes are what keeps segments from getting lost, and what repairs them sooner.
func lossFixes() []report.Remedy {
	return []report.Remedy{
		{
			Side: report.SideNetwork,
			Text: "find where segments get lost: interface errors and drops (`ethtool -S`, " +
				"`ip -s link` on Linux), a policer or a shaper with a short queue, a " +
				"duplex mismatch, Wi-Fi; fq_codel or cake instead of a short tail-drop queue",
		},
		{
			Side: report.SideServer,
			Text: "let the kernel repair tails sooner: SACK and RACK-TLP on (`sysctl " +
				"net.ipv4.tcp_sack=1 net.ipv4.tcp_recovery=1 net.ipv4.tcp_early_retrans=3` " +
				"on Linux, the defaults); inside a data centre `ip route change ... " +
				"rto_min 10ms` on Linux, Set-NetTCPSetting -MinRtoMs on Windows Server",
		},
		{
			Side: report.SideClient,
			Text: "for what the client sends, the same settings on its host; " +
				"a bounded retry of idempotent requests on another connection",
		},
	}
}

// timeoutRule is the name of the rule, which looks for it among its own claims.
const timeoutRule = "retransmission-timeout"

// RetransmissionTimeout is the rule about losses that only a timer repaired.
var RetransmissionTimeout = &rule.Detector{Rule: report.Rule{
	Name:  timeoutRule,
	Title: "retransmission timeout",
	Doc: `What happens
A lost segment is sent again at once if three later ones arrive: their acknowledgments tell the
sender (RFC 5681 section 3.2, RFC 6675). The last segments of a message have none after them, so
that only a timer repairs their loss: a tail loss probe after two round trips where the stack has it
(RFC 8985 section 7), else the retransmission timeout, 200 ms above the round trip on Linux and a
second by RFC 6298.

How it is recognised
A retransmission that was needed left when the timer was due, without duplicate or selective
acknowledgments that could have reached the sender, and the receiver could not go on before it. If
the first copy was lost before it passed the capture point, the proof is another segment of the
sender with a later sequence number, or packets missing by their IP identification, where that is
known to count those of one connection (a SYN-ACK without one, counted from then on), or goes up in
longer steps and just as many are missing as timers had run; and the wait must be as long as those
timers. What rests on identifications of which less is known is of low confidence; what rests on
them alone is taken back if, in just that time, another connection of the sender's host has packets
with the missing numbers and none with others: the host counts for all. A wait that is
longer than its timer can be, with no copy lost in the meantime, is not the timer's: a host stood
still, or a clock was set. Causes: single, the whole
message was lost; tail, its end; too-few-behind, other segments, of which later ones arrived, as
they passed the capture point behind the loss, or a duplicate or selective acknowledgment tells;
lost-retransmission, a copy was lost too; spurious, the timer fired
although everything had arrived (the acknowledgment of the first copy shows it), and the sender had
to wait for that acknowledgment or had less in flight afterwards than before.

How cost is counted
Expected is the wait from the first copy to the one that arrived: without the loss nothing of it
would remain. Low leaves what the quickest repair takes, two round trips for a probe. Of a spurious
one the cost is what the acknowledgment took longer than a round trip. What the connection then lost
because its window was cut belongs to packet-loss.

When it is wrong
If the capture lost frames that the network did not; gaps that the receiver acknowledged are not
taken for losses. Where the first copy was never seen the wait may hold some of the sender's own
time: then confidence is lower, and low says so. Of a connection whose beginning the capture lacks,
confidence is low until its receiver has acknowledged something, and where the timer is not known.`,
	Causes: []report.Cause{
		{
			Code:  "single",
			Title: "message of one segment lost, repaired by timeout",
			Side:  report.SideNetwork,
			Message: "A whole message was lost on the way, and a timer had to run out " +
				"before it was sent again.",
			Remedies: lossFixes(),
		},
		{
			Code:  "tail",
			Title: "end of a message lost, repaired by timeout",
			Side:  report.SideNetwork,
			Message: "The end of a message was lost on the way, and a timer had to run " +
				"out before it was sent again.",
			Remedies: lossFixes(),
		},
		{
			Code:  "too-few-behind",
			Title: "loss with too little behind it, repaired by timeout",
			Side:  report.SideNetwork,
			Message: "Segments were lost on the way though later ones of the same message " +
				"arrived: these were too few to tell their sender of the loss in time, or what " +
				"they told was lost, too, and a timer had to run out.",
			Remedies: lossFixes(),
		},
		{Code: "lost-retransmission", Title: "retransmission lost, too", Side: report.SideNetwork,
			Message: "A segment was lost, and so was its retransmission: " +
				"the timer had to run out, twice as long each time.",
			Remedies: lossFixes()},
		{Code: "spurious", Title: "needless retransmission", Side: report.SideNetwork,
			Message: "The sender's timer fired although what it then sent again had " +
				"arrived, or was on its way: it came, or its acknowledgment did, later than " +
				"the timer allows for.",
			Remedies: []report.Remedy{
				{
					Side: report.SideNetwork,
					Text: "find what delays segments or acknowledgments " +
						"by hundreds of milliseconds: a deep queue " +
						"(fq_codel, cake), a radio link, a host that pauses",
				},
				{
					Side: report.SideServer,
					Text: "keep timestamps and F-RTO on (`sysctl net.ipv4.tcp_timestamps=1 " +
						"net.ipv4.tcp_frto=2` on Linux), which undo it",
				},
			}},
	},
	References: []string{"RFC 6298", "RFC 8985 section 7", "RFC 5682", "RFC 3522"},
},
	Rests:      rule.Timing,
	YieldsTo:   rule.DroppedHandshake | rule.LostWay | rule.LostHello,
	SharesPath: true,
	Across: &rule.Comparison{
		Start: func() rule.Across { return &impatience{map[rule.Key]*unheard{}} },
	},
	Attempts:   true,
	Beside:     true,
	When:       rule.Repaired,
	Exchange:   runRetransmissionTimeout,
	Vocabulary: words,
}

// runRetransmissionTimeout claims the waits that a timer ended.
func runRetransmissionTimeout(p *rule.Pass) {
	if claimed(p, PathMTU.Name) {
		return
	}
	claimNeedless(p)
	var late *whatif.LossDelay
	if p.Draft.Shared {
		of := whatif.LossDelayOf(&p.Draft.Account)
		late = &of
	}
	waits := p.Draft.WaitsWith(report.RTO, report.TLP, report.LostRetx, report.SpuriousRetx)
	if n := len(p.Conn.SYNACKs); n > 1 && len(waits) > 0 &&
		p.Conn.SYNACKs[n-1].Time > waits[0].Before.Time {
		// the server did not believe that the connection exists: its backlog was full, nothing was
		// lost
		return
	}
	if len(waits) == 0 {
		return
	}
	parts := scheduleOf(&p.Draft.Exchange, p.Conn, waits[0].Dir)
	for i := 0; i < len(waits); i++ {
		w := waits[i]
		if w.Label == report.SpuriousRetx && w.ByOrder {
			continue // reordering, which packet-loss claims
		}
		cause := timeoutCause(p, &w)
		for i+1 < len(waits) && waits[i+1].End == w.End && waits[i+1].Label == report.LostRetx {
			i++
			w.To, cause = waits[i].To, "lost-retransmission"
		}
		c := timeoutClaim(p, &w, cause)
		if cause == "spurious" {
			c.Occ.Proof = needlessProof(p, &w)
		}
		if late != nil {
			c.Occ.Cost, c.Clock = partOf(c.Occ.Cost, late), late.OfRepair(&p.Draft.Exchange, &w)
		}
		if w.Dir == waits[0].Dir {
			var absorbed bool
			c.Occ.Cost, absorbed = parts.cost(w.From, c.Occ.Cost)
			c.Confidence = min(c.Confidence, sureUnless(absorbed))
		}
		p.Report(c)
		p.Expect(&c, resent(&w))
	}
}

// timerSeen is how many percent of the sender's timer must have been waited for it to have been
// that timer: the length of it rests on round trips, which are not measured better.
const timerSeen = 90

// claimNeedless claims the waits in which a timer fired though everything was on its way.
func claimNeedless(p *rule.Pass) {
	waits := slices.DeleteFunc(p.Draft.WaitsWith(report.Queue), func(w ledger.Wait) bool {
		return w.Unseen || w.Kind == reassembly.OutOfOrder || w.Unheard >= ledger.Unanswered
	})
	total := map[capture.Mark]time.Duration{} // by what was sent again
	for _, w := range waits {
		if ledger.Seen(w.Again) {
			total[w.Again] += w.Length()
		}
	}
	for i := 0; i < len(waits); i++ {
		w := waits[i]
		for i+1 < len(waits) && waits[i+1].End == w.End && waits[i+1].From == w.To {
			i++
			w.To, w.Cause = waits[i].To, waits[i].Cause
		}
		if total[w.Again] < p.State.Timeout()*timerSeen/100-p.Conn.RTTMin() {
			continue
		}
		length := w.Length()
		cost := report.Cost{Low: max(0, length-p.Conn.RTTMin()), Expected: length, High: length}
		p.Report(rule.Claim{
			Rule:       timeoutRule,
			Kind:       rule.Repair | rule.LostSegment,
			Cause:      "spurious",
			Confidence: report.ConfidenceHigh,
			Window:     rule.Window{Dir: w.Dir},
			Lost:       []report.Interval{{From: w.From, To: w.To}},
			Occ: rule.Occurrence{
				Start: w.From,
				End:   w.To,
				Cost:  cost,
				Proof: delayProof(&w),
			},
		})
	}
}

// unheardProof shows what a host repeated that had arrived, or what was held up, and what came when
// something got through again.
func unheardProof(w *ledger.Wait) []rule.Evidence {
	side, peer := rule.SideOf(w.Dir), rule.SideOf(w.Dir.Peer())
	switch w.Unheard {
	case ledger.HeldUp:
		return []rule.Evidence{
			rule.Shows(w.Before, rule.SideOf(w.Prev), beforeWait),
			rule.Shows(w.End, side, heldUpUntil, rule.Ns(w.Length())),
		}
	case ledger.Unanswered, ledger.AllLost:
		return []rule.Evidence{
			rule.Shows(w.Again, peer, repeatsInVain),
			rule.Shows(w.End, side, heardAgain, rule.Ns(w.End.Time-w.Again.Time)),
		}
	}
	if w.Unheard == ledger.OwnLost {
		return []rule.Evidence{
			rule.Shows(w.Again, side, repeatsInVain),
			rule.Shows(w.End, side, firstHeard, rule.Ns(w.End.Time-w.Again.Time)),
		}
	}
	return []rule.Evidence{
		rule.Shows(w.Again, side, repeatsArrived),
		rule.Shows(w.End, side, firstHeard, rule.Ns(w.End.Time-w.Again.Time)),
	}
}

// delayProof shows what was sent again while all was on its way, and when that came.
func delayProof(w *ledger.Wait) []rule.Evidence {
	if w.Unheard > 0 && w.Unheard != ledger.HeldUp {
		return unheardProof(w)
	}
	sender, receiver := rule.SideOf(w.Dir), rule.SideOf(w.Dir.Peer())
	out := []rule.Evidence{
		rule.Shows(w.Before, sender, beforeWait), rule.Shows(w.Again, sender, arrivedAlready),
		rule.Shows(w.End, sender, delayedData, rule.Ns(w.Length())),
	}
	if ledger.Seen(w.Cause) {
		out = append(out, rule.Shows(w.Cause, receiver, ackOfFirst))
	}
	return out
}

// timeoutCause tells why only a timer repaired the loss.
func timeoutCause(p *rule.Pass, w *ledger.Wait) string {
	m := p.Exchange.Response
	if w.Dir == reassembly.FromClient {
		m = p.Exchange.Request
	}
	switch {
	case w.Label == report.SpuriousRetx:
		return "spurious"
	case w.Label == report.LostRetx:
		return "lost-retransmission"
	case m != nil && m.To-m.From <= int64(max(w.Octets, 1)):
		return "single"
	case m != nil && moreArrived(p.Conn, w, m.To):
		return "too-few-behind"
	}
	return "tail"
}

// moreArrived reports whether of the message that ends at to something arrived that lies behind
// what w repaired, a round trip before that at least, so that its sender could have heard of it: it
// passed the capture point behind the loss, or its receiver says so.
func moreArrived(c *reassembly.Conn, w *ledger.Wait, to int64) bool {
	r := ledger.RecordOf(c, w.End)
	if r == nil || r.End() >= to {
		return false
	}
	for i := range c.Records {
		b := &c.Records[i]
		switch {
		case b.Time > r.Time-c.RTTMin():
			return false
		case b.Dir == r.Dir:
			if w.Unseen && b.Len > 0 && b.Seq >= r.End() && b.Seq < to {
				return true
			}
		case b.Ack == r.Seq && (b.Kind == reassembly.DuplicateAck || b.SACK > 0):
			return true
		}
	}
	return false
}

// timeoutClaim draws up the claim of one wait.
func timeoutClaim(p *rule.Pass, w *ledger.Wait, cause string) rule.Claim {
	length := w.Length()
	c := rule.Claim{
		Rule:       timeoutRule,
		Kind:       rule.Repair | rule.LostSegment,
		Cause:      cause,
		Confidence: report.ConfidenceHigh,
		Window:     rule.Window{Dir: w.Dir},
		Lost:       []report.Interval{{From: w.From, To: w.To}},
	}
	cost := report.Cost{
		Low:      max(0, length-2*p.Conn.RTTMin()),
		Expected: length,
		High:     length,
	}
	if w.Unseen {
		cost.Low = max(0, min(cost.Low, p.State.Timeout()*timerSeen/100))
		if !ledger.Seen(w.Cause) {
			c.Confidence = report.ConfidenceMedium
		}
	}
	if w.Faint {
		cost.Low, c.Confidence, c.Most = 0, report.ConfidenceLow, rule.AtMost(report.Low)
	}
	c.Asks = askedIDs(p.Conn, w)
	c.Says = whyTimer(p, w, cause)
	if !w.Unseen && (w.Label == report.RTO || w.Label == report.TLP) {
		c.Num[w.Dir] = int64(length) // how long the sender heard of no acknowledgment
		if answeredAtOnce(p, w) {
			c.Num[answered] = 1
			if w.Label == report.RTO && length < usualTimer {
				c.Num[early] = 1
			}
		}
	}
	c.Occ = rule.Occurrence{Start: w.From, End: w.To, Cost: cost, Proof: repairProof(p.Conn, w)}
	if c.Num[answered] == 1 && c.Occ.Proof[0].Mark == w.Cause {
		c.Occ.Proof[0] = rule.Shows(w.Cause, rule.SideOf(w.Dir), unanswered)
	}
	doubtBeginning(p, w, &c)
	return c
}

// askedIDs is what the claim of a wait asks about other connections of its sender's; nil if it
// rests on more than identifications.
func askedIDs(c *reassembly.Conn, w *ledger.Wait) *rule.AskedIDs {
	if w.Gap.Stride == 0 {
		return nil
	}
	host := c.Client
	if w.Dir == reassembly.FromServer {
		host = c.Server
	}
	return &rule.AskedIDs{Host: host.Addr(), IDGap: w.Gap, Otherwise: ledger.ToOwn(w)}
}

// whyTimer says why only a timer repaired the loss, where records show it.
func whyTimer(p *rule.Pass, w *ledger.Wait, cause string) []rule.Said {
	if w.Dir == reassembly.FromClient && isUnheard(p) {
		return []rule.Said{rule.Say(queueFull)}
	}
	r := ledger.RecordOf(p.Conn, w.End)
	if r == nil || w.Unseen || cause != "single" && cause != "tail" {
		return nil
	}
	switch n := rule.Followers(p.Conn, r); {
	case n == 0:
		return []rule.Said{rule.Say(noneFollowed)}
	case n < dupThresh:
		return []rule.Said{rule.Say(fewFollowed, int64(n))}
	}
	return nil
}

// dupThresh is how many later segments must arrive to tell a sender of a loss (RFC 5681 section
// 3.2).
const dupThresh = 3

// outTwice is how many percent of its timer a client must have waited for that to have run out
// twice: the second copy leaves when it has passed once, the third when it has passed three times,
// as it is doubled (RFC 6298 section 5.5). This lies between the two, nearer to the first because
// the timer is the least that it can be.
const outTwice = 150

// isUnheard reports whether nothing of the connection's first request got through until its timer
// had run out twice.
func isUnheard(p *rule.Pass) bool {
	m := p.Exchange.Request
	if p.Exchange.Index != 0 || m == nil || m.From != 0 || !silentUntil(p, waitsEnd(p)) {
		return false
	}
	var waited time.Duration
	for _, w := range p.Draft.WaitsWith(report.RTO, report.LostRetx) {
		if w.Dir == reassembly.FromClient {
			waited += w.Length()
		}
	}
	return reaches(waited, outTwice, p.State.Timeout())
}

// waitsEnd is when the client's last timer of the exchange had run out.
func waitsEnd(p *rule.Pass) time.Duration {
	var end time.Duration
	for _, w := range p.Draft.WaitsWith(report.RTO, report.LostRetx) {
		if w.Dir == reassembly.FromClient {
			end = w.End.Time
		}
	}
	return end
}

// silentUntil reports whether the server acknowledged nothing of the client's data before the given
// moment.
func silentUntil(p *rule.Pass, end time.Duration) bool {
	return !slices.ContainsFunc(p.Conn.Records, func(r reassembly.Record) bool {
		return r.Dir == reassembly.FromServer && r.Time < end && r.Flags&capture.ACK != 0 &&
			(r.Ack > 0 || r.SACK > 0)
	})
}

// needlessProof shows the retransmission without need before the wait, and the first copy of that.
func needlessProof(p *rule.Pass, w *ledger.Wait) []rule.Evidence {
	sender := rule.SideOf(w.Dir)
	held := rule.Shows(w.End, sender, heldByCut, rule.Ns(w.Length()))
	records := p.Conn.Records
	again := -1
	for i := range records {
		if r := &records[i]; r.Dir == w.Dir && r.Kind == reassembly.SpuriousRetransmission &&
			r.Len > 0 && r.Time < w.To {
			again = i
		}
	}
	if again < 0 {
		return []rule.Evidence{held}
	}
	second := &records[again]
	for i := range records[:again] {
		if r := &records[i]; r.Dir == w.Dir && r.Len > 0 && r.Seq <= second.Seq &&
			r.End() > second.Seq {
			return []rule.Evidence{
				rule.Shows(r.Mark(), sender, firstArrived),
				rule.Shows(second.Mark(), sender, sameOctets, rule.Ns(second.Time-r.Time)), held,
			}
		}
	}
	return []rule.Evidence{held}
}

// repairProof shows what was lost and what repaired it.
func repairProof(c *reassembly.Conn, w *ledger.Wait) []rule.Evidence {
	sender := rule.SideOf(w.Dir)
	var out []rule.Evidence
	switch {
	case ledger.Seen(w.Cause) && !w.Unseen:
		out = append(out, rule.Shows(w.Cause, sender, lostFurther))
	case ledger.Seen(w.Cause):
		words := laterShows
		if r := ledger.RecordOf(c, w.Cause); r != nil && r.Len == 0 {
			words = laterCounts
		}
		out = append(out, rule.Shows(w.Cause, sender, words))
	case ledger.Seen(w.Before):
		out = append(out, rule.Shows(w.Before, rule.SideOf(w.Prev), beforeWait))
	}
	return append(out, rule.Shows(w.End, sender, repaired, int64(w.Octets), rule.Ns(w.Length())))
}

// claimed reports whether a rule has claimed something of the exchange already.
func claimed(p *rule.Pass, rule string) bool {
	for i := range p.Draft.Claims {
		if p.Draft.Claims[i].Rule == rule {
			return true
		}
	}
	return false
}
