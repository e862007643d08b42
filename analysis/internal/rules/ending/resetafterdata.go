package ending

import (
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

const (
	resetAfterDataRule = "reset-after-data"
	unreadRequestCause = "unread-request-data"
	lingerZeroCause    = "linger-zero"
	serverAbortCause   = "server-abort"
	idleResetCause     = "idle-reset"
	clientAbortCause   = "client-abort"
	injectedCause      = "injected"
)

// ResetAfterData is the rule about resets that met data.
var ResetAfterData = &rule.Detector{Rule: report.Rule{
	Name:  resetAfterDataRule,
	Title: "a reset destroyed or endangered data",
	Doc: `What happens
A RST ends a connection at once, in both directions. What the receiver's kernel holds and the
program has not read may be thrown away with it (RFC 9293 section 3.5.2; Linux still hands it out,
BSD and Windows may not), and what is on the way is lost. A kernel sends a RST when a program closes
a socket with unread data in it, or with SO_LINGER of zero; and in answer to a segment for a socket
that is gone (RFC 2525 section 2.17). A program that is killed, on Linux, closes in order.

How it is recognised
A RST meets data: a response that was not complete, or not yet acknowledged when the RST was sent,
as far as its sender could know; or a request without any response. RST with ACK is sent by a
program's close; a bare RST answers a segment to a closed socket. Whether the request had been read
tells unread-request-data from linger-zero. That it was acknowledged does not show it: what does is
a request without a body, a FIN before the RST (SO_LINGER of zero alone sends none), and the window
that the server offered with its response, smaller by what lay unread. Where none of these does, an
unread body is the usual reading, at medium confidence. A RST was injected if its TTL
does not fit its sender's other segments, if it carries the IP identification of the segment that it
answers, or if its sender goes on behind it, with more segments than a RST overtakes. It answers an
untranslated reply if another connection of the client's port, without a beginning, shows octets
with the same numbers under another address, and the client's RST. If the client closed with the
whole response at hand, before the RST came, it is silent, or only noted. If it had acknowledged
that 100 ms before the RST, only a client that reads nothing before it has sent everything is in
danger, and severity is lower. A client that closes before any response came, and answers it by a
RST or closed long after its request, gave up, too. A RST right behind a request that had come after
idleness is an idle timer's if three closes and more of the server came after that idleness, within a
tenth, and no request after a longer one was answered. Silent: a response that may have been
complete but for octets that the capture lacks, a RST after everything had been acknowledged, a
client that resets after a complete response, a refused connection, a RST on an idle connection that
nobody was using. A RST that answers a request after the server's FIN belongs to keepalive-race, one
after half a minute of idleness to idle-drop.

How cost is counted
As lost data first: octets that never arrived, and octets that were in danger. In time, if the
response was lost, what the user waited at the client: from the failed request to its repetition, if
the same method and target follow within a second, on a connection that was opened for it or at
once; else until the client has the RST.

When it is wrong
Octets in danger may have been read in time: packets do not show when a program reads. A client that
fails while sending often never reads the response at all. A small body that was read before
a close with SO_LINGER of zero looks like one that was not. Where the capture cut headers or TLS
records, or lacks what came before the exchange, the reason may be in what is missing: medium at
most. That a client gave up within TLS shows only if the server went on sending.`,
	Causes: []report.Cause{
		{
			Code:  unreadRequestCause,
			Title: "server closed with the request unread, so its answer was reset",
			Side:  report.SideServer,
			Message: "The server answered and closed without having read the whole request. Data " +
				"in a closed socket makes the kernel send a RST, which can destroy the response " +
				"before the client has read it.",
			Remedies: []report.Remedy{
				{
					Side: report.SideServer,
					Text: "read the request to its end, or close in two steps (shutdown for " +
						"writing, read until EOF or a timeout, then close)",
					Settings: []report.Setting{
						{Product: report.Nginx, Text: "lingering_close always"},
						{
							Product: report.Go,
							Text:    "answer only after io.Copy(io.Discard, r.Body) with a limit",
						},
						{Product: report.Node, Text: "req.resume() before the end"},
						{
							Product: report.Python,
							Text:    "read rfile to Content-Length before the answer",
						},
					},
				},
				{
					Side: report.SideClient,
					Text: "send Expect: 100-continue with large bodies; read the response even " +
						"if sending fails",
				},
			},
		},
		{
			Code:  lingerZeroCause,
			Title: "server reset the connection right after its response",
			Side:  report.SideServer,
			Message: "The server's program reset the connection with its response still on the way: " +
				"it closed with SO_LINGER of zero.",
			Remedies: []report.Remedy{
				{
					Side: report.SideServer,
					Text: "do not set SO_LINGER to zero; close normally, and drain first",
				},
			},
		},
		{
			Code:    clientAbortCause,
			Title:   "client gave up before it had the whole response",
			Side:    report.SideClient,
			Message: "The client closed or reset the connection before the response was complete.",
			Remedies: []report.Remedy{
				{
					Side: report.SideClient,
					Text: "see why it gave up: a timeout shorter than the response takes, a user " +
						"who left, a body that was not needed (ask for less: HEAD, Range)",
				},
			},
		},
		{
			Code:  serverAbortCause,
			Title: "server reset the connection before its response was complete",
			Side:  report.SideServer,
			Message: "The server reset the connection before its response was complete, or " +
				"before it answered at all.",
			Remedies: []report.Remedy{
				{
					Side: report.SideServer,
					Text: "see why the program gave the connection up: a timeout, an error, a proxy " +
						"whose own server failed (a RST with ACK means SO_LINGER of zero, or data " +
						"unread in the closed socket: a process that dies, on Linux, sends a FIN)",
					Settings: report.AnswerLimits(),
				},
			},
		},
		{
			Code:  injectedCause,
			Title: "reset that neither program sent",
			Side:  report.SideNetwork,
			Message: "A RST ended the connection that the program in whose name it came did not " +
				"send: a box on the way made it, or a kernel that does not know the connection by " +
				"the address that one of its segments came from.",
			Remedies: []report.Remedy{
				{
					Side: report.SideNetwork,
					Text: "look at firewalls, load balancers and intrusion prevention on the path, and " +
						"at connection tracking that leaves replies untranslated " +
						"(net.netfilter.nf_conntrack_tcp_be_liberal=1)",
				},
			},
		},
		{
			Code:  untranslatedCause,
			Title: "reply came from an untranslated address, so the connection was reset",
			Side:  report.SideNetwork,
			Message: "The translation of addresses failed for a segment of the response: it came " +
				"from the address behind the translation, where the client knows no connection. The " +
				"RST with which the client's kernel answered ended the real connection at the " +
				"server.",
			Remedies: []report.Remedy{
				{
					Side: report.SideNetwork,
					Text: "let connection tracking translate segments that it takes for invalid " +
						"(net.netfilter.nf_conntrack_tcp_be_liberal=1), or drop those before they " +
						"leave (iptables -m conntrack --ctstate INVALID -j DROP)",
				},
			},
		},
		{
			Code:  idleResetCause,
			Title: "request on an idle connection met a reset",
			Side:  report.SideServer,
			Message: "The server, or a box in front of it, ended an idle connection by a RST " +
				"instead of a FIN while the next request was on its way, or had just come; the " +
				"request was lost.",
			Remedies: []report.Remedy{
				{
					Side: report.SideServer,
					Text: "keep idle connections longer than the client does, and close them in " +
						"order, without SO_LINGER of zero",
					Settings: append(
						[]report.Setting{
							{Product: report.Nginx, Text: "reset_timedout_connection off"},
							{Product: report.Node, Text: "server.timeout 0"},
						},
						report.IdleSettings()...),
					After: "AWS and Azure load balancers: a longer idle timeout",
				},
				{
					Side:     report.SideClient,
					Text:     "give idle connections up before the server does",
					Settings: report.GiveUpSettings(),
					After:    "repeat idempotent requests once on a new connection",
				},
			},
		},
	},
	References: []string{"RFC 9293 section 3.5.2", "RFC 2525 section 2.17", "RFC 9112 section 9.6"},
},
	Rests:      rule.Content,
	Makes:      rule.Abandoned,
	YieldsTo:   rule.TimedOut,
	When:       rule.Unended | rule.Reset,
	Closed:     runReset,
	Across:     &rule.Comparison{Start: func() rule.Across { return &resets{} }, Wants: idleEvents},
	Vocabulary: resetWords,
}

// runReset looks at the RST that ended the connection, if one did.
func runReset(p *rule.Pass) {
	reportFate(p, resetAfterDataRule)
	runStray(p)
	if cl, ok := abandoned(p); ok {
		p.Report(cl)
		return
	}
	c, x := p.Conn, p.State.Last
	dir, ok := firstReset(c)
	if !ok || x == nil || ledger.StreamFailed(x) || alerted(c, x) || unsureOfEnd(c, x) ||
		p.State.Ending.Failed != nil || c.State == reassembly.Refused ||
		!ledger.ExpectsResponses(c) || x.Start().Time > c.Half[dir].Rst.Time {
		return
	}
	cause := resetCause(&p.State.Connection, x, dir)
	if cause == "" {
		return
	}
	cl := rule.Claim{
		Rule:        resetAfterDataRule,
		Cause:       cause,
		Index:       x.Index,
		Confidence:  report.ConfidenceHigh,
		Correctness: cause != clientAbortCause, // the client no longer wanted the rest
		Occ:         rule.Occurrence{Start: x.Start().Time},
	}
	describeReset(&p.State.Connection, &cl, x, dir)
	refersReset(p, &cl, x)
	p.Report(cl)
}

// alerted reports whether an alert ended x, or the handshake before it, of which tls-alert tells: a
// RST behind it belongs to it.
func alerted(c *reassembly.Conn, x *exchange.Exchange) bool {
	_, a := ledger.AlertEnded(c, x)
	return a != nil || ledger.HandshakeRefused(c)
}

// reset: a RST ended the exchange.
func (v *verdictOnEnd) reset() bool {
	dir, ok := firstReset(v.c)
	rst := v.c.Half[dir].Rst.Time
	if !ok || unsureOfEnd(v.c, v.x) || v.x.Start().Time > rst && !v.crossed(rst) {
		return false
	}
	cause := resetCause(&v.p.State.Connection, v.x, dir)
	if cause == "" {
		return false
	}
	v.be(resetAfterDataRule, cause, report.ConfidenceHigh)
	v.until(max(rst, v.claim.Occ.End))
	if cause == clientAbortCause {
		v.claim.Correctness, v.claim.Unsafe, v.claim.Failure = false, false, nil
		v.claim.Occ.Cost = report.Cost{} // the client no longer wanted it
	}
	describeReset(&v.p.State.Connection, v.claim, v.x, dir)
	if left, did := ledger.Left(&v.p.State.Connection, v.x); did && cause == clientAbortCause {
		v.claim.Kind, v.claim.Occ.End = rule.Abandoned, left.At.Time
		v.claim.Says = []rule.Said{rule.Say(leftUnanswered, rule.Ns(left.After))}
		v.claim.Occ.Proof = abandonProof(v.c, v.x, &left)
	}
	if left, did := ledger.LeftWithin(&v.p.State.Connection, v.x); did &&
		cause == clientAbortCause {
		v.claim.Kind, v.claim.Occ.End = rule.Abandoned, left.At.Time
	}
	refersReset(v.p, v.claim, v.x)
	return true
}

// unsureOfEnd reports whether the response may have been complete for all that the capture shows:
// it lacks octets of the server, and with those, as far as acknowledgments and the RST count, there
// may have been enough.
func unsureOfEnd(c *reassembly.Conn, x *exchange.Exchange) bool {
	h := &c.Half[reassembly.FromServer]
	if !ledger.Lacks(c, h) {
		return false
	}
	m := x.Response
	if m == nil || m.Framing != exchange.ByLength || !ledger.Seen(m.HeaderEnd) ||
		m.Facts&(exchange.Resynced|exchange.LengthConflict) != 0 {
		return true
	}
	sent := max(h.Max, h.Una)
	if r := ledger.RecordOf(c, h.Rst); h.RstSeen && r != nil {
		sent = max(sent, r.Seq)
	}
	return sent >= m.From+m.HeaderBytes+m.Length
}

// crossed reports whether the request was on its way, or sent before a program could notice, when
// the server's RST of the given moment passed.
func (v *verdictOnEnd) crossed(rst time.Duration) bool {
	return v.x.Response == nil && v.lateFor(rst) <= v.c.RTTMin()+reactionTime
}

// describeReset fills in what does not depend on who is to blame.
func describeReset(s *ledger.Connection, cl *rule.Claim, x *exchange.Exchange,
	dir reassembly.Dir) {
	rst := s.Conn.Half[dir].Rst
	cl.Says = []rule.Said{losses(s, x)}
	cl.Occ.End = max(rst.Time, cl.Occ.Start)
	cl.Occ.Proof = resetProof(s.Conn, x, dir)
	switch {
	case cl.Cause == lingerZeroCause:
		sureOfLinger(s.Conn, cl, x)
		if closedWith(s, x, rst.Time) {
			onlyTime(cl, report.Info)
			cl.Failure, cl.Says = nil, []rule.Said{rule.Say(hadClosedFirst)}
		}
		return
	case cl.Cause == serverAbortCause && x.Response == nil:
		cl.Says = []rule.Said{rule.Say(noneBegan)}
		return
	case cl.Cause != unreadRequestCause:
		return
	case x.Turn:
	case requestUnread(s.Conn, x):
		cl.Confidence = report.Proven
	default:
		sureOfUnread(s.Conn, cl, x)
	}
	switch {
	case x.Response == nil:
	case closedWith(s, x, rst.Time):
		onlyTime(cl, report.Info)
		cl.Failure, cl.Says = nil, []rule.Said{rule.Say(hadClosedFirst)}
	case x.Response.Complete && x.Response.To <= s.Sender(reassembly.FromServer).AckedBy(
		rst.Time-s.Conn.Far(reassembly.FromServer)-timeToRead):
		onlyTime(cl, report.Medium)
		cl.Failure, cl.Says = nil, []rule.Said{rule.Say(hadTimeToRead)}
	}
}

// sureOfLinger says what shows that the server had read the request, as far as anything does.
func sureOfLinger(c *reassembly.Conn, cl *rule.Claim, x *exchange.Exchange) {
	switch {
	case x.Turn:
		cl.Confidence = min(cl.Confidence, report.ConfidenceMedium)
		cl.Says = append(cl.Says, rule.Say(maybeUnread))
	case x.Request.BodyBytes > 0:
		cl.Says = append(cl.Says, rule.Say(readByWindow))
	}
}

// sureOfUnread says what shows that the server had left some of the request unread, all of which
// had come.
func sureOfUnread(c *reassembly.Conn, cl *rule.Claim, x *exchange.Exchange) {
	h := &c.Half[reassembly.FromServer]
	switch {
	case h.FinSeen && h.Fin.Time <= h.Rst.Time:
		cl.Says = append(cl.Says, rule.Say(closedInTwoSteps))
	case unreadByWindow(c, x) == someUnread:
		cl.Says = append(cl.Says, rule.Say(unreadInWindow))
	default:
		cl.Confidence = min(cl.Confidence, report.ConfidenceMedium)
		cl.Says = append(cl.Says, rule.Say(maybeUnread))
	}
}

// losses says how many octets of the response certainly never arrived; else how many may not have
// been read.
func losses(s *ledger.Connection, x *exchange.Exchange) rule.Said {
	m := x.Response
	if m == nil {
		return rule.Said{}
	}
	if m.Framing == exchange.ByLength && m.BodyBytes < m.Length {
		return rule.Say(octetsLost, m.Length-m.BodyBytes)
	}
	if risk := min(notAcked(s), m.HeaderBytes+m.BodyBytes); risk > 0 {
		return rule.Say(octetsEndangered, risk)
	}
	return rule.Said{}
}

// resetProof shows the request, the response so far, and the RST.
func resetProof(c *reassembly.Conn, x *exchange.Exchange, dir reassembly.Dir) []rule.Evidence {
	var out []rule.Evidence
	if m := x.Request; m != nil {
		begin := rule.Shows(m.Start, report.SideClient, requestBegins)
		if m.Length >= 0 && !x.Turn {
			begin = rule.Shows(m.Start, report.SideClient, announcedRequest, m.Length, m.BodyBytes)
		}
		out = append(out, begin)
	}
	if m := x.Response; m != nil {
		end := rule.Shows(m.End, report.SideServer, bodyReceived, m.BodyBytes)
		if m.Length >= 0 && !x.Turn {
			end = rule.Shows(m.End, report.SideServer, bodyPart, m.BodyBytes, m.Length)
		}
		out = append(out, end)
	}
	if h := &c.Half[dir]; h.FinSeen && h.Fin.Time <= h.Rst.Time {
		out = append(out, rule.Shows(h.Fin, rule.SideOf(dir), finBeforeReset))
	}
	return append(out, resetItself(c, dir))
}

// resetItself shows the RST, with what it tells of who sent it, and why.
func resetItself(c *reassembly.Conn, dir reassembly.Dir) rule.Evidence {
	h, side := &c.Half[dir], rule.SideOf(dir)
	switch {
	case ledger.OtherHostReset(c, dir):
		return rule.Shows(h.Rst, side, otherTTL, int64(h.RstTTL), int64(h.TTLMax))
	case foreignReset(c, dir):
		return rule.Shows(h.Rst, side, resetOfOther)
	case h.RstActive:
		return rule.Shows(h.Rst, side, resetOfProgram)
	}
	return rule.Shows(h.Rst, side, resetOfClosedSocket)
}
