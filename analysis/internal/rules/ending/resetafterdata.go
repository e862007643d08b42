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
a socket with unread data in it, sets SO_LINGER to zero, or dies; and in answer to a segment for a
socket that is gone (RFC 2525 section 2.17).

How it is recognised
A RST meets data: a response that was not complete, or not yet acknowledged when the RST was sent,
as far as its sender could know; or a request without any response. RST with ACK is an abort by the
program; a bare RST answers a segment to a closed socket. Who sent it, and whether the request had
been read to its end, tells the causes apart. A RST whose TTL does not fit its sender's other
segments was injected on the way; an IP identification off its sender's count adds to that. If the
client closed with the whole response at hand, before the RST came, it is only noted. If it had
acknowledged that 100 ms before the RST, only a client that reads nothing before it has sent
everything is in danger, and severity is lower. A client that closes before any response came, and
answers it by a RST or closed long after its request, gave up, too. Silent: a response that may have
been complete but for octets that the capture lacks, a RST after everything had been acknowledged, a
client that resets after a complete response, a refused connection, a RST on an idle connection that
nobody was using. A RST that answers a request after the server's FIN belongs to keepalive-race, one
after half a minute of idleness to idle-drop.

How cost is counted
As lost data first: octets that never arrived, and octets that were in danger. In time, if the
response was lost, what the user waited at the client: from the failed request to its repetition, if
the same method and target follow within a second; else until the client has the RST.

