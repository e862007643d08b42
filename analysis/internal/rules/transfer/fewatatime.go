package transfer

import (
	"slices"
	"time"

	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
)

const fewAtATime = "few-at-a-time"

const (
	// mostAtATime is how many requests a service may work on at a time for this to look for it:
	// with more, responses follow each other too closely to tell which made room for which.
	mostAtATime = 8
	// turnWithin is by which part, in percent, what a request takes once it is its turn may differ
	// from what one takes that nobody is before, and mostTurns how many must be so, in percent.
	turnWithin = 25
	mostTurns  = 75
	// tooSoon is below which part of that, in percent, one was not waiting for its turn, and
	// mostTooSoon how many may be so, in percent.
	tooSoon     = 50
	mostTooSoon = 10
	// leastTurn is how long a turn must last, so that its time is not what programs and kernels
	// take to go on: a task of Linux may run for three milliseconds before another one gets its
	// turn (kernel/sched/fair.c, sysctl_sched_base_slice, with eight processors), and turnWithin of
	// less would be no more than that. What is worked on faster is not looked at: a queue of short
	// turns stays the server's time.
	leastTurn = 10 * time.Millisecond
	// leastAhead is how many turns the one that waited longest must have waited, at least: that
	// waits grow with the number of those before tells a queue.
	leastAhead = 3
)

// turn is an exchange, and what of its time it waited for others, if so many are worked on at a
// time.
type turn struct {
	*served
	waited, took time.Duration
	room         *served // whose response made room for it; nil: nobody was before it
}

// fewAtATime tells of a service, or one of its endpoints, that works on a few requests at a time,
// and lets others wait.
//
// If it works on k at a time, each waits until the k-th response before it has been sent, and takes
// as long from then on as one takes that came when there was room. What refutes it: responses that
// come sooner, and turns that are longer than what a request takes that nobody is before, as where
// a rate is limited.
func (s *service) fewAtATime(d rule.Desk, told *toldOfService, until time.Duration) {
	var all []*served
	byEndpoint := map[*endpoint][]*served{}
	var endpoints []*endpoint // in the order in which they answered
	for i := range s.log {
		x := &s.log[i]
		if x.aside || told.exchanges[x.exchange] {
			continue
		}
		if all = append(all, x); byEndpoint[x.of] == nil {
			endpoints = append(endpoints, x.of)
		}
		byEndpoint[x.of] = append(byEndpoint[x.of], x)
	}
	if s.turnsOf(d, told, all, until) {
		return
	}
	for _, of := range endpoints {
		s.turnsOf(d, told, byEndpoint[of], until)
	}
}

// turnsOf tells of a service whose exchanges are those, if it works on a few of them at a time.
func (s *service) turnsOf(d rule.Desk, told *toldOfService, log []*served,
	until time.Duration) bool {
	long := 0
	for _, x := range log {
		if x.took() >= outlierLeast {
			long++
		}
	}
	if long < leastThinks/2 { // the median of those that waited, eight at least, did so for as long
		return false
	}
	for k := 1; k <= mostAtATime && len(log)-k >= leastThinks; k++ {
		turns := s.inTurn(log, k)
		if q, ok := queueOf(turns); ok {
			q.atATime = k
			q.book(d, s, told, until)
			return true
		}
	}
	return false
}

// inTurn is what each exchange waited and took if k are worked on at a time. What was before those
// that were answered first is not known.
func (s *service) inTurn(log []*served, k int) []turn {
	all := make([]turn, 0, len(log))
	for i, x := range log {
		t := turn{served: x, took: x.took()}
		switch {
		case i >= k && log[i-k].answered > x.asked:
			t.room, t.waited = log[i-k], min(log[i-k].answered-x.asked, x.took())
			t.took -= t.waited
		case i < k && s.past > 0:
			continue
		}
		all = append(all, t)
	}
	return all
}

