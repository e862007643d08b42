package transfer

import (
	"cmp"
	"math"
	"net/netip"
	"slices"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

const (
	// maxThinks is how many exchanges are remembered of an endpoint, evenly spread over all.
	maxThinks = 256
	// maxSlow is how many of the others are, the slowest.
	maxSlow = 32
	// outlying is how many deviations above the median an outlier is: of values spread as a normal
	// distribution is, one in seven hundred lies as high.
	outlying = 3
	// outlierLeast is what it must be above the median at least: a person notices it (Nielsen,
	// Usability Engineering, 1993: a tenth of a second).
	outlierLeast = 100 * time.Millisecond
	// toDeviation makes the median distance from a median a standard deviation, in percent, where
	// values are spread as a normal distribution is: the upper quartile of that is at 0.6745.
	toDeviation = 148
)

// endpoint is what requests have in common that should take the same time.
type endpoint struct {
	server       netip.AddrPort
	host, method string
	template     string // of the path
}

// compare orders endpoints.
func (k endpoint) compare(o endpoint) int {
	return cmp.Or(k.server.Compare(o.server), cmp.Compare(k.host, o.host),
		cmp.Compare(k.method, o.method), cmp.Compare(k.template, o.template))
}

// endpointTimes is the exchanges of an endpoint, whoever the client was.
type endpointTimes struct {
	of     endpoint
	sample []serverTime // one of 2^every
	slow   []serverTime // the slowest of the others, slowest first
	early  []serverTime // the first leastThinks
	every  uint8
	n      int           // exchanges in all
	seen   time.Duration // the latest event
	time   time.Duration // that all lasted
	think  time.Duration // the server's part of it
	self   time.Duration // of that, without what it waited for others; valid once asked for
	bulk   int           // of them, requests so large that their size is work
	asked  followed      // how its clients came back
	events bool          // what they wait for; valid once asked for
}

// serverTime is how long the server took for one exchange.
type serverTime struct {
	client         netip.Addr
	conn, exchange int
	took           time.Duration
	hidden         time.Duration // so much more, at most, behind octets of others
	beside         bool          // others went on beside it
	waited         time.Duration // for servers behind it: no part of took once that is known
	request, first capture.Mark
	octets         [2]int64 // of its messages, as those of what waited in a queue
	away           bool     // not captured at the server: a queue on the path may be part of it
	stamped        bool     // timestamps tell what of it was a queue for the answer
}

// add takes note of an exchange.
func (l *endpointTimes) add(x serverTime) {
	l.n++
	if len(l.early) < leastThinks {
		l.early = append(l.early, x)
	}
	switch {
	case (l.n-1)&(1<<l.every-1) != 0:
		l.aside(x)
		return
	case len(l.sample) == maxThinks:
		l.thin()
	}
	l.sample = append(l.sample, x)
}

// thin leaves every other exchange in the sample.
func (l *endpointTimes) thin() {
	for i := range l.sample {
		if i%2 == 0 {
			l.sample[i/2] = l.sample[i]
		} else {
			l.aside(l.sample[i])
		}
	}
	l.sample, l.every = l.sample[:len(l.sample)/2], l.every+1
}

// aside keeps an exchange that is not in the sample if it is among the slowest of those.
func (l *endpointTimes) aside(x serverTime) {
	i := len(l.slow)
	for i > 0 && l.slow[i-1].took < x.took {
		i--
	}
	if i < maxSlow {
		l.slow = slices.Insert(l.slow[:min(len(l.slow), maxSlow-1)], i, x)
	}
}

// apart calls f for the exchanges that a queue may have held up, and for the others: only within
// each the server's time compares.
func (l *endpointTimes) apart(p *paths, f func(*endpointTimes)) {
	free, behind := l.split(p)
	f(&free)
	if behind.n > 0 {
		f(&behind)
	}
}

// split are the exchanges that no queue held up, and those that one may have.
func (l *endpointTimes) split(p *paths) (free, behind endpointTimes) {
	held := func(x serverTime) bool {
		span := report.Interval{From: x.request.Time, To: x.first.Time}
		pair := l.pair(&x)
		return x.away && (p.mayHold(pair, reassembly.FromClient, span, x.took) ||
			!x.stamped && p.mayHold(pair, reassembly.FromServer, span, x.took))
	}
	free = *l
	if !slices.ContainsFunc(l.sample, held) && !slices.ContainsFunc(l.slow, held) {
		return free, endpointTimes{}
	}
	free.sample, behind.sample = divide(l.sample, held)
	free.slow, behind.slow = divide(l.slow, held)
	behind.of, behind.every = l.of, l.every
	behind.n = max(len(behind.sample)<<l.every, 1)
	free.n = max(l.n-behind.n, len(free.sample))
	return free, behind
}

// pair is the client and the service of an exchange.
func (l *endpointTimes) pair(x *serverTime) report.Pair {
	return report.Pair{Client: x.client, Server: l.of.server}
}

// divide are those of which second is not true, and those of which it is.
func divide(all []serverTime, second func(serverTime) bool) (a, b []serverTime) {
	for _, x := range all {
		if second(x) {
			b = append(b, x)
		} else {
			a = append(a, x)
		}
	}
	return a, b
}

// times are those that the server took at least, in the sample.
func (l *endpointTimes) times() []time.Duration {
	times := make([]time.Duration, len(l.sample))
	for i := range l.sample {
		times[i] = l.sample[i].took
	}
	return times
}

// most are the longest times that the server may have taken, in the sample.
func (l *endpointTimes) most() []time.Duration {
	times := l.times()
	for i := range l.sample {
		times[i] += l.sample[i].hidden
	}
	return times
}

// spread is that of the longest times at the endpoint, and the limit beyond which one stands out.
func (l *endpointTimes) spread() (typical, best, limit time.Duration) {
	typical, deviation, best := spread(l.most())
	limit = typical + max(outlying*deviation, outlierLeast)
	if l.n < leastThinks {
		limit = math.MaxInt64
	}
	return typical, best, limit
}

// spread is the median, the median distance from it, scaled to a standard deviation, and the tenth
// percentile.
func spread(times []time.Duration) (typical, deviation, best time.Duration) {
	sorted := slices.Clone(times)
	slices.Sort(sorted)
	typical, best = sorted[(len(sorted)-1)/2], sorted[len(sorted)/10]
	for i, v := range sorted {
		sorted[i] = max(v-typical, typical-v)
	}
	slices.Sort(sorted)
	return typical, sorted[len(sorted)/2] * toDeviation / 100, best
}
