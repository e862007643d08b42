package ending

import (
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

const slowCloseRule = "slow-close"

// SlowClose is the rule about responses whose end is the close, where that came late.
var SlowClose = &rule.Detector{Rule: report.Rule{
	Name:  slowCloseRule,
	Title: "response ended only by a late close",
	Doc: `What happens
A response without Content-Length and without chunked coding is over only when the server closes
(RFC 9112 section 6.3). If the server sends the last octet and closes later, the client has
everything and cannot know it.

How it is recognised
A response framed by the close; its FIN passes 20 ms or more, and more than a round trip, after its
last octet, or has to be repeated; the client had not closed before. Event streams do not count, nor
do responses that paused half as long between two of their octets: the server was not done yet; nor
does a FIN that left with an acknowledgment, which a window had kept.

How cost is counted
From the last octet to the FIN.

When it is wrong
If the server itself only learns then that nothing more is to come, as behind a slow backend. Seen
from afar, a FIN that was lost and repeated by a timer looks alike.`,
	Causes: []report.Cause{
		{
			Side: report.SideServer,
			Message: "The response had no length, so that only the close could end it, and the " +
				"close came late.",
			Remedies: []report.Remedy{
				{
					Side: report.SideServer,
					Text: "send Content-Length or Transfer-Encoding: chunked, so that the client " +
						"knows the end; else close right after the last write (shutdown for " +
						"writing)",
				},
			},
		},
	},
	References: []string{"RFC 9112 section 6.3", "RFC 9112 section 9.6"},
},
	Rests:      rule.Content | rule.Messages,
	When:       rule.ToTheEnd,
	Exchange:   runSlowClose,
	Vocabulary: slowCloseWords,
}

// repeatedFIN is from which part of the server's retransmission timeout on, in percent, a FIN may
// be the repetition of one that was lost: the timeout is reckoned from round trips, and may be
// shorter (reasoning).
const repeatedFIN = 90

// pauseParts is which part of the wait for the close a pause of the response must have lasted, so
// that the server may have waited for more to send then, too: half of it (reasoning).
const pauseParts = 2

func runSlowClose(p *rule.Pass) {
	c, x := p.Conn, p.Exchange
	if !endedByClose(c, x) {
		return
	}
	end, fin := x.Response.End, c.Half[reassembly.FromServer].Fin
	late := fin.Time - end.Time
	if late < max(rule.Noticeable, c.RTTMin()) || pausedLike(p, late) || heldClose(p) {
		return
	}
	sure := report.ConfidenceHigh
	if c.Far(reassembly.FromServer) >= time.Millisecond &&
		late >= p.State.Timeout()*repeatedFIN/100 {
		sure = report.ConfidenceMedium // another FIN before it may have been lost on the way here
	}
	p.Report(rule.Claim{
		Rule:       slowCloseRule,
		Confidence: sure,
		Lost:       []report.Interval{{From: end.Time, To: fin.Time}},
		Occ: rule.Occurrence{
			Start: end.Time,
			End:   fin.Time,
			Cost:  report.Cost{Low: late, Expected: late, High: late},
			Proof: []rule.Evidence{
				rule.Shows(end, report.SideServer, endOfUnknown, x.Response.BodyBytes),
				rule.Shows(fin, report.SideServer, lateFIN, rule.Ns(late)),
			},
		},
	})
}

// endedByClose reports whether the response to x has no length of its own, is no stream of events,
// and was ended by the server's FIN behind its last octet.
func endedByClose(c *reassembly.Conn, x *exchange.Exchange) bool {
	const unfit = exchange.EventStream | exchange.HasGap | exchange.Resynced |
		exchange.BadHeader | exchange.BadChunk
	down := &c.Half[reassembly.FromServer]
	if x.Turn || x.Outcome != exchange.Complete || x.Response == nil || x.Status == 0 ||
		x.Response.Framing != exchange.ByClose || x.Response.Facts&unfit != 0 {
		return false
	}
	return ledger.Whole(c) && down.FinSeen && down.FinSeq <= x.Response.To &&
		c.FirstClose == reassembly.FromServer && !c.ClosedByRST &&
		c.Protocol == exchange.ProtoHTTP1
}

// heldClose reports whether the FIN left as soon as an acknowledgment was known: a window had held
// it back, not the server's program.
func heldClose(p *rule.Pass) bool {
	waits := p.Draft.WaitsWith(report.Closing)
	return len(waits) > 0 && ledger.Seen(waits[len(waits)-1].Cause)
}

// pausedLike reports whether the server had made the client wait for a part of the response half as
// long or longer: it may as well have waited for more to send before it closed.
func pausedLike(p *rule.Pass, late time.Duration) bool {
	longest := ledger.LongestWait(p.Draft.WaitsWith(report.AppPaced))
	return longest.Length()*pauseParts >= late
}

// What slow-close says, by number.
const (
	endOfUnknown = iota + ownWords
	lateFIN
)

// slowCloseWords is the vocabulary of slow-close.
var slowCloseWords = vocabulary([]rule.Words{
	endOfUnknown: {
		Role: "last octet", Text: "{octets} of body, of unknown length",
		Facts: rule.Facts{report.CarriesData, report.Told},
	},
	lateFIN: {
		Role:  "FIN",
		Text:  "ends the response, {s} later",
		Facts: rule.Facts{report.Closes, report.SinceBefore},
	},
})
