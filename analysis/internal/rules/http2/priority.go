package http2

import (
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

const priorityRule = "h2-priority"

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
server may have been working on it while others' octets came. High: the time.

When it is wrong
The client may have wanted the large one first (RFC 9218): what it said of urgency is not looked
at. What the server's kernel held already when the request came could not be overtaken.`,
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
	},
	References: []string{"RFC 9218", "RFC 9113 section 5.3"},
},
	Rests:      rule.Timing | rule.Messages,
	Beside:     true,
	Exchange:   runPriority,
	Vocabulary: priorityWords,
}

const (
	_ rule.WordsID = iota
	asksForSmall
	othersCome
	smallComes
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
	if m == nil || !m.Complete || waited < max(behindLeast, (j.Until-j.From)/behindParts) {
		return
	}
	size := m.HeaderBytes + m.BodyBytes
	other, at := largest(p, reassembly.FromServer)
	if other < largerTimes*size {
		return
	}
	took := max((m.End.Time - m.Start.Time).Seconds(), 1e-9)
	cost := waited
	rate := p.State.Sender(reassembly.FromServer).PathRate(float64(m.To-m.From) / took)
	if rate > 0 {
		cost = max(0, cost-time.Duration(float64(size)/rate*float64(time.Second)))
	}
	asked := p.Exchange.Start()
	p.Report(rule.Claim{
		Rule: priorityRule, Confidence: report.ConfidenceMedium,
		Occ: rule.Occurrence{
			Start: asked.Time, End: m.End.Time,
			Cost: report.Cost{Expected: cost, High: waited},
			Proof: []rule.Evidence{
				rule.Shows(asked, report.SideClient, asksForSmall, size),
				rule.Shows(at, report.SideServer, othersCome, other),
				rule.Shows(m.End, report.SideServer, smallComes, rule.Ns(m.End.Time-asked.Time)),
			},
		},
		Lost: lostTo(j.WaitsWith(report.H2Mux)),
	})
}

// largest is how many octets of one other exchange passed in dir between the request and the end
// of
// the response, of that with the most; and a frame with some of them.
func largest(p *rule.Pass, dir reassembly.Dir) (int64, capture.Mark) {
	x, owners := p.Exchange, &p.Conn.HTTP2.Owners[dir]
	octets := map[int]int64{}
	most, whose := int64(0), x.Index
	var at capture.Mark
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
			octets[run.Owner] += min(run.To, all.To) - max(run.From, all.From)
			if n := octets[run.Owner]; n > most {
				if whose != run.Owner {
					whose, at = run.Owner, r.Mark()
				}
				most = n
			}
		}
	}
	return most, at
}
