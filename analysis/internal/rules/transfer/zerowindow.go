package transfer

import (
	"cmp"
	"slices"
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/internal/whatif"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
)

// ZeroWindow is the rule about programs that do not read what has arrived.
var ZeroWindow = &rule.Detector{Rule: report.Rule{
	Name:  "zero-window",
	Title: "receiver stopped reading",
	Doc: `What happens
A program reads more slowly than data arrives. Its receive buffer fills, its kernel closes the
window, and the sender must stop (RFC 9293 section 3.8.6.1). It asks with probes, in growing
intervals, in case the message that opens the window again gets lost.

How it is recognised
The receiver offered a window of zero after the sender's last data, and the sender went on as soon
as a segment that opened it, or that answered its probe, could have reached it. Or all that the
sender had sent was acknowledged, less room was left than a segment needs, and it went on as soon as
a segment that told of more could have reached it, which acknowledged little or nothing (a quarter of
the room at most), 5 ms or more and a quarter of a round trip later than one takes; three times and more if the window never closed. One segment that acknowledges a full
window of many segments at once counts as such, too: a kernel that has no room to offer may keep its
ACK until there is some. So does any segment that moved the edge, whatever its period, while the
program had left unread what had come 5 ms before and earlier: an eighth of the largest window of
the message, and two segments, were missing besides.

How cost is counted
Expected is the wait, from the data that filled the window to the data after it. Where the window
was not closed, and its scale allows of far larger ones, which a reader without pauses would have
got, it is the part of the wait that the simulation does without; else it is the wait less its part
of a round trip for each window of data. High adds the time for which the same buffer held the sender back otherwise, and that for
which the reader may have gone on behind the end of the message: the server until it answered, the
client as long as it had paused before. Low leaves a round trip for
each wait.

When it is wrong
The reader may have had to wait for something else, such as a disk, and a larger buffer would only
hide it. The last window of a connection that is being closed means nothing, and is not counted.`,
	Causes: []report.Cause{
		{Code: "response", Title: "client stopped reading the response", Side: report.SideClient,
			Message: "The client's program read the response more slowly than it " +
				"came, and its window had no room left: the server had to stop.",
			Remedies: []report.Remedy{
				{
					Side: report.SideClient,
					Text: "read from the socket without pause, and hand the data to " +
						"another thread or task for what takes long; a larger " +
						"SO_RCVBUF, or net.ipv4.tcp_rmem on Linux, bridges short pauses",
				},
				{
					Side: report.SideProxy,
					Text: "let the proxy take the response off " +
						"the server: nginx proxy_buffering on",
				},
			}},
		{Code: "request", Title: "server stopped reading the request", Side: report.SideServer,
			Message: "The server's program read the request more slowly than it " +
				"came, and its window had no room left: the client had to stop.",
			Remedies: []report.Remedy{
				{
					Side: report.SideServer,
					Text: "read the body without pause, and hand the data to another " +
						"thread or task for what takes long; a larger SO_RCVBUF, or " +
						"net.ipv4.tcp_rmem on Linux, bridges short pauses",
				},
				{
					Side: report.SideProxy,
					Text: "let the proxy collect the request " +
						"first: nginx proxy_request_buffering on",
				},
			}},
	},
	References: []string{"RFC 9293 section 3.8.6.1", "RFC 1122 section 4.2.2.17"},
},
	Rests:      rule.Timing | rule.Beginning,
	Beside:     true,
	When:       rule.Windowed,
	Exchange:   runZeroWindow,
	Vocabulary: words,
}

// runZeroWindow claims the waits for a closed window.
func runZeroWindow(p *rule.Pass) {
	owner := claimed(p, ReceiveWindow.Name)
	var rest [2]readersPart
	for _, dir := range ledger.BothWays {
		rest[dir] = partOfReader(p, dir)
	}
	waits := readerWaits(p)
	for i, w := range waits {
		c := rule.Claim{Rule: "zero-window", Cause: "response", Confidence: report.ConfidenceHigh}
		if w.Dir == reassembly.FromClient {
			c.Cause = "request"
			if m := p.Exchange.Request; m != nil && !m.Complete && p.Exchange.Response != nil {
				continue // the server had enough of it, and answered
			}
		}
		cost := readerCost(p, &w, rest[w.Dir])
		if owner {
			cost.Expected = min(cost.Expected, max(cost.Low, closedFor(p.Conn, &w)))
		}
		if i == 0 && !owner {
			cost.High += smallWindow(p)
		}
		if i == 0 {
			cost.High += time.Duration(rest[w.Dir].tail) + pausesAgain(p, waits)
		}
		c.Occ = rule.Occurrence{Start: w.From, End: w.To, Cost: cost, Proof: zeroProof(p, &w)}
		c.Lost = []report.Interval{{From: w.From, To: w.To}}
		p.Report(c)
		p.Expect(&c, rule.Counted{What: rule.HeldByWindow, Dir: w.Dir, N: int64(w.Length())})
	}
}

// readerCost is what a wait cost until the program had read.
func readerCost(p *rule.Pass, w *ledger.Wait, part readersPart) report.Cost {
	length := w.Length()
	cost := report.Cost{Low: max(0, length-p.Conn.RTTMin()), Expected: length, High: length}
	if w.Label == report.RWnd {
		cost.Expected = max(cost.Low, time.Duration(float64(length)*part.share))
	}
	return cost
}

