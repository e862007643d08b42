package ending

import (
	"fmt"
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
)

var ResetAfterData = &rule.Detector{
	Name:  "reset-after-data",
	Rests: rule.Content,
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
			Code:  "unread-request-data",
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
			Code:    "client-abort",
			Title:   "client gave up before it had a response",
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
			Title: "server reset the connection in the middle of a response",
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
			Code:  "injected",
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
	Closed:     runReset,
}

// runReset looks at the RST that ended the connection, if one did.
func runReset(p *rule.Pass) {
	reportFate(p, "reset-after-data")
	if cl, ok := abandoned(p); ok {
		p.Report(cl)
		return
	}
	c, x := p.Conn, p.State.Last
	dir, ok := firstReset(c)
	if !ok || x == nil || unsureOfEnd(c, x) || p.State.Ending.Failed != nil ||
		c.State == reassembly.Refused || !ledger.Asks(c) || x.Start().Time > c.Half[dir].Rst.Time {
		return
	}
	cause := resetCause(c, &p.State.Connection, x, dir)
	if cause == "" {
		return
	}
	cl := rule.Claim{
		Rule:        "reset-after-data",
		Cause:       cause,
		Index:       x.Index,
		Confidence:  report.ConfidenceHigh,
		Correctness: true,
	}
	cl.Occ = rule.Occurrence{Start: x.Start().Time}
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
	cause := resetCause(v.c, &v.p.State.Connection, v.x, dir)
	if cause == "" {
		return false
	}
	v.be("reset-after-data", cause, report.ConfidenceHigh)
	v.until(max(rst, v.claim.Occ.End))
	if cause == "client-abort" {
		v.claim.Correctness, v.claim.Unsafe, v.claim.Failure = false, false, nil
		v.claim.Occ.Cost = report.Cost{} // the client no longer wanted it
	}
	describeReset(&v.p.State.Connection, v.claim, v.x, dir)
	return true
}

