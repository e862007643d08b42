package http2

import (
	"slices"
	"time"

	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/internal/whatif"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

const (
	// horizon is how long after its end a connection still counts as one that could have gone on:
	// common idle timeouts are longer, and what lies further back is another visit.
	horizon = 60 * time.Second
	// usualStreams is how many streams at a time a server is taken to allow that has said nothing
	// of it: no fewer are recommended (RFC 9113 §6.5.2).
	usualStreams = 100
	// maxSessions are the connections that are remembered between one client and one service.
	maxSessions = 64
	// keptChanges is how many beginnings and ends of streams are remembered of a connection.
	keptChanges = 256
	// maxLimits are the different numbers of requests that are counted behind which servers end
	// connections.
	maxLimits = 64
)

// sessions compares the connections of HTTP/2 between clients and services: which of them could
// have carried the first request of another.
type sessions struct {
	pairs rule.PairTable[*visits]
	of    map[int]*session
	// what servers said on connections on which nothing has been asked yet
	early map[int]rule.Directed
}

// visits are the connections between one client and one service, the latest last.
type visits struct {
	all []*session
	// how many connections the server ended by GOAWAY with NO_ERROR, by how many requests they had
	// carried
	limits map[int]int
}

// session is one connection of HTTP/2.
type session struct {
	id      int
	visits  *visits
	name    string // of the host
	secure  bool
	agent   string
	start   capture.Mark
	first   capture.Mark // its first request
	far     time.Duration
	rtt     time.Duration // the least up to its first request; 0: not known
	changes []change      // of how many streams are open, in order
	open    int           // streams
	asked   int           // requests
	told    rule.Directed
	rested  time.Duration // since when no stream was open, when the server ended it; 0: some was
	closed  bool
	excused bool // it has excused a new connection
	ended   capture.Mark
	kept    [2]whatif.Kept
	needed  *needless // why it need not have been opened
}

// change is a stream that began (1) or ended (-1).
type change struct {
	at time.Duration
	by int
}

// needless is the connection that could have carried the first request of another.
type needless struct {
	by      *session
	cause   string
	streams int // open on it at that moment
	request capture.Mark
}

// Number makes pairs have the numbers that others have for them.
func (r *sessions) Number(n *rule.PairNumbers) { r.pairs.By(n) }

// Event follows connections and their streams.
func (r *sessions) Event(_ rule.Desk, c *rule.Conn, e *rule.Told) {
	s := r.of[c.Id]
	switch e.Kind {
	case rule.ExchangeBegan:
		b := e.Began()
		if s == nil && b.Multiplexed && !b.Turn {
			s = r.follow(c, b, e.At)
		}
		if s != nil {
			s.change(b.Start.Time, 1)
			s.asked++
		}
	case rule.ExchangeOver:
		if s != nil {
			s.change(e.Over().End.Time, -1)
		}
	case rule.ConnDirected:
		if s != nil {
			s.directed(e.Directed())
		} else {
			r.keepEarly(c.Id, e.Directed())
		}
	case rule.ConnClosing:
		if s != nil && !s.closed {
			s.closed, s.ended = true, e.Closing().At
		}
	case rule.ConnOver:
		delete(r.early, c.Id)
		if s != nil {
			s.closed = true
			delete(r.of, c.Id)
		}
	}
}

// keepEarly keeps what a server says before it is asked anything.
func (r *sessions) keepEarly(conn int, d rule.Directed) {
	if r.early == nil {
		r.early = map[int]rule.Directed{}
	}
	if len(r.early) < rule.MaxPairs {
		r.early[conn] = d
	}
}

// follow begins to follow a connection, and looks for one that could have carried its first
// request; nil if there are too many.
func (r *sessions) follow(c *rule.Conn, b *rule.Began, now time.Duration) *session {
	kept := r.pairs.Of(c.Pair, now)
	if kept == nil {
		return nil
	}
	if *kept == nil {
		*kept = &visits{}
	}
	v := *kept
	s := &session{
		id: c.Id, visits: v, name: b.Name, secure: b.Secure, agent: b.Agent, start: b.ConnStart,
		first: b.Start, far: b.Far, rtt: b.Rtt,
	}
	if b.First && b.Critical && b.Handshake && !b.LacksSYN && !c.Repeats {
		s.needed = v.instead(s, b)
	}
	s.told = r.early[c.Id]
	delete(r.early, c.Id)
	v.add(s)
	if r.of == nil {
		r.of = map[int]*session{}
	}
	r.of[c.Id] = s
	return s
}

// add remembers a connection; of too many the oldest that is over goes, or the oldest.
func (v *visits) add(s *session) {
	if len(v.all) >= maxSessions {
		i := max(0, slices.IndexFunc(v.all, func(o *session) bool { return o.closed }))
		v.all = slices.Delete(v.all, i, i+1)
	}
	v.all = append(v.all, s)
}

// change takes note of a stream that began or ended.
func (s *session) change(at time.Duration, by int) {
	s.open = max(0, s.open+by)
	if len(s.changes) >= keptChanges {
		s.changes = slices.Delete(s.changes, 0, keptChanges/2)
	}
	s.changes = append(s.changes, change{at, by})
}

// openAt is how many streams were open at a moment.
func (s *session) openAt(at time.Duration) int {
	n := s.open
	for i := len(s.changes) - 1; i >= 0; i-- {
		if s.changes[i].at > at {
			n -= s.changes[i].by
		}
	}
	return max(0, n)
}

// directed takes in what the server has said.
func (s *session) directed(d rule.Directed) {
	before := s.told
	if s.closed {
		d.Away = before.Away // it answers the client's close
	}
	s.told = d
	if before.Away.At.Frame != 0 || d.Away.At.Frame == 0 || d.Away.Code != exchange.NoError {
		return
	}
	if n := len(s.changes); n > 0 && s.open == 0 {
		s.rested = s.changes[n-1].at
	}
	if s.hadRested() {
		return
	}
	v := s.visits
	if v.limits == nil {
		v.limits = map[int]int{}
	}
	if len(v.limits) < maxLimits || v.limits[s.asked] > 0 {
		v.limits[s.asked]++
	}
}

// restedFor is for how long no stream had been open when the server ended the connection.
func (s *session) restedFor() time.Duration {
	if s.rested == 0 {
		return 0
	}
	return s.told.Away.At.Time - s.rested
}

// hadRested reports whether the server ended the connection out of rest, by a timer: what ends it
// for what it has carried does so as its last response ends, at the latest. A request that GOAWAY
// left out ended as it was sent, up to a round trip before.
func (s *session) hadRested() bool {
	return s.restedFor() > rule.PromptClose+max(s.far, s.rtt)
}

// instead is the connection that could have carried s's first request: one that was open and had
// room, or one that the server had ended, which excuses one new one. nil: there was none, or one
// lay idle, of which missed-reuse tells.
func (v *visits) instead(s *session, b *rule.Began) *needless {
	var found *needless
	for i := len(v.all) - 1; i >= 0; i-- {
		o := v.all[i]
		if o.told.Lossy || !o.fits(s) || b.Need <= o.first.Time {
			continue
		}
		switch open := o.openAt(b.Need); {
		case o.closed && o.told.Away.At.Frame == 0:
		case o.told.Away.At.Frame != 0:
			if found == nil && o.endedBefore(b.Need) {
				found = &needless{o, churnCause, open, b.Start}
			}
		case open == 0:
			return nil
		case open < o.limit() && (found == nil || found.cause == churnCause):
			found = &needless{o, severalCause, open, b.Start}
		}
	}
	if found != nil && found.cause == churnCause {
		found.by.excused = true
	}
	return found
}

// fits reports whether o could carry what s is asked for: it is for the same name, and of the same
// program as far as that is known.
func (o *session) fits(s *session) bool {
	return o.name == s.name && o.secure == s.secure &&
		(o.agent == s.agent || o.agent == "" || s.agent == "")
}

// limit is how many streams the server allows at a time.
func (o *session) limit() int {
	if o.told.Limited {
		return int(min(o.told.Streams, 1<<30))
	}
	return usualStreams
}

// endedBefore reports whether the client knew at a moment, and had not known for long, that the
// server had ended o of its own accord, and o has excused no other connection.
func (o *session) endedBefore(need time.Duration) bool {
	since := need - o.told.Away.At.Time - o.far
	return !o.excused && o.told.Away.Code == exchange.NoError && since > -o.far/2 && since < horizon
}

// Claims claims the set-up of a connection that need not have been opened.
func (r *sessions) Claims(d rule.Desk, c *rule.Conn, x *rule.Judged) {
	s := r.of[c.Id]
	if s == nil {
		return
	}
	if n := s.needed; n != nil && x.Index == 0 && !n.full() {
		s.needed = nil
		cl, ok := n.claim(s, x)
		if ok && d.Enabled(cl.Rule) && !d.Standing().Has(rule.ColdSetup) {
			d.Claim(cl)
		}
	}
	for dir := range s.kept {
		s.carry(x, reassembly.Dir(dir))
	}
}

// carry takes note of the window that dir's sender has behind the exchange.
func (s *session) carry(x *rule.Judged, dir reassembly.Dir) {
	f := x.FlowOf(dir)
	if f == nil || f.MSS <= 0 {
		return
	}
	lost := x.Spent(dir, report.RecoveryCwnd) > 0 || f.LossQueueShown
	s.kept[dir] = s.kept[dir].After(f, lost)
}

// full reports whether the other connection had no room, as the server has said meanwhile, or may
// have said.
func (n *needless) full() bool {
	return n.cause == severalCause && (n.streams >= n.by.limit() || !n.by.told.Heard)
}

// claim is that of a connection that need not have been opened; false if it cost nothing.
func (n *needless) claim(s *session, x *rule.Judged) (rule.Claim, bool) {
	setUp := x.Sum(report.TCPHandshake, report.TLSRTT, report.TLSServer, report.TLSClient) +
		x.Flights
	slow := n.slowStart(s, x)
	cl := rule.Claim{
		Kind:       rule.ColdSetup,
		Confidence: report.ConfidenceMedium,
		Occ: rule.Occurrence{
			Connection: s.id,
			Elsewhere:  true,
			Start:      s.start.Time,
			End:        n.request.Time,
			Cost:       report.Cost{Low: setUp, Expected: setUp, High: setUp + slow},
		},
	}
	n.describe(&cl, s, slow)
	if x.Doubtful {
		cl.Occ.Cost.Low = 0
	}
	return cl, cl.Occ.Cost.Expected > 0
}

// slowStart is what the windows of the older connection would have saved of s's first response.
func (n *needless) slowStart(s *session, x *rule.Judged) time.Duration {
	f := x.FlowOf(reassembly.FromServer)
	if f == nil || f.MSS <= 0 {
		return 0
	}
	var idle time.Duration
	if n.by.rested > 0 {
		idle = s.start.Time - n.by.rested
	}
	kept := n.by.kept[reassembly.FromServer].Rested(idle, f.RTT)
	return kept.Saving(f, x.Spent(reassembly.FromServer, report.SlowStart))
}

// describe says which rule the claim is of, and why.
func (n *needless) describe(cl *rule.Claim, s *session, slow time.Duration) {
	o := n.by
	opened := rule.Shows(s.start, report.SideClient, opensAnother,
		rule.Ns(s.start.Time-o.first.Time))
	waited := rule.Shows(n.request, report.SideClient, waitedForIt)
	cl.Cause = n.cause
	if n.cause == severalCause {
		cl.Rule = connectionsRule
		cl.Says = []rule.Said{rule.Say(hadRoom, int64(n.streams), int64(o.limit()))}
		if !o.told.Limited {
			cl.Says = []rule.Said{rule.Say(hadRoomUnsaid, int64(n.streams))}
		}
		cl.Occ.Proof = []rule.Evidence{
			rule.Shows(o.first, report.SideClient, openBefore, int64(o.id)), opened, waited,
		}
		return
	}
	cl.Rule = goAwayRule
	cl.Kind |= rule.WarmWindow
	cl.Occ.Cost.Expected += slow
	cl.Occ.Cost.Low = max(0, cl.Occ.Cost.Low-s.far)
	away := o.told.Away.At
	opened = rule.Shows(s.start, report.SideClient, opensAnother, rule.Ns(s.start.Time-away.Time))
	cl.Occ.Proof = []rule.Evidence{
		rule.Shows(away, report.SideServer, takesNoMore, int64(o.id)), opened, waited,
	}
	same := o.visits.limits[o.asked]
	switch {
	case o.hadRested():
		cl.Says = []rule.Said{rule.Say(endedIdle, rule.Ns(o.restedFor()))}
	case same >= leastSame && 3*same > 2*sum(o.visits.limits):
		cl.Confidence = report.ConfidenceHigh
		cl.Says = []rule.Said{rule.Say(endedAfterEach, int64(o.asked), int64(same))}
	default:
		cl.Says = []rule.Said{rule.Say(endedAfter, int64(o.asked))}
	}
}

// leastSame is how many connections must have ended behind as many requests, so that a limit ended
// them: two may be chance (reasoning).
const leastSame = 3

func sum(counts map[int]int) (n int) {
	for _, c := range counts {
		n += c
	}
	return n
}

// Finish has nothing left to say.
func (r *sessions) Finish(rule.Desk) {}
