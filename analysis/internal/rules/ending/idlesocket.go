package ending

import (
	"cmp"
	"slices"
	"time"

	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

const (
	socketCause = "websocket"
	// Timeouts are whole numbers of roundTimeout; by chance one silence in 25 is so within
	// roundWithin, on either side, and a round trip is added where the capture is not at the proxy.
	roundTimeout = 5 * time.Second
	roundWithin  = 100 * time.Millisecond
	// Silences that one timeout ends differ by alikeSilence and the round trip at most: a server
	// may leave a timer that it would move by less (nginx, NGX_TIMER_LAZY_DELAY).
	alikeSilence = 300 * time.Millisecond
	maxSilences  = 4096 // wait for the end; of more nothing is said

	// idleSocket is from how long on silence before an end makes it that of an idle WebSocket
	// (reasoning: proxies' timeouts are set in tens of seconds; who is quiet for less is in a
	// talk).
	idleSocket = 10 * time.Second
	// shortIdle is from how long on it may be, if others of the service show the same: timeouts are
	// seconds (nginx proxy_read_timeout and HAProxy timeout tunnel are written so).
	shortIdle = time.Second
)

// runIdleSockets refers WebSockets that the server's side ended after silence.
func runIdleSockets(p *rule.Pass) {
	for _, w := range p.Conn.WebSockets {
		if !endedByServer(p.Conn, w) || !rested(w) {
			continue
		}
		cl := socketClaim(w, idleDropRule, socketCause, w.Ended.At)
		cl.Side = report.SideServer
		last := lastOf(w)
		side := report.SideClient
		if w.Sides[reassembly.FromServer].Latest == last {
			side = report.SideServer
		}
		cl.Occ.Start = last.Time
		cl.Occ.Proof = []rule.Evidence{rule.Shows(last, side, lastFrame), endOfSocket(w)}
		p.Report(silent(p.Conn, w, cl))
	}
}

// endedByServer reports whether the server's side ended a WebSocket without a Close.
func endedByServer(c *reassembly.Conn, w *exchange.WebSocket) bool {
	_, first := firstFarewell(w)
	return first == nil && endedBare(c, w) && w.Ended.By == reassembly.FromServer
}

// rested reports whether a WebSocket was silent for so long that a timeout may have ended it: for
// less than idleSocket only where the server had the last word, so that nothing was in hand.
func rested(w *exchange.WebSocket) bool {
	silence := socketSilence(w)
	return silence >= idleSocket ||
		silence >= shortIdle && w.Sides[reassembly.FromServer].Latest == lastOf(w)
}

// silent refers a claim about a WebSocket, with what tells whether a timeout ended it.
func silent(c *reassembly.Conn, w *exchange.WebSocket, cl rule.Claim) rule.Claim {
	cl.Referred = true
	cl.Num = [rule.Numbers]int64{
		int64(socketSilence(w)), int64(c.RTTMin()), int64(w.Ended.At.Time - c.Start.Time),
	}
	return cl
}

// silences are WebSockets that ended after silence, until those of the whole capture are known.
type silences struct{ all []silence }

// silence is one of them.
type silence struct {
	rule.Subject
	rule.Claim
	length, rtt time.Duration
	age         time.Duration // of its connection
}

// add takes one.
func (s *silences) add(d rule.Desk, r *rule.Referred) {
	if len(s.all) >= maxSilences {
		return
	}
	r.Occ.Exchange = d.Exchange(r.Occ.Connection, r.Index)
	s.all = append(s.all, silence{
		r.Subject, r.Claim, time.Duration(r.Num[0]), time.Duration(r.Num[1]),
		time.Duration(r.Num[2]),
	})
}

// sort brings them into the order in which they are booked.
func (s *silences) sort() {
	slices.SortStableFunc(s.all, func(a, b silence) int {
		return cmp.Or(a.Pair.Server.Compare(b.Pair.Server), cmp.Compare(a.length, b.length),
			cmp.Compare(a.Occ.Connection, b.Occ.Connection))
	})
}

// book books those that a timeout ended: surer where others of the same service ended after the
// same silence, or where that is a round number.
func (s *silences) book(d rule.Desk) {
	s.sort()
	for i := range s.all {
		own := &s.all[i]
		n, timeout := s.alike(own)
		if !timeout {
			continue
		}
		switch off := (own.length + roundTimeout/2) % roundTimeout; {
		case n > 1:
			own.Confidence = report.ConfidenceHigh
		case off >= roundTimeout/2-roundWithin && off <= roundTimeout/2+roundWithin+own.rtt:
			own.Confidence = report.ConfidenceMedium
		default:
			own.Confidence = report.ConfidenceLow
		}
		own.Says = []rule.Said{rule.Say(socketsSilent, int64(n), rule.Ns(own.length))}
		d.Book(own.Subject, &own.Claim)
	}
}

// alike is how many of the same service ended after as long a silence, itself included; those that
// ended at the same moment may have one other reason, and count once. timeout says that the silence
// was what ended it: if it was short, others ended after as long a one, and were not as old.
func (s *silences) alike(own *silence) (n int, timeout bool) {
	timeout = own.length >= idleSocket
	var ends []time.Duration
	for i := range s.all {
		o := &s.all[i]
		within := alikeSilence + max(o.rtt, own.rtt)
		if o.Pair.Server != own.Pair.Server || (o.length-own.length).Abs() > within {
			continue
		}
		ends = append(ends, o.Occ.End)
		timeout = timeout || (o.age-own.age).Abs() > within
	}
	slices.Sort(ends)
	for i := range ends {
		if i == 0 || ends[i]-ends[i-1] > alikeSilence {
			n++
		}
	}
	return n, timeout && (n > 1 || own.length >= idleSocket)
}

// bares are WebSockets that ended without a Close, and perhaps by a timeout.
type bares struct{ silences }

// Event has nothing to do: the claims come when connections are over.
func (b *bares) Event(rule.Desk, *rule.Conn, *rule.Told) {}

// Refer takes one.
func (b *bares) Refer(d rule.Desk, r rule.Referred) { b.add(d, &r) }

// Finish books those that no timeout ended.
func (b *bares) Finish(d rule.Desk) {
	b.sort()
	for i := range b.all {
		own := &b.all[i]
		if _, timeout := b.alike(own); !timeout {
			d.Book(own.Subject, &own.Claim)
		}
	}
}
