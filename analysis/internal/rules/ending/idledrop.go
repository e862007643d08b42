package ending

import (
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

const idleDropRule = "idle-drop"

// IdleDrop is the rule about idle connections that were forgotten at the other end, or on the way.
var IdleDrop = &rule.Detector{Rule: report.Rule{
	Name:  idleDropRule,
	Title: "idle connection no longer existed",
	Doc: `What happens
Firewalls, NAT gateways and load balancers forget connections that are idle for some time (350 s at
AWS, 4 min at Azure, often a minute elsewhere), without telling either end. The next request is
answered by a RST from the box, or by nothing: the client repeats it until it gives up.

How it is recognised
A request on a connection that was idle for 30 s or more, that neither side had closed. It is not
acknowledged. Either a RST comes back, and the server never sent a FIN, or three repetitions and
more get no answer of any kind and the client gives up: it closes, or opens another connection for the
same request. After 5 s to 30 s of idleness only the latter counts, and only if the old connection stays
dead to what is repeated on it after that. websocket: the server's side, often a proxy before it,
ended a WebSocket by FIN or RST without a Close frame, and nothing had been said on it for 10 s and
more, Pings included; or for 1 s and more, the server had had the last word, and others of the
service ended after the same silence, at another age. High where two and more of a service ended so
after the same silence, at different moments; medium where it was a whole number of five seconds;
else low.

How cost is counted
From the request to its repetition on another connection, if the same method and target follow
within a second; else until the RST, or until the client gave up. Of a WebSocket no time is counted.

When it is wrong
A RST without ACK, with the TTL of the server's own segments, is its host's, or a balancer's that
stands for it: it no longer knows the connection, as after a restart. Boxes that copy the TTL look
the same. A server that crashed and came back while the connection was idle answers the same way. If the
capture lost the FIN.`,
	Causes: []report.Cause{
		{
			Side: report.SideUnknown,
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
		{
			Code:  socketCause,
			Title: "idle WebSocket was ended",
			Side:  report.SideServer,
			Message: "Nothing was said on the WebSocket for as long as a proxy, or the server, " +
				"waits: then it ended the connection without a Close.",
			Remedies: []report.Remedy{
				{
					Side: report.SideServer,
					Text: "send Pings more often than that; or let the proxy wait longer",
					Settings: []report.Setting{
						{Product: report.Nginx, Text: "proxy_read_timeout (60 s unless set)"},
						{Product: report.HAProxy, Text: "timeout tunnel"},
						{Product: report.Envoy, Text: "stream_idle_timeout (5 min unless set)"},
						{Product: report.Python, Text: "websockets ping_interval"},
					},
					After: "AWS load balancers: the idle timeout (60 s unless set)",
				},
				{
					Side: report.SideClient,
					Text: "browsers cannot send Pings: say something small now and then, and " +
						"connect again when the connection ends",
				},
			},
		},
	},
	References: []string{"RFC 5382 REQ-5", "RFC 9293 section 3.8.4"},
},
	Rests:    rule.Connection,
	When:     rule.Unended | rule.Sockets,
	Exchange: runForgotten,
	Closed:   func(p *rule.Pass) { runIdleDrop(p); runIdleSockets(p) },
	Across: &rule.Comparison{
		Start: func() rule.Across {
			return &suspects{byKey: map[rule.RetryKey]*suspect{}, byConn: map[int]*suspect{}}
		},
		Wants: rule.Wants(rule.ExchangeBegan, rule.ExchangeOver, rule.ConnOver),
	},
	Vocabulary: idleDropWords,
}

const (
	// forgottenAfter is the shortest idle time after which boxes on the way forget connections:
	// home routers, mobile carriers and load balancers use 30 s and more, though RFC 5382 REQ-5
	// asks for 2 h 4 min.
	forgottenAfter = 30 * time.Second
	// forgottenSoonest is the shortest idle time after which a connection that stays dead, while a
	// new one to the same server works, counts as forgotten: less is a path that failed in use.
	forgottenSoonest = 5 * time.Second
	// triesUntilGivenUp is how many repetitions without any answer count as a dead path: Linux has
	// spent 3 s on them.
	triesUntilGivenUp = 3
)

// runForgotten marks an exchange whose waits were no loss by chance: nobody was there any more.
func runForgotten(p *rule.Pass) {
	c, x, e := p.Conn, p.Exchange, &p.State.Ending
	if p.Draft == nil || x.Request == nil || x.Response != nil || !ledger.Seen(e.Latest) {
		return
	}
	idle := x.Start().Time - e.Latest.Time
	if idle < forgottenSoonest || idle < forgottenAfter && (x.Turn || x.Method == "") {
		return // only the same request elsewhere could tell
	}
	if c.Half[reassembly.FromClient].Una <= x.Request.From && repeats(c, x) >= triesUntilGivenUp {
		p.Draft.Perhaps |= rule.LostWay // nothing of the request was ever acknowledged
	}
}

// runIdleDrop reports a request that met a forgotten connection, also where nothing ever ended that
// connection: the client has closed, and there is nobody to answer.
func runIdleDrop(p *rule.Pass) {
	reportFate(p, idleDropRule)
	e, x := &p.State.Ending, p.State.Last
	if e.Failed != nil || x == nil || x.Request == nil || x.Outcome != exchange.Incomplete ||
		!ledger.Seen(e.Latest) || ledger.WasShared(p.Conn) {
		return
	}
	cl := rule.Claim{
		Index:       x.Index,
		Correctness: true,
		Unsafe:      !x.Turn && !ledger.Idempotent(x.Method),
	}
	idle := idleness{e.Latest, x.Start().Time - e.Latest.Time}
	if !giveUp(p.Conn, x, idle, &cl) {
		return
	}
	v := &verdictOnEnd{p: p, c: p.Conn, x: x, e: e, claim: &cl}
	if v.forgottenSince(idle, true) {
		p.Report(cl)
	}
}

// giveUp fills in what it cost the client of x to wait until it gave up: when it closed, or, if it
// did not, with the end of the capture, where a repetition elsewhere is still to show that it no
// longer waits, or that the idleness was so short for a reason; false if none could be told.
func giveUp(c *reassembly.Conn, x *exchange.Exchange, idle idleness, cl *rule.Claim) bool {
	start, end := x.Start(), c.End.Time
	closed, _, ok := closedAt(c, reassembly.FromClient)
	ok = ok && closed.Time >= x.Request.Start.Time
	if ok {
		end = closed.Time
	}
	switch {
	case ok && idle.length >= forgottenAfter:
	case !x.Turn && x.Method != "":
		// Its kernel holds the FIN back behind what is not acknowledged: that it no longer waits
		// shows only elsewhere.
		cl.Referred = true
		cl.Failure = &rule.Failure{Start: start, At: end, Host: x.Host, Took: end - start.Time}
	default:
		return false
	}
	took := max(0, end-start.Time)
	cl.Occ = rule.Occurrence{
		Start: start.Time,
		End:   start.Time + took,
		Cost:  report.Cost{Expected: took, High: took},
	}
	return true
}

// idleness is the time in which nothing was asked on a connection.
type idleness struct {
	from   capture.Mark // the end of the response before
	length time.Duration
}

// forgotten: an idle connection no longer exists at the other end, or on the way to it.
func (v *verdictOnEnd) forgotten() bool {
	idle := idleness{v.e.Prior, v.e.Idle}
	return v.forgottenSince(idle, v.x.Outcome == exchange.Aborted)
}

// forgottenSince is that for a request after the idleness, whose client waits for an answer, or has
// given up.
func (v *verdictOnEnd) forgottenSince(idle idleness, gaveUp bool) bool {
	up, down := &v.c.Half[reassembly.FromClient], &v.c.Half[reassembly.FromServer]
	if v.x.Response != nil || idle.length < forgottenSoonest || v.e.Answered == 0 || down.FinSeen ||
		up.Una > v.x.Request.From || up.Missing+down.Missing > 0 {
		return false
	}
	own := false
	strange := !down.RstActive || foreignReset(v.c, reassembly.FromServer)
	switch {
	case v.x.Outcome == exchange.NoResponse && down.RstSeen && strange &&
		idle.length >= forgottenAfter:
		v.be(idleDropRule, "", report.ConfidenceHigh)
		v.until(down.Rst.Time)
		own = !foreignReset(v.c, reassembly.FromServer)
	case gaveUp && (idle.length >= forgottenAfter || v.claim.Referred) && repeats(v.c, v.x) >= triesUntilGivenUp &&
		down.LastData.Time < v.x.Request.Start.Time:
		v.be(idleDropRule, "", report.ConfidenceMedium)
	default:
		return false
	}
	v.claim.Side, v.claim.Says = report.SideNetwork, []rule.Said{keepAlives(v.c)}
	if own {
		v.claim.Side, v.claim.Confidence = report.SideServer, report.ConfidenceMedium
		v.claim.Says = append(v.claim.Says, rule.Say(hostForgot))
	}
	v.claim.Occ.Proof = idleDropProof(v.c, v.x, idle)
	return true
}

// repeats is how often the client sent octets again since the request of x began; none if the
// server has said anything since.
func repeats(c *reassembly.Conn, x *exchange.Exchange) int {
	n := 0
	for i := range c.Records {
		r := &c.Records[i]
		if r.Time < x.Request.Start.Time {
			continue
		}
		if r.Dir == reassembly.FromServer {
			return 0
		}
		if r.Kind.Retransmitted() && r.Len > 0 {
			n++
		}
	}
	return n
}

// keepAlives says whether keep-alives were sent on the connection.
func keepAlives(c *reassembly.Conn) rule.Said {
	for i := range c.Records {
		if c.Records[i].Kind == reassembly.KeepAlive {
			return rule.Say(keepAlivesInVain)
		}
	}
	return rule.Say(noKeepAlives)
}

// idleDropProof shows the last response, the request and what came back.
func idleDropProof(c *reassembly.Conn, x *exchange.Exchange, idle idleness) []rule.Evidence {
	out := []rule.Evidence{
		rule.Shows(idle.from, report.SideServer, connectionIdle),
		rule.Shows(x.Request.Start, report.SideClient, sentAfterIdleness, rule.Ns(idle.length)),
	}
	h := &c.Half[reassembly.FromServer]
	switch {
	case h.RstSeen && ledger.OtherHostReset(c, reassembly.FromServer):
		return append(out, rule.Shows(h.Rst, report.SideServer, resetOfBox,
			int64(h.RstTTL), int64(h.TTLMax)))
	case h.RstSeen:
		return append(out, rule.Shows(h.Rst, report.SideServer, resetOfStranger))
	}
	for i := len(c.Records) - 1; i >= 0; i-- {
		if r := &c.Records[i]; r.Kind.Retransmitted() && r.Len > 0 {
			times := int64(repeats(c, x) + 1)
			return append(out, rule.Shows(r.Mark(), report.SideClient, repeatedInVain, times))
		}
	}
	return out
}

// maxSuspects is how many suspects are followed at a time.
const maxSuspects = 4096

// suspects are requests on connections that had been idle so long that the way may have forgotten
// them, and that have not been answered: each waits for the same request elsewhere, which shows
// that the client has given it up.
type suspects struct {
	byKey  map[rule.RetryKey]*suspect
	byConn map[int]*suspect
	silences
}

// suspect is the latest request of a connection that came after a long idle time.
type suspect struct {
	index    int // of the exchange on its connection
	key      rule.RetryKey
	start    time.Duration
	repeated *rule.Repetition // nil: not yet
	// it was idle for less than forgottenAfter: that its client tried it once more while another
	// connection worked must show that it was dead, and not the path
	short bool
}

// linked reports whether the same request elsewhere shows that the client has given this one up: it
// opened a connection for it. On one that it has long used it may ask for the same again and again.
func (s *suspect) linked(e *rule.Began) bool {
	return e.First && e.Handshake && e.ConnStart.Time >= s.start
}

// Event takes note of a request, and of what clears one of suspicion.
func (r *suspects) Event(_ rule.Desk, c *rule.Conn, e *rule.Told) {
	switch e.Kind {
	case rule.ExchangeBegan:
		r.began(c, e.Began(), int(e.Index))
	case rule.ExchangeOver:
		if e.Over().Outcome != exchange.Incomplete {
			r.clear(c.Id)
		}
	case rule.ConnOver:
		r.clear(c.Id)
	}
}

// Finish tells of WebSockets that ended after silence.
func (r *suspects) Finish(d rule.Desk) { r.book(d) }

// began takes note of a request after a long idle time, and of one that repeats such a request on
// another connection.
func (r *suspects) began(c *rule.Conn, e *rule.Began, index int) {
	if e.Turn || e.Method == "" || e.Target == "" {
		return
	}
	own := r.byConn[c.Id]
	if len(r.byKey) > 0 {
		if s := r.byKey[e.Key()]; s != nil && s != own && s.repeated == nil && s.linked(e) {
			s.repeated = &rule.Repetition{Start: e.Start, Need: e.Need, Conn: c.Id, Index: index}
		}
	}
	idle := e.Start.Time - c.AnsweredAt
	if c.AnsweredAt > 0 && idle >= forgottenSoonest && len(r.byKey) < maxSuspects {
		s := &suspect{
			index: index, key: e.Key(), start: e.Start.Time, short: idle < forgottenAfter,
		}
		r.byConn[c.Id] = s
		r.byKey[e.Key()] = s
	}
}

// clear ends the suspicion: the exchange is over, or the connection is.
func (r *suspects) clear(id int) {
	s := r.byConn[id]
	if s == nil {
		return
	}
	delete(r.byConn, id)
	if r.byKey[s.key] == s {
		delete(r.byKey, s.key)
	}
}

// Claims settles that the waits of an exchange are this rule's: nothing of its request was ever
// acknowledged, and the client has given it up.
func (r *suspects) Claims(d rule.Desk, c *rule.Conn, x *rule.Judged) {
	var last time.Duration
	for i := range x.Waits {
		last = max(last, x.Waits[i].End.Time)
	}
	forgotten := r.byConn[c.Id] == nil || r.givenUp(c.Id, x.Index, last) != nil
	if x.Perhaps.Has(rule.LostWay) && forgotten {
		d.Settle(rule.LostWay)
	}
}

// givenUp is the same request on another connection, which shows that the client has given up the
// exchange; nil if there is none. At last the exchange's own connection was tried in vain.
func (r *suspects) givenUp(id, index int, last time.Duration) *rule.Repetition {
	s := r.byConn[id]
	if s == nil || s.index != index || s.repeated == nil ||
		s.short && last <= s.repeated.Start.Time {
		return nil
	}
	return s.repeated
}

// Refer books an exchange that its client has given up, if it has sent the same elsewhere.
func (r *suspects) Refer(d rule.Desk, c rule.Referred) {
	if c.Cause == socketCause {
		r.add(d, &c)
		return
	}
	last := c.Occ.Proof[len(c.Occ.Proof)-1].Mark.Time
	if again := r.givenUp(c.Occ.Connection, c.Index, last); again != nil {
		c.Confidence = report.ConfidenceHigh // the server and the way to it were there
		c.Repeated = again
		d.Book(c.Subject, &c.Claim)
	}
}

// What idle-drop says, by number.
const (
	hostForgot = iota + ownWords
	keepAlivesInVain
	noKeepAlives
	sentAfterIdleness
	resetOfBox
	resetOfStranger
	repeatedInVain
	lastFrame
	socketsSilent
)

// idleDropWords is the vocabulary of idle-drop.
var idleDropWords = vocabulary([]rule.Words{
	lastFrame: {
		Role: "frame", Text: "the last that was said",
		Facts: rule.Facts{report.CarriesData},
	},
	socketsSilent: {
		Text: "{n WebSocket} of this service ended so, this one after {s} of silence.",
	},
	hostForgot: {
		Text: "The RST has the TTL of the server's own segments: its host, or what stands for it, " +
			"knew no such connection any more, as after a restart.",
	},
	keepAlivesInVain: {
		Text:  "TCP keep-alives were sent on it, too rarely or in vain.",
		Facts: rule.Facts{report.KeptAlive},
	},
	noKeepAlives: {
		Text:  "No TCP keep-alive was seen on it.",
		Facts: rule.Facts{report.NoKeepAlive},
	},
	sentAfterIdleness: {
		Role:  "request",
		Text:  "sent after {s} of idleness",
		Facts: rule.Facts{report.CarriesData, report.SinceBefore},
	},
	resetOfBox: {
		Role:  "RST",
		Text:  "TTL {n}, where the server's segments have {n}: a box on the way sent it",
		Facts: rule.Facts{report.Resets, report.HasTTL, report.SenderTTL},
	},
	resetOfStranger: {
		Role:  "RST",
		Text:  "no such connection",
		Facts: rule.Facts{report.Resets},
	},
	repeatedInVain: {
		Role:  "last repetition",
		Text:  "sent {n} times in all, never acknowledged",
		Facts: rule.Facts{report.SentBefore},
	},
})
