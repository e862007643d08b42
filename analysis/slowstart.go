package analysis

import (
	"fmt"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
)

const (
	// largeInitial is the initial window that a tuned server uses; what it would save is what
	// slow-start expects.
	largeInitial = 32
	// usualInitial is the initial window of RFC 6928, in segments.
	usualInitial = 10
)

var slowStart = &Detector{
	Name:  "slow-start",
	Title: "slow start of a cold connection",
	Doc: `What happens
A connection begins with a small congestion window (10 segments, RFC 6928) that doubles each round trip (slow start,
RFC 5681 section 3.1). A message larger than that window needs extra round trips, whatever the path could carry: a response, or
a request (cause request).

How it is recognised
The sender sends a burst that ends with a full segment, stops with data left to send, and goes on as soon as an ACK frees
room; the rounds grow. Waits that the receive window, a loss, Nagle's algorithm, the path's rate or the sender's own
pauses explain are not slow start, nor is a burst that the application cut short, nor a response that the client
did not want to its end, nor a request that the server did not. Where the first bursts of connections between
the same hosts have many sizes, none of which is a kernel's initial window, confidence is lower. Where the capture has one
direction only, echoes of timestamps stand for acknowledgments, and what they show is a remark.

How cost is counted
By simulating the transfer with the window that was used and with a larger one: expected is what an initial window of 32
segments saves, high what one as large as the whole message (or the receive window) saves. Low is half of expected, nothing
if the receive window would bind next: how it would have grown does not show. What the sender's own pauses, or a reader that is
slower than all, take up again further on in the message is no saving. Never more than the time labelled slow start. Where an idle connection could have been reused, missed-reuse owns the
cost instead.

When it is wrong
The first large response to a client has to ramp up somewhere: the cost is real, but part of the price of any new
connection. On a path that cannot carry the larger window the saving is smaller.`,
	Causes: []report.Cause{{Code: "", Side: report.SideServer,
		Message: "The response was larger than the congestion window of a new connection, so it came in growing bursts with a " +
			"round trip between them.",
		Remedies: []report.Remedy{
			{
				Side: report.SideClient,
				Text: "keep connections open and send further requests on them: a warm connection sends such a response " +
					"at once",
			},
			{
				Side: report.SideServer,
				Text: "send fewer octets (compress, split), or raise the initial window: `ip route change default via ... " +
					"initcwnd 32 initrwnd 32` on Linux, Set-NetTCPSetting -InitialCongestionWindowMss on Windows Server; serve large responses from nearer to the client",
			},
		}},
		{Code: "request", Title: "slow start of an upload", Side: report.SideClient,
			Message: "The request was larger than the congestion window of a new connection, so it was sent in growing bursts with a " +
				"round trip between them.",
			Remedies: []report.Remedy{
				{
					Side: report.SideClient,
					Text: "send fewer octets (compress), keep connections open and send further requests on them, or raise the " +
						"initial window: `ip route change default via ... initcwnd 32` on Linux",
				},
				{
					Side: report.SideServer,
					Text: "offer a receive window that holds as much: `initrwnd 32` on the route; take uploads nearer to the client",
				},
			}}},
	References: []string{"RFC 5681 section 3.1", "RFC 6928"},
	exchange:   runSlowStart,
	cross:      func() crossRule { return &initialWindows{} },
}

// runSlowStart claims the slow start of a message. The judge drops that of a response if missed
// reuse explains it.
func runSlowStart(p *pass) {
	for _, dir := range bothWays {
		p.slowStart(dir)
	}
}

// slowStart claims that of dir's message.
func (p *pass) slowStart(dir reassembly.Dir) {
	j, f, rounds := p.job, p.job.facts(dir), p.job.roundsOf(dir)
	lost := j.spent(dir, report.SlowStart)
	if p.cutAhead(dir) || p.exchange.Response == nil || p.exchange.Outcome == reassembly.Aborted ||
		f == nil ||
		lost <= 0 ||
		f.rtt <= 0 ||
		lost*10 < f.rtt*8 ||
		len(rounds) < 2 ||
		!grew(rounds) {
		return
	}
	t, used := f.transfer()
	cost := report.Cost{Expected: min(lost, t.coldSaving(used, max(largeInitial, used))),
		High: min(lost, t.coldSaving(used, (t.octets+t.mss-1)/t.mss))}
	cost.High = max(cost.High, cost.Expected)
	if cost.Expected < time.Millisecond {
		return
	}
	if !t.bounded(max(largeInitial, used)) {
		// else nothing tells how the receive window would have held it back
		cost.Low = cost.Expected / 2
	}
	cl := claim{rule: "slow-start", cause: ofRequest(dir, ""), confidence: report.ConfidenceMedium}
	if len(rounds) >= 3 || rounds[1].bytes*2 >= rounds[0].bytes*3 {
		cl.confidence = report.ConfidenceHigh
	}
	cl.confidence = j.calibrated(&cost, dir, used, max(largeInitial, used), cl.confidence)
	if left := j.unabsorbed(dir, report.SlowStart, cost.Expected); left < cost.Expected {
		cost.Low, cost.Expected = 0, left
	}
	if cost.Expected < time.Millisecond {
		return
	}
	cl.occ = report.Occurrence{
		Start: rounds[0].start.Time,
		End:   j.message(dir).End.Time,
		Cost:  cost,
	}
	cl.occ.Evidence = roundEvidence(rounds, t.mss, sideOf(dir))
	cl.window = remedied{dir: dir, saved: cost.Expected, cwnd: max(largeInitial, used)}
	cl.lost = []report.Interval{
		{From: rounds[0].start.Time, To: rounds[0].start.Time + cost.Expected},
	}
	p.report(cl)
}