// pausesAgain is for how long the client's program may have paused once more before it read the
// last of the response, which its kernel had: as long as it had made the server wait, and no longer
// than until it closed, if that is known yet.
func pausesAgain(p *rule.Pass, waits []ledger.Wait) time.Duration {
	m, h := p.Exchange.Response, &p.Conn.Half[reassembly.FromClient]
	longest := ledger.LongestWait(waits)
	if m == nil || !m.Complete || longest.Dir != reassembly.FromServer {
		return 0
	}
	if h.FinSeen {
		return min(longest.Length(), max(0, h.Fin.Time-m.End.Time))
	}
	return longest.Length()
}

// closedFor is how long the window was closed during w, where its receiver is. Of a buffer that is
// too small for the path the rest of the wait remains, however fast its program reads.
func closedFor(c *reassembly.Conn, w *ledger.Wait) time.Duration {
	for i := range c.Records {
		r := &c.Records[i]
		if r.Dir != w.Dir && r.Window == 0 && r.PureAck() && r.Time >= w.From && r.Time <= w.To {
			return max(0, w.Cause.Time-r.Time)
		}
	}
	return w.Length()
}

// readersPart is what a program that reads without pause would spare a message.
type readersPart struct {
	// share is the part of a wait for a full window that it would spare: where the buffer is of
	// about that size, a round trip for each window of data remains.
	share float64
	// tail is the time in nanoseconds for which the server may have gone on reading what had
	// arrived of a request, at the pace at which it had read before.
	tail float64
}

// roomToGrow is how many times as large as those that were offered the largest window that the
// scale allows of must be for the kernel to have meant to let windows grow. A buffer of fixed size
// gets the least scale that holds it, so that less than twice as much would fit
// (net/ipv4/tcp_output.c, tcp_select_initial_window), and about half of a buffer is offered.
const roomToGrow = 4

// partOfReader is that of dir's message. A kernel that chose a scale for far larger windows lets
// them grow as fast as its program reads, and what then remains is simulated.
func partOfReader(p *rule.Pass, dir reassembly.Dir) (part readersPart) {
	j, f := p.Draft, p.Draft.FlowOf(dir)
	receiver := &p.Conn.Half[dir.Peer()]
	if f == nil || !p.Conn.Scaled() || !receiver.HasWS || !p.Conn.Half[dir].HasWS {
		return part
	}
	window := max(f.ReceiveWindow.Offered, 1)
	full := j.Spent(dir, report.RWnd)
	if full <= 0 {
		return part
	}
	if int64(unscaled)<<receiver.WScale < roomToGrow*window {
		rounds := float64(f.Bytes) / float64(window)
		part.share = max(0, 1-rounds*float64(f.RTT)/float64(full))
		return part
	}
	if dir == reassembly.FromClient {
		waited := float64(full + j.Times[report.ZeroWindow])
		pace := waited / float64(max(f.Bytes-window, window))
		part.tail = min(pace*float64(window), float64(j.Times[report.Think]))
	}
	spared := whatif.Clamp(full+j.TransferTime(dir)-whatif.Ideal(f, false), full)
	part.share = float64(spared) / float64(full)
	return part
}

// readerWaits are the waits until the receiver's program had read: those for a closed window, and
// those for one that was full until it did, if there are some of them.
func readerWaits(p *rule.Pass) []ledger.Wait {
	closed := p.Draft.WaitsWith(report.ZeroWindow)
	out := slices.Clone(closed)
	for _, dir := range ledger.BothWays {
		out = append(out, readersRoom(p, dir)...)
	}
	if len(closed) == 0 && len(out) < leastSmall {
		return nil
	}
	slices.SortStableFunc(out, func(a, b ledger.Wait) int { return cmp.Compare(a.From, b.From) })
	return out
}

// leastSmall is how many waits for a window that was full but not closed show a program that reads
// slowly.
const leastSmall = 3

// smallWindow is the time under that label of which no part is claimed as the program's.
func smallWindow(p *rule.Pass) time.Duration {
	rest := p.Draft.Times[report.RWnd]
	for _, dir := range ledger.BothWays {
		rest -= readerTime(p, dir)
	}
	return max(0, rest)
}

// zeroProof shows the last data, the closing of the window, its opening, and the data after it.
func zeroProof(p *rule.Pass, w *ledger.Wait) []rule.Evidence {
	sender, receiver := rule.SideOf(w.Dir), rule.SideOf(w.Dir.Peer())
	out := []rule.Evidence{rule.Shows(w.Before, sender, fillsWindow)}
	for i := range p.Conn.Records {
		r := &p.Conn.Records[i]
		if r.Dir != w.Dir && r.Window == 0 && r.PureAck() && r.Time >= w.From && r.Time <= w.To {
			out = append(out, rule.Shows(r.Mark(), receiver, windowClosed))
			break
		}
	}
	if ledger.Seen(w.Cause) {
		out = append(out, rule.Shows(w.Cause, receiver, windowOpened))
	}
	return append(out, rule.Shows(w.End, sender, dataAgain, int64(w.Octets), rule.Ns(w.Length())))
}
