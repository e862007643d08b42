package ending

import (
	"fmt"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
)

var IdleDrop = &rule.Detector{
	Name:  "idle-drop",
	Rests: rule.Connection,
	Title: "idle connection was forgotten on the way",
	Doc: `What happens
Firewalls, NAT gateways and load balancers forget connections that are idle for some time (350 s at
AWS, 4 min at Azure, often a minute elsewhere), without telling either end. The next request is
answered by a RST from the box, or by nothing: the client repeats it until it gives up.

How it is recognised
A request on a connection that was idle for 30 s or more, that neither side had closed. It is not
acknowledged. Either a RST comes back, and the server never sent a FIN, or three repetitions and
more get no answer of any kind and the client gives up: it closes, or sends the same request on
another connection.

How cost is counted
From the request to its repetition on another connection, if the same method and target follow
within a second; else until the RST, or until the client gave up.

When it is wrong
A server that crashed and came back while the connection was idle answers the same way. If the
capture lost the FIN.`,
	Causes: []report.Cause{
		{
			Side: report.SideNetwork,
			Message: "The request went out on a connection that had long been idle, and that no " +
				"longer existed at the other end or on the way to it, though nobody had closed it.",
			Remedies: []report.Remedy{
				{
					Side: report.SideClient,
					Text: "send TCP keep-alives more often than the box forgets: SO_KEEPALIVE " +
						"with TCP_KEEPIDLE (Linux net.ipv4.tcp_keepalive_time, 7200 s unless set)",
					Settings: []report.Setting{
						{Product: report.Go, Text: "net.Dialer.KeepAlive"},
						{Product: report.Node, Text: "socket.setKeepAlive(true, 30000)"},
						{Product: report.Curl, Text: "--keepalive-time"},
						{Product: report.Java, Text: "SO_KEEPALIVE with jdk.net.TCP_KEEPIDLE"},
						{Product: report.Python, Text: "socket_options with SO_KEEPALIVE"},
						{Product: report.PHP, Text: "CURLOPT_TCP_KEEPALIVE"},
					},
					After: "or give idle connections up earlier",
				},
				{
					Side: report.SideNetwork,
					Text: "raise the idle timeout of the box: AWS NLB tcp.idle_timeout.seconds, " +
						"Azure idleTimeoutInMinutes with TCP reset on idle, Linux " +
						"nf_conntrack_tcp_timeout_established, HAProxy timeout client and " +
						"timeout server",
				},
			},
		},
	},
	References: []string{"RFC 5382 REQ-5", "RFC 9293 section 3.8.4"},
	Exchange:   runForgotten,
	Closed:     runIdleDrop,
	Across: &rule.Comparison{
		Start: func() rule.Across {
			return &lostWays{map[rule.RetryKey]*suspect{}, map[int]*suspect{}}
		},
		Wants: rule.Wants(rule.ExchangeBegan, rule.ExchangeOver, rule.ConnOver),
	},
}

// runForgotten marks an exchange whose waits were no loss by chance: nobody was there any more.
func runForgotten(p *rule.Pass) {
	c, x, e := p.Conn, p.Exchange, &p.State.Ending
	if p.Draft == nil || x.Request == nil || x.Response != nil || !ledger.Seen(e.Latest) ||
		x.Start().Time-e.Latest.Time < forgottenAfter {
		return
	}
	v := &verdictOnEnd{p: p, c: c, x: x, e: e}
	p.Draft.Forgotten = c.Half[reassembly.FromClient].Una <= x.Request.From &&
		v.repeats() >= triesUntilGivenUp
}

