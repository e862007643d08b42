package judge

import (
	"cmp"
	"slices"
	"time"

	"tcpwhy/analysis/internal/legs"
	"tcpwhy/analysis/internal/moments"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/internal/tally"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

// Judge reads the events of all connections in the order of time, and draws up the report. What it
// keeps about a connection is small and goes when the connection can no longer matter.
type Judge struct {
	limits  Limits
	Hooks   Hooks
	From    time.Duration             // what ends before is learnt from, and not counted
	all     []*rule.Detector          // of which some run
	rules   []*rule.Detector          // those that run
	named   map[string]*rule.Detector // those that run
	conns   map[int]*member
	groups  map[rule.Key]*group
	pairs   map[report.Pair]*pairTotals
	list    listing
	tally   tally.Tally
	Total   totalSums
	retry   retries
	Crowd   crowded
	nextID  int // of the next exchange
	shown   depicted
	clock   wallClock
	timers  hostTimers
	ids     hostIDs
	inHand  inHand
	moved   []moved
	tried   tried
	proxied proxied
	fences  fences
}

// tried are attempts to connect that the end of the capture cut, by connection.
type tried struct {
	ended map[int]exchange.Outcome // how they ended, as far as it showed elsewhere
	spare map[int]struct{}         // of TLS, with which no request failed
	cut   map[int]*counted         // of which it has not: nobody lost their time yet
}

// depicted is what is shown of single connections, because it was asked for.
type depicted struct {
	trace  *report.Trace
	graphs map[int]*report.Graph // by connection
}

// inHand is the exchange that is being judged.
type inHand struct {
	of       *rule.Judged
	standing []rule.Claim // the claims that stand, so far
	settled  rule.Kinds   // kinds of what its time belongs to, beside those
}

// totalSums are sums over everything, listed or not.
type totalSums struct {
	connections, exchanges int
	exchangeTime, lost     time.Duration
	waited                 time.Duration // exchangeTime without streams
	times                  [report.LabelCount]time.Duration
	shared                 sharedTime
	vantages               map[reassembly.Vantage]int
	caveats                map[string]uint64 // connections by caveat
	missing                int64             // octets that the capture lacks
	octets                 int64
	midStream, oneSided    uint64
	// connections whose set-up was seen whole, and those on which clients acknowledge nothing alone
	accepted, mute uint64
	// clients and services, those that were forgotten as often as they came again
	pairs uint64
	Views uint64 // connections that are others seen again
	// ICMP errors about connections that the capture had not shown
	Quoted uint64
	Names  reassembly.NamesTally
	QUIC   reassembly.QUICTally
	Keys   reassembly.KeyTally // of key logs
	cut    uint64              // exchanges that the end of the capture cut
	scans  uint64              // attempts to connect of hosts that only look what is there
	unread unread
}

// unread is what was said that nobody could read.
type unread struct {
	encrypted, foreign uint64 // connections: of TLS without keys, of protocols that are not read
	decrypted          uint64 // connections of TLS that were read
	messages, turns    int    // exchanges that were read, and those that were not
}

// add takes in a connection that is over, on which there were exchanges.
func (u *unread) add(c *report.ConnInfo) {
	cut := slices.Contains(c.Caveats, exchange.CaveatPayloadCut) ||
		slices.Contains(c.Caveats, exchange.CaveatHTTPGap)
	switch c.Protocol {
	case exchange.ProtoTLS:
		u.encrypted++
	case exchange.ProtoUnknown, exchange.ProtoTunnel:
		if !cut { // else it may be HTTP
			u.foreign++
		}
	}
}

// lostAtMost is what was lost, of which there is never more than exchanges took. The sum itself is
// not bounded on the way: what the others of a capture took has no part in it.
func (t *totalSums) lostAtMost() time.Duration { return max(0, min(t.lost, t.exchangeTime)) }

// member is a connection whose events are being read.
type member struct {
	rule.Conn
	ids  []exchangeID  // begun, not yet judged
	room [1]exchangeID // where ids begins
	all  []int         // numbers of all its exchanges, in their order
	open int           // exchanges that are going on
	// what its latest exchange repeats; nil once that is judged, or nothing
	retries *failure
	failure *failure         // its first exchange that did not end well
	streams map[int]*failure // those on a connection of several streams, by index
	opened  time.Duration    // when its first exchange began
	asked   asked            // for what, last
	sni     string           // the name in its TLS hello
	turns   bool             // it had exchanges that nobody could read
	lost    time.Duration    // by all its exchanges, as a rank
	standing
}

// newMember is a connection of which no event has been read.
func newMember(id int) *member {
	m := &member{Conn: rule.Conn{Id: id}}
	m.standing.conn = &m.Conn
	return m
}

// exchangeID maps an exchange of a connection to its number in the report.
type exchangeID struct {
	index, id int
	need      time.Duration // when its client needed the connection
	over      bool
}

// take gives the report's number of an exchange, for the last time.
func (m *member) take(index int) int {
	for i, e := range m.ids {
		if e.index == index {
			m.ids = append(m.ids[:i], m.ids[i+1:]...)
			return e.id
		}
	}
	return -1
}

// isOver notes that an exchange is over.
func (m *member) isOver(index int) {
	for i := range m.ids {
		if m.ids[i].index == index {
			m.ids[i].over = true
			return
		}
	}
}

// find gives the report's number of an exchange of this connection; -1 for none.
func (m *member) find(index int) int {
	if index < 0 || index >= len(m.all) {
		return -1
	}
	return m.all[index]
}

// pairTotals is what all exchanges of one client with one service took.
type pairTotals struct {
	rule.Totals
	born uint64 // how many pairs there were before
	// something was asked between the two: not all of it was attempts
	asked bool
	seen  report.Products
	// whose exchanges the client, a proxy, asks for here; zero if it is none
	front report.Pair
	// when its exchanges began
	occasions moments.Moments
}

// Limits are how much is reported.
type Limits struct {
	MinSeverity    report.Severity // findings below it are left out
	MaxOccurrences int             // listed per finding; 0: all
	MaxListed      int             // findings, connections and exchanges listed; 0: all
	DrawAll        bool            // what exchanges spent their time on, in order, of all that are listed
	Panics         bool            // of this program are not caught
}

// New makes a judge for a run in which some of all rules run.
func New(l Limits, all, rules []*rule.Detector) *Judge {
	j := &Judge{
		limits: l,
		all:    all,
		rules:  rules,
		named:  map[string]*rule.Detector{},
		conns:  map[int]*member{},
		groups: map[rule.Key]*group{},
		pairs:  map[report.Pair]*pairTotals{},
	}
	j.Total.vantages = map[reassembly.Vantage]int{}
	j.Total.caveats = map[string]uint64{}
	j.list.bound(l.MaxListed)
	j.proxied = proxied{
		Links: legs.New(j.count), held: map[int]*counted{}, repeats: map[int]*failure{},
		behind: newRecent[struct{}](mostBehind), linked: newRecent[*counted](mostLinked),
	}
	for _, d := range rules {
		j.named[d.Name] = d
	}
	j.fences.across.start(rules, l.Panics)
	j.number()
	return j
}

// number makes pairs of client and service have the same numbers in all that is kept of them.
func (j *Judge) number() {
	n := &rule.PairNumbers{}
	j.fences.across.number(n)
	j.timers.hosts.By(n)
	j.ids.hosts.By(n)
	j.retry.paces.asked.By(n)
}

// Read takes in the first n of events that are in order.
func (j *Judge) Read(events *rule.Batch, n int) {
	for next := 0; next < n; {
		next = j.readFrom(events, next, n)
	}
}

// Advance books what has waited for events that can no longer come: those before the given moment
// have been read.
func (j *Judge) Advance(now time.Duration) {
	j.expireFailures(now)
	j.proxied.Advance(now)
	j.fences.across.eachOf(j.fences.across.waiters, func(c *comparing) { c.waiter.Advance(j, now) })
}

// event takes in one event.
func (j *Judge) event(e *rule.Told) {
	j.Advance(e.At)
	id := int(e.Conn)
	m := j.conns[id]
	if m == nil {
		m = newMember(id)
		m.ids = m.room[:0]
		j.conns[id] = m
	}
	across := &j.fences.across
	held := e.Kind != rule.ExchangeBegan && across.holds(j, &m.standing, e, j.isBefore(e))
	switch e.Kind {
	case rule.ExchangeBegan:
		j.began(m, e.Began(), int(e.Index))
		j.totalsOf(m.Pair).asked = true
		held = across.holds(j, &m.standing, e, false)
	case rule.AttemptBegan:
		j.began(m, e.Began(), int(e.Index))
	case rule.ExchangeOver:
		o := e.Over()
		j.over(m, &o, int(e.Index))
		j.proxied.Over(m.find(int(e.Index)))
	case rule.ExchangeJudged, rule.AttemptJudged:
		j.judged(m, e.Judged(), e.At)
	case rule.PeriodJudged:
		j.period(m, e.Judged())
	case rule.ConnOver:
		gone := e.Gone()
		if gone.Broken != nil {
			j.breakOff(m, e, gone.Broken)
		}
		j.gone(m, gone, e.At)
		j.tellConnection(id, gone.Pair, gone.Info)
		delete(j.conns, id)
	}
	across.tell(j, &m.Conn, e, held)
}

// isBefore reports whether an event is of an exchange that ended before what is reported begins: it
// is learnt from in another way.
func (j *Judge) isBefore(t *rule.Told) bool {
	if t.Kind != rule.ExchangeJudged {
		return false
	}
	info := t.Judged().Info
	return j.From > 0 && info.Start+info.Duration <= j.From
}

// began takes in the beginning of an exchange.
func (j *Judge) began(m *member, e *rule.Began, index int) {
	m.ids = append(m.ids, exchangeID{index: index, id: j.nextID, need: e.Need})
	// a handshake that failed is known at the end, behind what was sent after it in vain
	m.all = slices.Insert(m.all, min(index, len(m.all)), j.nextID)
	m.open++
	j.clock.began(e.Pair.Client, j.nextID, e.Need)
	j.proxied.asks(e, m.Id, j.nextID)
	j.totalsOf(e.Pair).nearer(e.Rtt)
	j.retried(m, e, index)
	j.nextID++
	m.Pair, m.Port = e.Pair, e.Port
	if len(m.all) == 1 {
		j.tellConnection(m.Id, m.Pair, nil)
	}
	if e.Secure {
		m.sni = e.Name
	}
	if e.First {
		m.Repeats, m.Start = m.retries != nil, e.ConnStart
		m.opened = e.Start.Time
	}
	if m.Far == 0 || e.Far < m.Far {
		m.Far = e.Far
	}
}

// over takes in the end of an exchange.
func (j *Judge) over(m *member, e *rule.Over, index int) {
	m.Seen, m.Foreign, m.Multiplexed = e.Products, e.Foreign, e.Multiplexed
	m.open--
	m.isOver(index)
	if e.Unasked {
		return // it served nobody
	}
	m.Served++
	m.IdleSince = e.End
	if e.Failure == nil {
		m.AnsweredAt = e.End.Time
		m.asked.at = e.End.Time
	}
	if e.Multiplexed && m.open > 0 {
		m.AnsweredAt = 0 // it is not idle: others go on
	}
	j.failed(m, e, index)
}

// judged takes in an exchange's ledger and claims.
func (j *Judge) judged(m *member, job *rule.Judged, at time.Duration) {
	info := job.Info
	info.ID = m.take(job.Index)
	if job.Unjudged {
		j.unjudged(m, job)
		return
	}
	if info.Start+info.Duration <= j.From && j.From > 0 {
		m.Rtt = job.Flow.RTT
		j.ids.learn(&m.Conn, job.IDs, at)
		j.clock.judged(j, m.Pair, job, nil, 0)
		j.proxied.Judged(info.ID, endedLeg(job), nil)
		return
	}
	if !info.Turn && info.Attempt == nil {
		j.Total.unread.messages++
	} else if info.Turn {
		m.turns = true
		j.Total.unread.turns++
	}
	if info.Outcome == exchange.Incomplete {
		j.Total.cut++
	}
	if job.Streams {
		m.streamed(info.ID, job.Index)
	}
	waited := info.Duration
	if job.Streams || info.Attempt != nil && info.Attempt.Secure &&
		info.Outcome == exchange.Incomplete {
		// beside the hours of a stream, and set-ups that may go on, every fault would seem small
		waited = 0
	}
	c := j.proxied.hold(&counted{between: m.Pair, Exchange: tally.Exchange{ExchangeInfo: info,
		Server: m.Pair.Server, Name: cmp.Or(info.Host, m.sni), Streams: job.Streams}, clock: job.Clock})
	j.pairTotal(m, waited, job.Flow.RTT)
	j.occasion(m.Pair, job.Info.Start)
	m.ownSetup(job)
	m.Rtt = job.Flow.RTT
	j.ids.learn(&m.Conn, job.IDs, at)
	claims := inPart(j.settleClaims(m, job, at), j.From)
	rule.MarkAgain(claims)
	j.clock.claimed.begin(
		info.ID,
		report.Interval{From: info.Start, To: info.Start + info.Duration},
		job.Shared,
	)
	for i := range claims {
		claims[i].Occ.Exchange = info.ID
		if claims[i].Failure == nil {
			j.clock.claimed.add(info.ID, claims[i].Occ.Cost.Expected)
		}
		j.bookJudged(m.Of(job), &claims[i], m)
	}
	within := ofExchange(claims)
	lost := combined(job, promised(within))
	c.Lost = lost
	j.Total.lost += lost
	j.clock.judged(j, m.Pair, job, within, lost)
	m.lost += worthListing(info, claims, lost)
	j.list.exchange(m.Pair.Server, info, worthListing(info, claims, lost))
	if j.limits.DrawAll {
		info.Pieces = job.Pieces.List()
	} else {
		j.list.drawn(job)
	}
	if info.Attempt != nil {
		j.proxied.attempted(job, c)
		return
	}
	j.proxied.Judged(info.ID, endedLeg(job), c)
}

// ofExchange are the claims of time within the exchange that is judged. Those about its failure
// cost what the client waited until it was repeated, and are booked when that is known.
func ofExchange(claims []rule.Claim) []rule.Claim {
	failure := func(c rule.Claim) bool { return c.Failure != nil }
	if !slices.ContainsFunc(claims, failure) {
		return claims
	}
	return slices.DeleteFunc(slices.Clone(claims), failure)
}

// promised are the claims whose time counts as lost: nothing is promised of those of low
// confidence.
func promised(claims []rule.Claim) []rule.Claim {
	if !slices.ContainsFunc(claims, isDoubtful) {
		return claims
	}
	return slices.DeleteFunc(slices.Clone(claims), isDoubtful)
}

// isDoubtful reports whether nothing is promised of a claim.
func isDoubtful(c rule.Claim) bool { return c.Confidence == report.ConfidenceLow }

// settleClaims settles which claims about an exchange stand: those of a kind that another takes the
// place of do not, and those that are referred wait. They are valid until the next call.
func (j *Judge) settleClaims(m *member, job *rule.Judged, at time.Duration) []rule.Claim {
	j.inHand = inHand{of: job, standing: j.inHand.standing[:0]}
	j.fences.across.eachOf(j.fences.across.claimers, func(c *comparing) { c.claimer.Claims(j, &m.Conn, job) })
	made := j.inHand.settled | j.Standing() | job.Kinds()
	var displaced []rule.Claim
	for _, c := range job.Claims {
		d := j.named[c.Rule]
		if d == nil || c.Referred {
			continue
		}
		if by := d.YieldsTo & made; c.Kind != 0 && by != 0 {
			if by&^(rule.DroppedHandshake|rule.LostHello) == 0 { // those may not stand in the end
				c.Occ.Exchange = job.Info.ID
				displaced = append(displaced, c)
			}
			continue
		}
		j.inHand.standing = append(j.inHand.standing, c)
	}
	j.markDisplaced(displaced)
	for i := range job.Claims {
		if c := &job.Claims[i]; c.Referred {
			c.Occ.Exchange = job.Info.ID
			j.refer(m.Of(job), c, at, displaced)
		}
	}
	return j.inHand.standing
}

// markDisplaced marks the claims that may be booked later of which another, or one that stands,
// concerns the same exchange.
func (j *Judge) markDisplaced(displaced []rule.Claim) {
	rule.MarkAgain(displaced)
	for i := range displaced {
		c := &displaced[i]
		if slices.ContainsFunc(j.inHand.standing, func(s rule.Claim) bool { return s.Same(c) }) {
			c.Occ.Again = true
		}
	}
}

// refer hands a claim to the across of its rule.
func (j *Judge) refer(s rule.Subject, c *rule.Claim, at time.Duration, displaced []rule.Claim) {
	j.fences.across.ofRule(j.named[c.Rule], func(a *comparing) {
		a.Across.(rule.Referee).Refer(j,
			rule.Referred{Subject: s, Claim: *c, At: at, Displaced: displaced})
	})
}

// pairTotal adds an exchange to what its pair waited for.
func (j *Judge) pairTotal(m *member, took, rtt time.Duration) {
	t := j.totalsOf(m.Pair)
	t.seen.Add(m.Seen)
	t.Exchanges++
	t.Time += took
	t.nearer(rtt)
}

// totalsOf are those of a pair, made if need be.
func (j *Judge) totalsOf(p report.Pair) *pairTotals {
	t := j.pairs[p]
	if t == nil {
		j.trimPairs()
		t = &pairTotals{born: j.Total.pairs}
		j.Total.pairs++
		j.pairs[p] = t
	}
	return t
}

// nearer takes note of a round trip.
func (t *pairTotals) nearer(rtt time.Duration) {
	if rtt > 0 && (t.Rtt == 0 || rtt < t.Rtt) {
		t.Rtt = rtt
	}
}

// gone takes in the end of a connection.
func (j *Judge) gone(m *member, e *rule.Gone, at time.Duration) {
	m.Pair, m.Seen = e.Pair, e.Products
	if e.Info.Start+e.Info.Duration <= j.From && j.From > 0 {
		j.timers.Learn(e, at)
		j.ids.learn(&m.Conn, e.IDs, at)
		return
	}
	j.Total.connections++
	if m.turns {
		j.Total.unread.add(e.Info)
	}
	if t := e.Info.TLS; t != nil && t.Decrypted {
		j.Total.unread.decrypted++
	}
	j.Total.vantages[e.Info.Vantage]++
	j.Total.octets += e.Info.Bytes[0] + e.Info.Bytes[1]
	for _, c := range e.Info.Caveats {
		j.Total.caveats[c]++
	}
	j.Total.missing += e.Missing
	if e.MidStream {
		j.Total.midStream++
	}
	if e.Accepted {
		j.Total.accepted++
	}
	if e.Mute {
		j.Total.mute++
	}
	answered := e.Info.State != reassembly.Connecting && e.Info.State != reassembly.Refused
	if answered && (e.Info.Segments[0] == 0 || e.Info.Segments[1] == 0) {
		j.Total.oneSided++
	}
	j.timers.Learn(e, at)
	j.ids.learn(&m.Conn, e.IDs, at)
	rule.MarkAgain(e.Claims)
	for i := range e.Claims {
		e.Claims[i].Occ.Exchange = m.find(e.Claims[i].Index)
	}
	for i := range e.Claims {
		c := &e.Claims[i]
		switch {
		case c.Referred:
			j.retry.keepReferred(c, m.failureOf(c))
			if displaced, ok := j.givingWay(c, e.Claims); ok {
				j.refer(m.Subject(), c, at, displaced)
			}
		case j.Enabled(c.Rule) && !j.givesWay(c, e.Claims):
			j.bookOf(m.Subject(), c, m)
		}
	}
	j.hear(m.Pair, e.Attested)
	e.Info.Exchanges = m.all
	if e.Trace != nil {
		j.shown.trace = e.Trace
		j.shown.trace.Conn = e.Info
	}
	if e.Graph != nil {
		if j.shown.graphs == nil {
			j.shown.graphs = map[int]*report.Graph{}
		}
		j.shown.graphs[e.Info.ID] = e.Graph
	}
	j.list.conns.add(m.lost+claimed(e.Claims), e.Info.Duration, e.Info.ID, e.Info)
}

// givesWay reports whether a claim about a connection that is over gives way to one that is
// referred.
func (j *Judge) givesWay(c *rule.Claim, all []rule.Claim) bool {
	return slices.ContainsFunc(all, func(r rule.Claim) bool {
		if !r.Referred || !j.Enabled(r.Rule) {
			return false
		}
		displaced, ok := j.givingWay(&r, all)
		return ok && slices.ContainsFunc(displaced, func(d rule.Claim) bool { return d.Same(c) })
	})
}

// givingWay are the claims about an exchange that give way to one of a kind that is referred. False
// if it gives way itself: it failed for a reason that another claim has.
func (j *Judge) givingWay(r *rule.Claim, all []rule.Claim) (displaced []rule.Claim, ok bool) {
	if r.Kind == 0 {
		return nil, true
	}
	for i := range all {
		c := &all[i]
		if c.Index != r.Index || c.Rule == r.Rule || !j.Enabled(c.Rule) {
			continue
		}
		switch {
		case c.Kind != 0 && j.named[c.Rule].YieldsTo.Has(r.Kind):
			displaced = append(displaced, *c)
		case c.Failure != nil:
			return nil, false
		}
	}
	return displaced, true
}
