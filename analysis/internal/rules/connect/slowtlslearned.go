package connect

import (
	"net/netip"
	"slices"
	"time"

	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
)

const (
	// sessionLife is how long a session can be resumed at the least, unless it is set otherwise
	// (nginx, ssl_session_timeout; OpenSSL, SSL_CTX_set_timeout).
	sessionLife = 5 * time.Minute
	// keptSessions and keptTimes are how many handshakes are remembered of a client and a service,
	// and of a host.
	keptSessions = 64
	keptTimes    = 64
	// fewestTimes is from how many other handshakes on those of a host show what it takes else.
	fewestTimes = 3
	// stallTimes is how many times as long as that is a stall.
	stallTimes = 3
	// stallAlone is how long a stall is, whatever else the host takes: what a person notices.
	stallAlone = 100 * time.Millisecond
	// fewestWhole is how many whole handshakes before show that a client that offers no session
	// keeps none.
	fewestWhole = 2
	// maxSlowTLS is how many stalls wait until other handshakes are known.
	maxSlowTLS = 4096
)

// slowTLS learns what sessions clients have, and what hosts take for their part of a handshake.
type slowTLS struct {
	sessions rule.PairTable[knownSessions]
	hosts    rule.PairTable[[]ownTime] // clients, and services without a client
	stalls   rule.Agenda[*rule.Referred]
	busy     rule.PairTable[[]stallOf] // clients
}

// knownSessions are those of one client with one service.
type knownSessions struct {
	latest []knownSession
	few    []*rule.Referred // whole handshakes without an offer, while they are few
}

// knownSession is a handshake that left one.
type knownSession struct {
	at      time.Duration
	name    int64 // a hash of it
	program int64
	offered bool // the client had offered one
	given   bool // the server gave one, as far as that can be seen
	id      uint32
}

// ownTime is what a host took for its part of a handshake.
type ownTime struct {
	conn    int
	took    time.Duration
	resumed bool
}

// stallOf is when a client was at the work that made one of its handshakes late.
type stallOf struct {
	conn int
	report.Interval
}

// began takes note of the session that a handshake left.
func (s *slowTLS) began(c *rule.Conn, e *rule.Began, now time.Duration) {
	t := &e.Session
	if !e.First || !t.Seen {
		return
	}
	if k := s.sessions.Of(c.Pair, now); k != nil {
		k.latest = appendLatest(k.latest, knownSession{at: now, name: hashed(e.Name),
			program: int64(
				t.Program,
			), offered: t.Offered || t.Resumed, given: t.Given, id: t.GivenID},
			keptSessions)
	}
}

// judged takes note of what both sides took for a handshake.
func (s *slowTLS) judged(c *rule.Conn, x *rule.Judged, now time.Duration) {
	if !x.Session.Seen || x.Index > 0 || !x.Critical {
		return
	}
	s.note(rule.Alone(c.Pair.Client), ownTime{
		conn: c.Id, took: x.Times[report.TLSClient], resumed: x.Session.Resumed}, now)
	s.note(serviceAlone(c.Pair.Server), ownTime{
		conn: c.Id, took: x.Times[report.TLSServer], resumed: x.Session.Resumed}, now)
}

// serviceAlone is the key of a service, whoever asks.
func serviceAlone(server netip.AddrPort) report.Pair { return report.Pair{Server: server} }

func (s *slowTLS) note(host report.Pair, t ownTime, now time.Duration) {
	if kept := s.hosts.Of(host, now); kept != nil {
		*kept = appendLatest(*kept, t, keptTimes)
	}
}

// isSlow reports whether a cause is one of handshakes that came to their end.
func isSlow(cause string) bool {
	switch cause {
	case oldTLSCause, notResumedCause, flightSizeCause, helloRetryCause, clientStallCause,
		serverStallCause, earlyDataCause:
		return true
	}
	return false
}

// standsAlone reports whether a claim is of a handshake that is slower than it need be, also for a
// program that runs anew for each request: it can keep no connections, and no sessions either.
func standsAlone(c *rule.Claim) bool {
	return isSlow(c.Cause) && c.Cause != notResumedCause && c.Num[slowBeside] == 0
}

// refer settles a claim, or lets it wait. Where the connection need not have been set up, that is
// what costs its handshake, unless its program could not do without.
func (s *slowTLS) refer(d rule.Desk, w *rule.Referred) {
	made := d.Standing()
	if made.Has(rule.ColdSetup) && w.Num[slowBeside] == 0 &&
		!(made.Has(rule.OwnSetup) && w.Kind.Has(rule.SlowHandshake)) {
		return
	}
	switch w.Cause {
	case notResumedCause:
		s.notResumed(d, w)
	case clientStallCause, serverStallCause:
		s.noteBusy(w)
		s.stalls.Add(max(w.At, w.Occ.End+elsewhereWait), w)
		if s.stalls.Len() > maxSlowTLS {
			if w, ok := s.stalls.Next(); ok {
				s.stalled(d, w)
			}
		}
	default:
		bookLost(d, w, &w.Claim)
	}
}

