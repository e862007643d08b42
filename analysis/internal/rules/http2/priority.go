package http2

import (
	"slices"
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

const (
	priorityRule = "h2-priority"
	outOfOrder   = "out-of-order"
)

// Priority is the rule about small responses that wait behind large ones.
var Priority = &rule.Detector{Rule: report.Rule{
	Name:  priorityRule,
	Title: "small response behind a large one",
	Doc: `What happens
All responses of a connection share its path. A server that sends one after the other, or hands
its kernel more of a large one than the path carries soon, lets a small one wait for all of
that, though it would take next to nothing itself.

How it is recognised
A response waited for at least 100 ms and half of its time while octets of others came without a
pause, ten times as many of one of them as it has itself.

How cost is counted
Expected: that time, less what its own octets take at the path's rate. Low: nothing, as the
server may have been working on it while others' octets came. High: the time. If the
request for the large one was not in the same segment, only the part of the octets that the
server's kernel had not got by then: more than the most in flight and 128 kB, which the setting
below lets wait in it. Silent if that is less than 50 ms: no server could have overtaken them.

What the client asked for (the priority field of requests and PRIORITY_UPDATE, RFC 9218) decides
where it says anything of that on the connection: octets of a response that it asked for as more
urgent, or of the same urgency, whole and earlier, are no one's fault, and nothing is said of a
request whose priority the capture lacks. out-of-order: the response that waited was to go first.

Whether the server was at work meanwhile, and whether its kernel and the path's queue held what was
ahead, no capture shows: with the settings below, some recorded services gained nothing. So it is
of low confidence and severity whatever it costs.

When it is wrong
A client that says nothing of urgency may have wanted the large one first, or have said so by
the weights of RFC 7540, which are not looked at. A server may know better than its client what is
urgent (its own priority field, RFC 9218 section 8), and one behind a proxy never heard the
client.`,
	Causes: []report.Cause{
		{
			Side: report.SideServer,
			Message: "A small response waited while octets of a much larger one came on the " +
				"same " +
				"connection.",
			Remedies: []report.Remedy{
				{
					Side: report.SideServer,
					Text: "send small responses between parts of large ones: a server that " +
						"follows " +
						"RFC 9218, small pieces, and little that waits in the kernel " +
						"(net.ipv4.tcp_notsent_lowat=131072 on Linux)",
					Settings: []report.Setting{
						{Product: report.Nginx, Text: "http2_chunk_size 8k"},
						{Product: report.HAProxy, Text: "tune.h2.max-frame-size 16384"},
					},
				},
				{
					Side: report.SideClient,
					Text: "say what is urgent (the priority field, RFC 9218), or fetch what " +
						"is large " +
						"on another connection",
				},
			},
		},
		{
			Code:  outOfOrder,
			Title: "small response behind one that was to come later",
			Side:  report.SideServer,
			Message: "A small response waited while octets of a much larger one came on the same " +
				"connection, though the client had asked for it to go first.",
			Remedies: []report.Remedy{
				{
					Side: report.SideServer,
					Text: "use a server that follows the priority field (RFC 9218), and let " +
						"little wait in the kernel (net.ipv4.tcp_notsent_lowat=131072 on Linux)",
				},
				{
					Side: report.SideClient,
					Text: "fetch what is large on another connection",
				},
			},
		},
	},
	References: []string{"RFC 9218", "RFC 9113 section 5.3"},
},
	Rests:      rule.Timing | rule.Messages,
	Beside:     true,
	When:       rule.Streams,
	Exchange:   runPriority,
	Vocabulary: priorityWords,
}

const (
	_ rule.WordsID = iota
	asksForSmall
	othersCome
	smallComes
	wished
)

var priorityWords = []rule.Words{
	asksForSmall: {
		Role:  "request",
		Text:  "asks for {octets}",
		Facts: rule.Facts{report.CarriesData, report.Told},
	},
	othersCome: {
		Role:  "another response",
		Text:  "{octets} of it come before this one has ended",
		Facts: rule.Facts{report.CarriesData, report.Told},
	},
	smallComes: {
		Role:  "small response",
		Text:  "ends, {ms} after it was asked for",
		Facts: rule.Facts{report.CarriesData, report.Told},
	},
	wished: {Text: "The client had asked for it with urgency {n}, and for the large one with " +
		"{n} (0 comes first)."},
}

const (
	// behindLeast is the shortest wait behind others that is worth telling: what a person notices.
	behindLeast = 100 * time.Millisecond
	behindParts = 2  // of the exchange's time, one of so many parts
	largerTimes = 10 // so many times larger is the other response
)

// runPriority claims what a small response waited behind a large one.
func runPriority(p *rule.Pass) {
	j, m := p.Draft, p.Exchange.Response
	waited := j.Times[report.H2Mux]
	if m == nil || !m.Complete || m.Facts.Has(exchange.HasGap) ||
		waited < max(behindLeast, (j.Until-j.From)/behindParts) {
		return
	}
	size := m.HeaderBytes + m.BodyBytes
	b := behindOf(p, reassembly.FromServer)
	if !b.known || b.most < largerTimes*size {
		return
	}
	took := max((m.End.Time - m.Start.Time).Seconds(), 1e-9)
	waited = time.Duration(float64(waited) * float64(b.overtakable(p)) / float64(b.all))
	cost := waited
	rate := p.State.Sender(reassembly.FromServer).PathRate(float64(m.To-m.From) / took)
	if rate > 0 {
		cost = max(0, cost-time.Duration(float64(size)/rate*float64(time.Second)))
	}
	if cost < behindLeast/behindParts {
		return
	}
	asked := p.Exchange.Start()
	cause, says := b.said(p)
	p.Report(rule.Claim{
		Rule:       priorityRule,
		Cause:      cause,
		Says:       says,
		Confidence: report.ConfidenceLow,
		Most:       rule.AtMost(report.Low),
		Occ: rule.Occurrence{
			Start: asked.Time, End: m.End.Time,
			Cost: report.Cost{Expected: cost, High: waited},
			Proof: []rule.Evidence{
				rule.Shows(asked, report.SideClient, asksForSmall, size),
				rule.Shows(b.at, report.SideServer, othersCome, b.most),
				rule.Shows(m.End, report.SideServer, smallComes, rule.Ns(m.End.Time-asked.Time)),
			},
		},
		Lost: lostTo(j.WaitsWith(report.H2Mux)),
	})
}

// behind is what of others passed between the request of an exchange and the end of its response.
type behind struct {
	all   int64        // octets of all of them
	lost  int64        // of those, octets of which nobody knows whose they are
	ahead int64        // of those, octets that the client had asked for to go first
	known bool         // what it asked for of its own exchange is known
	most  int64        // of the one with the most
	whose int          // its Index
	at    capture.Mark // a frame with some of those
}

// behindOf is that of the exchange in hand, in dir.
func behindOf(p *rule.Pass, dir reassembly.Dir) behind {
	x, owners := p.Exchange, &p.Conn.HTTP2.Owners[dir]
	octets := map[int]int64{}
	b := behind{whose: x.Index}
	wishes := &p.Conn.HTTP2.Wishes
	_, b.known = wishes.Of(x.Index)
	if wishes.Any() && p.Conn.HTTP2.Lossy {
		b.known = false // it may have changed its mind unseen
	}
	for r := range ledger.Segments(p.Conn, x.Start().Time, x.Response.End.Time) {
		if r.Dir != dir || r.Len == 0 {
			continue
		}
		all := exchange.Range{From: r.Seq, To: r.Seq + int64(r.Len)}
		for _, run := range owners.Within(all) {
			if run.Owner == x.Index || run.Owner == exchange.NoExchange ||
				run.Owner == exchange.Credit {
				continue
			}
			n := min(run.To, all.To) - max(run.From, all.From)
			b.all += n
			if run.Owner == exchange.UnknownOwner {
				b.lost += n
				continue
			}
			if asksAhead(wishes, run.Owner, x.Index) {
				b.ahead += n
				continue
			}
			octets[run.Owner] += n
			b.note(run.Owner, octets[run.Owner], r)
		}
	}
	return b
}

// asksAhead reports whether the client asked for a response to go before another, or may have:
// where it says nothing of priorities at all it did not.
func asksAhead(w *exchange.Wishes, large, small int) bool {
	l, known := w.Of(large)
	if !known {
		return true
	}
	s, _ := w.Of(small)
	return w.Any() && l.Ahead(s, large < small)
}

// said is the cause by what the client had asked for, and what that was.
func (b *behind) said(p *rule.Pass) (cause string, says []rule.Said) {
	w, small := &p.Conn.HTTP2.Wishes, p.Exchange.Index
	if !w.Any() {
		return "", nil
	}
	s, _ := w.Of(small)
	l, _ := w.Of(b.whose)
	if s.Ahead(l, small < b.whose) {
		cause = outOfOrder
	}
	urgency, other := s.First.Urgency(), l.First.Urgency()
	return cause, []rule.Said{rule.Say(wished, int64(urgency), int64(other))}
}

// note notes how many octets an exchange has by now, some of them in r.
func (b *behind) note(owner int, octets int64, r *reassembly.Record) {
	if octets <= b.most {
		return
	}
	if b.whose != owner {
		b.whose, b.at = owner, r.Mark()
	}
	b.most = octets
}

// notSent is what a kernel takes of an application beyond what is in flight, where it is told to
// take little: the setting that the remedy names. One that is told nothing takes more.
const notSent = 131072

// overtakable is how many of those octets the server could have sent behind the small response. Of
// requests that came in one segment it knew both before it sent anything. Else it had begun with
// the large one before it could answer the other, asked for earlier or not, and its kernel had got
// as much as may be in flight and not sent: that goes first, whatever the server does then.
func (b *behind) overtakable(p *rule.Pass) int64 {
	known := b.all - b.lost - b.ahead
	if b.askedTogether(p) {
		return known
	}
	return max(0, known-p.State.Sender(reassembly.FromServer).MostInFlight()-notSent)
}

// askedTogether reports whether the request for the large response is in the segment with that for
// the small one.
func (b *behind) askedTogether(p *rule.Pass) bool {
	r := ledger.RecordOf(p.Conn, p.Exchange.Start())
	if r == nil {
		return false
	}
	asked := p.Conn.HTTP2.Owners[reassembly.FromClient].Within(
		exchange.Range{From: r.Seq, To: r.Seq + int64(r.Len)})
	return slices.ContainsFunc(asked, func(r exchange.Run) bool { return r.Owner == b.whose })
}
