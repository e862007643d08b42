package connect

import (
	"net/netip"
	"slices"
	"time"

	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
)

// try is a connection, or an attempt to open one.
type try struct {
	client, server netip.Addr
	port           uint16
	at             capture.Mark
	came           bool // it came about
	conn           int
	known          time.Duration // when that came out
	mark           uint32        // of the client's host
	lone           bool          // a single SYN without an answer, which costs nothing by itself
}

// soleTry is that of a client that has tried once.
type soleTry struct {
	try  *try // nil: there is none, or more were
	many bool // more were
}

// takes takes in a try, and reports whether it is the only one.
func (s *soleTry) takes(t *try) bool {
	if s.many = s.many || s.try != nil; !s.many {
		s.try = t
	}
	return !s.many
}

// list takes note of a try where those of its client at the same port and of the same host are.
func (r *refusals) list(t *try) {
	for _, key := range t.among() {
		if s := r.tries.Of(key, t.at.Time); s != nil {
			*s = appendLatest(*s, t, keptTries)
		}
	}
}

// among are the keys of the tries that t is one of: those at the same port, and of the same host.
func (t *try) among() [2]report.Pair {
	p := report.Pair{Client: t.client, Server: netip.AddrPortFrom(t.server, t.port)}
	return [...]report.Pair{portOf(p.Client, p), hostOf(p)}
}

// triesOf are the tries of a client at a port, or of a host.
func (r *refusals) triesOf(key report.Pair) []*try {
	if s := r.sole.Has(rule.Alone(key.Client)); s != nil && s.try != nil {
		if among := s.try.among(); key == among[0] || key == among[1] {
			return []*try{s.try}
		}
	}
	if s := r.tries.Has(key); s != nil {
		return *s
	}
	return nil
}

// portOf is what attempts of a client at several addresses of one name have in common.
func portOf(client netip.Addr, p report.Pair) report.Pair {
	return report.Pair{Client: client, Server: netip.AddrPortFrom(netip.Addr{}, p.Server.Port())}
}

// hostOf is what attempts of a client at several ports of one host have in common.
func hostOf(p report.Pair) report.Pair {
	return report.Pair{Client: p.Client, Server: netip.AddrPortFrom(p.Server.Addr(), 0)}
}

// oneHost reports whether tries of two addresses that look like those of one host are: both are its
// loopback, or again and again one was tried as soon after the other. Once, or at another distance
// each time, is no more than a coincidence: many hosts look the same.
func oneHost(tries []*try, a, b netip.Addr) bool {
	if a.IsLoopback() && b.IsLoopback() {
		return true
	}
	apart := distances(tries, a, b)
	return slices.ContainsFunc(apart, func(d time.Duration) bool {
		alike := 0
		for _, o := range apart {
			if (o - d).Abs() <= max(alternativeWithin, d.Abs()/habitParts) {
				alike++
			}
		}
		return alike >= aHabit
	})
}

// distances are those from tries of a to the next ones of b before or behind them, each once.
func distances(tries []*try, a, b netip.Addr) (apart []time.Duration) {
	last := time.Duration(-1)
	for _, x := range tries {
		for _, y := range tries {
			d := y.at.Time - x.at.Time
			if x.client == a && y.client == b && x.at.Time != last && d.Abs() <= fallbackWithin {
				apart, last = append(apart, d), x.at.Time
			}
		}
	}
	return apart
}

// earliest is the try that began first; false if there is none.
func earliest(tries []*try) (first try, found bool) {
	for _, t := range tries {
		if !found || t.at.Time < first.at.Time {
			first, found = *t, true
		}
	}
	return first, found
}