// queue is what turns show of a service that works on a few requests at a time.
type queue struct {
	turns   []turn // of those that waited
	atATime int
	fit     int // of them, those that took as long as ones do that nobody is before
	turn    time.Duration
}

// queueOf is what turns show, and whether they show that requests wait for each other.
func queueOf(turns []turn) (q queue, ok bool) {
	alone := takenAlone(turns)
	var soon int
	var waits, took report.Durations
	var longest bool
	for _, t := range turns {
		a := alone[t.of]
		if a == nil || a.Median() < leastTurn || 2*t.waited < a.Median() {
			continue
		}
		usual := a.Median()
		q.turns = append(q.turns, t)
		waits.Add(t.waited)
		took.Add(t.took)
		longest = longest || t.waited >= leastAhead*usual
		if t.took*100 < usual*tooSoon {
			soon++
		}
		if off := max(t.took-usual, usual-t.took); off*100 <= usual*turnWithin {
			q.fit++
		}
	}
	n := len(q.turns)
	q.turn = took.Median()
	return q, n >= leastThinks && reaches(q.fit, mostTurns, n) && soon*100 <= n*mostTooSoon &&
		longest && waits.Median() >= outlierLeast
}

// takenAlone is what exchanges took that nobody was before, by endpoint.
func takenAlone(turns []turn) map[*endpoint]*report.Durations {
	all := map[*endpoint]*report.Durations{}
	for _, t := range turns {
		if t.room != nil {
			continue
		}
		if all[t.of] == nil {
			all[t.of] = &report.Durations{}
		}
		all[t.of].Add(t.took)
	}
	return all
}

// book tells of those that waited, and were answered before the given moment.
func (q *queue) book(d rule.Desk, s *service, told *toldOfService, until time.Duration) {
	says := []rule.Said{rule.Say(worksOnFew, int64(q.atATime), int64(q.fit), int64(len(q.turns)),
		rule.Ns(q.turn))}
	for i := range q.turns {
		t := &q.turns[i]
		if told.add(t.exchange); t.answered >= until || len(d.Proxied(t.exchange).Legs) > 0 {
			continue // what a proxy waited with, before or behind it, its legs show
		}
		c := rule.Claim{
			Rule: thinkRule, Cause: fewAtATime, Index: -1, Says: says,
			Confidence: report.ConfidenceMedium, Most: rule.AtMost(report.Medium),
			Occ: rule.Occurrence{
				Connection: t.conn, Exchange: t.exchange,
				Start: t.request.Time, End: t.first.Time,
				Elsewhere: t.room.conn != t.conn,
				Cost:      report.Cost{Expected: t.waited, High: t.waited},
				Proof: []rule.Evidence{
					rule.Shows(t.request, report.SideClient, lastOctet),
					rule.Shows(t.room.first, report.SideServer, madeTurn,
						int64(t.room.exchange), rule.Ns(t.waited)),
					rule.Shows(t.first, report.SideServer, tookTurn, rule.Ns(t.took)),
				},
			},
		}
		slices.SortStableFunc(c.Occ.Proof, byTime)
		d.Book(rule.Subject{Pair: s.pair(t.served), Multiplexed: t.apart}, &c)
	}
}

// fewAtATimeFixes is where the limit may be.
func fewAtATimeFixes() []report.Remedy {
	return []report.Remedy{{
		Side: report.SideServer,
		Text: "find the limit: a lock, a single thread or worker, a pool of workers or of " +
			"connections to what is behind it; where the work needs a processor, more workers than " +
			"processors gain nothing",
		Settings: []report.Setting{
			{Product: report.HAProxy, Text: "maxconn of a server (the time in its queue: %Tw)"},
			{Product: report.Gunicorn, Text: "--workers, --threads"},
			{Product: report.Tomcat, Text: "maxThreads"},
			{Product: report.Nginx, Text: "max_conns of upstream servers"},
		},
	}}
}