When it is wrong
Octets in danger may have been read in time: packets do not show when a program reads. A client that
fails while sending often never reads the response at all.`,
	Causes: []report.Cause{
		{
			Code:  unreadRequestCause,
			Title: "server closed with the request unread, so its answer was reset",
			Side:  report.SideServer,
			Message: "The server answered and closed while the client was still sending its " +
				"request. Data in a closed socket makes the kernel send a RST, which can destroy " +
				"the response before the client has read it.",
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
			Code:  "linger-zero",
			Title: "server reset the connection right after its response",
			Side:  report.SideServer,
			Message: "The server reset the connection with its response still on the way, though " +
				"it had read the whole request.",
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
			Code:  "server-abort",
			Title: "server reset the connection before its response was complete",
			Side:  report.SideServer,
			Message: "The server reset the connection before its response was complete, or " +
				"before it answered at all.",
			Remedies: []report.Remedy{
				{
					Side: report.SideServer,
					Text: "look for crashes, killed workers (the OOM killer) and timeouts at " +
						"the server",
					Settings: report.AnswerLimits(),
				},
			},
		},
		{
			Code:  injectedCause,
			Title: "reset that neither end sent",
			Side:  report.SideNetwork,
			Message: "A RST with another TTL than its sender's segments ended the connection: a " +
				"box on the way made it.",
			Remedies: []report.Remedy{
				{
					Side: report.SideNetwork,
					Text: "look at firewalls, load balancers and intrusion prevention on the path",
				},
			},
		},
		{
			Code:  "idle-reset",
			Title: "request on an idle connection met a reset",
			Side:  report.SideServer,
			Message: "The server, or a box in front of it, ended an idle connection by a RST " +
				"instead of a FIN while the next request was on its way; the request was lost.",
			Remedies: []report.Remedy{
				{
					Side: report.SideServer,
					Text: "keep idle connections longer than the client does, and close them in " +
						"order, without SO_LINGER of zero",
					Settings: append(
						[]report.Setting{
							{Product: report.Nginx, Text: "reset_timedout_connection off"},
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
	Closed:     runReset,
	Vocabulary: words,
}

// runReset looks at the RST that ended the connection, if one did.
func runReset(p *rule.Pass) {
	reportFate(p, resetAfterDataRule)
	if cl, ok := abandoned(p); ok {
		p.Report(cl)
		return
	}
	c, x := p.Conn, p.State.Last
	dir, ok := firstReset(c)
	if !ok || x == nil || unsureOfEnd(c, x) || p.State.Ending.Failed != nil ||
		c.State == reassembly.Refused || !ledger.ExpectsResponses(c) ||
		x.Start().Time > c.Half[dir].Rst.Time {
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
		Correctness: true,
		Occ:         rule.Occurrence{Start: x.Start().Time},
	}
	describeReset(&p.State.Connection, &cl, x, dir)
	p.Report(cl)
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
	if cl.Cause != unreadRequestCause {
		return
	}
	cl.Confidence = report.Proven
	switch {
	case closedWith(s, x, rst.Time):
		onlyTime(cl, report.Info)
		cl.Failure, cl.Says = nil, []rule.Said{rule.Say(hadClosedFirst)}
	case x.Response.Complete && x.Response.To <= s.Sender(reassembly.FromServer).AckedBy(
		rst.Time-s.Conn.Far(reassembly.FromServer)-timeToRead):
		onlyTime(cl, report.Medium)
		cl.Failure, cl.Says = nil, []rule.Said{rule.Say(hadTimeToRead)}
	}
}

// leastWay is which part of the least time to a host and back, in percent, is sure to pass: the
// least that was seen of it is not the least that there can be (reasoning).
const leastWay = 90

// closedWith reports whether the client closed with the whole response at hand, before it could
// know of a RST of the given moment.
func closedWith(s *ledger.Connection, x *exchange.Exchange, rst time.Duration) bool {
	m, up := x.Response, &s.Conn.Half[reassembly.FromClient]
	far := s.Conn.Far(reassembly.FromClient) * leastWay / 100
	return m.Complete && up.FinSeen && up.Fin.Time >= m.End.Time+far && up.Fin.Time < rst+far
}

// timeToRead is how long after its acknowledgment a program that waits for the response has surely
// read it (reasoning: twice what it takes to react).
const timeToRead = 2 * reactionTime

// firstReset is the sender of the first RST; false if there was none.
func firstReset(c *reassembly.Conn) (reassembly.Dir, bool) {
	a, b := &c.Half[0], &c.Half[1]
	switch {
	case a.RstSeen && (!b.RstSeen || a.Rst.Time <= b.Rst.Time):
		return reassembly.FromClient, true
	case b.RstSeen:
		return reassembly.FromServer, true
	}
	return 0, false
}

// resetCause tells the causes apart; "" if the reset did no harm.
func resetCause(s *ledger.Connection, x *exchange.Exchange, dir reassembly.Dir) string {
	c := s.Conn
	done := x.Outcome == exchange.Complete || x.Outcome == exchange.Upgraded
	switch {
	case x.Outcome == exchange.Incomplete || foreignReset(c, dir):
		return "" // nothing is known to have ended, or it was neither end's doing
	case dir == reassembly.FromClient || clientLeft(c, x):
		if done || x.Response == nil || x.Response.Facts.Has(exchange.Undelivered) {
			return "" // what kept the response from it has its own finding
		}
		return clientAbortCause
	case requestUnread(c, x):
		return unreadRequestCause
	case !done:
		return abortCause(c, x)
	case x.Request != nil && resetInFlight(s):
		return "linger-zero"
	}
	return ""
}

// abortCause is the cause of a RST by which the server ended x before it was done; "" if it did no
// harm.
func abortCause(c *reassembly.Conn, x *exchange.Exchange) string {
	h := &c.Half[reassembly.FromServer]
	unanswered, later := x.Response == nil, x.Index > 0 || c.MidStream
	switch {
	case unanswered && x.Index == 0 && c.MidStream && !h.RstActive:
		return "" // the socket had gone before: when, and why, the capture does not show
	case unanswered && later && !h.FinSeen && c.Half[reassembly.FromClient].Una <= x.Request.From:
		return "idle-reset"
	case h.FinSeen && h.Fin.Time <= h.Rst.Time:
		// closed in order, before the end or as the request came: the RST answers what came later
		return ""
	}
	return "server-abort"
}

// resetInFlight reports whether the server's program reset the connection with data on the way.
// What had not been acknowledged for as long as a retransmission timer would have been sent again:
// then the capture lacks the acknowledgment.
func resetInFlight(s *ledger.Connection) bool {
	h := &s.Conn.Half[reassembly.FromServer]
	return unacked(s) > 0 && h.RstActive && h.Rst.Time-h.LastData.Time < s.Timeout()
}

// clientLeft reports whether the client had closed before the server reset: the RST only says that
// nobody listens. A FIN may be that of a client which has only finished sending, but where messages
// are not visible, as in TLS, it is not known that it still waited for anything.
func clientLeft(c *reassembly.Conn, x *exchange.Exchange) bool {
	return ledger.Seen(c.FirstCloseAt) && c.FirstClose == reassembly.FromClient &&
		(c.ClosedByRST || x.Turn)
}

// requestUnread reports whether the server closed without having read the whole request, or with
// more in its socket.
func requestUnread(c *reassembly.Conn, x *exchange.Exchange) bool {
	if x.Request == nil || x.Response == nil || x.Turn {
		return false
	}
	if !x.Request.Complete {
		return true
	}
	// The rest of the request arrived, but after the server had answered and closed.
	closed := c.Half[reassembly.FromServer].Rst
	if h := &c.Half[reassembly.FromServer]; h.FinSeen && h.Fin.Time < closed.Time {
		closed = h.Fin
	}
	return x.Request.End.Time > closed.Time-c.Far(reassembly.FromServer) &&
		x.Request.End.Time > x.Response.Start.Time
}

// unacked is how many octets of the server's the client had not acknowledged when the connection
// ended, as far as the server could know when it sent its RST.
func unacked(s *ledger.Connection) int64 {
	c := s.Conn
	h := &c.Half[reassembly.FromServer]
	if h.Rst.Time-h.LastData.Time > s.Timeout() {
		return 0 // it would have been sent again: the capture lacks the acknowledgment
	}
	server := s.Sender(reassembly.FromServer)
	return max(0, server.SentTo()-server.AckedBy(h.Rst.Time-c.Far(reassembly.FromServer)))
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
	if risk := min(unacked(s), m.HeaderBytes+m.BodyBytes); risk > 0 {
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
	case foreignReset(c, dir):
		return rule.Shows(h.Rst, side, otherTTL, int64(h.RstTTL), int64(h.TTLMax))
	case h.RstActive:
		return rule.Shows(h.Rst, side, resetOfProgram)
	}
	return rule.Shows(h.Rst, side, resetOfClosedSocket)
}
