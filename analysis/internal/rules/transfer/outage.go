package transfer

import (
	"cmp"
	"slices"
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
)

const outageRule = "outage"

const (
	// outageLeast is from how long on it is an outage that nothing got through: shorter ones are
	// repaired by a single timer (RFC 6298 §2.4: a second), and bursts of losses are.
	outageLeast = time.Second
	// outageConns is how many connections must have lost everything at the same time: one alone may
	// have lost what its segments carry, or their size.
	outageConns = 2
	// maxSilences and maxEnds are how many waits, and ends of exchanges, are remembered of a pair.
	maxSilences = 1024
	maxEnds     = 4096
)

// Outage is the rule about paths over which nothing got through for a while.
var Outage = &rule.Detector{Rule: report.Rule{
	Name:  outageRule,
	Title: "nothing got through for a while",
	Doc: `What happens
For seconds a path carries nothing, in one direction or in both: a link or a router restarts, a
radio loses its station, a route changes. Every connection over it loses all that it sends. Its
timer runs out, and again with twice the time (RFC 6298 section 5.5), so that it goes on later than
the path does.

How it is recognised
On two connections and more between the same hosts a segment was lost, and so was its
retransmission, in the same direction and at the same time, for a second at least; and no exchange
between the two ended in that time. The direction is that of what was lost: of the other one nothing
may be known. What retransmission-timeout would claim of those waits is this rule's. So is the time
in which a sender repeated by its timer, twice and more, what had arrived: what was lost then, or
came late, were acknowledgments, in the other direction. As these carry nothing that could be to
blame, several streams of one connection of HTTP/2 that waited show that, too. So they do where
nothing at all came from the other host for a second: what came then had been on its way since, by
its timestamp, while its sender's clock went on, their own host sent something, and the path carries
far more in that time; or their host repeated by its timer, twice and more, what had arrived, or
several segments of which a path carries one whatever its MTU, and no kernel answered (either-way:
in which direction does not show). A response that begins later after that than it had lasted was
not ready, and is no witness.
client-stopped, server-stopped: a host sent nothing for a second and more, and its own clock stood,
too: the timestamps of what it sent then went on by less than half of that time, though it answers
what had been sent to it late in that time, while the other host's went on. Or its clock went on,
and a retransmission timer that must have run out did not fire, though what it had sent was missing
and no copy can have been lost before it came here. A program that stops, while its host
acknowledges and repeats, is none. server-paused: nothing tells that it was more than a program, but
on two connections and more large responses stopped, and went on, at the same time, once on each.

How cost is counted
As retransmission-timeout counts them: the wait of each exchange, from the first copy that was lost
to the one that arrived; or for how long the host stood still. Low leaves two round trips.

When it is wrong
A host that is suspended answers nothing, either: without timestamps that tell, it is taken for a
path. A filter that drops what the connections have in
common looks the same, if it lets them go on later. Behind the outage, where what was lost does not
show, it is not seen.`,
	Causes: append(append(hostStopped(), pausedTogether()), []report.Cause{
		{Code: "to-client", Title: "nothing got through to the client for a while",
			Side: report.SideNetwork,
			Message: "Nothing that was sent to the client got through for a while, on several " +
				"connections, or streams of one, at the same time.",
			Remedies: outageFixes()},
		{Code: "to-server", Title: "nothing got through to the server for a while",
			Side: report.SideNetwork,
			Message: "Nothing that was sent to the server got through for a while, on several " +
				"connections, or streams of one, at the same time.",
			Remedies: outageFixes()},
		{Code: eitherWay, Title: "nothing got through for a while",
			Side: report.SideNetwork,
			Message: "Nothing got through for a while, in one direction or in both, on several " +
				"connections, or streams of one, at the same time.",
			Remedies: outageFixes()},
	}...),
	References: []string{"RFC 6298 section 5.5", "RFC 7323 section 5.4"},
},
	Rests: rule.Timing,
	Across: &rule.Comparison{
		Start:   func() rule.Across { return &outages{} },
		Wants:   rule.Wants(rule.ExchangeJudged),
		AtLeast: outageConns,
		Late:    true,
	},
	When:       rule.Stood,
	Exchange:   runHostStopped,
	Vocabulary: words,
}

