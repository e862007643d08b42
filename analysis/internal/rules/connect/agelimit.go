package connect

import (
	"time"

	"tcpwhy/analysis/internal/rule"
)

const (
	// keptAges is how many ages are kept per pool.
	keptAges = 64
	// shortestAge is the least age that anybody would set as a limit.
	shortestAge = 2 * time.Second
	// sameAges is how many ages must agree before they count as a limit: two may be chance
	// (reasoning).
	sameAges = 3
	// agesToOthers is how many times as many must agree as do not: a limit of age ends all that
	// live so long, and what ends the others is rarer (reasoning).
	agesToOthers = 3
)

// lifetime is how old a connection was that the server ended, and how many requests it had served.
type lifetime struct {
	age    time.Duration
	served int
}

// noteAge takes note of the age at which the server ended m.
func (p *pool) noteAge(m *member) {
	p.ages = appendLatest(p.ages, lifetime{m.age(), m.served}, keptAges)
}

// age is how old a connection was when it was closed.
func (m *member) age() time.Duration { return m.closed.At.Time - m.start.Time }

// ageLimit reports whether m was ended at an age at which the server ends connections: two others
// and more were about as old, whatever number of requests they had served.
func (p *pool) ageLimit(m *member) bool {
	if m.age() < shortestAge {
		return false
	}
	near, counts, other := 0, map[int]bool{}, 0
	for _, l := range p.ages {
		if rule.SameTimeout(l.age, m.age()) {
			near++
			counts[l.served] = true
		} else {
			other++
		}
	}
	return near >= sameAges && len(counts) > 1 && near > agesToOthers*other
}

// evenAges reports whether the connections that the server ended were all as old as m when it did
// so: then even traffic makes a limit of age and one of requests look the same.
func (p *pool) evenAges(m *member) bool {
	for _, l := range p.ages {
		if !rule.SameTimeout(l.age, m.age()) {
			return false
		}
	}
	return m.age() >= shortestAge && len(p.ages) > 1
}
