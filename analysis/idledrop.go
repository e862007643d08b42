package analysis

import (
	"fmt"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
)

var idleDrop = &Detector{
	Name:  "idle-drop",
	Title: "idle connection was forgotten on the way",
	Doc: `What happens
Firewalls, NAT gateways and load balancers forget connections that are idle for some time (350 s at AWS, 4 min at Azure,
often a minute elsewhere), without telling either end. The next request is answered by a RST from the box, or by nothing:
the client repeats it until it gives up.

How it is recognised
A request on a connection that was idle for 30 s or more, that neither side had closed. It is not acknowledged. Either a RST
comes back, and the server never sent a FIN, or three repetitions and more get no answer of any kind and the client gives up:
it closes, or sends the same request on another connection.

How cost is counted
From the request to its repetition on another connection, if the same method and target follow within a second; else until
the RST, or until the client gave up.

When it is wrong
A server that crashed and came back while the connection was idle answers the same way. If the capture lost the FIN.`,
	Causes: []report.Cause{{Side: report.SideNetwork,
		Message: "The request went out on a connection that had long been idle, and that no longer existed at the other end or " +
			"on the way to it, though nobody had closed it.",
		Remedies: []report.Remedy{
			{
				Side: report.SideClient,
				Text: "send TCP keep-alives more often than the box forgets: SO_KEEPALIVE with TCP_KEEPIDLE (Linux " +
					"net.ipv4.tcp_keepalive_time, 7200 s unless set)",
				Settings: []report.Setting{{Product: report.Go, Text: "net.Dialer.KeepAlive"},
					{
						Product: report.Node,
						Text:    "socket.setKeepAlive(true, 30000)",
					}, {Product: report.Curl, Text: "--keepalive-time"}, {Product: report.Java, Text: "SO_KEEPALIVE with jdk.net.TCP_KEEPIDLE"},
					{
						Product: report.Python,
						Text:    "socket_options with SO_KEEPALIVE",
					}, {Product: report.PHP, Text: "CURLOPT_TCP_KEEPALIVE"}},
				After: "or give idle connections up earlier",
			},
			{
				Side: report.SideNetwork,
				Text: "raise the idle timeout of the box: AWS NLB tcp.idle_timeout.seconds, Azure idleTimeoutInMinutes with " +
					"TCP reset on idle, Linux nf_conntrack_tcp_timeout_established, HAProxy timeout client and timeout server",
			}}}},
	References: []string{"RFC 5382 REQ-5", "RFC 9293 section 3.8.4"},
	exchange:   runForgotten,
	closed:     runIdleDrop,
}

// runForgotten marks an exchange whose waits were no loss by chance: nobody was there any more.
func runForgotten(p *pass) {
	c, x, e := p.conn, p.exchange, &p.state.Ending
	if p.job == nil || x.Request == nil || x.Response != nil || !ledger.Seen(e.Latest) ||
		x.Start().Time-e.Latest.Time < forgottenAfter {
		return
	}
	v := &verdictOnEnd{p: p, c: c, x: x, e: e}
	p.job.Forgotten = c.Half[reassembly.FromClient].Una <= x.Request.From &&
		v.repeats() >= triesUntilGivenUp
}

// runIdleDrop reports a request that met a forgotten connection, also where nothing ever ended that
// connection: the client has closed, and there is nobody to answer.
func runIdleDrop(p *pass) {
	p.reportFate("idle-drop")
	e, x := &p.state.Ending, p.state.Last
	if e.Failed != nil || x == nil || x.Request == nil || x.Outcome != reassembly.Incomplete ||
		!ledger.Seen(e.Latest) {
		return
	}
	cl := claim{index: x.Index, correctness: true, unsafe: !x.Turn && !ledger.Idempotent(x.Method)}
	gaveUp := p.conn.End.Time
	if closed, _, ok := closedAt(p.conn, reassembly.FromClient); ok &&
		closed.Time >= x.Request.Start.Time {
		gaveUp = closed.Time
	} else if !x.Turn && x.Method != "" {
		// Its kernel holds the FIN back behind what is not acknowledged: that it no longer waits
		// shows only elsewhere.
		cl.elsewhere = true
		cl.failure = &failure{start: x.Start(), at: gaveUp, host: x.Host, took: gaveUp - x.Start().Time}
	} else {
		return
	}
	x2 := *x
	x2.Outcome = reassembly.Aborted // the client no longer waits
	given := ledger.Ending{
		Failed:   &x2,
		Prior:    e.Latest,
		Idle:     x.Start().Time - e.Latest.Time,
		Answered: e.Answered,
	}
	took := max(0, gaveUp-x.Start().Time)
	cl.occ = report.Occurrence{
		Start: x.Start().Time,
		End:   x.Start().Time + took,
		Cost:  report.Cost{Expected: took, High: took},
	}
	v := &verdictOnEnd{p: p, c: p.conn, x: &x2, e: &given, claim: &cl}
	if !v.forgotten() {
		return
	}
	p.report(cl)
}