// runIdleDrop reports a request that met a forgotten connection, also where nothing ever ended that
// connection: the client has closed, and there is nobody to answer.
func runIdleDrop(p *rule.Pass) {
	reportFate(p, "idle-drop")
	e, x := &p.State.Ending, p.State.Last
	if e.Failed != nil || x == nil || x.Request == nil || x.Outcome != reassembly.Incomplete ||
		!ledger.Seen(e.Latest) {
		return
	}
	cl := rule.Claim{
		Index:       x.Index,
		Correctness: true,
		Unsafe:      !x.Turn && !ledger.Idempotent(x.Method),
	}
	gaveUp := p.Conn.End.Time
	if closed, _, ok := closedAt(p.Conn, reassembly.FromClient); ok &&
		closed.Time >= x.Request.Start.Time {
		gaveUp = closed.Time
	} else if !x.Turn && x.Method != "" {
		// Its kernel holds the FIN back behind what is not acknowledged: that it no longer waits
		// shows only elsewhere.
		cl.Referred = true
		cl.Failure = &rule.Failure{Start: x.Start(), At: gaveUp, Host: x.Host, Took: gaveUp - x.Start().Time}
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
	cl.Occ = rule.Occurrence{
		Start: x.Start().Time,
		End:   x.Start().Time + took,
		Cost:  report.Cost{Expected: took, High: took},
	}
	v := &verdictOnEnd{p: p, c: p.Conn, x: &x2, e: &given, claim: &cl}
	if !v.forgotten() {
		return
	}
	p.Report(cl)
}

// maxSuspects is how many such requests are followed at a time.
const maxSuspects = 4096

// lostWays are requests on connections that had been idle so long that the way may have forgotten
// them, and that have not been answered: each waits for the same request elsewhere, which shows
// that the client has given it up.
type lostWays struct {
	by   map[rule.RetryKey]*suspect
	last map[int]*suspect // by connection: its latest exchange, if that came after a long idle time
}

type suspect struct {
	index    int // of the exchange on its connection
	key      rule.RetryKey
	repeated *rule.Repetition // nil: not yet
}

func (r *lostWays) Event(_ rule.Desk, c *rule.Conn, e *rule.Event) {
	switch e.Kind {
	case rule.ExchangeBegan:
		r.began(c, e.Began(), e.Index)
	case rule.ExchangeOver:
		if e.Over().Outcome != reassembly.Incomplete {
			r.cleared(c.Id)
		}
	case rule.ConnOver:
		r.cleared(c.Id)
	}
}

func (r *lostWays) Finish(rule.Desk) {}

// began takes note of a request after a long idle time, and of one that repeats such a request on
// another connection.
func (r *lostWays) began(c *rule.Conn, e *rule.Began, index int) {
	if e.Turn || e.Method == "" {
		return
	}
	own := r.last[c.Id]
	if len(r.by) > 0 {
		if s := r.by[e.Key()]; s != nil && s != own && s.repeated == nil {
			s.repeated = &rule.Repetition{Start: e.Start, Need: e.Need, Conn: c.Id, Index: index}
		}
	}
	if c.AnsweredAt > 0 && e.Start.Time-c.AnsweredAt >= forgottenAfter && len(r.by) < maxSuspects {
		s := &suspect{index: index, key: e.Key()}
		r.last[c.Id] = s
		r.by[e.Key()] = s
	}
}

// cleared ends the suspicion: the exchange is over, or the connection is.
func (r *lostWays) cleared(id int) {
	s := r.last[id]
	if s == nil {
		return
	}
	delete(r.last, id)
	if r.by[s.key] == s {
		delete(r.by, s.key)
	}
}

// Claims settles that the waits of an exchange are this rule's: nothing of its request was ever
// acknowledged, and the client has given it up.
func (r *lostWays) Claims(d rule.Desk, c *rule.Conn, x *rule.Draft) {
	if x.Forgotten && (r.last[c.Id] == nil || r.givenUp(c.Id, x.Index) != nil) {
		d.Settle(rule.LostWay)
	}
}

// givenUp is the same request on another connection, which shows that the client has given up the
// exchange; nil if there is none.
func (r *lostWays) givenUp(id, index int) *rule.Repetition {
	if s := r.last[id]; s != nil && s.index == index {
		return s.repeated
	}
	return nil
}

// Refer books an exchange that its client has given up, if it has sent the same elsewhere.
func (r *lostWays) Refer(d rule.Desk, c rule.Referred) {
	if again := r.givenUp(c.Occ.Connection, c.Index); again != nil {
		c.Confidence = report.ConfidenceHigh // the server and the way to it were there
		c.Repeated = again
		d.Book(c.Subject, &c.Claim)
	}
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
		rule.At(v.e.Prior, "last response", report.SideServer, "the connection becomes idle"),
		rule.At(v.x.Request.Start, "request", report.SideClient,
			fmt.Sprintf("sent after %s of idleness", rule.Seconds(v.e.Idle))),
	}
	h := &v.c.Half[reassembly.FromServer]
	switch {
	case h.RstSeen && foreignReset(v.c, reassembly.FromServer):
		out = append(
			out,
			rule.At(
				h.Rst,
				"RST",
				report.SideServer,
				fmt.Sprintf("TTL %d, where the server's segments have %d: a box on the "+
					"way sent it", h.RstTTL, h.TTLMax),
			),
		)
	case h.RstSeen:
		out = append(out, rule.At(h.Rst, "RST", report.SideServer, "no such connection"))
	default:
		for i := len(v.c.Records) - 1; i >= 0; i-- {
			if r := &v.c.Records[i]; r.Kind.Retransmitted() && r.Len > 0 {
				return append(
					out,
					rule.At(r.Mark(), "last repetition", report.SideClient,
						fmt.Sprintf("sent %d times in all, never acknowledged", v.repeats()+1)),
				)
			}
		}
	}
	return out
}
