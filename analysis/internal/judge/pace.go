package judge

import (
	"hash/maphash"
	"time"

	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
)

// A client that asks for the same again and again, at a pace of its own, does so after a failure,
// too: its next request is no repetition.

const (
	// pacedRequests are as many things as are remembered that a client asked a service for last.
	pacedRequests = 4
	// leastPaced is how many intervals show a pace.
	leastPaced = 2
)

// paces are how soon clients ask services for the same again.
type paces struct {
	asked rule.PairTable[[]paced] // at most pacedRequests of each
	seed  maphash.Seed
}

// paced is what a client asks for, again and again.
type paced struct {
	what   uint64        // a hash of it
	latest time.Duration // when it began last
	least  time.Duration // between one beginning and the next, without failures
	n      int           // intervals
	failed bool          // the latest has failed
}

// of is where a client's requests for the same are kept, until it is asked for another; nil if
// there are too many clients.
func (p *paces) of(pair report.Pair, k *rule.RetryKey, now time.Duration) *paced {
	all := p.asked.Of(pair, now)
	if all == nil {
		return nil
	}
	if p.seed == (maphash.Seed{}) {
		p.seed = maphash.MakeSeed()
	}
	what := maphash.Comparable(p.seed, *k)
	for i := range *all {
		if (*all)[i].what == what {
			return &(*all)[i]
		}
	}
	return room(all, paced{what: what, latest: -1})
}

// room puts p among the others, if need be in the place of the one that was asked for longest ago.
func room(all *[]paced, p paced) *paced {
	if len(*all) < pacedRequests {
		*all = append(*all, p)
		return &(*all)[len(*all)-1]
	}
	oldest := &(*all)[0]
	for i := range *all {
		if q := &(*all)[i]; q.latest < oldest.latest {
			oldest = q
		}
	}
	*oldest = p
	return oldest
}

// began takes note of a request.
func (p *paced) began(at time.Duration) {
	if p == nil {
		return
	}
	if p.latest >= 0 && !p.failed {
		if gap := at - p.latest; p.n == 0 || gap < p.least {
			p.least = gap
		}
		p.n++
	}
	p.latest, p.failed = at, false
}

// keeps reports whether a request that begins so long after a failed one comes when the client
// would have asked anyway.
func (p *paced) keeps(after time.Duration) bool {
	return p != nil && p.n >= leastPaced && 2*after >= p.least
}
