package connect

import (
	"cmp"
	"slices"
	"time"

	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

const (
	portExhaustionRule = "port-exhaustion"
	tupleReuseCause    = "tuple-reuse"
)

const (
	// restSeconds is how long Linux keeps a closed connection's ports (TCP_TIMEWAIT_LEN, not to be
	// changed).
	restSeconds = 60
	// linuxLow and linuxTop bound the ports that net.ipv4.ip_local_port_range gives unless set.
	linuxLow, linuxTop = 32_768, 60_999
	linuxPorts         = linuxTop - linuxLow + 1
	// wideRange is how many ports there are above the privileged ones, for clients that show that
	// they use more.
	wideRange = 64_512
	// forecastSpan is over how many seconds a rate must hold before it is carried forward.
	forecastSpan = 10
	// nearlyAll is which part of the ports, in percent, is as good as all: Linux looks for a free
	// one among half of them first (net/ipv4/inet_hashtables.c), and takes ever longer to find one.
	nearlyAll = 80
	// loadParts is which part of its ports a client must use up to be worth a finding: half of
	// them, where a peak twice as high would use up all (reasoning).
	loadParts = 2
	// portSample is one of how many ports is followed, to see whether it is used again too soon.
	portSample = 16
)

// PortExhaustion is the rule about client ports that are not free for the next connection.
var PortExhaustion = &rule.Detector{Rule: report.Rule{
	Name:  portExhaustionRule,
	Title: "client ports rest in TIME_WAIT",
	Doc: `What happens
Who closes a TCP connection first keeps its ports for a while in TIME_WAIT (RFC 9293 section 3.6.1;
60 s on Linux), so that late segments do not stray into the next connection. A client that opens and
closes many connections to one service runs out of ports (28,232 on Linux): then connect fails with
EADDRNOTAVAIL, which no packet shows. And a SYN from a port that still rests at the server is
answered by an ACK of the old connection; the client resets that and tries again a second later.

How it is recognised
time-wait-load: connections that the client closed first, in order, within 60 s, plus those that are
open, against the port range: from half of it on, or a rate held for 10 s that leads to four fifths
of it. If the client is seen to use the same ports again within that time (net.ipv4.tcp_tw_reuse),
it is only noted. few-ports: the client goes round at most 64 ports towards a service, each was used
twice and more, and as many connections as it has ports began within 60 s of the server's close of
the one before from the same port. tuple-reuse: SYN, an ACK that does not acknowledge it, a RST from the client, and
the SYN again.

How cost is counted
tuple-reuse: from the first SYN to the one that was answered, or to the last of all. time-wait-load
and few-ports cost nothing until a connection fails.

When it is wrong
Several hosts behind one address have a port range each, or share one. The range may have been
changed.`,
	Causes: []report.Cause{
		{
			Code:  "time-wait-load",
			Title: "client runs out of ports",
			Side:  report.SideClient,
			Message: "The client closes so many connections to this service that their ports, " +
				"which rest in TIME_WAIT, use up its port range.",
			Remedies: []report.Remedy{
				{
					Side:     report.SideClient,
					Text:     clientPool,
					Settings: report.PoolSettings(),
					After: "then net.ipv4.ip_local_port_range=\"1024 65535\" and " +
						"net.ipv4.tcp_tw_reuse=1 on Linux, more source addresses, " +
						"IP_BIND_ADDRESS_NO_PORT for clients that bind. Never SO_LINGER of zero: " +
						"it turns closes into resets",
				},
				{Side: report.SideProxy, Text: proxyUpstream, Settings: upstreamSettings()},
				{
					Side:     report.SideServer,
					Text:     "keep connections open longer",
					Settings: append(report.IdleSettings(), report.RequestLimits()...),
					After:    "listen on more addresses or ports",
				},
			},
		},
		{
			Code:  fewPortsCause,
			Title: "client has few ports, and the server rests on them",
			Side:  report.SideClient,
			Message: "The client goes round so few ports that each comes again while the server " +
				"still remembers its last connection: no more connections than that are possible " +
				"at a time, and each depends on the server's letting it in early.",
			Remedies: []report.Remedy{
				{
					Side: report.SideClient,
					Text: "give it more ports: net.ipv4.ip_local_port_range=\"32768 60999\" on " +
						"Linux, the port range of a NAT gateway or proxy, more source addresses; " +
						clientPool,
					Settings: report.PoolSettings(),
				},
				{
					Side:     report.SideServer,
					Text:     "keep connections open longer",
					Settings: append(report.IdleSettings(), report.RequestLimits()...),
				},
			},
		},
		{
			Code:  tupleReuseCause,
			Title: "SYN met the rest of an old connection",
			Side:  report.SideClient,
			Message: "The client used a port again whose last connection the server still " +
				"remembered: its SYN was answered by an ACK of the old connection, and it had to " +
				"try again.",
			Remedies: []report.Remedy{
				{
					Side:     report.SideClient,
					Text:     "use ports less quickly: " + clientPool,
					Settings: report.PoolSettings(),
					After: "let timestamps on (net.ipv4.tcp_timestamps=1 on Linux): they let a " +
						"server in TIME_WAIT accept the new SYN (RFC 6191)",
				},
				{
					Side: report.SideServer,
					Text: "let the client close first, or close in order so that no half-open " +
						"connection stays behind",
				},
			},
		},
	},
	References: []string{"RFC 9293 section 3.6.1", "RFC 6191", "RFC 1337", "RFC 5961 section 4"},
},
	Rests:    rule.Connection,
	Beside:   true,
	When:     rule.Repeated,
	Exchange: runTupleReuse,
	Closed:   runTupleBlocked,
	Across: &rule.Comparison{
		Start: func() rule.Across { return &portLoads{counted: map[int]bool{}} },
		Wants: rule.Wants(rule.ExchangeBegan, rule.ConnClosing, rule.ConnOver),
		Late:  true,
	},
	Vocabulary: words,
}

// metTimeWait shows that the SYN met an old connection: SYN, an ACK that is not for it, and a RST
// of the client; nil if not.
func metTimeWait(c *reassembly.Conn) []rule.Evidence {
	if len(c.SYNs) < 2 || c.Released > 0 && len(c.Records) == 0 {
		return nil
	}
	first, last := c.SYNs[0], c.SYNs[len(c.SYNs)-1]
	ack, rst := oldAnswer(c, last.Time)
	if ack == nil || rst == nil {
		return nil
	}
	return []rule.Evidence{
		rule.Shows(first, report.SideClient, portUsedBefore),
		rule.Shows(ack.Mark(), report.SideServer, ackOfOld),
		rule.Shows(rst.Mark(), report.SideClient, resetOfOld),
		rule.Shows(last, report.SideClient, synAgain, rule.Ns(last.Time-first.Time)),
	}
}

// oldAnswer is the first thing that the server sent, if that is an ACK, and the client's RST in
// answer to it, up to the given moment; nil what is not there.
func oldAnswer(c *reassembly.Conn, until time.Duration) (ack, rst *reassembly.Record) {
	for i := range c.Records {
		r := &c.Records[i]
		switch {
		case r.Time > until:
			return ack, rst
		case r.Dir == reassembly.FromServer && ack == nil && r.PureAck():
			ack = r
		case r.Dir == reassembly.FromServer && ack == nil:
			return nil, nil // a SYN-ACK came first
		case r.Dir == reassembly.FromClient && ack != nil && rst == nil && r.Flags.Has(capture.RST):
			rst = r
		}
	}
	return ack, rst
}

// runTupleReuse looks at the set-up of the connection when its first exchange is done.
func runTupleReuse(p *rule.Pass) {
	c := p.Conn
	if p.Exchange.Index != 0 || p.Draft == nil || len(c.SYNs) < 2 {
		return
	}
	proof := metTimeWait(c)
	if proof == nil {
		return
	}
	cost := report.Cost{}
	if wait := p.Draft.Times[report.SYNRetx]; p.Draft.Critical {
		cost = report.Cost{Low: wait, Expected: wait, High: wait}
		if p.Draft.Doubtful {
			cost.Low = 0
		}
	}
	p.Report(rule.Claim{
		Rule:       portExhaustionRule,
		Cause:      tupleReuseCause,
		Kind:       rule.UsedPorts,
		Confidence: report.Proven,
		Says:       []rule.Said{restedFor(c)},
		Occ: rule.Occurrence{
			Start: c.SYNs[0].Time,
			End:   c.SYNs[len(c.SYNs)-1].Time,
			Cost:  cost,
			Proof: proof,
		},
	})
}

// restedFor tells how long before the ports had last been in use; nothing if that is not known.
func restedFor(c *reassembly.Conn) rule.Said {
	if c.Reuses < 0 {
		return rule.Said{}
	}
	return rule.Say(portsMovedBefore, rule.Ns(max(0, c.SYNs[0].Time-c.ReusesEnd)))
}

// runTupleBlocked looks at a connection that never came about: some stacks keep to the old one
// whatever the client says, and ignore the RST, too (RFC 1337; lwIP).
func runTupleBlocked(p *rule.Pass) {
	c := p.Conn
	if c.ExchangeCount > 0 || len(c.SYNACKs) > 0 || c.Half[reassembly.FromClient].Bytes > 0 {
		return
	}
	proof := metTimeWait(c)
	if proof == nil {
		return
	}
	first, last := c.SYNs[0], c.SYNs[len(c.SYNs)-1]
	if !slices.ContainsFunc(c.Records, func(r reassembly.Record) bool {
		return r.Dir == reassembly.FromServer && r.PureAck() && r.Time >= last.Time
	}) {
		return // what became of the last one the capture does not show
	}
	took := last.Time - first.Time
	p.Report(rule.Claim{
		Rule:       portExhaustionRule,
		Cause:      tupleReuseCause,
		Kind:       rule.UsedPorts,
		Confidence: report.Proven,
		Index:      -1,
		Least:      report.Medium,
		Says:       []rule.Said{rule.Say(neverCameAbout, int64(len(c.SYNs))), restedFor(c)},
		Occ: rule.Occurrence{
			Exchange: -1,
			Start:    first.Time,
			End:      last.Time,
			Cost:     report.Cost{Low: took, Expected: took, High: took},
			Proof:    proof,
		},
	})
}

// portLoads follows how many ports of each client rest or are in use.
type portLoads struct {
	pairs   rule.PairTable[portLoad]
	counted map[int]bool // connections whose port counts as in use
}

// portLoad is the ports of one client towards one service.
type portLoad struct {
	known    bool
	zero     time.Duration // when the first connection began: seconds are counted from there
	open     int
	second   int64            // the latest second that was counted
	closes   []closesIn       // of the latest restSeconds, in order
	resting  int              // sum of closes
	low, top uint16           // ports that were used
	used     map[uint16]int64 // the second in which a port of the sample began to rest
	again    int              // ports of the sample that were used again while they rested
	peak     int
	first    capture.Mark // first close of the minute that led to the peak
	last     capture.Mark
	lastConn int
	conn     *rule.Conn
	steady   int // seconds in a row at a rate that nearly fills the range
	forecast int // ports that the steadiest such rate leads to
	turns    portTurns
}

// closesIn is how many connections were closed in a second.
type closesIn struct {
	second int64
	n      int
}

// closesOf is the place of a second; false if none was closed in it.
func (l *portLoad) closesOf(second int64) (at int, found bool) {
	return slices.BinarySearchFunc(l.closes, second,
		func(c closesIn, second int64) int { return cmp.Compare(c.second, second) })
}

// Number makes pairs have the numbers that others have for them.
func (r *portLoads) Number(n *rule.PairNumbers) { r.pairs.By(n) }

// Event takes note of ports that are used, and that begin to rest.
func (r *portLoads) Event(_ rule.Desk, c *rule.Conn, e *rule.Told) {
	switch e.Kind {
	case rule.ExchangeBegan:
		data := e.Began()
		if !data.First {
			return
		}
		if l := r.pairs.Of(data.Pair, e.At); l != nil {
			l.began(data.Start.Time, data.Port)
			l.turns.began(c, data.Port, data.ConnStart)
			r.counted[c.Id] = true
		}
	case rule.ConnClosing:
		data := e.Closing()
		l := r.closed(c)
		if l == nil {
			return
		}
		l.turns.closed(c.Port, &data)
		if data.Fin == reassembly.FromClient && !data.Reset {
			l.rest(c, data.At)
		}
	case rule.ConnOver: // without a close: it was forgotten
		r.closed(c)
		delete(r.counted, c.Id)
	}
}

// closed takes note that a port is no longer in use; nil if it had not counted as that.
func (r *portLoads) closed(c *rule.Conn) *portLoad {
	l := r.pairs.Has(c.Pair)
	if l == nil || !r.counted[c.Id] {
		return nil
	}
	l.open = max(0, l.open-1)
	delete(r.counted, c.Id)
	return l
}

// began takes note of a connection.
func (l *portLoad) began(at time.Duration, port uint16) {
	if !l.known {
		l.known, l.zero = true, at
	}
	l.open++
	l.advance(at)
	l.use(port)
}

// secondOf is the second in which a moment lies.
func (l *portLoad) secondOf(at time.Duration) int64 {
	return int64(max(0, at-l.zero) / time.Second)
}

// advance lets the seconds before now pass.
func (l *portLoad) advance(at time.Duration) {
	now := l.secondOf(at)
	if now-l.second > restSeconds {
		l.closes = l.closes[:0]
		l.resting, l.steady, l.second = 0, 0, now
		return
	}
	for l.second < now {
		closed := 0
		if at, found := l.closesOf(l.second); found {
			closed = l.closes[at].n
		}
		l.judgeRate(closed)
		l.second++
		if len(l.closes) > 0 && l.closes[0].second == l.second-restSeconds {
			l.resting -= l.closes[0].n
			l.closes = slices.Delete(l.closes, 0, 1)
		}
	}
}

// judgeRate takes note of how many connections were closed in a whole second.
func (l *portLoad) judgeRate(closed int) {
	total := closed * restSeconds
	if !l.nearlyFilledBy(total) {
		l.steady = 0
		return
	}
	if l.steady++; l.steady >= forecastSpan {
		l.forecast = max(l.forecast, min(total, l.capacity()))
	}
}

// nearlyFilledBy reports whether so many ports are nearly all that the client has.
func (l *portLoad) nearlyFilledBy(ports int) bool { return ports*100 >= l.capacity()*nearlyAll }

// capacity is the number of ports that the client seems to have.
func (l *portLoad) capacity() int {
	if l.low > 0 && (l.low < linuxLow || l.top > linuxTop) {
		return wideRange
	}
	return linuxPorts
}

// use takes note of a port that is used for a new connection.
func (l *portLoad) use(port uint16) {
	if l.low == 0 || port < l.low {
		l.low = port
	}
	l.top = max(l.top, port)
	if since, ok := l.used[port]; ok {
		if l.second-since < restSeconds {
			l.again++
		}
		delete(l.used, port)
	}
}

// rest takes note of a connection whose client port begins to rest.
func (l *portLoad) rest(c *rule.Conn, fin capture.Mark) {
	l.advance(fin.Time)
	second := l.secondOf(fin.Time)
	if l.second-second >= restSeconds {
		return
	}
	at, found := l.closesOf(second)
	if !found {
		l.closes = slices.Insert(l.closes, at, closesIn{second: second})
	}
	l.closes[at].n++
	l.resting++
	if c.Port%portSample == 0 {
		if l.used == nil {
			l.used = map[uint16]int64{}
		}
		l.used[c.Port] = second
	}
	if l.resting == 1 {
		l.first = fin
	}
	l.last, l.lastConn, l.conn = fin, c.Id, c
	l.peak = max(l.peak, l.resting+l.open)
}

// Finish books the clients whose ports were, or would soon have been, used up by half and more.
func (r *portLoads) Finish(d rule.Desk) {
	if !d.Enabled(portExhaustionRule) {
		return
	}
	r.pairs.Each(func(_ report.Pair, l *portLoad) {
		if l.conn != nil && max(l.peak, l.forecast)*loadParts >= l.capacity() {
			c := l.claim()
			d.Book(l.conn.Subject(), &c)
		}
		if l.turns.few() {
			c := l.turns.claim()
			d.Book(l.turns.conn.Subject(), &c)
		}
	})
}

// claim is the claim about the ports of the client.
func (l *portLoad) claim() rule.Claim {
	c := rule.Claim{
		Rule:       portExhaustionRule,
		Cause:      "time-wait-load",
		Confidence: report.ConfidenceHigh,
		Least:      report.Medium,
		Most:       rule.AtMost(report.High),
		Says:       []rule.Said{rule.Say(portsAtPeak, int64(l.peak), int64(l.capacity()))},
		Occ: rule.Occurrence{
			Connection: l.lastConn,
			Exchange:   -1,
			Start:      min(l.first.Time, l.last.Time),
			End:        l.last.Time,
			Proof: []rule.Evidence{
				rule.Shows(l.last, report.SideClient, closesFirst, int64(l.resting)),
			},
		},
	}
	if l.nearlyFilledBy(max(l.peak, l.forecast)) {
		c.Least = report.High
	}
	if l.forecast > l.peak {
		c.Says = append(c.Says, rule.Say(rateLeadsTo, forecastSpan, int64(l.forecast)))
	}
	if l.again > 0 {
		c.Least, c.Most = report.Info, rule.AtMost(report.Info)
		c.Says = append(c.Says, rule.Say(portsUsedAgain))
	}
	return c
}