// cutAhead reports whether the capture may begin in the midst of dir's message: then its first
// round is not that of the transfer.
func (p *pass) cutAhead(dir reassembly.Dir) bool {
	x := p.exchange
	if !p.conn.MidStream || p.conn.Half[dir].HasISN || x.Index > 0 {
		return false
	}
	m := x.Request
	if dir == reassembly.FromServer {
		m = x.Response
	}
	return m != nil && m.Facts&unreadFacts != 0 ||
		dir == reassembly.FromServer && x.Turn && x.Request == nil
}

// unabsorbed is what remains of a saving, made up of waits with the label, behind the pauses that
// follow in the same message: a program that writes by a clock of its own, or a reader that is
// slower than all, only waits longer for what comes sooner.
func (j *job) unabsorbed(dir reassembly.Dir, of report.Label, saving time.Duration) time.Duration {
	whole := j.spent(dir, of)
	if whole <= 0 {
		return saving
	}
	part := float64(saving) / float64(whole)
	var ahead, absorbed time.Duration
	for i := range j.slices {
		switch s := &j.slices[i]; {
		case s.dir != dir:
		case s.label == of:
			ahead += time.Duration(float64(s.length()) * part)
		case s.label == pause(dir) || s.label == report.ZeroWindow:
			gone := min(ahead, s.length())
			ahead, absorbed = ahead-gone, absorbed+gone
		}
	}
	return max(0, saving-absorbed)
}

// grew reports whether the rounds grew as slow start does: one was larger than all before by a
// fifth at least. The last is cut short by the end of the message, so that of two nothing can be
// said. What goes on in rounds of one size is held by something else, a send buffer say.
func grew(rounds []round) bool {
	if len(rounds) < 3 {
		return true
	}
	most := rounds[0].bytes
	for i := 1; i < len(rounds)-1; i++ {
		if rounds[i].bytes*5 >= most*6 {
			return true
		}
		most = max(most, rounds[i].bytes)
	}
	return false
}

// roundEvidence shows the first frame of each round.
func roundEvidence(rounds []round, mss int64, sender report.Side) []report.Evidence {
	var out []report.Evidence
	for i, r := range rounds {
		if i == 6 {
			break
		}
		text := fmt.Sprintf(
			"number %d, %d octets, %d segments",
			i+1,
			r.bytes,
			(r.bytes+mss-1)/max(mss, 1),
		)
		out = append(out, at(r.start, "round", sender, text))
	}
	return out
}

// transfer is the response as the simulator sees it, and the window in segments with which it
// began.
func (f *flowFacts) transfer() (transfer, int64) {
	mss := max(f.mss, 1)
	t := transfer{octets: f.bytes, mss: mss, window: f.window, rtt: f.rtt, rate: f.rate}
	return t, max((f.initial+mss-1)/mss, 1)
}

// measure fills in what the transfer of the exchange's messages showed, when it is over.
func (s *connState) measure(j *job) {
	x := j.x
	sender := &s.walk.send[reassembly.FromServer]
	j.rounds = append(j.rounds[:0], sender.rounds...)
	j.flow.rtt = max(s.conn.RTTMin(), sender.echoes.period)
	j.flow.mss = int64(s.conn.Half[reassembly.FromServer].Eff)
	j.flow.flight = sender.flight
	j.flow.initial = sender.initial
	s.measureRequest(j)
	if x.Response == nil {
		return
	}
	j.flow.bytes = x.Response.HeaderBytes + x.Response.BodyBytes
	s.transferred(&j.flow, reassembly.FromServer, x.Response)
	j.flow.stamped = sender.stamps.tick > 0
	j.flow.pieces[reassembly.FromServer] = sender.pieces
	j.flow.pieces[reassembly.FromClient] = s.walk.send[reassembly.FromClient].pieces
}

// transferred fills in what the transfer of m, which dir sent, showed of its sender.
func (s *connState) transferred(f *flowFacts, dir reassembly.Dir, m *reassembly.Message) {
	sender := &s.walk.send[dir]
	f.mss = int64(s.conn.Half[dir].Eff)
	f.flight = sender.flight
	f.largest = s.largest[dir]
	s.largest[dir] = max(s.largest[dir], f.bytes)
	f.measured = m.End.Time - m.Start.Time
	f.initial = sender.initial
	if len(sender.rounds) > 0 {
		f.initial = sender.rounds[0].bytes
	}
	if s.conn.Scaled() && sender.edge > sender.ack {
		f.window = sender.edge - sender.ack
	}
	f.rate = sender.pathRate(f.mss, float64(f.bytes)/max(f.measured.Seconds(), 1e-9))
	f.rwnd = sender.rwnd
	f.queue = sender.queue
	f.idle = sender.growth.idle
}

// donorSaving is what a connection whose sender had had flight octets in flight would have saved on
// this response, and the most that it could have saved: an older connection has a larger receive
// window, too.
func (f *flowFacts) donorSaving(flight int64, slow time.Duration) (expected, most time.Duration) {
	t, used := f.transfer()
	expected = min(slow, t.coldSaving(used, f.donorWindow(flight)))
	t.window = 0
	return expected, max(expected, min(slow, t.coldSaving(used, 2*f.donorWindow(flight))))
}

// donorWindow is the window, in segments, of such a connection.
func (f *flowFacts) donorWindow(flight int64) int64 {
	mss := max(f.mss, 1)
	return max(usualInitial, (flight+mss-1)/mss)
}
