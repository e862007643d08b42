package connect

import (
	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

const (
	connectionRefusedRule = "connection-refused"
	refusedCause          = "refused"
	filteredCause         = "filtered"
	unheardCause          = "answers-lost"
	givenUpCause          = "given-up"
)

// ConnectionRefused is the rule about connections that never came about.
var ConnectionRefused = &rule.Detector{Rule: report.Rule{
	Name:  connectionRefusedRule,
	Title: "connection could not be set up",
	Doc: `What happens
Nobody listens on the port, and the server's kernel answers the SYN with a RST; or a router or
firewall says with ICMP that the host cannot be reached; or nothing answers at all, and the client
repeats its SYN until it gives up; or the answer comes, and the client has given up by then.

How it is recognised
refused: RST with ACK for the SYN. unreachable: ICMP destination unreachable for network or host.
filtered: ICMP that names a prohibition, or a port (a firewall's REJECT: a host that only has no
listener sends a RST); or three SYNs and more without any answer, or two if the client gave up then:
it did something else when a third would have been due (RFC 6298 section 5.5). answers-lost: three
SYNs and more, each answered, and the client heard of none of the answers. given-up: the client's
kernel answers a SYN-ACK with a bare RST, as the program has closed the socket, a tenth of a second
and more after the first SYN (RFC 8305 section 5: programs that try several addresses give each that
long).

A refusal after which the same client connects to the same port of another address within a second
is the ordinary trial of several addresses of one name, and only noted; so is one after which it
uses another port of that host at once, and one attempt of several that lost the race against
another. An IPv4 and an IPv6 address are the same client's if their SYNs show the same system as far
away. Four ports and more of one host that a client asks once each, all in vain, are only noted,
too: it looks what is there. Scans are counted, and not reported: more than 16 ports of one host, or
hosts on one port, that the same client asks in vain; hosts, three and more, that exchange nothing
with anybody and ask one host in vain on three ports and more, each of them at most twice.

How cost is counted
From the first SYN to the refusal, to the last SYN, until the client went on to another address, or
until it gave up: low where it tried another address, else its RST; nothing where that is not seen
of one attempt, but of others. Captured elsewhere than at the client, the way between the two
counts, where other connections of the same client and service show it. An attempt of a proxy costs
what its client waited until the next one, or for the answer. A single SYN that was given up for
another address costs at most the time until that was tried: it is part of no exchange.

When it is wrong
A client that waits for a service to start is refused until then, by design. A check that looks
whether somebody listens, and resets, looks like given-up if the path is long.`,
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
			Code:  givenUpCause,
			Title: "client gave up before the answer came",
			Side:  report.SideClient,
			Message: "The server accepted the connection, and the client had given it up by " +
				"then: it waits a shorter time than the path takes.",
			Remedies: []report.Remedy{
				{
					Side: report.SideClient,
					Text: "allow an attempt to connect longer than a round trip, a second at " +
						"least: the timeout for connecting, and what each of several addresses " +
						"is given before the next one is tried",
					Settings: []report.Setting{
						{
							Product: report.Node,
							Text: "net.setDefaultAutoSelectFamilyAttemptTimeout(2000), " +
								"--network-family-autoselection-attempt-timeout",
						},
						{
							Product: report.Curl,
							Text:    "--happy-eyeballs-timeout-ms, --connect-timeout",
						},
						{Product: report.Go, Text: "net.Dialer Timeout, FallbackDelay"},
						{Product: report.Java, Text: "HttpClient.Builder.connectTimeout"},
						{Product: report.DotNet, Text: "SocketsHttpHandler.ConnectTimeout"},
						{Product: report.Python, Text: "timeout=, happy_eyeballs_delay="},
					},
				},
				{
					Side: report.SideNetwork,
					Text: "if other attempts are answered sooner, find out what delays this one",
				},
			},
		},
		{
			Code:  unheardCause,
			Title: "answers to SYNs do not reach the client",
			Side:  report.SideNetwork,
			Message: "The server answered every SYN, and none of its answers reached the client: " +
				"the way back is filtered, or leads elsewhere.",
			Remedies: []report.Remedy{
				{
					Side: report.SideNetwork,
					Text: "look at the way back: asymmetric routes past a stateful firewall, a " +
						"wrong gateway or source address on the server, `rp_filter`, NAT that " +
						"knows one direction only",
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
	Rests:    rule.Connection,
	Attempts: true,
	Beside:   true,
	When:     rule.Attempted,
	Exchange: runRefused,
	Closed:   runSilent,
	Across: &rule.Comparison{
		Start: func() rule.Across { return &refusals{} },
		Wants: rule.Wants(rule.ExchangeBegan),
	},
	Vocabulary: words,
}

const (
	// silentSYNs is how many unanswered SYNs count as filtered: one may be lost, three seldom are.
	silentSYNs = 3
	// backoff is how much longer than for the one before a client waits for the answer to a SYN, at
	// most, in percent: twice as long (RFC 6298 §5.5), and a quarter more for a late timer.
	backoff = 250
)

// The numbers of a claim about an attempt.
const (
	refusalAnswer = iota // nanoseconds from the last SYN to the refusal
	refusalMark          // the mark of the client's host
	refusalLone          // 1: a single SYN without an answer, which proves nothing by itself
	// nanoseconds: when another SYN would have left at the latest; 0: not known
	refusalDue
	refusalNext // nanoseconds: likewise, whether the attempt had failed for sure or not; 0: not known
)

// runRefused looks at an attempt that never got as far as a connection.
func runRefused(p *rule.Pass) {
	c, x := p.Conn, p.Exchange
	if x.Attempt == nil || x.Attempt.Secure {
		return
	}
	cl := attemptClaim(c)
	switch x.Outcome {
	case exchange.Refused:
		describeRefusal(c, &cl)
	case exchange.Filtered:
		describeSilence(c, &cl)
	case exchange.Incomplete:
		describeSilence(c, &cl)
		n := len(c.SYNs) // two at least
		last := c.SYNs[n-1].Time
		cl.Num[refusalDue] = int64(last + (last-c.SYNs[n-2].Time)*backoff/100)
	case exchange.GivenUp:
		describeGivenUp(c, &cl)
	default:
		return
	}
	end := x.Attempt.Ended
	took := max(0, end.Time-cl.Occ.Start)
	cl.Occ.End = cl.Occ.Start + took
	cl.Occ.Cost = report.Cost{Low: took, Expected: took, High: took}
	cl.Num[refusalAnswer] = int64(end.Time - c.SYNs[len(c.SYNs)-1].Time)
	p.Report(cl)
}

// attemptClaim is a claim about an attempt of c, without its cause and end.
func attemptClaim(c *reassembly.Conn) rule.Claim {
	first := c.SYNs[0]
	cl := rule.Claim{
		Rule:       connectionRefusedRule,
		Confidence: report.Proven,
		Least:      report.Medium,
		Most:       rule.AtMost(report.High),
		Alone:      rule.AtMost(report.Medium),
		Referred:   true,
		Occ: rule.Occurrence{
			Start: first.Time,
			Proof: []rule.Evidence{rule.Shows(first, report.SideClient, asksForConnection)},
		},
	}
	cl.Num[refusalMark] = int64(ledger.HostMark(c))
	return cl
}

// runSilent looks at a connection that is no attempt that is known to have failed: a single SYN to
// which nothing answered. Beside other attempts of the client it may be part of their story.
func runSilent(p *rule.Pass) {
	c := p.Conn
	if c.ExchangeCount > 0 || len(c.SYNs) != 1 || c.State != reassembly.Connecting ||
		c.Half[reassembly.FromServer].Segments > 0 || len(c.Records) != 1 {
		return
	}
	cl := attemptClaim(c)
	cl.Cause, cl.Confidence, cl.Index = filteredCause, report.ConfidenceMedium, -1
	cl.Occ.Exchange, cl.Occ.End = -1, cl.Occ.Start
	cl.Num[refusalLone] = 1
	p.Report(cl)
}

// describeRefusal fills in who refused, and how.
func describeRefusal(c *reassembly.Conn, cl *rule.Claim) {
	o := &cl.Occ
	if down := &c.Half[reassembly.FromServer]; down.RstSeen {
		cl.Cause = refusedCause
		o.Proof = append(o.Proof, rule.Shows(down.Rst, report.SideServer, nobodyListens))
		return
	}
	i := &c.Refusal
	cl.Cause = icmpCause(i)
	cl.Says = []rule.Said{rule.Say(icmpSays, int64(i.Type), int64(i.Code))}
	o.Proof = append(o.Proof, rule.Shows(c.End, report.SideNetwork, icmpFrom).With(i.From.String()))
}

// describeSilence fills in how often the client asked in vain.
func describeSilence(c *reassembly.Conn, cl *rule.Claim) {
	first, last, n := c.SYNs[0], c.SYNs[len(c.SYNs)-1], int64(len(c.SYNs))
	cl.Cause, cl.Confidence = filteredCause, report.ConfidenceHigh
	cl.Says = []rule.Said{schedule(c.SYNs)}
	words := noAnswerAtAll
	if n > 1 {
		before := c.SYNs[n-2].Time
		cl.Num[refusalNext] = int64(last.Time + (last.Time-before)*backoff/100)
	}
	if n < silentSYNs {
		cl.Confidence = report.ConfidenceMedium // both may have been lost
	}
	if k := len(c.SYNACKs); k > 0 {
		cl.Cause, words = unheardCause, askedAgainAnyway
		cl.Occ.Proof = append(cl.Occ.Proof,
			rule.Shows(c.SYNACKs[0], report.SideServer, answersIt))
	}
	cl.Occ.Proof = append(cl.Occ.Proof,
		rule.Shows(last, report.SideClient, words, n, rule.Ns(last.Time-first.Time)))
}

// describeGivenUp fills in when the answer came, and that the client was gone.
func describeGivenUp(c *reassembly.Conn, cl *rule.Claim) {
	answer, rst := c.SYNACKs[0], c.Half[reassembly.FromClient].Rst
	cl.Cause, cl.Confidence = givenUpCause, report.ConfidenceMedium
	cl.Occ.Proof = append(cl.Occ.Proof,
		rule.Shows(answer, report.SideServer, acceptsAfter, rule.Ns(answer.Time-c.SYNs[0].Time)),
		rule.Shows(rst, report.SideClient, nobodyWaits))
}

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
