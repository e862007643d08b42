package judge

import (
	"hash/maphash"
	"time"

	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
)

// A client that asks for the same again and again, at a pace of its own, does so after a failure,
// too: its next request is no repetition. Nor is that of one that asks for the same as soon as it
// has an answer, on several connections: generators of load do so.

const (
	// pacedRequests are as many things as are remembered that a client asked a service for last.
	pacedRequests = 4
	// leastPaced is how many intervals show a pace.
	leastPaced = 2
	// repeatsAtOnce is how soon after it knows of a failure a client repeats the request on a
	// connection that it has (reasoning: what a program takes to notice, as for closes).
	repeatsAtOnce = 50 * time.Millisecond
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
	conn   int           // of the latest
	// answers behind which their connection asked for the same again; how often that was at once,
	// and how often others had asked on another connection meanwhile
	answered, atOnce, beside int
}

// asked is what a connection asked for last, and what became of it.
type asked struct {
	what uint64
	at   time.Duration // its answer; 0: it has none, or failed
}

// follows takes note of a request on a connection that had asked for something before.
func (p *paced) follows(last *asked, e *rule.Began, conn int) {
	if p == nil {
		return
	}
	if last.what == p.what && last.at > 0 {
		p.answered++
		if e.Start.Time-last.at <= repeatsAtOnce+e.Far {
			p.atOnce++
		}
		if p.latest >= 0 && p.conn != conn {
			p.beside++
		}
	}
	*last, p.conn = asked{what: p.what}, conn
}

// always reports whether the client asks for this at once, whatever became of the request before,
// on several connections: half of its answers were followed so, and a quarter by others meanwhile
// (reasoning: two connections that ask by turns, at random).
func (p *paced) always() bool {
	const half, quarter = 2, 4
	return p != nil && p.atOnce >= leastPaced && half*p.atOnce >= p.answered &&
		p.beside >= leastPaced && quarter*p.beside >= p.answered
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
