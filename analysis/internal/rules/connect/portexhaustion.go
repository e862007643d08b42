package connect

import (
	"fmt"
	"slices"
	"time"

	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

const (
	// timeWait is how long Linux keeps a closed connection's ports (TCP_TIMEWAIT_LEN, not to be
	// changed).
	timeWait = 60 * time.Second
	// linuxPorts is how many ports net.ipv4.ip_local_port_range gives unless set: 32768 to 60999.
	linuxPorts = 28_232
	// wideRange is how many ports there are above the privileged ones, for clients that show that
	// they use more.
	wideRange = 64_512
	// forecastSpan is over how long a rate must hold before it is carried forward.
	forecastSpan = 10
)

var PortExhaustion = &rule.Detector{
	Name:  "port-exhaustion",
	Rests: rule.Connection,
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
it is only noted. tuple-reuse: SYN, an ACK that does not acknowledge it, a RST from the client, and
the SYN again.

How cost is counted
tuple-reuse: from the first SYN to the one that was answered, or to the last of all. time-wait-load
costs nothing until it fails.

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
			Code:  "tuple-reuse",
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
	Exchange:   runTupleReuse,
	Closed:     runTupleBlocked,
	Across: &rule.Comparison{
		Start: func() rule.Across { return &portLoads{counted: map[int]bool{}} },
		Wants: rule.Wants(rule.ExchangeBegan, rule.ConnClosing, rule.ConnOver),
	},
}

// metTimeWait shows that the SYN met an old connection: SYN, an ACK that is not for it, and a RST
// of the client; nil if not.
func metTimeWait(c *reassembly.Conn) []report.Evidence {
	if len(c.SYNs) < 2 || c.Released > 0 && len(c.Records) == 0 {
		return nil
	}
	var ack, rst *reassembly.Record
	for i := range c.Records {
		r := &c.Records[i]
		if r.Time > c.SYNs[len(c.SYNs)-1].Time {
			break
		}
		switch {
		case r.Dir == reassembly.FromServer && ack == nil && r.PureAck():
			ack = r
		case r.Dir == reassembly.FromServer && ack == nil:
			return nil // a SYN-ACK came first
		case r.Dir == reassembly.FromClient && ack != nil && rst == nil && r.Flags.Has(capture.RST):
			rst = r
		}
	}
	last := c.SYNs[len(c.SYNs)-1]
	if ack == nil || rst == nil || rst.Time > last.Time {
		return nil
	}
	return []report.Evidence{
		rule.At(c.SYNs[0], "SYN", report.SideClient, "from a port that was used before"),
		rule.At(ack.Mark(), "ACK", report.SideServer,
			"does not acknowledge it: belongs to the connection before"),
		rule.At(rst.Mark(), "RST", report.SideClient, "knows of no such connection"),
		rule.At(last, "SYN again", report.SideClient,
			fmt.Sprintf("%s after the first", rule.Seconds(last.Time-c.SYNs[0].Time))),
	}
}

// runTupleReuse looks at the set-up of the connection when its first exchange is done.
func runTupleReuse(p *rule.Pass) {
	c := p.Conn
	if p.Exchange.Index != 0 || p.Draft == nil || len(c.SYNs) < 2 {
		return
	}
	evidence := metTimeWait(c)
	if evidence == nil {
		return
	}
	t := report.Cost{}
	if wait := p.Draft.Times[report.SYNRetx]; p.Draft.Critical {
		t = report.Cost{Low: wait, Expected: wait, High: wait}
		if p.Draft.Doubtful {
			t.Low = 0
		}
	}
	text := restedFor(c)
	p.Report(
		rule.Claim{
			Rule:       "port-exhaustion",
			Cause:      "tuple-reuse",
			Kind:       rule.UsedPorts,
			Confidence: report.Proven,
			Text:       text,
			Occ: rule.Occurrence{
				Start:    c.SYNs[0].Time,
				End:      c.SYNs[len(c.SYNs)-1].Time,
				Cost:     t,
				Evidence: evidence,
			},
		},
	)
}

// restedFor tells how long before the ports had last been in use.
func restedFor(c *reassembly.Conn) string {
	if c.Reuses < 0 {
		return ""
	}
	return fmt.Sprintf("The connection before on the same ports had moved last %s before.",
		rule.Seconds(max(0, c.SYNs[0].Time-c.ReusesEnd)))
}

// runTupleBlocked looks at a connection that never came about: some stacks keep to the old one
// whatever the client says, and ignore the RST, too (RFC 1337; lwIP).
func runTupleBlocked(p *rule.Pass) {
	c := p.Conn
	if c.ExchangeCount > 0 || len(c.SYNACKs) > 0 || c.Half[reassembly.FromClient].Bytes > 0 {
		return
	}
	evidence := metTimeWait(c)
	if evidence == nil {
		return
	}
	first, last := c.SYNs[0], c.SYNs[len(c.SYNs)-1]
	if !slices.ContainsFunc(c.Records, func(r reassembly.Record) bool {
		return r.Dir == reassembly.FromServer && r.PureAck() && r.Time >= last.Time
	}) {
		return // what became of the last one the capture does not show
	}
	took := last.Time - first.Time
	text := fmt.Sprintf("%d SYNs met it, and no connection came about.", len(c.SYNs))
	if rested := restedFor(c); rested != "" {
		text += " " + rested
	}
	p.Report(
		rule.Claim{
			Rule:       "port-exhaustion",
			Cause:      "tuple-reuse",
			Kind:       rule.UsedPorts,
			Confidence: report.Proven,
			Index:      -1,
			Least:      report.Medium,
			Text:       text,
			Occ: rule.Occurrence{
				Exchange: -1,
				Start:    first.Time,
				End:      last.Time,
				Cost:     report.Cost{Low: took, Expected: took, High: took},
				Evidence: evidence,
			},
		},
	)
}

// portLoads follows how many ports of each client rest or are in use.
type portLoads struct {
	pairs   rule.PairTable[portLoad]
	counted map[int]bool // connections whose port counts as in use
}

// portLoad is the ports of one client towards one service.
type portLoad struct {
	open     int
	second   int64 // the latest second that was counted
	closes   [int64(timeWait / time.Second)]uint32
	resting  int // sum of closes
	low, top uint16
	// the second in which a port began to rest; only for a sample of ports
	used     map[uint16]int64
	again    int // ports of the sample that were used again while they rested
	peak     int
	first    capture.Mark // first close of the minute that led to the peak
	last     capture.Mark
	lastConn int
	conn     *rule.Conn
	steady   int // seconds in a row at a rate that fills four fifths of the range
	forecast int // ports that the steadiest such rate leads to
}

func (r *portLoads) Event(_ rule.Desk, c *rule.Conn, e *rule.Event) {
	switch e.Kind {
	case rule.ExchangeBegan:
		data := e.Began()
		if !data.First {
			return
		}
		if l := r.pairs.Of(data.Pair, e.At); l != nil {
			l.open++
			l.advance(data.Start.Time)
			l.use(data.Port)
			r.counted[c.Id] = true
		}
	case rule.ConnClosing:
		data := e.Closing()
		if l := r.closed(c); l != nil && data.Fin == reassembly.FromClient && !data.Reset {
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

// advance lets the seconds before now pass.
func (l *portLoad) advance(at time.Duration) {
	now := int64(at / time.Second)
	n := int64(len(l.closes))
	if now-l.second > n {
		clear(l.closes[:])
		l.resting, l.steady, l.second = 0, 0, now
		return
	}
	for l.second < now {
		l.judgeRate(int(l.closes[l.second%n]))
		l.second++
		l.resting -= int(l.closes[l.second%n])
		l.closes[l.second%n] = 0
	}
}

// judgeRate takes note of how many connections were closed in a whole second.
func (l *portLoad) judgeRate(closed int) {
	total := closed * int(timeWait/time.Second)
	if total*5 < l.capacity()*4 {
		l.steady = 0
		return
	}
	if l.steady++; l.steady >= forecastSpan {
		l.forecast = max(l.forecast, min(total, l.capacity()))
	}
}

// capacity is the number of ports that the client seems to have.
func (l *portLoad) capacity() int {
	if l.low > 0 && (l.low < 32_768 || l.top > 60_999) {
		return wideRange
	}
	return linuxPorts
}

// use takes note of a port that is used for a new connection. One port in sixteen is followed.
func (l *portLoad) use(port uint16) {
	if l.low == 0 || port < l.low {
		l.low = port
	}
	l.top = max(l.top, port)
	if since, ok := l.used[port]; ok {
		if l.second-since < int64(timeWait/time.Second) {
			l.again++
		}
		delete(l.used, port)
	}
}

// rest takes note of a connection whose client port begins to rest.
func (l *portLoad) rest(c *rule.Conn, fin capture.Mark) {
	l.advance(fin.Time)
	n := int64(len(l.closes))
	second := int64(fin.Time / time.Second)
	if l.second-second >= n {
		return
	}
	l.closes[second%n]++
	l.resting++
	if c.Port%16 == 0 {
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

func (r *portLoads) Finish(d rule.Desk) {
	if !d.Enabled("port-exhaustion") {
		return
	}
	r.pairs.Each(func(_ report.Pair, l *portLoad) {
		capacity := l.capacity()
		load := max(l.peak, l.forecast)
		if l.conn == nil || load*2 < capacity {
			return
		}
		c := rule.Claim{
			Rule:       "port-exhaustion",
			Cause:      "time-wait-load",
			Confidence: report.ConfidenceHigh,
			Least:      report.Medium,
			Most:       rule.AtMost(report.High),
		}
		if load*5 >= capacity*4 {
			c.Least = report.High
		}
		c.Text = fmt.Sprintf("At the peak %d of about %d ports rested or were in use.", l.peak,
			capacity)
		if l.forecast > l.peak {
			c.Text += fmt.Sprintf(" The rate held for %d s and more leads to %d within a minute.",
				forecastSpan, l.forecast)
		}
		if l.again > 0 {
			c.Least, c.Most = report.Info, rule.AtMost(report.Info)
			c.Text += " The client uses resting ports again (net.ipv4.tcp_tw_reuse), so they do " +
				"not run out."
		}
		c.Occ = rule.Occurrence{
			Connection: l.lastConn,
			Exchange:   -1,
			Start:      min(l.first.Time, l.last.Time),
			End:        l.last.Time,
			Evidence: []report.Evidence{
				rule.At(l.last, "client's FIN", report.SideClient,
					fmt.Sprintf("closes first; one of %d within a minute", l.resting))},
		}
		d.Book(l.conn.Subject(), &c)
	})
}
