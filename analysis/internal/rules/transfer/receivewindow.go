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

// unscaled is the largest window that a connection can offer without window scaling (RFC 7323 §2).
const unscaled = 65535

// ReceiveWindow is the rule about receive windows that are smaller than what the path holds.
var ReceiveWindow = &rule.Detector{Rule: report.Rule{
	Name:  "receive-window",
	Title: "receive window smaller than the path",
	Doc: `What happens
A sender may have no more in flight than the receiver's window (RFC 9293 section 3.8.6). If that is
smaller than what the path holds, rate times round trip, the sender stops and waits a round trip for
each window of data, however good the path.

How it is recognised
The sender had filled the window to its edge, less than a segment was free, and it went on as soon
as a segment that moved the edge could have reached it, at least twice in one message. Causes, with
-request where the message was one: no-window-scaling, one side did not offer it and the window ends
at 65,535 octets; fixed, the window that held the sender back three times and more stayed about the
same (a receive buffer of fixed size); autotuning, it grew, but slower than the congestion window:
the price of every default, so no more than a remark. Where
exchanges share a connection of HTTP/2, all that their sender sent without a rest is one message,
and what held that up counts once.

How cost is counted
By simulation: the time that the message spent waiting for a window of either kind, less what it
would have waited for the congestion window alone. Never more than the time labelled rwnd, and the
time that a sender spread its segments (BBR) or sent them one after the other where its rate is a
window for each round trip: it has learned no other. High is that time, low half of expected.

When it is wrong
Where the program reads more slowly than data comes, a larger buffer only hides it: waits for a
segment that only told of room are zero-window's as far as they exceed a round trip, or where the
program had left octets unread even then, and if those prevail, this rule is silent. Without the
handshake the scale of the window is not known, and the
rule is silent. It is, too, where nearly all of the windows that held the sender back were clearly
less than what the buffer had been seen to hold: the rest of it was full of what was not read yet.
A path or sender that could not have used a larger window would have limited next.`,
	Causes: []report.Cause{
		{Code: "fixed", Title: "receive buffer of fixed size", Side: report.SideClient,
			Message: "The client's receive window was full again and again at the same " +
				"size, and the server had to wait a round trip for each window of data.",
			Remedies: []report.Remedy{
				{
					Side: report.SideClient,
					Text: "do not set SO_RCVBUF, which switches the kernel's own " +
						"tuning off, or set it to rate times round trip and more; " +
						"raise net.ipv4.tcp_rmem and net.core.rmem_max on Linux",
				},
			}},
		{Code: "no-window-scaling", Title: "no window scaling", Side: report.SideUnknown,
			Message: "The connection has no window scaling, so " +
				"no more than 65,535 octets can be in flight.",
			Remedies: []report.Remedy{
				{
					Side: report.SideClient,
					Text: "sysctl net.ipv4.tcp_window_scaling=1 on Linux, `netsh " +
						"int tcp set global autotuninglevel=normal` on Windows",
				},
				{
					Side: report.SideServer,
					Text: "the same on the server; SYN cookies without timestamps " +
						"lose the option, so raise the backlog " +
						"(net.core.somaxconn, net.ipv4.tcp_max_syn_backlog on Linux)",
				},
				{Side: report.SideNetwork, Text: "look for a middlebox that removes TCP options"},
			}},
		{Code: "autotuning", Title: "receive window grew too slowly", Side: report.SideClient,
			Message: "The client's receive window grew with the transfer, " +
				"but it held the server back before the congestion window did.",
			Remedies: []report.Remedy{
				{
					Side: report.SideClient,
					Text: "a larger window to begin with: the middle value of " +
						"net.ipv4.tcp_rmem, `ip route change ... initrwnd 64` on Linux",
				},
			}},
		{
			Code:  "fixed-request",
			Title: "server's receive buffer of fixed size",
			Side:  report.SideServer,
			Message: "The server's receive window was full again and again at the same size, " +
				"and the client had to wait a round trip for each window of its request.",
			Remedies: []report.Remedy{
				{
					Side: report.SideServer,
					Text: "do not set SO_RCVBUF, which switches the kernel's own " +
						"tuning off, or set it to rate times round trip and more; " +
						"raise net.ipv4.tcp_rmem and net.core.rmem_max on Linux",
					Settings: []report.Setting{
						{Product: report.Nginx, Text: "listen without rcvbuf="},
						{Product: report.Apache, Text: "no ReceiveBufferSize"},
						{Product: report.HAProxy, Text: "no tune.rcvbuf.client"},
						{Product: report.Go, Text: "no SetReadBuffer"},
					},
				},
			},
		},
		{
			Code:  "autotuning-request",
			Title: "server's receive window grew too slowly",
			Side:  report.SideServer,
			Message: "The server's receive window grew with the request, but " +
				"it held the client back before the congestion window did.",
			Remedies: []report.Remedy{
				{
					Side: report.SideServer,
					Text: "a larger window to begin with: the middle value of " +
						"net.ipv4.tcp_rmem, `ip route change ... initrwnd 64` on Linux",
				},
			},
		},
	},
	References: []string{"RFC 9293 section 3.8.6", "RFC 7323 section 2"},
},
	Rests:      rule.Timing | rule.Beginning,
	When:       rule.Windowed,
	Exchange:   runReceiveWindow,
	Period:     runReceiveWindow,
	Vocabulary: words,
}

const (
	// readerLeast is the shortest time of a program that is told apart from a late acknowledgment.
	readerLeast = rule.Noticeable / 4
	// readerTrip is the same in percent of a round trip: round trips vary by as much.
	readerTrip = 25
)

