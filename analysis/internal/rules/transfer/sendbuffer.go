package transfer

import (
	"slices"
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/internal/whatif"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
)

// sendBufferFixes are what lets a side send more at a time.
func sendBufferFixes(sender report.Side) []report.Remedy {
	return []report.Remedy{
		{
			Side: sender,
			Text: "do not set SO_SNDBUF, which switches the kernel's own tuning off, or set it to " +
				"rate times round trip and more; raise net.ipv4.tcp_wmem and net.core.wmem_max " +
				"on Linux",
			Settings: []report.Setting{
				{Product: report.Nginx, Text: "listen without sndbuf="},
				{Product: report.Apache, Text: "no SendBufferSize"},
				{Product: report.HAProxy, Text: "no tune.sndbuf.client, no tune.sndbuf.server"},
				{Product: report.Go, Text: "no SetWriteBuffer"},
			},
			After: "a program that waits until so much is acknowledged before it writes more (a " +
				"window of its own, chunk by chunk) looks alike, and so does a window clamp on " +
				"the route",
		},
	}
}

// oneSegmentFixes are what lets a stack send more than a segment at a time.
func oneSegmentFixes(sender, receiver report.Side) []report.Remedy {
	return []report.Remedy{
		{
			Side: sender,
			Text: "give the stack room for more than one segment in flight: lwIP TCP_SND_BUF and " +
				"TCP_SND_QUEUELEN of several TCP_MSS, Zephyr and FreeRTOS larger TX buffers; a " +
				"program that waits for each segment's ACK before it writes the next must not",
		},
		{
			Side: receiver,
			Text: "only a palliative: acknowledge each segment at once (`ip route change ... " +
				"quickack 1` on Linux, TcpAckFrequency=1 on Windows)",
		},
	}
}

const sendBufferRule = "send-buffer"

// SendBuffer is the rule about senders that keep less in flight than both windows allow.
var SendBuffer = &rule.Detector{Rule: report.Rule{
	Name:  sendBufferRule,
	Title: "sender keeps less in flight than both windows allow",
	Doc: `What happens
What a program has written stays in its kernel's send buffer until it is acknowledged (RFC 9293
section 3.8). A buffer of fixed size (SO_SNDBUF), smaller than what the path holds, rate times round
trip, lets no more be in flight than it holds: the sender stops and waits a round trip for each
buffer of data, whatever the windows allow. Small stacks keep a single segment in flight.

How it is recognised
The sender stopped with the same number of octets in flight, within an eighth or a segment, in six
round trips in a row, and went on each time as soon as an acknowledgment could have reached it. The
receive window had room for another segment each time, nothing was lost, and round trips were no
longer than the least. No congestion window stays as it is for so long: it grows by half a segment
in each round trip at least, and in slow start far more. One segment in flight (causes one-segment
and one-segment-request) shows after three round trips, as no congestion window is that small
without a timeout. Once a connection has shown its sender's limit, later messages need not show it
again. A program that pauses does not go on with acknowledgments, and not with the same amount.
Where exchanges share a connection of HTTP/2, all that their sender sent without a rest is one
message, and what held that up counts once; where it had sent all that it had been asked for,
nothing held it up.

How cost is counted
By simulation: the time spent so, less what the congestion window alone would have made the message
wait, begun with the window that earlier messages on the connection would have grown to, and less
what the path needs at the rate that bursts showed. High is all of the time, low two thirds of
expected.

When it is wrong
A program that meters what it sends by acknowledgments, on purpose, looks alike. The congestion
window that the message would have had is not visible; where the path cannot carry more, or drops
what comes in bursts, the saving is smaller.`,
	Causes: []report.Cause{
		{Code: "fixed", Title: "send buffer of fixed size", Side: report.SideServer,
			Message: "The server stopped again and again with the same number of octets in flight, " +
				"less than both windows allow, and went on with acknowledgments only: its send " +
				"buffer holds no more.",
			Remedies: sendBufferFixes(report.SideServer)},
		{
			Code:  "fixed-request",
			Title: "client's send buffer of fixed size",
			Side:  report.SideClient,
			Message: "The client stopped again and again with the same number of octets in flight, " +
				"less than both windows allow, and went on with acknowledgments only: its send " +
				"buffer holds no more.",
			Remedies: sendBufferFixes(report.SideClient)},
		{Code: "one-segment", Title: "one segment in flight at a time", Side: report.SideServer,
			Message: "The server sends one segment of its response at a time, and waits for its " +
				"acknowledgment before it sends the next.",
			Remedies: oneSegmentFixes(report.SideServer, report.SideClient)},
		{Code: "one-segment-request", Title: "one segment in flight at a time",
			Side: report.SideClient,
			Message: "The client sends one segment of its request at a time, and waits for its " +
				"acknowledgment before it sends the next.",
			Remedies: oneSegmentFixes(report.SideClient, report.SideServer)},
	},
	References: []string{"RFC 9293 section 3.8", "RFC 5681 section 3.1", "RFC 9438 section 4.3"},
},
	Rests:      rule.Timing | rule.Beginning,
	When:       rule.Windowed,
	Exchange:   runSendBuffer,
	Period:     runSendBuffer,
	Vocabulary: words,
}

// runSendBuffer claims what a limit of its sender's own cost a message.
func runSendBuffer(p *rule.Pass) {
	for _, dir := range ledger.BothWays {
		claimSendBuffer(p, dir)
	}
}

// claimSendBuffer claims what that cost dir's message.
func claimSendBuffer(p *rule.Pass, dir reassembly.Dir) {
	j, f := p.Draft, p.Draft.FlowOf(dir)
	waits := slices.DeleteFunc(j.WaitsWith(report.SendLimit),
		func(w ledger.Wait) bool { return w.Dir != dir })
	if p.Exchange.Response == nil || f == nil || len(waits) == 0 {
		return
	}
	spent := j.Spent(dir, report.SendLimit)
	ideal, began := whatif.Unlimited(f)
	saved := whatif.Clamp(j.TransferTime(dir)+j.Spent(dir, report.RWnd)-ideal, spent)
	if spent < max(f.RTT*aRoundTrip/100, (j.Until-j.From)*leastFull/100) ||
		saved < time.Millisecond {
		return
	}
	w := ledger.LongestWait(waits)
	c := rule.Claim{
		Rule:       sendBufferRule,
		Cause:      rule.OfRequest(dir, "fixed"),
		Confidence: report.ConfidenceHigh,
	}
	if f.OwnLimit <= f.MSS {
		c.Cause = rule.OfRequest(dir, "one-segment")
	}
	c.Occ = rule.Occurrence{
		Start: waits[0].From,
		End:   waits[len(waits)-1].To,
		Cost:  report.Cost{Low: saved * 2 / 3, Expected: saved, High: spent},
		Proof: []rule.Evidence{
			rule.Shows(w.Before, rule.SideOf(dir), stoppedShort, f.OwnLimit),
			rule.Shows(w.Cause, rule.SideOf(dir.Peer()), madeRoom),
			rule.Shows(w.End, rule.SideOf(dir), wentOn, rule.Ns(w.Length())),
		},
	}
	c.Window = rule.Window{Dir: dir, Saved: saved, Cwnd: began}
	c.Lost = []report.Interval{{From: c.Occ.Start, To: c.Occ.End}}
	p.Report(c)
	p.Expect(&c, rule.Counted{What: rule.HeldByBuffer, Dir: dir, N: int64(spent)})
}