// notResumed books a whole handshake of a client that had a session.
func (s *slowTLS) notResumed(d rule.Desk, w *rule.Referred) {
	k := s.sessions.Has(w.Pair)
	if k == nil {
		return
	}
	before, offers, offered := 0, false, w.Num[slowOffered] != 0
	for _, o := range k.latest {
		offered = offered || o.id != 0 && int64(o.id) == w.Num[slowID] && o.at < w.Occ.Start
		if o.program != w.Num[slowProgram] {
			continue
		}
		offers = offers || o.offered
		if o.name == w.Num[slowName] && o.given && o.at < w.Occ.Start &&
			o.at >= w.Occ.Start-sessionLife {
			before++
		}
	}
	switch {
	case before == 0: // it may have been given none, or one that is too old
	case offered:
		last := len(w.Occ.Proof) - 1
		w.Side, w.Occ.Proof[last].Said = report.SideServer, rule.Say(offersSession)
		bookLost(d, w, &w.Claim)
	case offers: // another process of the program, or another host behind the address
		k.few = nil
	case before < fewestWhole && d.Found(w.Rule, w.Cause, w.Pair) == nil:
		k.few = append(k.few, w)
	default:
		for _, one := range append(k.few, w) {
			// several hosts of one kind behind an address would look the same
			one.Confidence, one.Occ.Cost.Low = min(one.Confidence, report.ConfidenceMedium), 0
			bookLost(d, one, &one.Claim)
		}
		k.few = nil
	}
}

// stalled books what a side took beyond what it takes else.
func (s *slowTLS) stalled(d rule.Desk, w *rule.Referred) {
	host := serviceAlone(w.Pair.Server)
	if w.Cause == clientStallCause {
		host = rule.Alone(w.Pair.Client)
	}
	if s.busyElsewhere(w) {
		return
	}
	others := s.others(host, w)
	usual := time.Duration(0)
	if len(others) >= fewestTimes {
		usual = others[len(others)/2]
	}
	cost := &w.Occ.Cost
	took := cost.Expected
	switch {
	case usual == 0 || usual >= stallAlone: // always so, for all that is known
		if took < stallAlone {
			return
		}
		cost.Low = 0
		if usual > 0 {
			cost.Low = min(took, usual) / stallTimes
		}
	case took < stallTimes*usual || took-usual < stallLeast:
		return
	default:
		cost.Expected, cost.High = took-usual, took
		cost.Low = min(cost.Low, max(0, took-others[len(others)-1]), cost.Expected)
		w.Says = append(w.Says, rule.Say(takesElse, rule.Ns(usual)))
	}
	bookLost(d, w, &w.Claim)
}

// noteBusy takes note of when a client was at work on a handshake.
func (s *slowTLS) noteBusy(w *rule.Referred) {
	if kept := s.busy.Of(rule.Alone(w.Pair.Client), w.At); kept != nil {
		*kept = appendLatest(*kept, stallOf{w.Occ.Connection, spanOf(w)}, keptTimes)
	}
}

// spanOf is when the stall of a claim was.
func spanOf(w *rule.Referred) report.Interval {
	return report.Interval{From: w.Occ.End - w.Occ.Cost.Expected, To: w.Occ.End}
}

// busyElsewhere reports whether the client of a claim ended its work on another handshake well
// before that on this one, which waited for it: it does one after the other.
func (s *slowTLS) busyElsewhere(w *rule.Referred) bool {
	kept := s.busy.Has(rule.Alone(w.Pair.Client))
	if w.Cause != clientStallCause || kept == nil {
		return false
	}
	in := spanOf(w)
	return slices.ContainsFunc(*kept, func(o stallOf) bool {
		return o.conn != w.Occ.Connection && o.To > in.From && o.To <= in.To-stallLeast
	})
}

// others are what the host of w took for other handshakes of the kind, in order.
func (s *slowTLS) others(host report.Pair, w *rule.Referred) []time.Duration {
	var out []time.Duration
	if kept := s.hosts.Has(host); kept != nil {
		for _, t := range *kept {
			if t.conn != w.Occ.Connection && t.resumed == (w.Num[slowResumed] != 0) {
				out = append(out, t.took)
			}
		}
	}
	slices.Sort(out)
	return out
}

// advance settles stalls that have waited for long enough.
func (s *slowTLS) advance(d rule.Desk, now time.Duration) {
	for w, ok := s.stalls.Due(now); ok; w, ok = s.stalls.Due(now) {
		s.stalled(d, w)
	}
}

// finish settles the rest. What was too little to tell that a client keeps no sessions says
// nothing.
func (s *slowTLS) finish(d rule.Desk) {
	for w, ok := s.stalls.Next(); ok; w, ok = s.stalls.Next() {
		s.stalled(d, w)
	}
}
