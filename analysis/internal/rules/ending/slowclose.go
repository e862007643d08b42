package ending

import (
	"fmt"
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
)

var SlowClose = &rule.Detector{
	Name:  "slow-close",
	Rests: rule.Content,
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
	Exchange:   runSlowClose,
}

func runSlowClose(p *rule.Pass) {
	c, x := p.Conn, p.Exchange
	down := &c.Half[reassembly.FromServer]
	if x.Turn || x.Outcome != reassembly.Complete || x.Response == nil ||
		x.Response.Framing != reassembly.ByClose ||
		x.Response.Facts&(reassembly.EventStream|reassembly.HasGap|reassembly.Resynced|reassembly.BadHeader|reassembly.BadChunk) != 0 ||
		x.Status == 0 || !ledger.Whole(c) || !down.FinSeen ||
		c.FirstClose != reassembly.FromServer || c.ClosedByRST ||
		c.Protocol != reassembly.ProtoHTTP1 {
		return
	}
	end, late := x.Response.End, down.Fin.Time-x.Response.End.Time
	if late < max(ledger.Noticeable, c.RTTMin()) || down.FinSeq > x.Response.To ||
		pausedLike(p, late) || heldClose(p) {
		return
	}
	sure := report.ConfidenceHigh
	if c.Far(reassembly.FromServer) >= time.Millisecond && late >= p.State.Timeout()*9/10 {
		sure = report.ConfidenceMedium // another FIN before it may have been lost on the way here
	}
	p.Report(
		rule.Claim{
			Rule:       "slow-close",
			Confidence: sure,
			Lost:       []report.Interval{{From: end.Time, To: down.Fin.Time}},
			Occ: rule.Occurrence{
				Start: end.Time,
				End:   down.Fin.Time,
				Cost:  report.Cost{Low: late, Expected: late, High: late},
				Evidence: []report.Evidence{
					rule.At(end, "last octet", report.SideServer,
						fmt.Sprintf("%d octets of body, of unknown length", x.Response.BodyBytes)),
					rule.At(down.Fin, "FIN", report.SideServer,
						fmt.Sprintf("ends the response, %s later", rule.Seconds(late)))},
			},
		},
	)
}

// heldClose reports whether the FIN left as soon as an acknowledgment was known: a window had held
// it back, not the server's program.
func heldClose(p *rule.Pass) bool {
	waits := p.Draft.With(report.Closing)
	return len(waits) > 0 && ledger.Seen(waits[len(waits)-1].Cause)
}

// pausedLike reports whether the server had made the client wait for a part of the response half as
// long or longer: it may as well have waited for more to send before it closed.
func pausedLike(p *rule.Pass, late time.Duration) bool {
	longest := ledger.LongestWait(p.Draft.With(report.AppPaced))
	return longest.Length()*2 >= late
}
