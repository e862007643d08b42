package connect

import (
	"fmt"
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/internal/whatif"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

// verdict is the finding that a connection need not have been opened; its cost is known when its
// first exchange is.
type verdict struct {
	cause      string
	confidence report.Confidence
	donor      *kept
	donorIdle  capture.Mark  // end of the donor's last response
	closed     *rule.Closing // nil if the donor was still open
	syn        capture.Mark
	request    capture.Mark
	flight     int64
	doubtful   bool // the request left a little later than at once
}

// considerReuse looks for a connection that could have carried m's first request: one that lay
// idle, or one that had been closed though it need not have been. nil: there was none.
func considerReuse(m *kept, e *rule.Began) *verdict {
	p := m.pool
	v := &verdict{syn: e.ConnStart, request: e.Start}
	if d := p.idleDonor(m, e); d != nil {
		d.borrowed, m.lent = true, d
		d.version++
		v.cause, v.confidence = "client-ignored-idle", d.sure(report.ConfidenceHigh)
		v.donor, v.donorIdle, v.flight = d, d.idleSince, d.flight
		return v
	}
	for i := len(p.closed) - 1; i >= 0; i-- {
		d := p.closed[i]
		if e.Need-d.closed.At.Time > donorHorizon {
			break
		}
		cause, confidence := p.whyClosed(d, e.Need)
		if cause == "" || !d.knownIdle(m, e.Need) || d.closed.At.Time > e.Start.Time ||
			d.last.reason == "" && m.otherProgram(d) {
			continue
		}
		p.closed = append(p.closed[:i], p.closed[i+1:]...)
		v.cause, v.confidence = cause, d.sure(confidence)
		v.donor, v.donorIdle, v.closed, v.flight = d, d.idleSince, d.closed, d.flight
		return v
	}
	return nil
}

// sure is a confidence in what m's messages said, bounded by how much of them was read.
func (m *kept) sure(c report.Confidence) report.Confidence {
	if m.doubt {
		return min(c, report.ConfidenceMedium)
	}
	return c
}

// idleDonor is the connection that was idle at the moment of need and has stayed so, the latest
// first; nil if none.
func (p *pool) idleDonor(m *kept, asked *rule.Began) *kept {
	need := asked.Need
	looked := 0
	for i := len(p.idle) - 1; i >= 0 && looked < 64; i-- {
		e := p.idle[i]
		if e.m.version != e.version {
			p.idle = append(p.idle[:i], p.idle[i+1:]...)
			continue
		}
		looked++
		if e.m.port == asked.Port {
			continue // the client uses its port again: it no longer knows of that connection
		}
		if e.m.last.notKept || m.otherProgram(e.m) {
			continue // the client need not try, or cannot
		}
		if e.m.knownIdle(m, need) &&
			(e.m.idleLimit == 0 || need-e.m.idleSince.Time < e.m.idleLimit) {
			p.idle = append(p.idle[:i], p.idle[i+1:]...)
			return e.m
		}
	}
	return nil
}

// knownIdle reports whether the client had d's last response when it opened m: at the capture point
// that is a round trip to the client and back before the SYN, which the least ever seen never
// overestimates by more than the path's jitter. Next to the client there is no such way, and the
// order of frames decides.
func (d *kept) knownIdle(m *kept, need time.Duration) bool {
	far := min(d.far, m.far)
	return d.idleSince.Time <= need-far+far/8+min(far, 300*time.Microsecond)
}

// whyClosed is the cause for which d was gone at the moment of need; "" if it could not have been
// kept.
func (p *pool) whyClosed(d *kept, need time.Duration) (string, report.Confidence) {
	idle := d.closed.At.Time - d.idleSince.Time
	beyond := d.idleLimit > 0 && need-d.idleSince.Time >= d.idleLimit
	switch {
	case d.failed:
		return "", 0 // what ended it has a rule of its own
	case d.gap:
		return "", 0 // what ended it may not have been seen
	case d.served > 1 && d.closed.By == reassembly.FromServer && (d.last.reason == "response-close" || d.last.reason == "" && idle <= ledger.PromptClose+d.rtt) &&
		p.ageLimit(d):
		return "age-limit", report.ConfidenceMedium
	case d.last.reason == "response-close" && d.served > 1:
		return "server-max-requests", p.constantRequests(d)
	case d.last.reason == "response-close" && p.kept >= p.ended:
		return "some-responses-close", report.ConfidenceHigh
	case d.last.reason == "response-close" && d.cut:
		// how many requests it had served before is not visible
		return d.last.reason, report.ConfidenceMedium
	case d.last.reason != "":
		return d.last.reason, report.Proven
	case d.closed.Open || d.last.aborted:
		if d.closed.By == reassembly.FromClient && !d.turns {
			return "not-drained", report.ConfidenceMedium
		}
		return "", 0
	case d.closed.By == reassembly.FromServer && idle <= ledger.PromptClose+d.rtt:
		if d.served > 1 && p.requests[d.served] > 1 {
			return "server-max-requests", p.constantRequests(d)
		}
		if d.served > 1 {
			return "", 0 // it had not closed after the responses before, and nothing was counted
		}
		return "response-close", report.ConfidenceHigh
	case d.closed.By == reassembly.FromServer:
		sure := p.constantIdle(idle, d.idleLimit)
		if idle < shortestTimeout && sure < report.ConfidenceHigh {
			return "", 0 // a restart, or whatever ends connections once
		}
		return "server-idle-timeout", sure
	case d.last.notKept && idle <= ledger.PromptClose+d.rtt:
		return "server-idle-timeout", report.ConfidenceHigh
	case d.closed.Abort && idle <= ledger.PromptClose+d.rtt && d.last.size > readAhead:
		// a socket closed with data unread is reset (RFC 2525 section 2.17)
		return "not-drained", report.ConfidenceMedium
	case !beyond && idle <= ledger.PromptClose+d.rtt:
		return "client-closed", report.ConfidenceMedium
	}
	return "", 0
}

// constantRequests grades the claim that the server closes after a fixed number of requests.
func (p *pool) constantRequests(d *kept) report.Confidence {
	if p.requests[d.served] >= 2 && len(p.requests) == 1 && !p.evenAges(d) {
		return report.ConfidenceHigh
	}
	return report.ConfidenceMedium
}

// constantIdle grades the claim that the server closes connections after a fixed idle time: it said
// so, or did so at least three times within a tenth.
func (p *pool) constantIdle(idle, limit time.Duration) report.Confidence {
	if limit > 0 && idle >= limit*9/10 && idle <= limit*12/10+time.Second {
		return report.ConfidenceHigh
	}
	near := 0
	for _, t := range p.idleTime {
		if t >= idle*9/10 && t <= idle*11/10 {
			near++
		}
	}
	if near >= 3 {
		return report.ConfidenceHigh
	}
	return report.ConfidenceMedium
}

// Claims takes in what the exchange showed, and claims a set-up that need not have been.
func (r *reuses) Claims(d rule.Desk, c *rule.Conn, x *rule.Draft) {
	m := r.conns[c.Id]
	if m == nil {
		return
	}
	m.flight, m.rtt = max(m.flight, x.Flow.Flight), x.Flow.Rtt
	if cl, ok := m.reuseClaim(x); ok {
		d.Claim(cl)
	}
}

// reuseClaim is the claim of missed-reuse on the first exchange of m's connection.
func (m *kept) reuseClaim(job *rule.Draft) (rule.Claim, bool) {
	v := m.verdict
	if v == nil || job.Index != 0 {
		return rule.Claim{}, false
	}
	m.verdict = nil
	if v.closed != nil && v.donor.gap {
		return rule.Claim{}, false
	}
	t := &job.Times
	// What the client's own program needs between the handshake and its request is part of every
	// new connection, too.
	setup, own := t[report.TCPHandshake]+t[report.TLSRTT]+t[report.TLSServer]+t[report.TLSClient], min(
		t[report.ClientThink], ledger.OwnStart)
	flight := max(v.flight, v.donor.flight)
	slow, most := whatif.DonorSaving(&job.Flow, flight,
		job.Spent(reassembly.FromServer, report.SlowStart))
	cost := report.Cost{
		Low:      setup,
		Expected: setup + own + slow,
		High:     setup + own + most + repeatedSYNs(job),
	}
	if cost.High <= 0 {
		return rule.Claim{}, false
	}
	c := rule.Claim{
		Rule:       missedReuseRule,
		Kind:       rule.ColdSetup,
		Cause:      v.cause,
		Confidence: v.confidence,
		Index:      0,
		Window: rule.Window{
			Dir:   reassembly.FromServer,
			Saved: slow,
			Cwnd:  whatif.DonorWindow(&job.Flow, flight),
		},
	}
	c.Alone = v.aloneAtMost()
	if v.doubtful = job.Doubtful; v.doubtful {
		cost.Low, c.Confidence, c.Most = 0, min(c.Confidence, report.ConfidenceMedium), rule.AtMost(
			report.Medium)
	}
	asker := m
	if v.cause == "request-close" {
		asker = v.donor
	}
	if asker.program.cli && v.cause == "request-close" {
		c.Text = "The requests name a program that does not ask for this by itself: its command " +
			"line does, or a proxy on the way."
	} else if asker.program.tool && (v.cause == "client-closed" || v.cause == "client-ignored-idle" || v.cause == "request-close") {
		c.Most = rule.AtMost(report.Info)
		c.Text = "The client is a program that is started anew for each request, so that it " +
			"cannot keep connections."
	}
	c.Occ = rule.Occurrence{
		Connection: m.id,
		Elsewhere:  true,
		Start:      v.syn.Time,
		End:        v.request.Time,
		Cost:       cost,
	}
	c.Evidence = v.evidence
	if v.cause == "http10" {
		c.Side, c.Text = report.SideServer, "The server answers in HTTP/1.0."
		if v.donor.last.asked10 {
			c.Side, c.Text = report.SideClient, "The client asks in HTTP/1.0."
		}
	}
	if v.cause == "server-idle-timeout" {
		c.Text = fmt.Sprintf("The server closed after %s of idleness.",
			rule.Seconds(v.closed.At.Time-v.donorIdle.Time))
	}
	if v.cause == "server-idle-timeout" && v.closed.By == reassembly.FromClient {
		c.Text = "The server said that it keeps no idle connection (Keep-Alive: timeout=0), so " +
			"the client closed."
	}
	if v.cause == "response-close" && v.donor.turns {
		c.Text = "What the messages say is not visible here: the client may have asked for it " +
			"(Connection: close)."
	}
	if v.cause == "age-limit" {
		c.Text = fmt.Sprintf(
			"The server closed at an age of %s, whatever number of requests had been served.",
			rule.Seconds(v.closed.At.Time-v.donor.start.Time))
	}
	if v.cause == "server-max-requests" {
		c.Text = fmt.Sprintf("The server closed after %d requests.", v.donor.served)
		if m.pool.evenAges(v.donor) {
			c.Text += fmt.Sprintf(
				" Each connection was %s old then, so that it may be a limit of age as well.",
				rule.Seconds(v.closed.At.Time-v.donor.start.Time))
		}
	}
	return c, true
}

// aloneAtMost limits the severity of a cause that takes repetition to be a habit.
func (v *verdict) aloneAtMost() rule.Grade {
	switch {
	case v.cause == "some-responses-close":
		return rule.AtMost(report.Info)
	case v.cause == "client-closed": // whoever closes once may have been done
		return rule.AtMost(report.Low)
	case v.cause == "response-close" && v.donor.turns: // what was said is not visible
		return rule.AtMost(report.Low)
	}
	return 0
}

// repeatedSYNs is what repeated SYNs cost, unless a rule about them claims that: a millisecond has
// one owner.
func repeatedSYNs(j *rule.Draft) time.Duration {
	if j.Kinds()&(rule.LateHandshake|rule.DroppedHandshake|rule.UsedPorts) != 0 {
		return 0
	}
	return j.Times[report.SYNRetx] + j.Times[report.SYNACKRetx]
}

// evidence shows the connection that could have been used, what ended it, and the new one.
func (v *verdict) evidence() []report.Evidence {
	gap := v.syn.Time - v.donorIdle.Time
	out := []report.Evidence{rule.At(v.donorIdle, "last response", report.SideServer,
		fmt.Sprintf("connection %d has its response, and is free", v.donor.id))}
	if v.closed != nil {
		side, what := report.SideClient, "FIN"
		if v.closed.By == reassembly.FromServer {
			side = report.SideServer
		}
		switch {
		case v.closed.Alert:
			what = "alert (close_notify)"
		case v.closed.Reset:
			what = "RST"
		}
		out = append(out,
			rule.At(v.closed.At, "close", side, what+" of connection "+fmt.Sprint(v.donor.id)))
	}
	waited := "had to wait for it"
	if v.doubtful {
		waited = "came a little later than at once: it may not have waited"
	}
	return append(
		out,
		rule.At(v.syn, "new connection", report.SideClient,
			fmt.Sprintf("SYN to the same service, %s after that response", rule.Seconds(gap))),
		rule.At(v.request, "first request", report.SideClient, waited),
	)
}
