package connect

import (
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

const (
	synRetransmissionRule = "syn-retransmission"
	networkCause          = "network"
	overflowCause         = "backlog-overflow"
	unknownCause          = "unknown"
	lateCause             = "late"
)

const (
	// clusterSpan is how close in time connections must fail to be set up to count as one overflow.
	clusterSpan = time.Second
	// clusterSize is how many make a cluster: at 2 % loss, three SYNs of one second are lost
	// together once in 10^5.
	clusterSize = 3
)

// SynRetransmission is the rule about SYNs that had to be repeated.
var SynRetransmission = &rule.Detector{Rule: report.Rule{
	Name:  synRetransmissionRule,
	Title: "SYN had to be repeated",
	Doc: `What happens
A SYN or its answer is lost, or the server drops the SYN because its queues are full. The client
waits for a timer: a second at first. Linux since 6.5 repeats the first four times a second apart
(net.ipv4.tcp_syn_linear_timeouts), older Linux and others double the wait each time (1, 3, 7, 15 s
after the first; RFC 6298 section 5.7).

How it is recognised
Two or more SYNs of one connection before the answer that led to a connection. Or one SYN, whose
handshake the client could complete, and first data that the server's host gets three times and does
not acknowledge. network: a SYN-ACK passed the capture, and the client repeated its SYN as if it had
not come, or the server its SYN-ACK, and only that one was answered. late: the SYN-ACK had been sent long
before it came, by its timestamp and the next; or the client's ACK answers the first SYN-ACK, by the
timestamp that it echoes, or because it came sooner than a round trip after the repeated one: nothing
was lost. backlog-overflow: captured at
the server, the SYN arrived and was not answered; or three and more connections to the same server
failed so, or had their first data go unanswered so, within a second while the server answered
others; or had one copy of their first data go unanswered, and they were three in ten of all that
began within that second. What failed at the same time, however long, counts together; a copy that
was not needed, as timestamps or D-SACK tell, was no failure: its acknowledgment was late. unknown: one
SYN, captured elsewhere: it may have been lost on the way or dropped by the
server. A port on which nobody listens belongs to connection-refused, a SYN that meets TIME_WAIT to
port-exhaustion.

How cost is counted
From the first SYN to the one that was answered, if a request waited for the connection; nothing for
one opened in advance.

When it is wrong
A firewall of the server's host that limits new connections looks like an overflow.`,
	Causes: []report.Cause{
		{
			Code:  networkCause,
			Title: "handshake lost on the way",
			Side:  report.SideNetwork,
			Message: "The server's SYN-ACK was lost on the way to the client, and the handshake " +
				"waited for a timer.",
			Remedies: []report.Remedy{
				{
					Side: report.SideNetwork,
					Text: "look for loss between the capture and the client",
				},
				{
					Side: report.SideClient,
					Text: "open fewer connections: keep them and use them again",
				},
			},
		},
		{
			Code:  overflowCause,
			Title: "server's queue of connections overflowed",
			Side:  report.SideServer,
			Message: "The server's queue of connections was full, and its kernel dropped what " +
				"reached it.",
			Remedies: []report.Remedy{
				{
					Side:     report.SideServer,
					Text:     "accept faster, or give the queue more room: listen() backlog",
					Settings: report.BacklogSettings(),
					After: "on Linux net.core.somaxconn, net.ipv4.tcp_max_syn_backlog; `nstat " +
						"TcpExtListenDrops` counts",
				},
				{
					Side: report.SideClient,
					Text: "open fewer connections at once: a pool with a limit",
				},
			},
		},
		{
			Code:  lateCause,
			Title: "SYN-ACK came late",
			Side:  report.SideNetwork,
			Message: "SYN or SYN-ACK were repeated although nothing was lost: the first SYN-ACK, or " +
				"the SYN before it, was on its way for longer than the timer waited.",
			Remedies: []report.Remedy{
				{
					Side: report.SideNetwork,
					Text: "find what delays single segments by seconds: a deep queue (fq_codel, " +
						"cake), a radio link that wakes up, a firewall that inspects new connections",
				},
				{
					Side: report.SideServer,
					Text: "look for a host that was busy or paused when it was to answer",
				},
			},
		},
		{
			Code:  unknownCause,
			Title: "SYN had to be repeated",
			Side:  report.SideUnknown,
			Message: "The client had to repeat its SYN. Whether the first was lost on the way or " +
				"dropped by the server cannot be told from here.",
			Remedies: []report.Remedy{
				{
					Side: report.SideServer,
					Text: "look for a full queue, on Linux `nstat TcpExtListenDrops`, `ss -ltn` " +
						"(Recv-Q at the backlog)",
				},
				{
					Side: report.SideNetwork,
					Text: "look for loss, and for limits of new connections in firewalls and " +
						"conntrack tables",
				},
			},
		},
	},
	References: []string{"RFC 6298 section 5.7", "RFC 9293 section 3.8.1"},
},
	Rests:    rule.Connection,
	Attempts: true,
	Beside:   true,
	When:     rule.Repaired | rule.Repeated,
	Exchange: runSYN,
	Across: &rule.Comparison{
		Start: func() rule.Across { return &lateSYNs{} },
		Wants: rule.Wants(rule.ExchangeBegan, rule.ExchangeOver),
	},
	Vocabulary: words,
}

// synFault is a connection whose SYN, or the answer to it, was repeated.
type synFault struct {
	cause    string
	first    capture.Mark
	answered capture.Mark // the SYN that was answered
	dropped  bool         // the SYN was answered, and the end of the handshake dropped
	maybe    bool         // so it seems from afar: only several at once are more than loss
	// only one copy was in vain: only if most at once are it is more than loss
	few   bool
	says  rule.Said
	proof []rule.Evidence
}

// The numbers of a claim about such a connection.
const (
	synDropped = iota // 1: the end of the handshake was
	synMaybe          // 1: only several at once are more than loss
	synRepeats        // nanoseconds until the last SYN, and until the last SYN-ACK
	synAnswers
	synDoubtful // 1: the request may not have waited for it
	synFew      // 1: only one copy was in vain
)

// claim refers the fault: whether several failed together is seen when they are compared.
func (f *synFault) claim(p *rule.Pass) {
	c := rule.Claim{
		Rule:     synRetransmissionRule,
		Cause:    f.cause,
		Kind:     rule.LateHandshake,
		Referred: true,
		Says:     []rule.Said{f.says},
		Occ:      rule.Occurrence{Start: f.first.Time, End: f.answered.Time, Proof: f.proof},
	}
	if f.dropped {
		c.Kind = rule.DroppedHandshake
		c.Num[synDropped] = 1
	}
	if f.maybe {
		c.Num[synMaybe] = 1
	}
	if f.few {
		c.Num[synFew] = 1
	}
	if p.Draft.Doubtful {
		c.Num[synDoubtful] = 1
	}
	c.Num[synRepeats] = int64(p.Draft.Times[report.SYNRetx])
	c.Num[synAnswers] = int64(p.Draft.Times[report.SYNACKRetx])
	p.Report(c)
}

// runSYN looks at the set-up of the connection when its first exchange is done.
func runSYN(p *rule.Pass) {
	if a := p.Exchange.Attempt; p.Exchange.Index != 0 || p.Draft == nil || a != nil && !a.Secure {
		return // what never came about is connection-refused's
	}
	f := notAccepted(p)
	if f == nil && p.Draft.Critical {
		f = answeredLate(p)
	}
	if f == nil && p.Draft.Critical {
		f = answeredAgain(p)
	}
	if f == nil && p.Draft.Critical {
		f = askedAgain(p)
	}
	if f != nil {
		f.claim(p)
	}
}

// askedAgain looks for a SYN that the client had to repeat, and that led to a connection; nil if
// there is none, or if it met an old connection.
func askedAgain(p *rule.Pass) *synFault {
	c := p.Conn
	if len(c.SYNs) < 2 || len(c.SYNACKs) == 0 ||
		p.Draft.Times[report.SYNRetx]+p.Draft.Times[report.SYNACKRetx] <= 0 ||
		metTimeWait(c) != nil {
		return nil
	}
	first, last := c.SYNs[0], c.SYNs[len(c.SYNs)-1]
	proof := []rule.Evidence{rule.Shows(first, report.SideClient, firstOfSeveral)}
	if early := c.SYNACKs[0]; early.Time < last.Time {
		proof = append(proof, rule.Shows(early, report.SideServer, answersIt))
	}
	proof = append(proof,
		rule.Shows(last, report.SideClient, repeatedSYN, rule.Ns(last.Time-first.Time)))
	if end := c.SYNACKs[len(c.SYNACKs)-1]; end.Time >= last.Time {
		proof = append(proof, rule.Shows(end, report.SideServer, leadsToConnection))
	}
	return &synFault{
		cause:    synCause(c),
		first:    first,
		answered: last,
		says:     schedule(c.SYNs),
		proof:    proof,
	}
}

// leastWay is which part of the least time to a host and back, in percent, is sure to pass: the
// least that was seen of it is not the least that there can be (reasoning).
const leastWay = 90

// answeredAgain looks for a SYN-ACK that got lost after it had passed, and that the server repeated
// before the client repeated its SYN: the end of the handshake followed the last one by a round
// trip, and no other. nil if that is not so.
func answeredAgain(p *rule.Pass) *synFault {
	c := p.Conn
	n := len(c.SYNACKs)
	if len(c.SYNs) != 1 || n < 2 || !ledger.Seen(c.AckOfSYNACK) ||
		p.Draft.Times[report.SYNACKRetx] <= 0 {
		return nil
	}
	first, last := c.SYNACKs[0], c.SYNACKs[n-1]
	if c.AckOfSYNACK.Time < last.Time+c.Far(reassembly.FromClient)*leastWay/100 {
		return nil // it was on its way when the last SYN-ACK passed
	}
	took := rule.Ns(last.Time - first.Time)
	return &synFault{
		cause:    networkCause,
		first:    first,
		answered: last,
		says:     rule.Say(synackRepeated, took),
		proof: []rule.Evidence{
			rule.Shows(first, report.SideServer, answersSYN),
			rule.Shows(last, report.SideServer, repeatedSYNACK, took),
			rule.Shows(c.AckOfSYNACK, report.SideClient, answersThatOne),
		},
	}
}

// unacceptedCopies is how often the first data must have come to the server's host without an
// acknowledgment: the kernel delays one by 200 ms at most, which is when the second copy comes.
const unacceptedCopies = 3

// fewCopies is how many copies come in vain if there is room again when the first timer runs out:
// that many prove nothing unless most connections of that moment are met by it.
const fewCopies = 2

// notAccepted looks for a handshake that the client thinks complete and the server's kernel dropped
// the end of, because the queue of connections to be accepted was full: captured at the server, the
// first data comes again and again, and is not acknowledged. nil if that is not so.
func notAccepted(p *rule.Pass) *synFault {
	c, x := p.Conn, p.Exchange
	if x.Request == nil || len(c.SYNACKs) == 0 ||
		p.Draft.Sum(report.RTO, report.LostRetx, report.TLP, report.FastRetx) <= 0 {
		return nil
	}
	copies := unheard(c, x.Request.From)
	n := len(copies)
	if n < fewCopies {
		return nil
	}
	first, last := copies[0], copies[n-1]
	return &synFault{
		cause:    overflowCause,
		first:    first,
		answered: last,
		dropped:  true,
		maybe:    !atServer(c) || n < unacceptedCopies,
		few:      n < unacceptedCopies,
		says:     rule.Say(handshakeDropped),
		proof: []rule.Evidence{
			rule.Shows(c.SYNACKs[0], report.SideServer, clientMayBegin),
			rule.Shows(first, report.SideClient, firstData),
			rule.Shows(last, report.SideClient, repeatedData, int64(n),
				rule.Ns(last.Time-first.Time)),
		},
	}
}

// unheard are the copies of the client's octet that came before the server acknowledged it; none if
// the server acknowledged less, and so is there, or if it had sent octets of its answer by the time
// that it acknowledges this one. A copy that followed one which had arrived is none of them: the
// acknowledgment echoes an older timestamp (Eifel, RFC 3522), or a D-SACK tells. That one had been
// accepted, and its acknowledgment was only late.
func unheard(c *reassembly.Conn, octet int64) (copies []capture.Mark) {
	for i := range c.Records {
		r := &c.Records[i]
		if r.Dir == reassembly.FromServer && r.Flags&(capture.ACK|capture.SYN) == capture.ACK {
			if r.Ack > octet && r.Seq <= 0 {
				return copies
			}
			return nil
		}
		if r.Dir == reassembly.FromClient && r.Len > 0 && r.Seq <= octet &&
			r.Kind != reassembly.SpuriousRetransmission {
			copies = append(copies, r.Mark())
		}
	}
	return copies
}

// synCause tells the causes apart as far as one connection shows them.
func synCause(c *reassembly.Conn) string {
	repeat := c.SYNs[1].Time
	if answer := c.SYNACKs[0].Time; answer < repeat-c.Far(reassembly.FromClient) {
		return networkCause // it had the time to reach the client, and did not
	}
	if atServer(c) {
		return overflowCause
	}
	return unknownCause
}

// atServer reports whether what the capture shows has surely reached the server's host. On a LAN
// that is not known: the round trips are too short to tell where between the hosts the frames were
// seen.
func atServer(c *reassembly.Conn) bool {
	return c.Vantage == reassembly.ServerSide || c.Client.Addr() == c.Server.Addr()
}

// doubling is from which growth of the wait on, in percent, a timer counts as one that doubles:
// others keep their pace but for jitter (reasoning: halfway between the two).
const doubling = 150

// schedule says how the repetitions were spaced.
func schedule(syns []capture.Mark) rule.Said {
	gap := syns[1].Time - syns[0].Time
	if len(syns) < 3 {
		return rule.Say(synRepeated, rule.Ns(gap))
	}
	next := syns[2].Time - syns[1].Time
	if next > gap*doubling/100 {
		return rule.Say(synRepeatedDoubling, rule.Ns(gap), rule.Ns(next))
	}
	return rule.Say(synRepeatedEvenly, rule.Ns(gap), rule.Ns(next))
}
