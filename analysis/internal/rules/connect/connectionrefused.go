package connect

import (
	"net/netip"
	"slices"
	"time"

	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

const (
	// silentSYNs is how many unanswered SYNs count as filtered: one may be lost, three seldom are.
	silentSYNs = 3
	// fallbackWithin is how soon a connection to another address on the same port follows a refusal
	// if the client had tried several addresses of one name (RFC 8305 asks for 250 ms between
	// attempts).
	fallbackWithin = time.Second
	// elsewhereWait is how long after a refusal the first request on such a connection is waited
	// for.
	elsewhereWait = 10 * time.Second
	maxRefusals   = 4096
	keptStarts    = 32
	// scanPorts is how many ports of one host may refuse before that is a scan and no attempt to
	// reach a service.
	scanPorts = 16
	// probePorts is how many ports of one host that each refused once are no services that anybody
	// relies on: somebody looks what is there.
	probePorts = 4
)

const (
	connectionRefusedRule = "connection-refused"
	refusedCause          = "refused"
	filteredCause         = "filtered"
)

// ConnectionRefused is the rule about connections that never came about.
var ConnectionRefused = &rule.Detector{Rule: report.Rule{
	Name:  connectionRefusedRule,
	Title: "connection could not be set up",
	Doc: `What happens
Nobody listens on the port, and the server's kernel answers the SYN with a RST; or a router or
firewall says with ICMP that the host cannot be reached; or nothing answers at all, and the client
repeats its SYN until it gives up.

How it is recognised
refused: RST with ACK for the SYN. unreachable: ICMP destination unreachable for network or host.
filtered: ICMP that names a prohibition, or a port (a firewall's REJECT: a host that only has no
listener sends a RST); or three SYNs and more without any answer. A refusal after which the same
client opens a connection to the same port of another address within a second is the ordinary trial
of several addresses of one name, and only noted. So are four ports and more of one host that a
client asks once each, all in vain: it looks what is there. More than 16 ports of one host that
refuse the same client are a scan, and not reported.

How cost is counted
From the first SYN to the refusal, or to the last SYN. Captured elsewhere than at the client, the
way between the two counts, where other connections of the same client and service show it.

When it is wrong
A client that waits for a service to start is refused until then, by design.`,
	Causes: []report.Cause{
		{
			Code:  refusedCause,
			Title: "connection refused",
			Side:  report.SideServer,
			Message: "The server's host answered the SYN with a reset: nothing listens on that " +
				"port.",
			Remedies: []report.Remedy{
				{
					Side: report.SideServer,
					Text: "start the service, or let it listen on this address and port (`ss " +
						"-ltn`); while restarting, hand the socket over (systemd socket " +
						"activation, SO_REUSEPORT)",
					Settings: []report.Setting{
						{Product: report.Nginx, Text: "-s reload"},
						{Product: report.Apache, Text: "apachectl graceful"},
						{Product: report.HAProxy, Text: "reload with expose-fd listeners"},
						{Product: report.Gunicorn, Text: "kill -HUP"},
						{Product: report.Caddy, Text: "reload"},
						{Product: report.Envoy, Text: "hot restart"},
					},
				},
				{
					Side: report.SideClient,
					Text: "check host and port; try again with a growing delay while the service " +
						"restarts",
				},
			},
		},
		{
			Code:    "unreachable",
			Title:   "server cannot be reached",
			Side:    report.SideNetwork,
			Message: "A router said by ICMP that the server's host or network cannot be reached.",
			Remedies: []report.Remedy{
				{
					Side: report.SideNetwork,
					Text: "look at routes and at the host itself; the ICMP comes from the router " +
						"that knows no way on",
				},
			},
		},
		{
			Code:    filteredCause,
			Title:   "connection attempts are filtered",
			Side:    report.SideNetwork,
			Message: "The SYNs were rejected by a firewall, or got no answer at all.",
			Remedies: []report.Remedy{
				{
					Side: report.SideNetwork,
					Text: "look at firewalls and security groups between the two; nft or " +
						"iptables rules that DROP or REJECT",
				},
				{
					Side: report.SideServer,
					Text: "look whether the host is up, and whether its queue of connections is " +
						"full (Linux: `nstat TcpExtListenDrops`)",
				},
			},
		},
	},
	References: []string{
		"RFC 9293 section 3.10.7.1", "RFC 1122 section 4.2.3.9", "RFC 8305 section 5",
	},
},
	Rests:  rule.Connection,
	Closed: runRefused,
	Across: &rule.Comparison{
		Start: func() rule.Across { return &refusals{} },
		Wants: rule.Wants(rule.ExchangeBegan),
	},
	Vocabulary: words,
}

// runRefused looks at a connection that was never set up.
func runRefused(p *rule.Pass) {
	c := p.Conn
	if c.ExchangeCount > 0 || len(c.SYNs) == 0 || len(c.SYNACKs) > 0 ||
		c.Half[reassembly.FromClient].Bytes > 0 {
		return
	}
	first, last := c.SYNs[0], c.SYNs[len(c.SYNs)-1]
	cl := rule.Claim{
		Rule:       connectionRefusedRule,
		Confidence: report.Proven,
		Index:      -1,
		Least:      report.Medium,
		Most:       rule.AtMost(report.High),
		Referred:   true,
		Occ: rule.Occurrence{
			Exchange: -1,
			Start:    first.Time,
			Proof:    []rule.Evidence{rule.Shows(first, report.SideClient, asksForConnection)},
		},
	}
	end, ok := describeRefusal(c, &cl)
	if !ok {
		return
	}
	took := max(0, end.Time-first.Time)
	cl.Occ.End = first.Time + took
	cl.Occ.Cost = report.Cost{Low: took, Expected: took, High: took}
	cl.Num[refusalAnswer] = int64(end.Time - last.Time)
	p.Report(cl)
}

// describeRefusal fills in how the attempt failed, and tells when that was certain; false if it did
// not fail.
func describeRefusal(c *reassembly.Conn, cl *rule.Claim) (capture.Mark, bool) {
	down, o := &c.Half[reassembly.FromServer], &cl.Occ
	switch {
	case c.State == reassembly.Refused && down.RstSeen:
		cl.Cause = refusedCause
		o.Proof = append(o.Proof, rule.Shows(down.Rst, report.SideServer, nobodyListens))
		return down.Rst, true
	case c.State == reassembly.Refused:
		i := &c.Refusal
		cl.Cause = icmpCause(i)
		cl.Says = []rule.Said{rule.Say(icmpSays, int64(i.Type), int64(i.Code))}
		o.Proof = append(o.Proof,
			rule.Shows(c.End, report.SideNetwork, icmpFrom).With(i.From.String()))
		return c.End, true
	case c.State == reassembly.Connecting && len(c.SYNs) >= silentSYNs && down.Segments == 0:
		first, last, n := c.SYNs[0], c.SYNs[len(c.SYNs)-1], int64(len(c.SYNs))
		cl.Cause, cl.Confidence = filteredCause, report.ConfidenceHigh
		cl.Says = []rule.Said{schedule(c.SYNs)}
		o.Proof = append(o.Proof, rule.Shows(last, report.SideClient, noAnswerAtAll,
			n, rule.Ns(last.Time-first.Time)))
		return last, true
	}
	return capture.Mark{}, false
}

// refusalAnswer is the number of a claim that says how long after the last SYN the refusal came.
const refusalAnswer = 0

// icmpCause tells an unreachable host from a prohibition by the code of a destination unreachable
// (RFC 792, RFC 1812 §5.2.7.1, RFC 4443 §3.1).
func icmpCause(i *capture.ICMPInfo) string {
	filtered := !i.V6 && (i.Code == 3 || i.Code == 9 || i.Code == 10 || i.Code == 13) ||
		i.V6 && (i.Code == 1 || i.Code == 4 || i.Code == 5 || i.Code == 6)
	if filtered {
		return filteredCause
	}
	return "unreachable"
}

// refusals holds attempts that failed until it is known whether the client had another address to
// try.
type refusals struct {
	waiting rule.Agenda[*refusal]
	ports   rule.PairTable[[]uint16]  // refused ports by client and host
	starts  rule.PairTable[[]started] // the latest connections by client and port
}

// refusal is an attempt that failed.
type refusal struct {
	rule.Referred
	end time.Duration
}

// started is a connection that came about.
type started struct {
	addr netip.Addr
	at   time.Duration
}

// Event takes note of a connection that came about.
func (r *refusals) Event(d rule.Desk, _ *rule.Conn, e *rule.Told) {
	if data := e.Began(); data.First && data.Handshake {
		r.start(data.Pair, data.ConnStart.Time)
	}
}

// Refer keeps an attempt that failed until it is known whether the client went elsewhere.
func (r *refusals) Refer(d rule.Desk, c rule.Referred) {
	end := c.Occ.End
	r.waiting.Add(max(c.At, end+elsewhereWait), &refusal{c, end})
	if r.waiting.Len() > maxRefusals {
		if w, ok := r.waiting.Next(); ok {
			r.book(d, w)
		}
	}
}

// Advance books the refusals that no request elsewhere can still explain.
func (r *refusals) Advance(d rule.Desk, now time.Duration) {
	for w, ok := r.waiting.Due(now); ok; w, ok = r.waiting.Due(now) {
		r.book(d, w)
	}
}

// Finish books what is left, and takes the weight from what looks for open ports.
func (r *refusals) Finish(d rule.Desk) {
	for w, ok := r.waiting.Next(); ok; w, ok = r.waiting.Next() {
		r.book(d, w)
	}
	r.ports.Each(func(host report.Pair, ports *[]uint16) { markProbes(d, host, *ports) })
}

// portOf is what attempts at several addresses of one name have in common.
func portOf(p report.Pair) report.Pair {
	return report.Pair{Client: p.Client, Server: netip.AddrPortFrom(netip.Addr{}, p.Server.Port())}
}

// start takes note of a connection that came about.
func (r *refusals) start(p report.Pair, at time.Duration) {
	if s := r.starts.Of(portOf(p), at); s != nil {
		*s = appendLatest(*s, started{p.Server.Addr(), at}, keptStarts)
	}
}

// elsewhere reports whether the client reached another address on the same port right after the
// refusal.
func (r *refusals) elsewhere(w *refusal) bool {
	s := r.starts.Has(portOf(w.Pair))
	if s == nil {
		return false
	}
	for _, c := range *s {
		if c.addr != w.Pair.Server.Addr() && c.at >= w.Occ.Start &&
			c.at-w.end <= fallbackWithin {
			return true
		}
	}
	return false
}

// markProbes takes the weight from refusals of a host that a client asked once on each of several
// ports, all in vain.
func markProbes(d rule.Desk, host report.Pair, ports []uint16) {
	var probes []rule.Found
	for _, port := range ports {
		p := report.Pair{Client: host.Client, Server: netip.AddrPortFrom(host.Server.Addr(), port)}
		for _, cause := range [...]string{refusedCause, filteredCause} {
			if f := d.Found(connectionRefusedRule, cause, p); f != nil && f.Count() == 1 &&
				!knownPair(d, p) {
				probes = append(probes, f)
			}
		}
	}
	if len(probes) < probePorts {
		return
	}
	for _, f := range probes {
		f.Grade(report.Info, report.Info)
		f.Further(rule.Say(manyPortsAsked))
	}
}

// book books an attempt, unless it is one of a scan.
func (r *refusals) book(d rule.Desk, w *refusal) {
	p := w.Pair
	host := report.Pair{Client: p.Client, Server: netip.AddrPortFrom(p.Server.Addr(), 0)}
	ports := r.ports.Of(host, w.end)
	if ports == nil || !seenPort(ports, p.Server.Port()) {
		return
	}
	all, known := d.Pair(p)
	switch {
	case r.elsewhere(w):
		w.Least, w.Most = report.Info, rule.AtMost(report.Info)
		w.Says = []rule.Said{rule.Say(wentElsewhere)}
	case !known && d.Found(w.Rule, w.Cause, p) != nil:
		w.Least = report.High // again and again, and never served
	}
	answer := time.Duration(w.Num[refusalAnswer])
	if known && w.Cause == refusedCause && all.Rtt > answer {
		far := all.Rtt - answer // the client waits a round trip for the RST
		w.Occ.Cost = w.Occ.Cost.Add(report.Cost{Low: 0, Expected: far, High: far})
	}
	d.Book(w.Subject, &w.Claim)
}

// seenPort notes a port, and reports whether it is among the first scanPorts.
func seenPort(ports *[]uint16, port uint16) bool {
	if slices.Contains(*ports, port) {
		return true
	}
	if len(*ports) >= scanPorts {
		return false
	}
	*ports = append(*ports, port)
	return true
}