// outageFixes are what keeps paths up, and what notices sooner that they are again.
func outageFixes() []report.Remedy {
	return []report.Remedy{
		{
			Side: report.SideNetwork,
			Text: "find what restarted or changed at that time: logs of links, routers, access " +
				"points, virtual switches, firewalls that failed over",
		},
		{
			Side: report.SideClient,
			Text: "bound what a request may wait, and repeat idempotent ones on a new " +
				"connection: timers of old ones have backed off",
		},
	}
}

// outages follows, by client and service, when nothing got through.
type outages struct{ pairs rule.PairTable[silences] }

// silences are the waits between two hosts in which copies were lost again, and when exchanges
// ended.
type silences struct {
	waits  []silence
	pauses []silence // of the server, in the middle of a response
	ends   []time.Duration
}

// silence is a wait of one exchange.
type silence struct {
	report.Interval
	dir            reassembly.Dir // in which nothing got through
	sure           bool           // that it was this direction, or this one, too
	of             rule.Subject
	conn, exchange int
	shared         bool // it is one of several on its connection, and nobody heard anything
	proof          []rule.Evidence
	rtt            time.Duration
	cause          string // under which retransmission-timeout has claimed it; "": it has not
	told           bool   // with an outage
}

// Number makes pairs have the numbers that others have for them.
func (o *outages) Number(n *rule.PairNumbers) { o.pairs.By(n) }

// Event takes note of an exchange.
func (o *outages) Event(_ rule.Desk, m *rule.Conn, e *rule.Told) {
	x := e.Judged()
	s := o.pairs.Of(m.Pair, e.At)
	if s == nil {
		return
	}
	if s.ends = append(s.ends, x.Until); len(s.ends) > maxEnds {
		s.ends = slices.Delete(s.ends, 0, maxEnds/4)
	}
	s.pausesOf(m, x)
	s.unheardOf(m, x)
	waits := x.WaitsWith(report.FastRetx, report.RTO, report.TLP, report.LostRetx)
	for i := range waits {
		w := waits[i]
		if w.Label != report.LostRetx {
			continue
		}
		from := w.From
		if i > 0 && waits[i-1].End == w.End && waits[i-1].Label != report.FastRetx {
			from = waits[i-1].From
		}
		if w.To-from >= outageLeast && len(s.waits) < maxSilences && ledger.Seen(w.End) {
			s.waits = append(s.waits, silence{
				Interval: report.Interval{From: from, To: w.To},
				dir:      w.Dir,
				sure:     true,
				of:       m.Of(x),
				conn:     m.Id,
				exchange: x.Info.ID,
				shared:   x.Shared && w.Unheard > 0,
				proof:    silenceProof(&w),
				rtt:      x.Flow.RTT,
				cause:    "lost-retransmission",
			})
		}
	}
}

// unheardOf takes note of the waits in which somebody heard nothing.
func (s *silences) unheardOf(m *rule.Conn, x *rule.Judged) {
	for _, w := range x.WaitsWith(report.Queue) {
		if w.Unheard == 0 || w.Length() < outageLeast || len(s.waits) >= maxSilences ||
			notReady(x, &w) {
			continue
		}
		n := silence{
			Interval: report.Interval{From: w.From, To: w.To},
			dir:      w.Dir.Peer(),
			sure:     w.Unheard != ledger.Unanswered,
			of:       m.Of(x),
			conn:     m.Id,
			exchange: x.Info.ID,
			shared:   x.Shared,
			proof:    unheardProof(&w),
			rtt:      x.Flow.RTT,
		}
		if w.Unheard == ledger.HeldUp || w.Unheard == ledger.OwnLost {
			n.dir = w.Dir
		}
		if c := claimOf(x, n.Interval); c != nil {
			n.cause, n.Interval = c.Cause, report.Interval{From: c.Occ.Start, To: c.Occ.End}
		}
		s.waits = append(s.waits, n)
	}
}

// notReady reports whether a response began so long after the silence that nothing of it can have
// been ready: its sender repeats what was lost after as long again at the latest, as its timer
// doubles (RFC 6298 section 5.5).
func notReady(x *rule.Judged, w *ledger.Wait) bool {
	a := x.Info.Response
	return w.Dir == reassembly.FromServer && a != nil && a.Start.Time-w.To > w.Length()
}