// suspects are requests on connections that had been idle so long that the way may have forgotten
// them, and that have not been answered: each waits for the same request elsewhere, which shows
// that the client has given it up.
type suspects map[retryKey]*suspect

type suspect struct {
	index    int // of the exchange on its connection
	key      retryKey
	conn     int            // that of the repetition
	repeated *beganExchange // nil: not yet
	again    int            // index of that
}

// suspected takes note of a request after a long idle time, and of one that repeats such a request
// on another connection.
func (j *judge) suspected(m *member, e *beganExchange, index int) {
	if e.turn || e.method == "" {
		return
	}
	if len(j.suspects) > 0 {
		if s := j.suspects[e.key()]; s != nil && s != m.suspect && s.repeated == nil {
			s.repeated, s.conn, s.again = e, m.id, index
		}
	}
	if m.answeredAt > 0 && e.start.Time-m.answeredAt >= forgottenAfter &&
		len(j.suspects) < maxFailures {
		m.suspect = &suspect{index: index, key: e.key()}
		j.suspects[e.key()] = m.suspect
	}
}

// cleared ends the suspicion: the exchange is over, or the connection is.
func (j *judge) cleared(m *member) {
	if s := m.suspect; s != nil {
		m.suspect = nil
		if j.suspects[s.key] == s {
			delete(j.suspects, s.key)
		}
	}
}

// lostWay reports whether idle-drop has the waits of the job's exchange.
func (m *member) lostWay(job *draft) bool {
	return job.Forgotten && (m.suspect == nil || m.givenUp(job.Index))
}

// givenUp reports whether the client has sent the request of the member's exchange on another
// connection, too.
func (m *member) givenUp(index int) bool {
	return m.suspect != nil && m.suspect.index == index && m.suspect.repeated != nil
}

// idleDropText says how idle the connection was, and whether keep-alives were sent.
func idleDropText(v *verdictOnEnd) string {
	probes := 0
	for i := range v.c.Records {
		if v.c.Records[i].Kind == reassembly.KeepAlive {
			probes++
		}
	}
	if probes > 0 {
		return "TCP keep-alives were sent on it, too rarely or in vain."
	}
	return "No TCP keep-alive was seen on it."
}

// idleDropEvidence shows the last response, the request and what came back.
func idleDropEvidence(v *verdictOnEnd) []report.Evidence {
	out := []report.Evidence{
		at(v.e.Prior, "last response", report.SideServer, "the connection becomes idle"),
		at(
			v.x.Request.Start,
			"request",
			report.SideClient,
			fmt.Sprintf("sent after %s of idleness", seconds(v.e.Idle)),
		),
	}
	h := &v.c.Half[reassembly.FromServer]
	switch {
	case h.RstSeen && foreignReset(v.c, reassembly.FromServer):
		out = append(
			out,
			at(
				h.Rst,
				"RST",
				report.SideServer,
				fmt.Sprintf("TTL %d, where the server's segments have %d: a box on the "+
					"way sent it", h.RstTTL, h.TTLMax),
			),
		)
	case h.RstSeen:
		out = append(out, at(h.Rst, "RST", report.SideServer, "no such connection"))
	default:
		for i := len(v.c.Records) - 1; i >= 0; i-- {
			if r := &v.c.Records[i]; r.Kind.Retransmitted() && r.Len > 0 {
				return append(
					out,
					at(
						r.Mark(),
						"last repetition",
						report.SideClient,
						fmt.Sprintf("sent %d times in all, never acknowledged",
							v.repeats()+1),
					),
				)
			}
		}
	}
	return out
}
