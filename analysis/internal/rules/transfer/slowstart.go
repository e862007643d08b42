package transfer

import (
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/internal/whatif"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

const slowStartRule = "slow-start"

// SlowStart is the rule about the small windows that connections begin with.
var SlowStart = &rule.Detector{Rule: report.Rule{
	Name:  slowStartRule,
	Title: "slow start of a cold connection",
	Doc: `What happens
A connection begins with a small congestion window (10 segments, RFC 6928) that doubles each round
trip (slow start, RFC 5681 section 3.1). A message larger than that window needs extra round trips,
whatever the path could carry: a response, or a request (cause request).

How it is recognised
The sender sends a burst that ends with a full segment, stops with data left to send, and goes on as
soon as an ACK frees room; the rounds grow. Waits that the receive window, a loss, Nagle's
algorithm, the path's rate or the sender's own pauses explain are not slow start, nor is a burst
that the application cut short, nor a response that the client did not want to its end, nor a
request that the server did not. Where the first bursts of connections between the same hosts have
many sizes, none of which is a kernel's initial window, confidence is lower. Where the capture has
one direction only, echoes of timestamps stand for acknowledgments, and what they show is a remark.
Where exchanges share a connection of HTTP/2, all that their sender sent without a rest is one
message, and what held that up counts once.

How cost is counted
By simulating the transfer with the window that was used and with a larger one: expected is what an
initial window of 32 segments saves under the receive window, which is taken to grow as Linux makes
it grow; high is what it saves without a receive window. Low is two thirds of expected, nothing if a
receive window that does not grow would bind next. A sender that paces is simulated as BBR's
startup. Where the simulation does not reproduce what happened, low is half of expected, and a round
trip more may be saved. What the sender's own pauses, or a reader that is slower than all, take up
again further on in the message is no saving. Never more than the time labelled slow start. Where an
idle connection could have been reused, missed-reuse owns the cost instead, unless the client is a
program that runs anew for each request and can keep none.

When it is wrong
The first large response to a client has to ramp up somewhere: the cost is real, but part of the
price of any new connection. On a path that cannot carry the larger window the saving is smaller.`,
	Causes: []report.Cause{{Code: "", Side: report.SideServer,
		Message: "The response was larger than the congestion window of a new " +
			"connection, so it came in growing bursts with a round trip between them.",
		Remedies: []report.Remedy{
			{
				Side: report.SideClient,
				Text: "keep connections open and send further requests on " +
					"them: a warm connection sends such a response at once",
			},
			{
				Side: report.SideServer,
				Text: "send fewer octets (compress, split), or raise the initial " +
					"window: `ip route change default via ... initcwnd 32 initrwnd " +
					"32` on Linux, Set-NetTCPSetting -InitialCongestionWindowMss on " +
					"Windows Server; serve large responses from nearer to the client",
			},
		}},
		{Code: "request", Title: "slow start of an upload", Side: report.SideClient,
			Message: "The request was larger than the congestion window of a new " +
				"connection, so it was sent in growing bursts with a round trip between them.",
			Remedies: []report.Remedy{
				{
					Side: report.SideClient,
					Text: "send fewer octets (compress), keep connections open and " +
						"send further requests on them, or raise the initial window: " +
						"`ip route change default via ... initcwnd 32` on Linux",
				},
				{
					Side: report.SideServer,
					Text: "offer a receive window that holds as much: `initrwnd " +
						"32` on the route; take uploads nearer to the client",
				},
			}}},
	References: []string{"RFC 5681 section 3.1", "RFC 6928"},
},
	Rests:      rule.Timing | rule.Beginning,
	YieldsTo:   rule.WarmWindow,
	SharesPath: true,
	When:       rule.Grew,
	Exchange:   runSlowStart,
	Period:     runSlowStart,
	Vocabulary: words,
	Across: &rule.Comparison{
		Start: func() rule.Across { return &initialWindows{} },
		Wants: rule.Wants(rule.ExchangeJudged),
	},
}

// runSlowStart claims the slow start of a message. The judge drops that of a response if missed
// reuse explains it.
func runSlowStart(p *rule.Pass) {
	for _, dir := range ledger.BothWays {
		claimSlowStart(p, dir)
	}
}

const (
	// largeInitial is the initial window that a tuned server uses; what it would save is what
	// slow-start expects.
	largeInitial = 32
	// manyRounds is how many bursts tell slow start from another reason to stop.
	manyRounds = 3
	// grewClearly is by how many percent the second of two bursts must be larger than the first to
	// tell as much: slow start doubles them, and makes them half as large again where the receiver
	// acknowledges every other segment and the sender counts acknowledgments (RFC 5681 section
	// 3.1).
	grewClearly = 50
	// grewAtAll is by how many percent one of several must be larger than those before it.
	grewAtAll = 20
	// surePart is how many percent of a saving are sure if the simulation reproduces what happened:
	// a segment more or less can take a round trip, and a message that a larger window speeds up
	// clearly takes two of them less, or three (reasoning).
	surePart = 67
	// tellingRange is how many times the low end the high end of a cost may be at high confidence.
	tellingRange = 3
	// maxShown is how many rounds are shown.
	maxShown = 6
)

// claimSlowStart claims that of dir's message.
func claimSlowStart(p *rule.Pass, dir reassembly.Dir) {
	j, f, rounds := p.Draft, p.Draft.FlowOf(dir), p.Draft.RoundsOf(dir)
	if f == nil || p.Exchange.Response == nil || p.Exchange.Outcome == exchange.Aborted ||
		cutAhead(p, dir) || !ramped(f, rounds, j.Spent(dir, report.SlowStart)) {
		return
	}
	t, used := whatif.TransferOf(f)
	want := max(largeInitial, used)
	cost := coldCost(p, dir, f)
	if cost.Expected < time.Millisecond {
		return
	}
	c := rule.Claim{
		Rule:       slowStartRule,
		Cause:      rule.OfRequest(dir, ""),
		Confidence: report.ConfidenceMedium,
	}
	if other := j.FlowOf(dir.Peer()); other == nil || f.Bytes >= other.Bytes {
		c.Kind = rule.ColdWindow // of the larger message of the two
	}
	if len(rounds) >= manyRounds || reaches(rounds[1].Bytes, 100+grewClearly, rounds[0].Bytes) {
		c.Confidence = report.ConfidenceHigh
	}
	c.Confidence = calibrated(&j.Exchange, &cost, dir, used, want, c.Confidence)
	if left := unabsorbed(&j.Exchange, dir, report.SlowStart, cost.Expected); left < cost.Expected {
		cost.Low, cost.Expected = 0, left
	}
	if cost.Expected < time.Millisecond {
		return
	}
	if cost.High > tellingRange*cost.Low {
		c.Confidence = min(c.Confidence, report.ConfidenceMedium)
	}
	start := rounds[0].Start.Time
	c.Occ = rule.Occurrence{
		Start: start,
		End:   j.Message(dir).End.Time,
		Cost:  cost,
		Proof: roundProof(rounds, t.MSS, rule.SideOf(dir)),
	}
	c.Window = rule.Window{Dir: dir, Saved: cost.Expected, Cwnd: want}
	c.Lost = []report.Interval{{From: start, To: start + cost.Expected}}
	p.Report(c)
}

// ramped reports whether a message was sent in growing bursts, waiting so long in all for more
// room.
func ramped(f *ledger.Flow, rounds []ledger.Round, waited time.Duration) bool {
	return waited > 0 && f.RTT > 0 && reaches(waited, aRoundTrip, f.RTT) && len(rounds) >= 2 &&
		grew(rounds)
}

// coldCost is what larger initial windows would have saved of dir's message, by simulation.
func coldCost(p *rule.Pass, dir reassembly.Dir, f *ledger.Flow) report.Cost {
	lost := windowWait(&p.Draft.Exchange, dir, report.SlowStart)
	t, used := whatif.TransferOf(f)
	want := max(largeInitial, used)
	own := f.OwnLimit > 0 && (t.Window <= 0 || f.OwnLimit < t.Window)
	if own { // whatever the congestion window, its sender keeps no more in flight
		t.Window, t.Grows = f.OwnLimit, false
	}
	cost := report.Cost{Expected: min(lost, t.ColdSaving(used, want))}
	if _, grew := f.ReceiveWindow.Grew(); grew {
		lost += p.Draft.Spent(dir, report.RWnd)
	}
	if !f.ReceiveWindow.Fixed() && !own || !t.Bounded(want) {
		// else the receive window, or its sender's own limit, takes over
		cost.Low = cost.Expected * surePart / 100
	}
	now := t.Simulate(used)
	t.Window = 0
	cost.High = max(cost.Expected, min(lost, now-t.Simulate(want)))
	return cost
}

// cutAhead reports whether the capture may begin in the midst of dir's message: then its first
// round is not that of the transfer.
func cutAhead(p *rule.Pass, dir reassembly.Dir) bool {
	x := p.Exchange
	if !p.Conn.MidStream || p.Conn.Half[dir].HasISN || x.Index > 0 {
		return false
	}
	m := x.Request
	if dir == reassembly.FromServer {
		m = x.Response
	}
	return m != nil && m.Facts&ledger.UnreadFacts != 0 ||
		dir == reassembly.FromServer && x.Turn && x.Request == nil
}

// unabsorbed is what remains of a saving, made up of waits with the label, behind the pauses that
// follow in the same message: a program that writes by a clock of its own, or a reader that is
// slower than all, only waits longer for what comes sooner.
func unabsorbed(j *ledger.Exchange, dir reassembly.Dir, of report.Label,
	saving time.Duration) time.Duration {
	whole := j.Spent(dir, of)
	if whole <= 0 {
		return saving
	}
	part := float64(saving) / float64(whole)
	var ahead, absorbed time.Duration
	for i := range j.Waits {
		switch s := &j.Waits[i]; {
		case s.Dir != dir:
		case s.Label == of:
			ahead += time.Duration(float64(s.Length()) * part)
		case s.Label == ledger.Pause(dir) || s.Label == report.ZeroWindow:
			gone := min(ahead, s.Length())
			ahead, absorbed = ahead-gone, absorbed+gone
		}
	}
	return max(0, saving-absorbed)
}

// grew reports whether the rounds grew as slow start does: one was clearly larger than all before.
// The last is cut short by the end of the message, so that of two nothing can be said. What goes on
// in rounds of one size is held by something else, a send buffer say.
func grew(rounds []ledger.Round) bool {
	if len(rounds) < manyRounds {
		return true
	}
	most := rounds[0].Bytes
	for _, r := range rounds[1 : len(rounds)-1] {
		if reaches(r.Bytes, 100+grewAtAll, most) {
			return true
		}
		most = max(most, r.Bytes)
	}
	return false
}

// roundProof shows the first frame of each round.
func roundProof(rounds []ledger.Round, mss int64, sender report.Side) []rule.Evidence {
	var out []rule.Evidence
	for i, r := range rounds[:min(len(rounds), maxShown)] {
		out = append(out, rule.Shows(r.Start, sender, round,
			int64(i+1), r.Bytes, (r.Bytes+mss-1)/max(mss, 1)))
	}
	return out
}