// claimOf is what retransmission-timeout claims of a wait; nil if nothing.
func claimOf(x *rule.Judged, wait report.Interval) *rule.Claim {
	for i := range x.Claims {
		c := &x.Claims[i]
		if c.Rule == timeoutRule && c.Occ.Start <= wait.From && c.Occ.End >= wait.To {
			return c
		}
	}
	return nil
}

// silenceProof shows what was lost, and what came when something got through again.
func silenceProof(w *ledger.Wait) []rule.Evidence {
	side := rule.SideOf(w.Dir)
	var out []rule.Evidence
	if ledger.Seen(w.Cause) && !w.Unseen {
		out = append(out, rule.Shows(w.Cause, side, lostFurther))
	}
	return append(out, rule.Shows(w.End, side, throughAgain, int64(w.Octets)))
}

// Finish tells of the outages.
func (o *outages) Finish(d rule.Desk) {
	if !d.Enabled(outageRule) {
		return
	}
	o.pairs.Each(func(p report.Pair, s *silences) {
		for _, dir := range ledger.BothWays {
			s.tell(d, p, dir, true)
		}
		s.tell(d, p, reassembly.FromServer, false)
		s.tellTogether(d)
	})
}

// tell tells of the outages in one direction, or, if that is not sure, in one or the other: waits
// that have some time in common.
func (s *silences) tell(d rule.Desk, p report.Pair, dir reassembly.Dir, sure bool) {
	var all []*silence
	for i := range s.waits {
		if w := &s.waits[i]; !w.told && (!w.sure || sure && w.dir == dir) {
			all = append(all, w)
		}
	}
	slices.SortStableFunc(all, func(a, b *silence) int {
		return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.exchange, b.exchange))
	})
	for len(all) > 0 {
		n, common := 1, all[0].Interval
		for n < len(all) && min(common.To, all[n].To)-all[n].From >= outageLeast {
			common = report.Interval{From: all[n].From, To: min(common.To, all[n].To)}
			n++
		}
		known := slices.ContainsFunc(all[:n], func(w *silence) bool { return w.sure })
		if known == sure && s.outage(all[:n], common) {
			cause := eitherWay
			if sure {
				cause = towards(dir)
			}
			bookOutage(d, p, all[:n], common, cause)
		}
		all = all[n:]
	}
}

// outage reports whether the waits are of several connections, or of several streams of one whose
// peer was not heard, and nothing ended meanwhile.
func (s *silences) outage(all []*silence, common report.Interval) bool {
	type witness struct{ conn, stream int }
	seen := map[witness]bool{}
	for i := range all {
		w := witness{conn: all[i].conn, stream: -1}
		if all[i].shared {
			w.stream = all[i].exchange
		}
		seen[w] = true
	}
	from := common.From + all[0].rtt
	return len(seen) >= outageConns && !slices.ContainsFunc(s.ends,
		func(at time.Duration) bool { return from < at && at < common.To })
}

// towards is the cause by the direction in which nothing got through.
func towards(dir reassembly.Dir) string {
	if dir == reassembly.FromClient {
		return "to-server"
	}
	return "to-client"
}

// eitherWay is the cause where the direction is not known.
const eitherWay = "either-way"

// bookOutage books waits as those of an outage. What timers were blamed for is taken from them.
func bookOutage(d rule.Desk, p report.Pair, all []*silence, common report.Interval, cause string) {
	for _, s := range all {
		s.told = true
		length := s.To - s.From
		c := rule.Claim{
			Rule:       outageRule,
			Cause:      cause,
			Confidence: report.ConfidenceHigh,
			Says: []rule.Said{rule.Say(silentFor,
				int64(len(all)), rule.Ns(common.To-common.From))},
			Occ: rule.Occurrence{
				Connection: s.conn,
				Exchange:   s.exchange,
				Start:      s.From,
				End:        s.To,
				Cost: report.Cost{
					Low:      max(0, length-2*s.rtt),
					Expected: length,
					High:     length,
				},
				Proof: s.proof,
			},
		}
		if s.cause == "" {
			d.Book(s.of, &c)
			d.Lose(s.From, length)
			continue
		}
		d.Retake(rule.Key{Rule: timeoutRule, Cause: s.cause, Pair: p}, s.of, &c)
	}
}