// unsureOfEnd reports whether the response may have been complete for all that the capture shows:
// it lacks octets of the server, and with those, as far as acknowledgments and the RST count, there
// may have been enough.
func unsureOfEnd(c *reassembly.Conn, x *reassembly.Exchange) bool {
	h := &c.Half[reassembly.FromServer]
	if !ledger.Lacks(c, h) {
		return false
	}
	m := x.Response
	if m == nil || m.Framing != reassembly.ByLength || !ledger.Seen(m.HeaderEnd) ||
		m.Facts&(reassembly.Resynced|reassembly.LengthConflict) != 0 {
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
	late, _ := v.knew(rst)
	return v.x.Response == nil && late <= v.c.RTTMin()+reactionTime
}

// describeReset fills in what does not depend on who is to blame.
func describeReset(s *ledger.Connection, cl *rule.Claim, x *reassembly.Exchange,
	dir reassembly.Dir) {
	rst := s.Conn.Half[dir].Rst
	lost, risk := endangered(s, x)
	cl.Text = lossText(lost, risk)
	cl.Occ.End = max(rst.Time, cl.Occ.Start)
	cl.Occ.Evidence = resetEvidence(s.Conn, x, dir)
	if cl.Cause != "unread-request-data" {
		return
	}
	cl.Confidence = report.Proven
	if closedWith(s, x, rst.Time) {
		cl.Correctness, cl.Unsafe, cl.Failure = false, false, nil
		cl.Least, cl.Most = report.Info, rule.AtMost(report.Info)
		cl.Text = "The client had the whole response, and closed before the reset came."
		return
	}
	known := rst.Time - s.Conn.Far(reassembly.FromServer)
	if m := x.Response; m.Complete &&
		s.Sender(reassembly.FromServer).AckedBy(known-timeToRead) >= m.To {
		cl.Correctness, cl.Unsafe, cl.Failure = false, false, nil
		cl.Least, cl.Most = report.Medium, rule.AtMost(report.Medium)
		cl.Text = "The client had the whole response for a while when the reset came: only one " +
			"that reads nothing before it has sent all of its request lost it."
	}
}

// closedWith reports whether the client closed with the whole response at hand, before it could
// know of a RST of the given moment.
func closedWith(s *ledger.Connection, x *reassembly.Exchange, rst time.Duration) bool {
	m, up, far := x.Response, &s.Conn.Half[reassembly.FromClient], s.Conn.Far(reassembly.FromClient)
	return m.Complete && up.FinSeen && up.Fin.Time >= m.End.Time+far*9/10 &&
		up.Fin.Time < rst+far*9/10
}

// timeToRead is how long after its acknowledgment a program that waits for the response has surely
// read it.
const timeToRead = 100 * time.Millisecond

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
func resetCause(c *reassembly.Conn, s *ledger.Connection, x *reassembly.Exchange,
	dir reassembly.Dir) string {
	done := x.Outcome == reassembly.Complete || x.Outcome == reassembly.Upgraded
	answered := x.Response != nil
	switch {
	case x.Outcome == reassembly.Incomplete:
		return ""
	case foreignReset(c, dir):
		return "" // neither end's doing
	case dir == reassembly.FromClient:
		if done || !answered {
			return ""
		}
		return "client-abort"
	case clientLeft(c, x):
		if done || !answered {
			return ""
		}
		return "client-abort"
	case requestUnread(c, x):
		return "unread-request-data"
	case done:
		// What had not been acknowledged for as long as a retransmission timer would have been sent
		// again: the capture lacks the acknowledgment.
		if h := &c.Half[dir]; x.Request != nil && unacked(s) > 0 && h.RstActive &&
			h.Rst.Time-h.LastData.Time < s.Timeout() {
			return "linger-zero"
		}
		return ""
	case !answered && x.Index == 0 && c.MidStream && !c.Half[dir].RstActive:
		return "" // the socket had gone before: when, and why, the capture does not show
	case !answered && (x.Index > 0 || c.MidStream) && !c.Half[dir].FinSeen && c.Half[reassembly.FromClient].Una <= x.Request.From:
		return "idle-reset"
	case c.Half[dir].FinSeen && c.Half[dir].Fin.Time <= c.Half[dir].Rst.Time:
		// closed in order, before the end or as the request came: the RST answers what came later
		return ""
	}
	return "server-abort"
}

// clientLeft reports whether the client had closed before the server reset: the RST only says that
// nobody listens. A FIN may be that of a client which has only finished sending, but where messages
// are not visible, as in TLS, it is not known that it still waited for anything.
func clientLeft(c *reassembly.Conn, x *reassembly.Exchange) bool {
	return ledger.Seen(c.FirstCloseAt) && c.FirstClose == reassembly.FromClient &&
		(c.ClosedByRST || x.Turn)
}

// requestUnread reports whether the server closed without having read the whole request, or with
// more in its socket.
func requestUnread(c *reassembly.Conn, x *reassembly.Exchange) bool {
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

// endangered is how many octets of the response certainly never arrived, and how many may not have
// been read.
func endangered(s *ledger.Connection, x *reassembly.Exchange) (lost, risk int64) {
	if x.Response == nil {
		return 0, 0
	}
	m := x.Response
	if m.Framing == reassembly.ByLength && m.BodyBytes < m.Length {
		lost = m.Length - m.BodyBytes
	}
	return lost, min(unacked(s), m.HeaderBytes+m.BodyBytes)
}

// lossText says what was lost.
func lossText(lost, risk int64) string {
	switch {
	case lost > 0:
		return fmt.Sprintf("%d octets of the response never came.", lost)
	case risk > 0:
		return fmt.Sprintf(
			"%d octets of the response were not acknowledged when the reset was sent.", risk)
	}
	return ""
}

// resetEvidence shows the request, the response so far, and the RST.
func resetEvidence(c *reassembly.Conn, x *reassembly.Exchange,
	dir reassembly.Dir) []report.Evidence {
	var out []report.Evidence
	if m := x.Request; m != nil {
		text := "begins"
		if m.Length >= 0 && !x.Turn {
			text = fmt.Sprintf("%d octets announced, %d sent before the end", m.Length, m.BodyBytes)
		}
		out = append(out, rule.At(m.Start, "request", report.SideClient, text))
	}
	if m := x.Response; m != nil {
		text := fmt.Sprintf("%d octets of body", m.BodyBytes)
		if m.Length >= 0 && !x.Turn {
			text = fmt.Sprintf("%d of %d octets of body", m.BodyBytes, m.Length)
		}
		out = append(out, rule.At(m.End, "response", report.SideServer, text))
	}
	if h := &c.Half[dir]; h.FinSeen && h.Fin.Time <= h.Rst.Time {
		out = append(out, rule.At(h.Fin, "FIN", rule.SideOf(dir), "closes"))
	}
	kind := "answers a segment for a closed socket"
	switch {
	case foreignReset(c, dir):
		kind = fmt.Sprintf("TTL %d, where its sender's segments have %d", c.Half[dir].RstTTL,
			c.Half[dir].TTLMax)
	case c.Half[dir].RstActive:
		kind = "with ACK: the program aborted the connection"
	}
	return append(out, rule.At(c.Half[dir].Rst, "RST", rule.SideOf(dir), kind))
}
