package transfer

import (
	"net/netip"
	"time"

	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
)

const (
	// timesSlower is how many times as long as at the others the server takes at an endpoint that
	// is far slower: kinds of work differ, by half or by twice, at any service.
	timesSlower = 4
	// largeShare is which part of all time at a service, in percent, the server must take over one
	// endpoint for that to be worth a look: where it is less, most of what clients wait for is
	// something else.
	largeShare = 33
	// ownTime is which part of the time of its exchanges that must be, in percent: else it is the
	// transfer that takes long.
	ownTime = 50
)

const slowEndpoint = "slow-endpoint"

// serviceTimes is what of the endpoints of a service compares.
type serviceTimes struct {
	time  time.Duration // that all exchanges lasted
	lists []*endpointTimes
}

// byService are the endpoints of each service, but for those at which clients wait for something.
func (t *serverTimes) byService() map[netip.AddrPort]*serviceTimes {
	all := map[netip.AddrPort]*serviceTimes{}
	for k, l := range t.at {
		s := all[k.server]
		if s == nil {
			s = &serviceTimes{}
			all[k.server] = s
		}
		if !l.polls() {
			s.time += l.time
			s.lists = append(s.lists, l)
		}
	}
	return all
}

// judge tells of an endpoint at which the server takes far longer than at the others, and which has
// a large part of all time. It may have to: that is for somebody to know who knows what it does.
func (s *serviceTimes) judge(d rule.Desk, l *endpointTimes, p *paths) {
	free, _ := l.split(p)
	if free.n < leastThinks || len(free.sample) == 0 || !s.heavy(l) {
		return
	}
	typical, _, best := spread(free.times())
	others := s.others(l, p)
	if typical < outlierLeast || others.N < leastThinks {
		return
	}
	usual := others.Median()
	if typical < timesSlower*usual {
		return
	}
	says := []rule.Said{
		rule.Say(
			slowerThanOthers,
			rule.Ns(typical),
			int64(free.n),
			rule.Ns(usual),
			int64(others.N),
		),
		rule.Say(shareOfAll, int64((l.self*100+s.time/2)/s.time)),
	}
	for i := range free.sample {
		x := &free.sample[i]
		c := free.took(x, rule.Shows(x.first, report.SideServer, tookLong, rule.Ns(x.took)))
		c.Cause, c.Says, c.Most = slowEndpoint, says, rule.AtMost(report.Low)
		c.Also = free.standsFor(i) - 1
		c.Others = c.Also
		times := time.Duration(c.Also + 1)
		c.Occ.Cost = report.Cost{
			Low:      times * max(0, x.took-best),
			Expected: times * max(0, x.took-usual),
			High:     times * max(0, x.took-usual),
		}
		d.Book(rule.Subject{Pair: l.pair(x)}, &c)
	}
}

// heavy reports whether the server's own time at an endpoint is a large part of all time at the
// service, and most of that of its exchanges, and is no work on what they carry.
func (s *serviceTimes) heavy(l *endpointTimes) bool {
	return reaches(l.self, largeShare, s.time) && reaches(l.self, ownTime, l.time) &&
		2*l.bulk < l.n
}

// others is how long the server took at the other endpoints, where no queue held anything up.
func (s *serviceTimes) others(but *endpointTimes, p *paths) (all report.Durations) {
	for _, l := range s.lists {
		if l == but || 2*l.bulk >= l.n {
			continue
		}
		free, _ := l.split(p)
		for i := range free.sample {
			for range free.standsFor(i) {
				all.Add(free.sample[i].took + free.sample[i].hidden)
			}
		}
	}
	return all
}

// standsFor is how many exchanges the one at a place of the sample stands for: those up to the
// next.
func (l *endpointTimes) standsFor(i int) int {
	if i < len(l.sample)-1 {
		return 1 << l.every
	}
	return max(1, min(1<<l.every, l.n-i<<l.every))
}