// readerLate reports whether the receiver's program took clearly longer to make room than the path
// takes: nearly all that had been sent was acknowledged already, and the window still did not move.
func readerLate(p *rule.Pass, w *ledger.Wait) bool {
	late := w.Length() - p.Conn.RTTMin()
	return w.Room && late >= max(readerLeast, p.Conn.RTTMin()*readerTrip/100)
}

// mostParts: a program reads late as a rule, and not now and then, if it did in more than one of so
// many times.
const mostParts = 2

// readersRoom are the waits of dir's message that lasted until the receiver's program had read. It
// may have left octets unread even then, or in nearly all of the windows. Where it emptied a buffer
// of fixed size each time, and did so at once as a rule, a larger buffer spares what it was late
// with now and then.
func readersRoom(p *rule.Pass, dir reassembly.Dir) []ledger.Wait {
	f := p.Draft.FlowOf(dir)
	if f == nil {
		return nil
	}
	var late, unread []ledger.Wait
	for _, w := range p.Draft.WaitsWith(report.RWnd) {
		if w.Dir != dir {
			continue
		}
		left := w.Unread || f.ReceiveWindow.PartlyFilled()
		if left {
			unread = append(unread, w)
		}
		if left || readerLate(p, &w) {
			late = append(late, w)
		}
	}
	if f.ReceiveWindow.Fixed() && len(late)*mostParts <= f.ReceiveWindow.Times {
		return unread
	}
	return late
}

// readerTime is how long the waits of dir's message were that lasted until the receiver's program
// had read: who waited for that waited for the program, whatever the window was besides.
func readerTime(p *rule.Pass, dir reassembly.Dir) time.Duration {
	var slow time.Duration
	for _, w := range readersRoom(p, dir) {
		slow += w.Length()
	}
	return slow
}

// runReceiveWindow claims what the receive window cost a message.
func runReceiveWindow(p *rule.Pass) {
	for _, dir := range ledger.BothWays {
		claimReceiveWindow(p, dir)
	}
}

const (
	// leastFull is the least part of an exchange, in percent, for which a full window must have
	// held its sender for that to be worth a claim.
	leastFull = 5
	// nearUnscaled is how many percent of the largest window without scaling must have been offered
	// for scaling to have made a difference: kernels keep a part of a buffer for themselves.
	nearUnscaled = 75
)

// claimReceiveWindow claims what that of the other side cost dir's message.
func claimReceiveWindow(p *rule.Pass, dir reassembly.Dir) {
	j, f := p.Draft, p.Draft.FlowOf(dir)
	waits := slices.DeleteFunc(j.WaitsWith(report.RWnd),
		func(w ledger.Wait) bool { return w.Dir != dir })
	slow := readerTime(p, dir)
	full := j.Spent(dir, report.RWnd) - slow
	if p.Exchange.Response == nil || f == nil || len(waits) == 0 || f.ReceiveWindow.Times < 2 ||
		f.ReceiveWindow.PartlyFilled() ||
		full < max(f.RTT*aRoundTrip/100, (j.Until-j.From)*leastFull/100) ||
		j.Times[report.ZeroWindow]+slow > full {
		return // nothing to speak of, or what the receiver's program reads sets the pace
	}
	if f.ReceiveWindow.Fixed() && f.Rate <= 0 {
		// at the rate that the window lets through
		full += j.Spent(dir, report.Paced) + j.Spent(dir, report.Serialize)
	}
	saved := whatif.Clamp(full+j.TransferTime(dir)-whatif.Ideal(f, false), full)
	if saved < time.Millisecond {
		return
	}
	w := ledger.LongestWait(waits)
	c := boundClaim(p, dir, f)
	c.Occ = rule.Occurrence{
		Start: waits[0].From,
		End:   waits[len(waits)-1].To,
		Cost:  report.Cost{Low: saved / 2, Expected: saved, High: full},
		Proof: fullProof(&w, f.ReceiveWindow.Most),
	}
	c.Window = rule.Window{Dir: dir, Saved: saved, Room: true}
	c.Lost = []report.Interval{{From: c.Occ.Start, To: c.Occ.End}}
	p.Report(c)
	held := int64(j.Spent(dir, report.RWnd) - slow)
	p.Expect(&c, rule.Counted{What: rule.HeldByWindow, Dir: dir, N: held})
}

// fullProof shows what filled the window, what made room in it, and what waited for that. Next to
// the receiver the room was made before what filled the window came: it was on its way then.
func fullProof(w *ledger.Wait, most int64) []rule.Evidence {
	full := rule.Shows(w.Before, rule.SideOf(w.Dir), windowFull, most)
	moved := rule.Shows(w.Cause, rule.SideOf(w.Dir.Peer()), windowMoved)
	held := rule.Shows(w.End, rule.SideOf(w.Dir), heldSegment, rule.Ns(w.Length()))
	if earlier(w.Cause, w.Before) {
		return []rule.Evidence{moved, full, held}
	}
	return []rule.Evidence{full, moved, held}
}

// boundClaim is the claim without its occurrence: why the window was as small as it was.
func boundClaim(p *rule.Pass, dir reassembly.Dir, f *ledger.Flow) rule.Claim {
	c := rule.Claim{Rule: "receive-window", Confidence: report.ConfidenceHigh}
	scaled := p.Conn.Half[0].HasWS && p.Conn.Half[1].HasWS
	switch {
	case !scaled && f.ReceiveWindow.Most > unscaled*nearUnscaled/100:
		c.Cause = "no-window-scaling"
	case f.ReceiveWindow.Fixed():
		c.Cause = rule.OfRequest(dir, "fixed")
	default:
		c.Cause, c.Confidence = rule.OfRequest(dir, "autotuning"), report.ConfidenceMedium
		c.Most = rule.AtMost(report.Info)
	}
	return c
}
