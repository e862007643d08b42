package connect

import (
	"cmp"
	"slices"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

const (
	tlsHandshakeRule = "tls-handshake"
	unansweredCause  = "unanswered"
	helloLostCause   = "hello-lost"
	brokenOffCause   = "broken-off"
	notTLSCause      = "not-tls"
	swallowedCopies  = 3 // chance loses three in a row once in a million at 1 %
)

// TLSHandshake is the rule about TLS handshakes that take longer than they need, or do not come to
// their end.
var TLSHandshake = &rule.Detector{Rule: report.Rule{
	Name:  tlsHandshakeRule,
	Title: "TLS handshake slow or failed",
	Doc: `What happens
Before a request can be sent with TLS, both sides shake hands: that takes one round trip (RFC 8446
section 2), two up to TLS 1.2 unless a session is resumed (RFC 5246 section 7.3), and work on both
sides. It takes longer than it needs, or does not come to its end: nobody answers, the first octets
never arrive, or one side breaks it off without saying why. Where a side says why, by an alert, it
is tls-alert.

How it is recognised
Of handshakes that come to their end only those count that a request waited for, on connections that
had to be opened (else it is missed-reuse, but where its program runs anew for each request). old-
version: the server chose TLS 1.2 or older though the client offers 1.3, nothing was resumed, and
the request came behind the server's Finished. hello-retry: a HelloRetryRequest. not-resumed: a
whole handshake, though the same client program (suites and extensions of its hello) had got a
session for the same name within five minutes; it offered one, and the server would not have it, or
it never offers any, three times. flight-size: the rest of what the server says was released by the
client's acknowledgment of the first part. early-data-rejected: 0-RTT data was sent, and the client
says it again: the server's extensions say so, or its session is not resumed, or the client does not
end the early data. client-stall and server-stall: a side had all that it needed and went on late,
by 10 ms and more, and three times what half of its other handshakes of the kind take; where fewer
than three others are known, or those are as slow, by 100 ms. What the acknowledgment of the other
side's word was late by is the path's. Not a server whose SYN-ACK was late as well, nor a client
that ended its work on another handshake meanwhile. unanswered: everything that the client sent was
acknowledged, the server was to act next (it had said nothing, or stopped in the middle of its
flight, or got the client's answer to that), and did not, and the client left after a second or
more, and three round trips. In TLS 1.3, where the client may ask before it has heard anything of
its Finished, a first request in vain of which a server says nothing at all, not even the tickets
that most send at once. A handshake that nobody ends counts if the server had been silent for ten
seconds when the client did something last, there or elsewhere. hello-lost: the ClientHello was sent
three times and more and never acknowledged, though TCP's handshake had got through, on two
connections and more of the client to the service, and on none was anything answered; where only its
full segments are lost, it is path-mtu. not-tls: the first octets that the server sends are none of
TLS. broken-off: a FIN or RST of the server in answer to the ClientHello, or of either side before
both had finished. If a server ended it that had waited as long for the client to go on, it is the
client's. No finding, and no failure: a client drops a handshake within 20 ms of all connections
that it used beside it, with nothing going on there, after one of them had answered it since that
handshake began: a program ended that had what it wanted.

How cost is counted
old-version, hello-retry, and not-resumed up to TLS 1.2: the least round trip of the connection;
high is what passed until the next step. In TLS 1.3 a resumed handshake saves no round trip: only
the certificate and the signature, and so no time is claimed; where a client never offers any, low
is nothing. early-data-rejected: a round trip against early data that is taken, low is nothing, as
it took no longer than without. flight-size: the waits that windows from 32 segments on spare.
Stalls: what is beyond the usual; low is what is beyond the slowest other one. Of one that failed:
from the ClientHello to the end of the attempt; a repetition that works is not taken off.

When it is wrong
Whoever terminates TLS may stand before the server, and a firewall may reset in its name (a RST with
another TTL is called the network's). Health checks that only look for a ServerHello break off by
design. A client that leaves sooner than in a second may just have changed its mind: that is listed
as an exchange, and is no finding. A client that gives up a request and ends, right after others were
answered, looks like one that had what it wanted; without keys no end of a request is sure, and
handshakes that nobody needed count as failed. Hosts behind one address that run the same program look like one
client: such a one that offers a session now and then is believed to offer all that it has. A client
that asks its user, for a certificate say, takes as long as the user. Where TLS is passed on to
another server by its name, the way to that is the server's own time.`,
	Causes: append(slowTLSCauses(), []report.Cause{
		{
			Code:  unansweredCause,
			Title: "TLS handshake never answered",
			Side:  report.SideServer,
			Message: "What the client had sent of the TLS handshake arrived, and the server did " +
				"not go on with it.",
			Remedies: []report.Remedy{
				{
					Side: report.SideServer,
					Text: "look at what terminates TLS on this port: whether it hangs, has no " +
						"worker free, waits for a PROXY protocol header or for a backend before " +
						"it answers, or expects no TLS at all",
				},
				{
					Side: report.SideNetwork,
					Text: "look at boxes on the way that inspect TLS: they take the connection " +
						"and wait for the server behind them",
				},
			},
		},
		{
			Code:  helloLostCause,
			Title: "ClientHello never arrives",
			Side:  report.SideNetwork,
			Message: "The client connected, and its ClientHello never arrived, however often it " +
				"was sent: something on the way lets TCP pass and swallows it.",
			Remedies: []report.Remedy{
				{
					Side: report.SideNetwork,
					Text: "look at firewalls and boxes that inspect TLS on the way: some drop " +
						"hellos that name a host, that are longer than a segment (post-quantum " +
						"key shares), or that they cannot read",
				},
				{
					Side: report.SideClient,
					Text: "to find out which, try another name (SNI), TLS 1.2, or classic key " +
						"shares: `openssl s_client -servername NAME -groups X25519`",
				},
			},
		},
		{
			Code:  notTLSCause,
			Title: "TLS spoken to something else",
			Side:  report.SideUnknown,
			Message: "The client began a TLS handshake, and what answered does not speak TLS on " +
				"this port.",
			Remedies: []report.Remedy{
				{
					Side: report.SideClient,
					Text: "use http:// for this port, or the port that speaks TLS; look at the " +
						"proxy's address: a proxy is mostly asked in clear, also for https",
				},
				{
					Side:     report.SideServer,
					Text:     "switch TLS on for this port",
					Settings: []report.Setting{{Product: report.Nginx, Text: "listen 443 ssl"}},
				},
			},
		},
		{
			Code:  brokenOffCause,
			Title: "TLS handshake broken off",
			Side:  report.SideUnknown,
			Message: "One side ended the TLS handshake before it was complete, and did not say " +
				"why.",
			Remedies: []report.Remedy{
				{
					Side: report.SideServer,
					Text: "look at the log of what terminates TLS: no certificate for this name " +
						"(SNI), a limit of connections, a PROXY protocol header expected, a " +
						"process that died",
				},
				{
					Side: report.SideClient,
					Text: "look at the client's log: some TLS libraries close without an alert " +
						"if they do not accept the server's certificate",
				},
				{
					Side: report.SideNetwork,
					Text: "if the RST is not the server's: look at firewalls that filter by the " +
						"name in the ClientHello",
				},
			},
		},
	}...),
	References: []string{
		"RFC 8446 section 2", "RFC 8446 section 4.1.4", "RFC 8446 section 4.2.10",
		"RFC 8446 section 6", "RFC 5246 section 7.3", "RFC 5077", "RFC 6066 section 3", "RFC 8470",
	},
},
	Rests:      rule.Connection,
	Makes:      rule.LostHello | rule.SlowHandshake,
	Attempts:   true,
	Beside:     true,
	When:       rule.Secured,
	Exchange:   runTLSHandshake,
	Across:     failedTLS,
	Vocabulary: tlsWords,
}

// runTLSHandshake looks at a TLS handshake that took longer than it needs, or did not come to its
// end.
func runTLSHandshake(p *rule.Pass) {
	c, a := p.Conn, p.Exchange.Attempt
	if a == nil {
		runSlowTLS(p)
	}
	inVain := a == nil && ledger.FinishUnanswered(&p.State.Connection, p.Exchange)
	if !inVain && (a == nil || !a.Secure) || !ledger.Whole(c) || spokeUnseen(c) ||
		claimsHave(p, rule.LostSize) {
		return
	}
	if _, alert := ledger.AlertEnded(c, p.Exchange); alert != nil {
		return
	}
	h := &handshake{p: p, c: c, up: &c.Half[reassembly.FromClient]}
	h.down = &c.Half[reassembly.FromServer]
	h.first = firstOf(c, reassembly.FromClient)
	if !ledger.Seen(h.first) {
		return
	}
	if inVain {
		h.finishUnanswered()
		return
	}
	for _, try := range []func() bool{h.swallowed, h.foreign, h.unanswered, h.brokenOff} {
		if try() {
			return
		}
	}
}

// spokeUnseen reports whether the server said what the capture lacks: a later segment of it stands
// behind that, or the client has some of it.
func spokeUnseen(c *reassembly.Conn) bool {
	end := c.Half[reassembly.FromServer].Frontier
	for i := range c.Records {
		r := &c.Records[i]
		switch {
		case r.Trait.Has(reassembly.Wild) || r.Flags.Has(capture.RST):
		case r.Dir == reassembly.FromServer && r.Seq > end,
			r.Dir == reassembly.FromClient && int64(r.SACK) > 0 && r.Ack+int64(r.SACK) > end:
			return true
		}
	}
	return false
}

// claimsHave reports whether a claim of that kind has been made about the exchange.
func claimsHave(p *rule.Pass, k rule.Kinds) bool {
	for i := range p.Draft.Claims {
		if p.Draft.Claims[i].Kind.Has(k) {
			return true
		}
	}
	return false
}

// firstOf is the first segment with data of dir; no frame if there is none.
func firstOf(c *reassembly.Conn, dir reassembly.Dir) capture.Mark {
	for i := range c.Records {
		if r := &c.Records[i]; r.Dir == dir && r.Len > 0 {
			return r.Mark()
		}
	}
	return capture.Mark{}
}

// handshake is the look at one that did not come to its end.
type handshake struct {
	p        *rule.Pass
	c        *reassembly.Conn
	up, down *reassembly.Half
	first    capture.Mark // of the ClientHello
}

// report reports what became of it, with the proof behind the ClientHello.
func (h *handshake) report(cl rule.Claim, proof ...rule.Evidence) {
	end := max(h.p.Draft.Until, h.first.Time)
	took := end - h.first.Time
	cl.Rule, cl.Referred = tlsHandshakeRule, true
	cl.Least = report.Medium
	if cl.Most == 0 {
		cl.Most = rule.AtMost(report.High)
	}
	hello := rule.Shows(h.first, report.SideClient, clientHello)
	if name := h.p.Exchange.Host; name != "" {
		hello = rule.Shows(h.first, report.SideClient, clientHelloFor).With(name)
	}
	cl.Occ = rule.Occurrence{
		Start: h.first.Time,
		End:   end,
		Cost:  report.Cost{Low: took, Expected: took, High: took},
		Proof: append([]rule.Evidence{hello}, proof...),
	}
	h.p.Report(cl)
}

// swallowed: the ClientHello, or a part of it, never arrived.
func (h *handshake) swallowed() bool {
	if h.down.Bytes > 0 || !ledger.Outstanding(h.up) || h.answeredByReset() {
		return false
	}
	var last capture.Mark
	n := int64(0)
	for i := range h.c.Records {
		r := &h.c.Records[i]
		if r.Dir == reassembly.FromClient && r.Len > 0 && r.Seq <= h.up.Una && r.End() > h.up.Una {
			last, n = r.Mark(), n+1
		}
	}
	if n < swallowedCopies {
		return true // what was outstanding at the end had no chance to arrive
	}
	h.report(rule.Claim{
		Cause:      helloLostCause,
		Kind:       rule.LostHello,
		Confidence: report.ConfidenceHigh,
	}, rule.Shows(last, report.SideClient, lastHello, n, rule.Ns(last.Time-h.first.Time)))
	return true
}

// answeredByReset reports whether a RST of the server answers a copy of the ClientHello, which it
// need not acknowledge.
func (h *handshake) answeredByReset() bool {
	rst := h.c.Half[reassembly.FromServer].Rst
	return h.c.FirstClose == reassembly.FromServer && h.c.ClosedByRST && rst.Time >= h.first.Time &&
		h.c.Half[reassembly.FromClient].Retrans < swallowedCopies
}

// foreign: what the server says is none of TLS.
func (h *handshake) foreign() bool {
	if !h.c.TLS.Foreign {
		return false
	}
	h.report(rule.Claim{Cause: notTLSCause, Confidence: report.ConfidenceHigh},
		rule.Shows(firstOf(h.c, reassembly.FromServer), report.SideServer, noRecord))
	return true
}

// unanswered: what the client had sent arrived, and the server did not go on, until the client lost
// patience or the capture ended.
func (h *handshake) unanswered() bool {
	c, left := h.c, h.c.FirstCloseAt
	next, last := ledger.NextInTLS(c)
	if next != reassembly.FromServer || last == nil {
		return false
	}
	arrived := h.arrived(last)
	if !ledger.Seen(left) {
		if ledger.Seen(arrived) {
			h.pending(arrived, last)
		}
		return true
	}
	if c.FirstClose != reassembly.FromClient {
		return false
	}
	if left.Time-last.Time < ledger.Silence(c) || !ledger.Seen(arrived) ||
		arrived.Time > left.Time {
		return true // it may have changed its mind, or what it said was lost
	}
	h.report(
		rule.Claim{
			Cause:      unansweredCause,
			Confidence: report.ConfidenceHigh,
			Says: append(h.step(last),
				rule.Say(clientWaited, rule.Ns(left.Time-last.Time))),
		},
		h.answers(last, rule.Shows(arrived, report.SideServer, helloArrived),
			rule.Shows(left, report.SideClient, clientLeaves, rule.Ns(left.Time-h.first.Time)))...)
	return true
}

// arrived is the first segment by which the server acknowledges all that the client had sent when
// the handshake last went on; no frame if there is none.
func (h *handshake) arrived(last *reassembly.Record) capture.Mark {
	sent := int64(0)
	for i := range h.c.Records {
		if r := &h.c.Records[i]; r.Dir == reassembly.FromClient && r.Time <= last.Time &&
			r.Len > 0 {
			sent = max(sent, r.End())
		}
	}
	for i := range h.c.Records {
		r := &h.c.Records[i]
		if r.Dir == reassembly.FromServer && r.Flags.Has(capture.ACK) && r.Ack >= sent {
			return r.Mark()
		}
	}
	return capture.Mark{}
}

// step says how far the handshake had come when the server stopped.
func (h *handshake) step(last *reassembly.Record) []rule.Said {
	switch {
	case h.down.Bytes == 0:
		return []rule.Said{rule.Say(stopsAtHello)}
	case last.Dir == reassembly.FromServer:
		return []rule.Said{rule.Say(stopsInFlight)}
	}
	return []rule.Said{rule.Say(stopsAtFinish)}
}

// answers are frames of the proof, with the beginning of what the server did say and the latest
// step of the handshake, in the order of time.
func (h *handshake) answers(last *reassembly.Record, proof ...rule.Evidence) []rule.Evidence {
	came := firstOf(h.c, reassembly.FromServer)
	if ledger.Seen(came) {
		proof = append(proof, rule.Shows(came, report.SideServer, serverHello))
	}
	if last != nil && last.Frame != h.first.Frame && last.Frame != came.Frame {
		proof = append(proof, rule.Shows(last.Mark(), rule.SideOf(last.Dir), latestStep))
	}
	slices.SortStableFunc(proof, func(a, b rule.Evidence) int {
		return cmp.Or(cmp.Compare(a.Mark.Time, b.Mark.Time),
			cmp.Compare(a.Mark.Frame.Number(), b.Mark.Frame.Number()))
	})
	return proof
}

// pending refers a handshake that nobody has ended: for how long the server had not gone on with it
// shows when the capture ends.
func (h *handshake) pending(arrived capture.Mark, last *reassembly.Record) {
	h.report(rule.Claim{
		Cause:      unansweredCause,
		Confidence: report.ConfidenceMedium,
		Most:       rule.AtMost(report.Medium),
		Num:        [rule.Numbers]int64{tlsSince: rule.Ns(last.Time), tlsPending: 1},
		Says:       h.step(last),
	}, h.answers(last, rule.Shows(arrived, report.SideServer, helloArrived))...)
}

// finishUnanswered: the client was done with the handshake, asked, and heard nothing.
func (h *handshake) finishUnanswered() {
	l, _ := ledger.Left(&h.p.State.Connection, h.p.Exchange)
	h.report(
		rule.Claim{
			Cause:      unansweredCause,
			Confidence: report.ConfidenceMedium,
			Says:       []rule.Said{rule.Say(stopsAtRequest, rule.Ns(l.After))},
		},
		h.answers(nil,
			rule.Shows(h.p.Exchange.Request.End, report.SideClient, askedInVain),
			rule.Shows(l.At, report.SideClient, clientLeaves, rule.Ns(l.At.Time-h.first.Time)))...)
}

// brokenOff: one side closed before both had finished.
func (h *handshake) brokenOff() bool {
	c, end := h.c, h.c.FirstCloseAt
	if !ledger.Seen(end) {
		return false
	}
	side := rule.SideOf(c.FirstClose)
	cl := rule.Claim{Cause: brokenOffCause, Confidence: report.ConfidenceHigh, Side: side}
	words := closesInMiddle
	switch {
	case c.ClosedByRST && ledger.OtherHostReset(c, c.FirstClose):
		words, cl.Side = otherResets, report.SideNetwork
	case c.ClosedByRST:
		words = resetsInMiddle
	}
	next, last := ledger.NextInTLS(c)
	waited := last != nil && next == reassembly.FromClient &&
		c.FirstClose == reassembly.FromServer && end.Time-last.Time >= ledger.Silence(c)
	if c.FirstClose == reassembly.FromClient || waited {
		cl.Confidence = report.ConfidenceMedium
		cl.Most = rule.AtMost(report.Medium)
	}
	if waited {
		cl.Side = report.SideClient
		cl.Says = []rule.Said{rule.Say(clientStops, rule.Ns(end.Time-last.Time))}
	}
	var proof []rule.Evidence
	if came := firstOf(c, reassembly.FromServer); ledger.Seen(came) {
		proof = append(proof, rule.Shows(came, report.SideServer, serverHello))
	}
	h.report(cl, append(proof, rule.Shows(end, side, words, rule.Ns(end.Time-h.first.Time)))...)
	return true
}
