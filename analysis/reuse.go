package analysis

import (
	"fmt"
	"time"

	"tcpwhy/analysis/internal/ledger"
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
	donor      *member
	donorIdle  capture.Mark // end of the donor's last response
	closed     *closingConn // nil if the donor was still open
	syn        capture.Mark
	request    capture.Mark
	flight     int64
	doubtful   bool // the request left a little later than at once
}

// considerReuse looks for a connection that could have carried m's first request: one that lay
// idle, or one that had been closed though it need not have been. nil: there was none.
func (j *judge) considerReuse(m *member, e *beganExchange) *verdict {
	p := m.pool
	v := &verdict{syn: e.connStart, request: e.start}
	if d := p.idleDonor(m, e); d != nil {
		d.borrowed, m.lent = true, d
		d.version++
		v.cause, v.confidence = "client-ignored-idle", d.sure(report.ConfidenceHigh)
		v.donor, v.donorIdle, v.flight = d, d.idleSince, d.flight
		return v
	}
	for i := len(p.closed) - 1; i >= 0; i-- {
		d := p.closed[i]
		if e.need-d.closed.at.Time > donorHorizon {
			break
		}
		cause, confidence := p.whyClosed(d, e.need)
		if cause == "" || !d.knownIdle(m, e.need) || d.closed.at.Time > e.start.Time ||
			d.reason == "" && m.otherProgram(d) {
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
func (m *member) sure(c report.Confidence) report.Confidence {
	if m.doubt {
		return min(c, report.ConfidenceMedium)
	}
	return c
}

// idleDonor is the connection that was idle at the moment of need and has stayed so, the latest
// first; nil if none.
func (p *pool) idleDonor(m *member, asked *beganExchange) *member {
	need := asked.need
	looked := 0
	for i := len(p.idle) - 1; i >= 0 && looked < 64; i-- {
		e := p.idle[i]
		if e.m.version != e.version {
			p.idle = append(p.idle[:i], p.idle[i+1:]...)
			continue
		}
		looked++
		if e.m.port == asked.port {
			continue // the client uses its port again: it no longer knows of that connection
		}
		if e.m.notKept || m.otherProgram(e.m) {
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
func (d *member) knownIdle(m *member, need time.Duration) bool {
	far := min(d.far, m.far)
	return d.idleSince.Time <= need-far+far/8+min(far, 300*time.Microsecond)
}

// whyClosed is the cause for which d was gone at the moment of need; "" if it could not have been
// kept.
func (p *pool) whyClosed(d *member, need time.Duration) (string, report.Confidence) {
	idle := d.closed.at.Time - d.idleSince.Time
	beyond := d.idleLimit > 0 && need-d.idleSince.Time >= d.idleLimit
	switch {
	case d.failed:
		return "", 0 // what ended it has a rule of its own
	case d.gap:
		return "", 0 // what ended it may not have been seen
	case d.served > 1 && d.closed.by == reassembly.FromServer && (d.reason == "response-close" || d.reason == "" && idle <= promptClose+d.rtt) &&
		p.ageLimit(d):
		return "age-limit", report.ConfidenceMedium
	case d.reason == "response-close" && d.served > 1:
		return "server-max-requests", p.constantRequests(d)
	case d.reason == "response-close" && p.kept >= p.ended:
		return "some-responses-close", report.ConfidenceHigh
	case d.reason == "response-close" && d.cut:
		// how many requests it had served before is not visible
		return d.reason, report.ConfidenceMedium
	case d.reason != "":
		return d.reason, report.Proven
	case d.closed.open || d.aborted:
		if d.closed.by == reassembly.FromClient && !d.turns {
			return "not-drained", report.ConfidenceMedium
		}
		return "", 0
	case d.closed.by == reassembly.FromServer && idle <= promptClose+d.rtt:
		if d.served > 1 && p.requests[d.served] > 1 {
			return "server-max-requests", p.constantRequests(d)
		}
		if d.served > 1 {
			return "", 0 // it had not closed after the responses before, and nothing was counted
		}
		return "response-close", report.ConfidenceHigh
	case d.closed.by == reassembly.FromServer:
		sure := p.constantIdle(idle, d.idleLimit)
		if idle < shortestTimeout && sure < report.ConfidenceHigh {
			return "", 0 // a restart, or whatever ends connections once
		}
		return "server-idle-timeout", sure
	case d.notKept && idle <= promptClose+d.rtt:
		return "server-idle-timeout", report.ConfidenceHigh
	case d.closed.abort && idle <= promptClose+d.rtt && d.size > readAhead:
		// a socket closed with data unread is reset (RFC 2525 section 2.17)
		return "not-drained", report.ConfidenceMedium
	case !beyond && idle <= promptClose+d.rtt:
		return "client-closed", report.ConfidenceMedium
	}
	return "", 0
}

// constantRequests grades the claim that the server closes after a fixed number of requests.
func (p *pool) constantRequests(d *member) report.Confidence {
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

// reuseClaim is the claim of missed-reuse on the first exchange of m's connection.
func (j *judge) reuseClaim(m *member, job *draft) (claim, bool) {
	m.flight = max(m.flight, job.Flow.Flight)
	m.rtt = job.Flow.Rtt
	v := m.verdict
	if v == nil || job.Index != 0 || !j.enabled(missedReuse.Name) {
		return claim{}, false
	}
	m.verdict = nil
	if v.closed != nil && v.donor.gap {
		return claim{}, false
	}
	t := &job.Times
	// What the client's own program needs between the handshake and its request is part of every
	// new connection, too.
	setup, own := t[report.TCPHandshake]+t[report.TLSRTT]+t[report.TLSServer]+t[report.TLSClient], min(
		t[report.ClientThink],
		ledger.OwnStart,
	)
	flight := max(v.flight, v.donor.flight)
	slow, most := whatif.DonorSaving(
		&job.Flow,
		flight,
		job.Spent(reassembly.FromServer, report.SlowStart),
	)
	cost := report.Cost{
		Low:      setup,
		Expected: setup + own + slow,
		High:     setup + own + most + job.repeatedSYNs(),
	}
	if cost.High <= 0 {
		return claim{}, false
	}
	m.reused = true
	c := claim{rule: missedReuse.Name, cause: v.cause, confidence: v.confidence, index: 0,
		window: remedied{
			dir:   reassembly.FromServer,
			saved: slow,
			cwnd:  whatif.DonorWindow(&job.Flow, flight),
		}}
	c.alone = v.aloneAtMost()
	if v.doubtful = job.Doubtful; v.doubtful {
		cost.Low, c.confidence, c.most = 0, min(
			c.confidence,
			report.ConfidenceMedium,
		), atMost(
			report.Medium,
		)
	}
	asker := m
	if v.cause == "request-close" {
		asker = v.donor
	}
	if asker.cli && v.cause == "request-close" {
		c.text = "The requests name a program that does not ask for this by itself: its command line does, or a proxy on the way."
	} else if asker.tool && (v.cause == "client-closed" || v.cause == "client-ignored-idle" || v.cause == "request-close") {
		c.most = atMost(report.Info)
		c.text = "The client is a program that is started anew for each request, so that it cannot keep connections."
	}
	c.occ = report.Occurrence{
		Connection: m.id,
		Elsewhere:  true,
		Start:      v.syn.Time,
		End:        v.request.Time,
		Cost:       cost,
	}
	c.evidence = v.evidence
	if v.cause == "http10" {
		c.side, c.text = report.SideServer, "The server answers in HTTP/1.0."
		if v.donor.asked10 {
			c.side, c.text = report.SideClient, "The client asks in HTTP/1.0."
		}
	}
	if v.cause == "server-idle-timeout" {
		c.text = fmt.Sprintf(
			"The server closed after %s of idleness.",
			seconds(v.closed.at.Time-v.donorIdle.Time),
		)
	}
	if v.cause == "server-idle-timeout" && v.closed.by == reassembly.FromClient {
		c.text = "The server said that it keeps no idle connection (Keep-Alive: timeout=0), so the client closed."
	}
	if v.cause == "response-close" && v.donor.turns {
		c.text = "What the messages say is not visible here: the client may have asked for it (Connection: close)."
	}
	if v.cause == "age-limit" {
		c.text = fmt.Sprintf(
			"The server closed at an age of %s, whatever number of requests had been served.",
			seconds(v.closed.at.Time-v.donor.start.Time),
		)
	}
	if v.cause == "server-max-requests" {
		c.text = fmt.Sprintf("The server closed after %d requests.", v.donor.served)
		if m.pool.evenAges(v.donor) {
			c.text += fmt.Sprintf(
				" Each connection was %s old then, so that it may be a limit of age as well.",
				seconds(v.closed.at.Time-v.donor.start.Time),
			)
		}
	}
	return c, true
}

// aloneAtMost limits the severity of a cause that takes repetition to be a habit.
func (v *verdict) aloneAtMost() grade {
	switch {
	case v.cause == "some-responses-close":
		return atMost(report.Info)
	case v.cause == "client-closed": // whoever closes once may have been done
		return atMost(report.Low)
	case v.cause == "response-close" && v.donor.turns: // what was said is not visible
		return atMost(report.Low)
	}
	return 0
}

// repeatedSYNs is what repeated SYNs cost, unless a rule about them claims that: a millisecond has
// one owner.
func (j *draft) repeatedSYNs() time.Duration {
	if j.syn != nil {
		return 0
	}
	for i := range j.claims {
		if j.claims[i].cause == "tuple-reuse" {
			return 0
		}
	}
	return j.Times[report.SYNRetx] + j.Times[report.SYNACKRetx]
}

// evidence shows the connection that could have been used, what ended it, and the new one.
func (v *verdict) evidence() []report.Evidence {
	gap := v.syn.Time - v.donorIdle.Time
	out := []report.Evidence{at(v.donorIdle, "last response", report.SideServer,
		fmt.Sprintf("connection %d has its response, and is free", v.donor.id))}
	if v.closed != nil {
		side, what := report.SideClient, "FIN"
		if v.closed.by == reassembly.FromServer {
			side = report.SideServer
		}
		switch {
		case v.closed.alert:
			what = "alert (close_notify)"
		case v.closed.reset:
			what = "RST"
		}
		out = append(
			out,
			at(v.closed.at, "close", side, what+" of connection "+fmt.Sprint(v.donor.id)),
		)
	}
	waited := "had to wait for it"
	if v.doubtful {
		waited = "came a little later than at once: it may not have waited"
	}
	return append(
		out,
		at(
			v.syn,
			"new connection",
			report.SideClient,
			fmt.Sprintf("SYN to the same service, %s after that response", seconds(gap)),
		),
		at(v.request, "first request", report.SideClient, waited),
	)
}

// seconds writes a duration for a sentence.
func seconds(d time.Duration) string {
	if d < time.Second {
		return millis(d)
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}
