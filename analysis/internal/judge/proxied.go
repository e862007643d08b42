package judge

import (
	"cmp"
	"slices"
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/legs"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/internal/tally"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

// What users waited for is counted once: of a proxied exchange the leg between the proxy and the
// server behind it lies within the other one. So an exchange is counted when it is known whether it
// is such a leg.

// proxied are exchanges that were judged, on their way into the sums.
type proxied struct {
	*legs.Links[*counted]
	held    map[int]*counted // by number: judged, and not counted yet
	repeats map[int]*failure // by number of what repeated it
	behind  recent[struct{}] // legs behind proxies
	linked  recent[*counted] // what is linked
}

// counted is an exchange that was judged.
type counted struct {
	tally.Exchange
	between report.Pair
	clock   *[report.LabelCount]time.Duration // see ledger.Account
	moves   []ledger.Change                   // what has become known of its time since
	later   []postponed                       // claims about it
}

// nearLeg is how long a leg of the round trip is at most, the capture point being perhaps on that
// host: on another it takes longer (reasoning: a tenth of a tick of a kernel's timer).
const nearLeg = 400 * time.Microsecond

// asks tells the linker that an exchange began.
func (p *proxied) asks(e *rule.Began, conn, id int) {
	if e.Turn || e.Unasked {
		return
	}
	p.Began(legs.Asked{
		ID: id, Conn: conn, Client: e.Pair.Client, Server: e.Pair.Server, Start: e.Start.Time,
		Method: e.Method, Target: e.Target, Trail: e.Trail,
		ClientNear: e.Rtt > 0 && e.Far <= nearLeg,
		ServerNear: e.Rtt > 0 && e.Rtt-e.Far <= nearLeg,
	})
}

// hold keeps an exchange until it is known whether it is a leg behind a proxy: most are counted as
// soon as they have been judged.
func (p *proxied) hold(c *counted) *counted {
	p.held[c.ID] = c
	return c
}

// endedLeg is what the linker needs to know of an exchange.
func endedLeg(job *rule.Judged) legs.Ended {
	x := job.Info
	e := legs.Ended{
		From: job.From, Until: job.Until, Think: job.Times[report.Think],
		Agent: job.Agent, Trail: job.Trail, Status: x.Status,
		Sent: announced(job, reassembly.FromClient), Length: announced(job, reassembly.FromServer),
		ClientLocal: clientLocal(job),
		ServerLocal: job.Vantage == reassembly.ServerSide || job.Vantage == reassembly.SameHost,
		Chunked:     job.MessageFacts[reassembly.FromServer].Has(exchange.HasChunked),
	}
	last := job.FirstOctet()
	e.Inputs[0] = last.Frame.Input()
	if x.Request != nil {
		e.RequestEnd, last = x.Request.End.Time, x.Request.End
	}
	if x.Response != nil {
		last = x.Response.End
		e.Answer, e.Body = x.Response.Start.Time, x.Response.BodyBytes
		e.Whole = x.Response.Complete && x.Outcome == exchange.Complete
	}
	e.Inputs[1] = last.Frame.Input()
	return e
}

// clientLocal reports whether the capture was taken on the client's host.
func clientLocal(job *rule.Judged) bool {
	return job.Vantage == reassembly.ClientSide || job.Vantage == reassembly.SameHost
}

// announced is the length that a message was to have, as its length is all of its framing; -1 if it
// did not say.
func announced(job *rule.Judged, dir reassembly.Dir) int64 {
	m := job.Message(dir)
	if m == nil || !m.Complete || !job.MessageFacts[dir].Has(exchange.HasLength) ||
		job.MessageFacts[dir].Has(exchange.HasChunked) {
		return -1
	}
	return m.BodyBytes
}

// attempted hands an attempt that came to nothing to the linker: of those of a proxy, somebody
// else's exchange was waiting for it.
func (p *proxied) attempted(job *rule.Judged, c *counted) {
	p.Attempted(legs.Attempt{
		Client: c.between.Client, Server: c.Server, From: job.From, Until: job.Until,
		Input: job.Info.Attempt.Start.Frame.Input(), ClientLocal: clientLocal(job),
	}, c)
}

// count adds an exchange to the sums, of which it is known now whether it is a leg behind a proxy.
func (j *Judge) count(c *counted, k legs.Link[*counted]) {
	if c == nil {
		return // it lies before the part that counts
	}
	x := c.ExchangeInfo
	delete(j.proxied.held, x.ID)
	j.Total.exchanges++
	if k.Behind && k.Front != nil {
		x.Behind, x.Front, c.Share = true, k.Front.ID, k.Share
		j.totalsOf(c.between).behind(k.Front.between)
		j.proxied.behind.add(x.ID, struct{}{})
		j.proxied.linked.add(x.ID, c)
		j.proxied.linked.add(k.Front.ID, k.Front)
		if x.Attempt != nil {
			j.waitedInVain(k.Front, c)
		}
	}
	x.Waited, x.Alike = k.Waited, k.Alike
	for _, u := range k.Upstream {
		if u != nil {
			x.Upstream = append(x.Upstream, u.ID)
		}
	}
	if x.Behind {
		delete(j.proxied.repeats, x.ID)
	} else {
		j.countTime(c)
	}
	j.once(c, k.Upstream)
	j.tally.Add(&c.Exchange)
	for i := range c.later {
		j.bookOf(c.later[i].s, &c.later[i].c, c.later[i].m)
	}
	c.later, c.moves = nil, nil
	j.tellExchange(c.between, x)
}

// behind notes whose exchanges the client of a pair asks for.
func (t *pairTotals) behind(front report.Pair) {
	if !t.front.Server.IsValid() {
		t.front = front
	}
}

// waitedInVain adds an attempt in vain to an exchange that was counted.
func (j *Judge) waitedInVain(front, c *counted) {
	c.Share = max(0, min(c.Share, tally.Think(front.Times)-front.Waited))
	front.Upstream = append(front.Upstream, c.ID)
	slices.SortFunc(front.Upstream, func(a, b int) int {
		return cmp.Compare(j.proxied.began(a), j.proxied.began(b))
	})
	j.tally.Waits(&front.Exchange, c.Share)
}

// began is when a linked exchange began, counted yet or not; 0 if it is not remembered.
func (p *proxied) began(id int) time.Duration {
	for _, c := range [...]*counted{p.linked.of[id], p.held[id]} {
		if c != nil {
			return c.Start
		}
	}
	return 0
}

// countTime adds the time of an exchange that somebody waited for. That of a handshake which the
// end of the capture cut may be no more than it takes, or nobody waits for it.
func (j *Judge) countTime(c *counted) {
	x := c.ExchangeInfo
	if !c.Cut() {
		j.addTime(c)
	} else if len(j.tried.cut) < maxFailures {
		if j.tried.cut == nil {
			j.tried.cut = map[int]*counted{}
		}
		j.tried.cut[x.Connection] = c
	}
	if f := j.proxied.repeats[x.ID]; f != nil {
		delete(j.proxied.repeats, x.ID)
		if f.Refused {
			j.tally.Excuse(f.exchange)
		} else if !f.stream {
			j.tally.Repeated(f.Failure.Outcome)
		}
	}
}

// addTime adds the time of an exchange to all time.
func (j *Judge) addTime(c *counted) {
	x, t := c.ExchangeInfo, &j.Total
	t.exchangeTime += x.Duration
	t.shared.add(x, c.clock)
	if !c.Streams {
		t.waited += x.Duration
	}
	for _, l := range x.Times {
		t.times[l.Label] += l.Time
	}
	for _, m := range c.moves {
		m.Sums(&t.times)
	}
}

// once takes back what seems lost on both legs, and is more than the user waited.
func (j *Judge) once(c *counted, upstream []*counted) {
	lost := c.Lost
	for _, u := range upstream {
		if u != nil {
			lost += u.Lost
		}
	}
	if more := lost - c.Duration; len(upstream) > 0 && more > 0 {
		j.Lose(c.Start+c.Duration, -more)
	}
}

const (
	// mostBehind legs are remembered for what becomes known of their time later, by number alone.
	mostBehind = 1 << 15
	// mostLinked exchanges are remembered as they are, for what is said of both legs.
	mostLinked = 1 << 13
)

// recent is what is known of some exchanges by number: of the latest.
type recent[T any] struct {
	most  int
	of    map[int]T
	order []int
	next  int
}

// newRecent remembers so many.
func newRecent[T any](most int) recent[T] { return recent[T]{most: most, of: map[int]T{}} }

// add remembers something of an exchange.
func (r *recent[T]) add(id int, what T) {
	if _, known := r.of[id]; known {
		r.of[id] = what
		return
	}
	r.of[id] = what
	if len(r.order) < r.most {
		r.order = append(r.order, id)
		return
	}
	delete(r.of, r.order[r.next])
	r.order[r.next] = id
	r.next = (r.next + 1) % r.most
}

// Proxied is what a proxy made of an exchange, as far as that is remembered.
func (j *Judge) Proxied(exchange int) (p rule.Proxied) {
	c := j.proxied.linked.of[exchange]
	if c == nil {
		p.Open = j.proxied.held[exchange] != nil
		return p
	}
	p.Waited = c.Waited
	for _, id := range c.Upstream {
		if u := j.proxied.linked.of[id]; u != nil {
			p.Legs = append(p.Legs, legOf(u))
		}
	}
	if f := j.proxied.linked.of[c.Front]; f != nil && c.Behind {
		p.Next = j.next(f, c)
		p.Open = p.Next != nil && j.proxied.Trying(c.between.Client, c.Start, p.Next.At.Time)
	}
	return p
}

// next is what a proxy did for f when the leg c was over; nil if nothing.
func (j *Judge) next(f, c *counted) *rule.Next {
	var next *rule.Next
	for _, u := range j.Proxied(f.ID).Legs {
		later := u.Exchange != c.ID && u.Start.Time > c.Start
		if later && (next == nil || u.Start.Time < next.At.Time) {
			next = &rule.Next{At: u.Start, Conn: u.Conn, Leg: true}
		}
	}
	if next == nil && f.Response != nil {
		next = &rule.Next{At: f.ExchangeInfo.Response.Start, Conn: f.Connection}
	}
	if next != nil {
		next.Waited = f.Duration
	}
	return next
}

// legOf is what rules see of a leg.
func legOf(c *counted) rule.Leg {
	x := c.ExchangeInfo
	l := rule.Leg{
		Client: c.between.Client, Server: c.Server, Conn: x.Connection, Exchange: x.ID, Outcome: x.Outcome, Status: x.Status,
	}
	switch {
	case x.Attempt != nil:
		l.Start, l.End = x.Attempt.Start, x.Attempt.End
	case x.Response != nil:
		l.Start, l.Answer, l.End = x.Request.Start, x.Response.Start, x.Response.End
	default:
		l.Start, l.End = x.Request.Start, x.Request.End
	}
	return l
}

// What fails on one leg of a proxied exchange shows on the other one, too. It is told once, where
// it came from.

// postponed is a claim about an exchange of which it is not known yet what it has to do with
// others.
type postponed struct {
	s rule.Subject
	c rule.Claim
	m *member
}

// givenUp are the kinds of claims that say that a client gave up.
const givenUp = rule.Abandoned | rule.TimedOut

// postpone keeps a claim until that is known, if it matters.
func (j *Judge) postpone(s rule.Subject, c *rule.Claim, m *member) bool {
	x := j.proxied.held[c.Occ.Exchange]
	if x == nil || c.Kind&givenUp == 0 {
		return false
	}
	x.later = append(x.later, postponed{s, *c, m})
	return true
}

// followed reports whether a proxy gave up a leg only because its client had given up the other
// one.
func (j *Judge) followed(c *rule.Claim) bool {
	if c.Kind&givenUp == 0 {
		return false
	}
	u := j.proxied.linked.of[c.Occ.Exchange]
	if u == nil || !u.Behind {
		return false
	}
	f := j.proxied.linked.of[u.Front]
	return f != nil && f.Response == nil && f.Outcome == exchange.Aborted
}

// forAnother reports whether a proxy asked again, at a moment, for another exchange than that of a
// leg: whose client had its answer by then, or had left.
func (j *Judge) forAnother(leg int, at time.Duration) bool {
	u := j.proxied.linked.of[leg]
	if u == nil || !u.Behind {
		return false
	}
	f := j.proxied.linked.of[u.Front]
	return f != nil && at >= f.Start+f.Duration
}

// The statuses by which a proxy says that a server behind it failed (RFC 9110 §15.6).
const (
	badGateway     = 502
	gatewayTimeout = 504
)

// withAnswers are the occurrences of a finding, and of legs that failed behind proxies what their
// clients were told in the end.
func (j *Judge) withAnswers(g *group) []rule.Occurrence {
	if len(j.proxied.linked.of) == 0 {
		return g.occurrences
	}
	all := slices.Clone(g.occurrences)
	for i := range all {
		o := &all[i]
		u := j.proxied.linked.of[o.Exchange]
		if u == nil || !u.Behind || u.Alike || !g.correctness && u.Attempt == nil {
			continue
		}
		f := j.proxied.linked.of[u.Front]
		if f == nil || f.Response == nil || f.Status < badGateway || f.Status > gatewayTimeout ||
			f.Status == u.Status {
			continue
		}
		o.Elsewhere = true
		o.Proof = append(slices.Clone(o.Proof), rule.Shows(f.ExchangeInfo.Response.Start,
			report.SideProxy, becameError, int64(f.Status), int64(f.Connection)))
	}
	return all
}
