package names

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"tcpwhy/capture"
)

const (
	// maxTries are the queries of one look-up that are kept: two kinds of address for six search
	// domains (glibc's MAXDNSRCH), each asked twice, and more.
	maxTries = 32
	// maxAge is how long after its last message a look-up is remembered: a resolver asks again
	// after 30 s at most (glibc's RES_MAXRETRANS).
	maxAge = time.Minute
	// promptly is how soon a resolver goes on behind an answer: at once, but the capture may be on
	// the other side of a path to it.
	promptly = 100 * time.Millisecond
	// tcpWithin is how soon behind a truncated answer the query comes over TCP, whose handshake may
	// have to be repeated (RFC 6298: after a second, then two).
	tcpWithin = 4 * time.Second
)

// Timers of resolvers are set in round numbers: 5 s (glibc, Go, systemd-resolved; less with
// resolv.conf's timeout, in seconds), 2.5 s (musl), 2 s (c-ares), 1 s (Windows).
const (
	leastTimer = time.Second
	timerStep  = time.Second / 2
	timerEarly = 2 * time.Millisecond
	timerLate  = 20 * time.Millisecond
)

// isTimer reports whether a wait is as long as a resolver's timer is.
func isTimer(wait time.Duration) bool {
	off := (wait + timerEarly) % timerStep
	return wait >= leastTimer-timerEarly && off <= timerEarly+timerLate
}

// Opened is a connection, by the place where its owner keeps it.
type Opened struct {
	Place  int32
	Number int
	Server netip.AddrPort
	First  capture.Mark
}

// query is one query as it was sent.
type query struct {
	Try
	port, id uint16
}

// run is a look-up that goes on, or is over: all queries for one name, and for the names that were
// tried before it.
type run struct {
	client  netip.Addr
	name    string // asked now
	queries []query
	addrs   []netip.Addr // that were answered for name
	ready   capture.Mark // the latest answer
	last    time.Duration
	taken   bool    // a connection followed
	opened  Opened  // the latest of them
	lookup  *Lookup // as it is now; nil: to be made
}

// joins reports whether a query belongs to the look-up.
func (r *run) joins(q *query) bool {
	if r.taken || len(r.queries) >= maxTries || q.Sent.Time-r.last > maxAge {
		return false
	}
	if q.Name != r.name {
		return r.searchedOn(q)
	}
	asked := false
	for i := range slices.Backward(r.queries) {
		if o := &r.queries[i]; o.Name == q.Name && o.Kind == q.Kind {
			if asked = true; r.repeats(o, q) {
				return true
			}
		}
	}
	// the other kind of address, beside the first or behind it
	return !asked && q.Sent.Time-r.last <= promptly
}

// repeats reports whether q asks again what o asked: as the same query, or as another one when the
// timer for o ran out, or at once when o was answered with an error.
func (r *run) repeats(o, q *query) bool {
	since := q.Sent.Time - o.Answered.Time
	switch {
	case o.Answered.Frame == 0:
		return o.id == q.id || isTimer(q.Sent.Time-o.Sent.Time)
	case o.Truncated:
		return since <= tcpWithin
	case o.Failed():
		return since <= promptly
	}
	// both are asked again, in one order or the other, where only one of two had been answered
	return o.id == q.id && r.waiting()
}

// waiting reports whether one of the queries for the name has no answer.
func (r *run) waiting() bool {
	for i := range r.queries {
		if q := &r.queries[i]; q.Name == r.name && q.Answered.Frame == 0 {
			return true
		}
	}
	return false
}

// givenUp reports whether the timer for the latest query without answer ran out at the given
// moment, as far as that shows, before any connection followed.
func (r *run) givenUp(at time.Duration) bool {
	last := &r.queries[len(r.queries)-1]
	return !r.taken && last.Answered.Frame == 0 && isTimer(at-last.Sent.Time) &&
		at-last.Sent.Time <= maxAge
}

// lastAnswered is the latest query for the name that was answered; nil if none was.
func (r *run) lastAnswered() *query {
	for i := range slices.Backward(r.queries) {
		if q := &r.queries[i]; q.Name == r.name && q.Answered.Frame != 0 {
			return q
		}
	}
	return nil
}

// atOnce is how soon a resolver asks for the next name once it knows that there is none before,
// where the names alone do not show that they belong together (reasoning: a program that asks for
// something else has to make up its mind, and to be run).
const atOnce = 10 * time.Millisecond

// searchedOn reports whether q asks for the same name in the next search domain: the name that was
// asked for last is known not to be, and it is the new one with a domain behind it, or both begin
// alike and the domain of the new one is a part of that before, or is asked for at once
// (resolv.conf(5), search).
func (r *run) searchedOn(q *query) bool {
	if q.Sent.Time-r.ready.Time > promptly || len(r.addrs) > 0 || !r.isUnknown(q.Kind) {
		return false
	}
	if strings.HasPrefix(r.name, q.Name+".") {
		return true
	}
	stem := commonLabels(r.name, q.Name)
	return stem > 0 && (strings.HasSuffix(r.name[stem:], "."+q.Name[stem:]) ||
		q.Sent.Time-r.ready.Time <= atOnce)
}

// isUnknown reports whether the latest query for the name and a kind of address was answered, and
// with none.
func (r *run) isUnknown(k Kind) bool {
	for i := range slices.Backward(r.queries) {
		if q := &r.queries[i]; q.Name == r.name && q.Kind == k {
			return q.Answered.Frame != 0 && q.Empty && !q.Failed() && !q.Truncated
		}
	}
	return false
}

// commonLabels is how long the labels are with which both names begin, with the dot behind them.
func commonLabels(a, b string) int {
	n := 0
	for i := 0; i < len(a) && i < len(b) && a[i] == b[i]; i++ {
		if a[i] == '.' {
			n = i + 1
		}
	}
	return n
}

// add takes a query that joins.
func (r *run) add(q query) {
	if q.Name != r.name {
		r.name, r.addrs = q.Name, nil
	}
	r.queries = append(r.queries, q)
	r.last, r.lookup = q.Sent.Time, nil
}

// answers takes an answer if it is one to a query of the look-up: to the latest of those that are
// equal.
func (r *run) answers(m *message, port uint16, from netip.Addr, at capture.Mark) bool {
	for i := range slices.Backward(r.queries) {
		q := &r.queries[i]
		if q.id != m.id || q.port != port || q.Server != from || q.Kind != m.kind ||
			q.Name != m.name || q.Answered.Frame != 0 {
			continue
		}
		q.Answered, q.Code, q.Truncated = at, m.code, m.truncated
		q.Empty = len(m.addrs) == 0
		r.last, r.ready, r.lookup = at.Time, at, nil
		if q.Name == r.name && len(r.addrs) < 2*maxAddresses {
			r.addrs = append(r.addrs, m.addrs...)
		}
		return true
	}
	return false
}

// made is the look-up as it is now.
func (r *run) made() *Lookup {
	if r.lookup != nil {
		return r.lookup
	}
	l := &Lookup{Name: r.name, Begin: r.queries[0].Sent, Ready: r.ready, Open: r.waiting()}
	for i := range r.queries {
		l.Tries = append(l.Tries, r.queries[i].Try)
	}
	l.Addrs = slices.Clone(r.addrs)
	r.lookup = l
	return l
}
