package http2

import (
	"cmp"
	"slices"
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/internal/whatif"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

const (
	streamLimitRule  = "h2-stream-limit"
	queuedCause      = "queued"
	refusedCause     = "refused"
	clientLimitCause = "client-limit"
)

// StreamLimit is the rule about the number of streams that may be open at a time.
var StreamLimit = &rule.Detector{Rule: report.Rule{
	Name:  streamLimitRule,
	Title: "limit of concurrent streams",
	Doc: `What happens
A server says how many streams a client may have open at a time
(SETTINGS_MAX_CONCURRENT_STREAMS, RFC 9113 section 5.1.2; at least 100 is recommended). Further
requests wait inside the client, and no packet shows them. Until a client knows of the limit it
may open more: the server refuses those (REFUSED_STREAM), and has not processed them.

How it is recognised
queued: as many streams were open as the server allows, and the next request left as soon as the
client could know that one had ended (2 ms, or a tenth of the round trip), three times and more.
client-limit: the same at a number below what the server allows, five times and more: the
client's own limit, or so many workers; a remark. refused: the server refused a stream by that
code; it says so if no more were ever open than the server allows, as it had another reason then.

How cost is counted
queued: from when the limit was reached until the last request that waited, once for all that
waited at the same time, on several connections, too, without what the client itself was busy
meanwhile. That is high; expected is less by what the responses would have taken longer all at
once, by simulation: their windows grow by round trips, too. Low is nothing, as nobody sees when a
request was wanted. Silent where the path was full meanwhile: more streams would have shared it.
refused: what the client waited until its request came again, within three seconds and on whatever
connection, or until it was told, if it did not. An exchange that was repeated has not failed.

When it is wrong
A program with exactly as many workers as the server allows streams looks the same.`,
	Causes: []report.Cause{
		{
			Code:  queuedCause,
			Title: "requests wait for a free stream",
			Side:  report.SideServer,
			Message: "As many streams were open as the server allows, and the next requests " +
				"left as " +
				"soon as one had ended.",
			Remedies: []report.Remedy{
				{
					Side: report.SideServer,
					Text: "allow more concurrent streams: 100 at least (RFC 9113 section " +
						"6.5.2)",
					Settings: streamLimits(),
				},
				{
					Side: report.SideClient,
					Text: "a second connection when all streams of the first are in use",
					Settings: []report.Setting{
						{Product: report.DotNet, Text: "EnableMultipleHttp2Connections"},
						{Product: report.Go, Text: "StrictMaxConcurrentRequests off"},
					},
				},
			},
		},
		{
			Code:    refusedCause,
			Title:   "streams refused",
			Side:    report.SideUnknown,
			Message: "The server refused a stream. It has not processed the request.",
			Remedies: []report.Remedy{
				{
					Side: report.SideServer,
					Text: "where more were open than it allows: allow more, 100 at least (RFC " +
						"9113 section 6.5.2); else see what it ran out of, or whether it was " +
						"shutting down",
					Settings: streamLimits(),
				},
				{
					Side: report.SideClient,
					Text: "open no more than 100 streams before the server's SETTINGS are " +
						"known, and " +
						"repeat what is refused: it is safe (RFC 9113 section 8.7)",
				},
			},
		},
		{
			Code:  clientLimitCause,
			Title: "client uses fewer streams than it may",
			Side:  report.SideClient,
			Message: "The client kept the same number of streams open, fewer than the server " +
				"allows, " +
				"and its next request left as soon as one had ended.",
			Remedies: []report.Remedy{
				{
					Side: report.SideClient,
					Text: "if requests wait for that: more at a time",
					Settings: []report.Setting{
						{Product: report.Curl, Text: "--parallel-max"},
						{Product: report.Node, Text: "peerMaxConcurrentStreams"},
					},
				},
			},
		},
	},
	References: []string{
		"RFC 9113 section 5.1.2", "RFC 9113 section 6.5.2", "RFC 9113 section 8.7",
	},
},
	Rests:      rule.Timing | rule.Content | rule.Messages,
	Beside:     true,
	When:       rule.Streams,
	Exchange:   runStreams,
	Closed:     runStreamLimit,
	Vocabulary: streamLimitWords,
}

// streamLimits are the settings of servers.
func streamLimits() []report.Setting {
	return []report.Setting{
		{Product: report.Nginx, Text: "http2_max_concurrent_streams (128)"},
		{Product: report.Apache, Text: "H2MaxSessionStreams (100)"},
		{Product: report.HAProxy, Text: "tune.h2.max-concurrent-streams (100)"},
		{Product: report.Envoy, Text: "max_concurrent_streams"},
		{Product: report.Go, Text: "http.HTTP2Config MaxConcurrentStreams; " +
			"grpc.MaxConcurrentStreams"},
		{Product: report.Node, Text: "settings.maxConcurrentStreams"},
	}
}

const (
	_ rule.WordsID = iota
	streamEnds
	nextLeaves
	refusal
	refusedAsk
	waitedFor
	overLimit
	belowLimit
)

var streamLimitWords = []rule.Words{
	streamEnds: {
		Role:  "end of a stream",
		Text:  "{n stream} had been open until then",
		Facts: rule.Facts{report.CarriesData, report.Told},
	},
	nextLeaves: {
		Role:  "next request",
		Text:  "left as soon as that was known",
		Facts: rule.Facts{report.CarriesData},
	},
	refusedAsk: {
		Role:  "request",
		Text:  "stream {id}",
		Facts: rule.Facts{report.CarriesData, report.Told},
	},
	refusal: {
		Role:  "REFUSED_STREAM",
		Text:  "the server has not processed it",
		Facts: rule.Facts{report.CarriesData},
	},
	overLimit: {Text: "As many as {n stream} were open at a time; the server allows {n}."},
	belowLimit: {
		Text: "No more than {n stream} were open at a time, and the server allows {n}: it had " +
			"another reason.",
	},
	waitedFor: {Text: "{n request} left so, of {n}."},
}

const (
	// maxStreamTimes is how many streams of a connection are remembered.
	maxStreamTimes = 512
	// queuedLeast and ownLeast are how many requests must have waited so; of a client's own limit
	// nobody has said that there is one.
	queuedLeast, ownLeast = 3, 5
	// soon and soonParts are how soon after the end of another a request is the next of its queue:
	// what an event loop takes, or a part of the round trip, by which that varies (reasoning).
	soon      = 2 * time.Millisecond
	soonParts = 10
	// fullPercent is how many percent of what the path carries make it full (reasoning).
	fullPercent = 80
)

// streamTimes are the latest streams of a connection that are over.
type streamTimes struct{ all []streamTime }

// streamTime is when a stream was open.
type streamTime struct {
	start, end capture.Mark
	from, to   int64 // of the response, in the stream of the connection
}

// openStreams are those of each connection.
var openStreams = &rule.StateKey[streamTimes]{}

// runStreams remembers when a stream was open, and claims it if it was refused.
func runStreams(p *rule.Pass) {
	x := p.Exchange
	if p.Conn.HTTP2 == nil || x.Stream == 0 || x.Request == nil {
		return
	}
	if r := x.Reset; r != nil && r.Code == exchange.RefusedStream && r.By == reassembly.FromServer {
		claimRefused(p, r)
		return
	}
	if x.Response == nil || !x.Response.Complete {
		return
	}
	t := &openStreams.Of(p).all
	if len(*t) == maxStreamTimes {
		*t = append((*t)[:0], (*t)[maxStreamTimes/2:]...)
	}
	*t = append(*t, streamTime{
		start: x.Start(), end: x.Response.End, from: x.Response.From, to: x.Response.To,
	})
}

// claimRefused claims a stream that the server refused.
func claimRefused(p *rule.Pass, r *exchange.StreamReset) {
	x := p.Exchange
	c := failureClaim(p, x, r.At.Time)
	c.Rule, c.Cause, c.Side = streamLimitRule, refusedCause, report.SideServer
	c.Repaired = true
	withoutName(&c, x)
	c.Says = openBeside(p.Conn.HTTP2)
	c.Occ.Proof = []rule.Evidence{
		rule.Shows(x.Start(), report.SideClient, refusedAsk, int64(x.Stream)),
		rule.Shows(r.At, report.SideServer, refusal),
	}
	p.Report(c)
}

// openBeside says how many streams were open, against what the server allows; nothing if that is not
// known for certain.
func openBeside(h *exchange.H2Conn) []rule.Said {
	limit := h.Sides[reassembly.FromServer].Settings.Streams
	open := int64(h.MostOpen)
	switch {
	case !limit.Said || h.Lossy:
		return nil
	case open > int64(limit.Value):
		return []rule.Said{rule.Say(overLimit, open, int64(limit.Value))}
	}
	return []rule.Said{rule.Say(belowLimit, open, int64(limit.Value))}
}

// queue is requests of a connection that left as soon as a stream had ended.
type queue struct {
	most   int // streams open at a time
	waited int // requests that left so
	runs   []run
}

// runStreamLimit claims what requests waited for a stream to end: each time for itself, as others
// of its client may have waited on other connections meanwhile.
func runStreamLimit(p *rule.Pass) {
	t := openStreams.Has(p)
	if t == nil {
		return
	}
	slices.SortStableFunc(t.all, func(a, b streamTime) int {
		return cmp.Compare(a.start.Time, b.start.Time)
	})
	q := t.queue(p.Conn.Far(reassembly.FromClient), max(soon, p.Conn.RTTMin()/soonParts))
	limit := p.Conn.HTTP2.Sides[reassembly.FromServer].Settings.Streams
	says := []rule.Said{rule.Say(waitedFor, int64(q.waited), int64(len(t.all)))}
	switch {
	case q.waited >= queuedLeast && limit.Said && q.most == int(limit.Value):
		q.claim(p, says)
	case q.waited >= ownLeast && q.most > 1 && (!limit.Said || q.most < int(limit.Value)):
		longest := slices.MaxFunc(q.runs,
			func(a, b run) int { return cmp.Compare(a.cost, b.cost) })
		c := longest.claimOf(clientLimitCause, q.most)
		c.Most, c.Says = rule.AtMost(report.Info), says
		p.Report(c)
	}
}

// queue looks for requests that left as soon as a stream had ended, while as many were open as
// ever.
// far is how long what passes takes to the client and back, slack how soon that is.
func (t *streamTimes) queue(far, slack time.Duration) (q queue) {
	for i := range t.all {
		q.most = max(q.most, t.open(i, far))
	}
	r := run{full: -1}
	for i := range t.all {
		s := &t.all[i]
		last := t.lastEnd(i, far)
		late := s.start.Time - far - last.Time
		full := t.open(i, far+slack) >= q.most // but for moments
		switch {
		case full && r.full >= 0 && late <= slack:
			q.waited++
			r.waited(s, last)
		case r.counts > 0 && late <= reactionTime && t.open(i, far+reactionTime) >= q.most:
			r.pause(s, late) // the client was busy
		default:
			q.take(&r)
			if r = (run{full: -1}); full {
				r.full, r.from = s.start.Time, t.firstOf(i, far)
			}
		}
	}
	q.take(&r)
	return q
}

// take keeps a run in which requests waited.
func (q *queue) take(r *run) {
	if r.counts > 0 {
		q.runs = append(q.runs, *r)
	}
}

// run is a time in which as many streams were open as ever, but for moments.
type run struct {
	full   time.Duration // since when; -1: it has not begun
	busy   time.Duration // of it, the client's own: a stream had ended, and the next did not begin
	late   time.Duration // when the request passed by which that ended
	counts int           // requests that left as soon as a stream had ended
	cost   time.Duration // until the latest of them
	ended  capture.Mark  // the stream before that
	next   capture.Mark  // that
	// places in the octets of responses: behind those before it, behind those before the latest
	// requests, which left together, and behind all
	from, latest, to int64
}

// waited takes in a request that left as soon as a stream had ended.
func (r *run) waited(s *streamTime, last capture.Mark) {
	if r.counts == 0 || s.start.Time-r.next.Time > soon {
		r.latest = s.from
	}
	r.counts++
	r.cost, r.ended, r.next = s.start.Time-r.full-r.busy, last, s.start
	r.latest, r.to = min(r.latest, s.from), max(r.to, s.to)
}

// pause takes in a request that left so much later than the end of a stream: others that leave with
// it are as late.
func (r *run) pause(s *streamTime, late time.Duration) {
	if s.start.Time-r.late > soon {
		r.busy += late
	}
	r.late = s.start.Time
}

// claimOf is a claim of the run without cost.
func (r *run) claimOf(cause string, most int) rule.Claim {
	return rule.Claim{
		Rule: streamLimitRule, Cause: cause, Index: -1, Confidence: report.ConfidenceMedium,
		Occ: rule.Occurrence{
			Exchange: -1, Start: r.full, End: r.next.Time,
			Proof: []rule.Evidence{
				rule.Shows(r.ended, report.SideServer, streamEnds, int64(most)),
				rule.Shows(r.next, report.SideClient, nextLeaves),
			},
		},
	}
}

// claim claims what requests waited in each run.
func (q *queue) claim(p *rule.Pass, says []rule.Said) {
	var claims []rule.Claim
	var all time.Duration
	for i := range q.runs {
		r := &q.runs[i]
		saved := r.cost - (carried(p, r.to-r.from) - carried(p, r.to-r.latest))
		if saved <= 0 || r.fullPath(p) {
			continue
		}
		c := r.claimOf(queuedCause, q.most)
		c.Occ.Cost = report.Cost{Expected: saved, High: r.cost}
		c.Says, c.Also = says, r.counts-1
		c.Most = rule.AtMost(report.Medium) // nobody sees when they were wanted
		claims, all = append(claims, c), all+saved
	}
	if all < rule.Noticeable {
		return
	}
	for _, c := range claims {
		p.Report(c)
	}
}

// carried is what so many octets of responses take that are there at once, with windows as they are
// on a connection that never had more in flight than it did.
func carried(p *rule.Pass, octets int64) time.Duration {
	s := p.State.Sender(reassembly.FromServer)
	t := whatif.Transfer{
		Octets: octets,
		MSS:    max(int64(p.Conn.Half[reassembly.FromServer].Eff), 1),
		Window: s.WindowRoom(),
		Grows:  true,
		RTT:    p.Conn.RTTMin(),
	}
	if most := p.Conn.HTTP2.Sides[reassembly.FromClient].Window; most > 0 {
		t.Allowed = []ledger.Allowed{{Most: most}}
	}
	return t.Simulate(max(ledger.UsualInitial, s.MostInFlight()/t.MSS))
}

// open is how many streams that had begun when the client opened stream i, itself among them, had
// not
// ended so long before.
func (t *streamTimes) open(i int, before time.Duration) int {
	n := 0
	for k := 0; k <= i; k++ {
		if t.all[k].end.Time > t.all[i].start.Time-before {
			n++
		}
	}
	return n
}

// firstOf is where the first response begins of the streams that open counts.
func (t *streamTimes) firstOf(i int, before time.Duration) int64 {
	from := t.all[i].from
	for k := range t.all[:i] {
		if s := &t.all[k]; s.end.Time > t.all[i].start.Time-before {
			from = min(from, s.from)
		}
	}
	return from
}

// lastEnd is the latest end of a stream of which the client knew when it opened stream i.
func (t *streamTimes) lastEnd(i int, far time.Duration) (out capture.Mark) {
	for k := range t.all[:i] {
		e := t.all[k].end
		if e.Time <= t.all[i].start.Time-far && e.Time > out.Time {
			out = e
		}
	}
	return out
}

// fullPath reports whether the path carried responses as fast as it can while requests waited.
func (r *run) fullPath(p *rule.Pass) bool {
	took := max(r.cost.Seconds(), 1e-9)
	was := float64(r.latest-r.from) / took
	rate := p.State.Sender(reassembly.FromServer).PathRate(was)
	return rate > 0 && was*100 >= rate*fullPercent
}
