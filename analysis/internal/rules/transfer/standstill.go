package transfer

import (
	"cmp"
	"slices"
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

const standstill = "standstill"

const (
	// leastHeld is how many requests must have lain there, each for as long as a person notices:
	// two that end at once may be one event (reasoning, without a source). If that is too few,
	// events that three clients wait for are told as standstills, as far as evidence.enough lets
	// them; if too many, services that few ask at a time stand still and nothing is said.
	leastHeld = 3
	// heldTimes is how many times as long as usual they waited at least, and the standstill lasted.
	heldTimes = 4
	// releasedWithin is in which part of the standstill, in percent, or within which time, those
	// that had lain there are answered: programs take their turns. It rests on reasoning: they go
	// on at once, and each has as much work left as one takes usually, a quarter of the standstill
	// at most (heldTimes). A service that is slower after it stood still, as one that swaps, is not
	// told; many waits that end by chance within a fifth of the longest are held back by
	// evidence.enough. releasedSoon is two ticks of the slowest clocks by which kernels run
	// programs (CONFIG_HZ=100).
	releasedWithin = 20
	releasedSoon   = 20 * time.Millisecond
	// mostReleased is how many of those that lay there must be, in percent: others may take as long
	// by themselves.
	mostReleased = 75
	// steadyTimes is by how much the slowest tenth of an endpoint's usual times exceeds their
	// median at most: work takes about as long each time, events come when they come.
	steadyTimes = 2
	// steadyPart is which part of a standstill they may exceed it by, too, if none of them took as
	// long as would count as held back: a host that is busy makes some take longer, but a pause
	// that is longer than all of what came by chance is none of that (reasoning).
	steadyPart = heldTimes * heldTimes
	// mostPaused is which part of a pause in a response, in percent, nothing but the server's
	// program explains at least: it begins when what was on its way has arrived.
	mostPaused = 75
)

// stood is a time in which a service answered nothing, though requests lay there.
type stood struct {
	report.Interval
	held   []heldBack
	paused []*pause      // in the middle of responses, until it ended
	by     []*served     // what may have kept the service from all others: of two nobody knows
	waited int           // requests that lay there when it ended
	within time.Duration // from its end to the last answer of those
}

// heldBack is an exchange that waited for it, and what is usual at its endpoint.
type heldBack struct {
	*served
	usual time.Duration
	n     int // exchanges that show it
}

// standstills are those that ended before the given moment, among exchanges in order.
//
// What refutes one: anything that the service answered meanwhile, on whatever connection; an octet
// that it sent on the connections of those that lay there; requests that its host had not
// acknowledged; endpoints at which nothing shows that answers usually come sooner, and about as
// soon each time, as is so where clients wait for events.
func (s *service) standstills(d rule.Desk, until time.Duration) (all []stood) {
	log := s.log
	for i := 1; i < len(log); i++ {
		if log[i].answered >= until || log[i].freed-log[i-1].freed < outlierLeast ||
			!s.together(i) {
			continue
		}
		if g, ok := s.stoodUntil(i); ok {
			all = append(all, g)
		}
	}
	if len(all) == 0 {
		return nil
	}
	usual := s.usual(all)
	shown := all[:0]
	for _, g := range all {
		if g.compare(d, usual) {
			shown = append(shown, g)
		}
	}
	return shown
}

// together reports whether enough were answered with the one at a place of the log, which follows a
// pause.
func (s *service) together(i int) bool {
	at := report.Interval{From: s.log[i-1].freed, To: s.log[i].freed}
	n := len(s.pausedIn(at))
	for j := i; n < leastHeld && j < len(s.log); j++ {
		if s.log[j].freed-at.To > released(at.To-at.From) {
			break
		}
		n++
	}
	return n >= leastHeld
}

// pausedIn are the pauses within responses that may have ended with a time in which nothing was
// answered, and lasted for most of it.
func (s *service) pausedIn(at report.Interval) (all []*pause) {
	length := at.To - at.From
	for i := range s.paused {
		p := &s.paused[i]
		if within := released(length); p.To < at.To-releasedSoon || p.To > at.To+within {
			continue
		}
		if reaches(at.To-max(at.From, p.From), mostReleased, length) {
			all = append(all, p)
		}
	}
	return all
}

// released is within which time after a standstill of that length those that lay there are
// answered.
func released(length time.Duration) time.Duration {
	return max(length*releasedWithin/100, releasedSoon)
}

// stoodUntil is the standstill that may have ended with the exchange at a place of the log.
func (s *service) stoodUntil(end int) (g stood, ok bool) {
	log := s.log
	g.From, g.To = log[end-1].freed, log[end].freed
	var lay []*served
	since := g.To
	for i := end; i < len(log); i++ {
		if x := &log[i]; x.asked < g.To && !x.aside && x.lay(g.To) {
			lay = append(lay, x)
			since = min(since, x.quiet.From)
		}
	}
	g.From = max(g.From, since)
	length := g.To - g.From
	within := released(length)
	for i := end; i < len(log); i++ {
		if x := &log[i]; x.asked < g.To-releasedSoon && !x.aside {
			if g.waited++; x.freed <= g.To+within {
				g.held = append(g.held, heldBack{served: x})
				g.within = max(g.within, x.freed-g.To)
			}
		}
	}
	g.paused = s.pausedIn(g.Interval)
	return g, length >= outlierLeast && len(lay)+len(g.paused) >= leastHeld &&
		reaches(len(g.held), mostReleased, g.waited)
}

// lay reports whether a request lay at the server, acknowledged, while that sent nothing on its
// connection up to the given moment.
func (x *served) lay(until time.Duration) bool {
	wait := until - x.asked
	return x.acked > 0 && x.acked-x.asked <= max(wait/2, ledger.QueueShows) &&
		x.quiet.To >= until-releasedSoon/2
}

// usualTime is what answers of an endpoint take otherwise: in the middle, the slowest tenth, and
// the slowest.
type usualTime struct {
	median, slow, most time.Duration
	told               time.Duration // what is said of it, and what a cost is counted against
	n                  int
}

// steady reports whether they take about as long each time, compared with a standstill of that
// length.
func (u *usualTime) steady(length time.Duration) bool {
	limit := steadyTimes*u.median + ledger.QueueShows
	return u.slow <= limit || u.slow <= limit+length/steadyPart && u.most*heldTimes <= length
}

// usual is what answers took, by endpoint, that waited for none of those.
func (s *service) usual(but []stood) map[*endpoint]usualTime {
	held := map[*served]bool{}
	for i := range but {
		for _, h := range but[i].held {
			held[h.served] = true
		}
	}
	least := map[*endpoint]time.Duration{}
	times, alone := map[*endpoint]*report.Durations{}, map[*endpoint]*report.Durations{}
	for i := range s.log {
		x := &s.log[i]
		if held[x] || x.aside {
			continue
		}
		if times[x.of] == nil {
			times[x.of], alone[x.of] = &report.Durations{}, &report.Durations{}
			least[x.of] = x.took()
		}
		least[x.of] = min(least[x.of], x.took())
		times[x.of].Add(x.own)
		if !x.mixed {
			alone[x.of].Add(x.own)
		}
	}
	all := map[*endpoint]usualTime{}
	for of, t := range times {
		told := least[of] // with what they waited behind others
		if alone[of].N >= leastHeld {
			t = alone[of]
			told = t.Median()
		}
		all[of] = usualTime{t.Median(), t.Quantile(0.9), t.Quantile(1), told, t.N}
	}
	return all
}

// compare leaves those that waited longer than usual, and reports whether they show a standstill.
func (g *stood) compare(d rule.Desk, usual map[*endpoint]usualTime) bool {
	var e evidence
	all := g.held
	g.held = nil
	for _, h := range all {
		u := usual[h.of]
		wait := h.own
		switch {
		case u.n < leastHeld || u.median*heldTimes > g.To-g.From:
			g.blockedBy(h.served, u)
			continue
		case wait < u.told+ledger.QueueShows || 2*d.Proxied(h.exchange).Waited > wait:
			continue
		}
		h.usual, h.n = u.told, u.n
		g.held = append(g.held, h)
		if wait >= max(outlierLeast, heldTimes*u.median) && h.lay(g.To) {
			e.add(h.served, u, u.steady(g.To-g.From))
			e.overdue = e.overdue || h.asked+u.most+ledger.QueueShows < g.From
		}
	}
	return e.enough(g)
}

// evidence is of exchanges that were held back, for as long as counts.
type evidence struct {
	asked  []time.Duration
	of     map[*endpoint]bool
	steady map[*endpoint]bool
	usual  int // answers that show what is usual at those
	// overdue says that one had not been answered when that was due, before nothing was any more:
	// it waited for something else
	overdue bool
}

// add adds one.
func (e *evidence) add(x *served, u usualTime, steady bool) {
	e.asked = append(e.asked, x.asked)
	if e.of[x.of] {
		return
	}
	if e.of == nil {
		e.of, e.steady = map[*endpoint]bool{}, map[*endpoint]bool{}
	}
	e.of[x.of] = true
	e.usual += u.n
	if steady {
		e.steady[x.of] = true
	}
}

// enough reports whether it is enough. One event ends many waits for it at once, but those have
// begun when the one before came, and end as unevenly as events come. So either answers usually
// take as long each time, and requests for several things lay there, or came by and by; or many
// came all the time.
func (e *evidence) enough(g *stood) bool {
	lay := len(e.asked) + len(g.paused)
	if by := g.blocker(); by != nil && by.asked >= g.From-releasedSoon && len(e.of) > 1 &&
		!e.overdue {
		lay++ // it lay there as well, and nothing was answered since; the others wait for two things
	}
	if len(e.asked) == 0 || lay < leastHeld || e.usual < leastThinks {
		return false
	}
	length := g.To - g.From
	spread := slices.Max(e.asked) - slices.Min(e.asked)
	things := len(e.of) + len(g.paused)
	if len(e.steady) == len(e.of) && (things > 1 || 2*spread >= length) {
		return true
	}
	later := 0
	for _, at := range e.asked {
		if at >= g.From+length/4 {
			later++
		}
	}
	return len(e.asked) >= leastThinks && 4*spread >= 3*length && 2*later >= len(e.asked)
}

// blockedBy takes note of an exchange that may have kept the service from all others: it was in
// service throughout, and nothing shows that such ones usually take less.
func (g *stood) blockedBy(x *served, u usualTime) {
	if (u.n == 0 || u.median*2 >= x.own) && x.asked <= g.From+releasedSoon {
		g.by = append(g.by, x)
	}
}

// blocker is what was in service throughout and was answered with all that lay there; nil if that
// is unknown.
func (g *stood) blocker() *served {
	if len(g.by) != 1 {
		return nil
	}
	return g.by[0]
}

// book tells of a standstill.
func (g *stood) book(d rule.Desk, s *service, told *toldOfService) {
	conns := map[int]bool{}
	for _, h := range g.held {
		conns[h.conn] = true
	}
	for _, p := range g.paused {
		conns[p.conn] = true
	}
	says := []rule.Said{rule.Say(stoodStill, rule.Ns(g.To-g.From), int64(len(conns)),
		int64(g.waited), rule.Ns(max(g.within, time.Millisecond)))}
	if by := g.blocker(); by != nil {
		says = append(says, rule.Say(blockedAll, rule.Ns(by.own)).
			With(by.of.method+" "+by.of.template))
	}
	if n := len(g.paused); n > 0 {
		says = append(says, rule.Say(pausedToo, int64(n)))
	}
	for _, p := range g.paused {
		p.book(d, s, says)
	}
	slices.SortStableFunc(g.held, func(a, b heldBack) int { return cmp.Compare(a.asked, b.asked) })
	for _, h := range g.held {
		told.add(h.exchange)
		c := rule.Claim{
			Rule: thinkRule, Cause: standstill, Index: -1, Says: says,
			Confidence: report.ConfidenceMedium, Most: rule.AtMost(report.Medium),
			Occ: rule.Occurrence{
				Connection: h.conn, Exchange: h.exchange,
				Start: h.request.Time, End: h.first.Time,
				Cost: report.Cost{
					Low:      max(0, min(h.own, g.To-max(g.From, h.asked))-h.usual),
					Expected: h.own - h.usual,
					High:     h.own,
				},
				Proof: []rule.Evidence{
					rule.Shows(h.request, report.SideClient, lastOctet),
					rule.Shows(h.first, report.SideServer, tookLonger,
						rule.Ns(h.own), rule.Ns(h.usual), int64(h.n)),
				},
			},
		}
		if s.still == 1 && g.To-g.From < interrupts {
			c.Most = rule.AtMost(report.Low) // it need not come back
		}
		g.shows(&c, h.served)
		d.Book(rule.Subject{Pair: s.pair(h.served), Multiplexed: h.apart}, &c)
	}
}

// shows adds to the proof of a claim what was in service all the time.
func (g *stood) shows(c *rule.Claim, x *served) {
	by := g.blocker()
	if by == nil {
		return
	}
	c.Occ.Elsewhere = by.conn != x.conn
	c.Occ.Proof = append(c.Occ.Proof,
		rule.Shows(by.first, report.SideServer, endsStandstill, int64(by.exchange)))
	slices.SortStableFunc(c.Occ.Proof, byTime)
}

// standstillFixes is where to look for what stopped a service.
func standstillFixes() []report.Remedy {
	return []report.Remedy{{
		Side: report.SideServer,
		Text: "see what stopped it: work within an event loop, garbage collection, a lock that all " +
			"requests need, one worker or all of them busy, no processor (steal time); work that " +
			"takes long belongs into another thread or process",
		Settings: []report.Setting{
			{Product: report.Node, Text: "worker_threads, perf_hooks.monitorEventLoopDelay"},
			{Product: report.Go, Text: "GODEBUG=gctrace=1, the block and mutex profiles"},
			{Product: report.Java, Text: "-Xlog:gc,safepoint"},
			{Product: report.Gunicorn, Text: "--workers, --threads"},
		},
	}}
}

// pauseOf is the longest time within its response in which the server sent no octet on the
// connection of an exchange: where nothing was on its way and all windows had room, and nothing
// else in it comes near. What pauses again and again does so by itself.
func pauseOf(p *rule.Pass) (before, end capture.Mark, ok bool) {
	a := p.Exchange.Response
	if !a.Complete || a.End.Time-a.Start.Time < outlierLeast {
		return before, end, false
	}
	var from capture.Mark
	var second time.Duration
	for r := range ledger.Segments(p.Conn, a.Start.Time, a.End.Time) {
		if r.Dir != reassembly.FromServer || r.Len == 0 {
			continue
		}
		if silent := r.Time - from.Time; !ledger.Seen(from) {
			before, end = r.Mark(), r.Mark() // what came before it may not be held any more
		} else if longest := end.Time - before.Time; silent > longest {
			before, end, second = from, r.Mark(), longest
		} else {
			second = max(second, silent)
		}
		from = r.Mark()
	}
	length := end.Time - before.Time
	return before, end, length >= outlierLeast && second*steadyTimes <= length &&
		reaches(p.Draft.Times[report.AppPaced], mostPaused, length)
}

// book tells of the pause as part of a standstill, of which as much is said.
func (p *pause) book(d rule.Desk, s *service, says []rule.Said) {
	d.Book(rule.Subject{Pair: report.Pair{Client: p.client, Server: s.addr}}, &rule.Claim{
		Rule: thinkRule, Cause: standstill, Index: -1, Says: says,
		Confidence: report.ConfidenceMedium, Most: rule.AtMost(report.Medium),
		Occ: rule.Occurrence{
			Connection: p.conn, Exchange: p.exchange, Start: p.From, End: p.To,
			Cost:  report.Cost{Expected: p.To - p.From, High: p.To - p.From},
			Proof: p.proof,
		},
	})
}
