package compare

import (
	"cmp"
	"math"
	"slices"
	"time"

	"tcpwhy/analysis/report"
)

const (
	// leastTail is from how many durations on a 95th percentile says something: one is beyond it;
	// leastTailInterval from how many order statistics bound it well.
	leastTail         = 20
	leastTailInterval = 100
	// leastMean is from how many durations on each side a mean is near enough to normally
	// distributed, though durations are skewed: on both sides alike, which takes most of it out of
	// the difference.
	leastMean = 20
	// A difference matters from these on; smaller ones are real, but nobody decides by them.
	leastShift = time.Millisecond
	leastPart  = 0.02 // of the median before
	tail       = 0.95
)

// key tells endpoints apart.
type key struct {
	method, template, service string
	behind                    bool
}

// service is the name of who is asked: the host, or where there is none the address.
func service(e *report.Endpoint) string {
	if e.Host == "" && e.Server.IsValid() {
		return e.Server.String()
	}
	return e.Host
}

// renamed is the name that a service of BEFORE has in AFTER.
func (o *Options) renamed(name string) string {
	if other, ok := o.Renamed[name]; ok {
		return other
	}
	return name
}

// pair is the endpoints of both sides.
type pair struct {
	keys          []key // of before, then those that only after has
	before, after map[key]*Sample
	alone         [2]int
}

// pairUp sorts endpoints of both sides by what they have in common.
func pairUp(before, after *report.Report, opts *Options) *pair {
	p := &pair{before: map[key]*Sample{}, after: map[key]*Sample{}}
	was := keysOf(before, opts, opts.renamed)
	is := keysOf(after, opts, func(name string) string { return name })
	v := varietyOf(was, is)
	p.take(p.before, before, was, v)
	p.take(p.after, after, is, v)
	for k, s := range p.before {
		if p.after[k] == nil {
			p.alone[0] += s.Exchanges
		}
	}
	for k, s := range p.after {
		if p.before[k] == nil {
			p.alone[1] += s.Exchanges
		}
	}
	return p
}

// keysOf are the keys of a report's endpoints, one for each.
func keysOf(r *report.Report, opts *Options, name func(string) string) []key {
	keys := make([]key, len(r.Endpoints))
	for i := range r.Endpoints {
		e := &r.Endpoints[i]
		keys[i] = key{e.Method, e.Template, name(service(e)), e.Behind}
		if opts.ByService {
			keys[i].method, keys[i].template = "", ""
		}
	}
	return keys
}

// take adds the endpoints of one side, all but what is left of too many.
func (p *pair) take(to map[key]*Sample, r *report.Report, keys []key, v *variety) {
	for i := range r.Endpoints {
		e := &r.Endpoints[i]
		if e.Other() {
			continue
		}
		k := v.merged(keys[i])
		s := to[k]
		if s == nil {
			s = &Sample{}
			to[k] = s
			p.keys = append(p.keys, k)
		}
		s.add(e)
	}
}

// add takes in an endpoint.
func (s *Sample) add(e *report.Endpoint) {
	s.Exchanges += e.Exchanges - e.Streams
	s.Failed, s.Errors = s.Failed+e.Failed, s.Errors+e.Statuses[4]+e.Statuses[5]
	s.Octets += e.Octets
	s.Durations.Merge(&e.Duration)
	s.times, s.whole = report.AddTimes(s.times, e.Times), s.whole+e.Time
}

// endpoints are those that both sides have.
func (p *pair) endpoints() (all []Endpoint) {
	seen := map[key]bool{}
	for _, k := range p.keys {
		before, after := p.before[k], p.after[k]
		if before == nil || after == nil || seen[k] || before.Exchanges+after.Exchanges == 0 {
			continue
		}
		seen[k] = true
		all = append(all, Endpoint{
			Method: k.method, Template: k.template, Service: k.service, Behind: k.behind,
			Before: *before, After: *after,
		})
	}
	slices.SortStableFunc(all, func(a, b Endpoint) int {
		return cmp.Compare(b.Before.whole, a.Before.whole)
	})
	return all
}

// judge says of each endpoint what its numbers bear: no more of those that are called different are
// so by chance than one in twenty, however many endpoints there are.
func judge(all []Endpoint) {
	var tested []*Shift
	for i := range all {
		e := &all[i]
		before, after := sampleOf(&e.Before.Durations), sampleOf(&e.After.Durations)
		if e.Shift = shiftOf(before, after); e.Shift != nil {
			tested = append(tested, e.Shift)
		}
		e.Before.P95, e.After.P95 = tailOf(before), tailOf(after)
	}
	ps := make([]float64, len(tested))
	for i, s := range tested {
		ps[i] = s.P
	}
	for i, p := range adjusted(ps) {
		tested[i].P = p
	}
	for i := range all {
		e := &all[i]
		e.Verdict, e.Tail = e.verdict(), e.tail()
	}
	averages(all)
	rates(
		all,
		func(s *Sample) int { return s.Failed },
		func(e *Endpoint) *Verdict { return &e.Failing },
	)
	rates(
		all,
		func(s *Sample) int { return s.Errors },
		func(e *Endpoint) *Verdict { return &e.Erring },
	)
}

// tailOf is the 95th percentile; nil of too few.
func tailOf(s sample) *Quantile {
	if s.size() < leastTail {
		return nil
	}
	q := quantile(s, tail)
	return &q
}

// matters reports whether a difference is one that somebody decides by.
func matters(difference, before time.Duration) bool {
	return max(difference, -difference) >= max(leastShift, time.Duration(leastPart*float64(before)))
}

// verdict is that of the shift.
func (e *Endpoint) verdict() Verdict {
	switch s := e.Shift; {
	case s == nil:
		return TooFew
	case s.P > level || !matters(s.Estimate, e.Before.Durations.Median()):
		return Alike
	case s.High < 0:
		return Faster
	case s.Low > 0:
		return Slower
	}
	return Alike
}

// averages judges the means of all endpoints that have enough exchanges.
func averages(all []Endpoint) {
	var tested []*Endpoint
	var ps []float64
	for i := range all {
		b, a := &all[i].Before.Durations, &all[i].After.Durations
		if b.N >= leastMean && a.N >= leastMean {
			tested, ps = append(tested, &all[i]), append(ps, meansDiffer(sampleOf(b), sampleOf(a)))
		}
	}
	for i, p := range adjusted(ps) {
		e := tested[i]
		before, after := e.Before.Mean(), e.After.Mean()
		switch {
		case p > level || !matters(after-before, before):
			e.Average = Alike
		case after < before:
			e.Average = Faster
		default:
			e.Average = Slower
		}
	}
}

// Mean is that of whole responses; 0 without any.
func (s *Sample) Mean() time.Duration {
	return s.Durations.Sum / time.Duration(max(1, s.Durations.N))
}

// tail is that of the 95th percentiles: that of intervals that are apart, which by chance happens
// to less than one in a hundred.
func (e *Endpoint) tail() Verdict {
	b, a := e.Before.P95, e.After.P95
	switch {
	case b == nil || a == nil || !b.Sure || !a.Sure:
		return TooFew
	case !matters(a.Value-b.Value, b.Value):
		return Alike
	case a.High < b.Low:
		return Faster
	case a.Low > b.High:
		return Slower
	}
	return Alike
}

// rates judges of how many exchanges of each endpoint something is true.
func rates(all []Endpoint, hits func(*Sample) int, verdict func(*Endpoint) *Verdict) {
	ps := make([]float64, len(all))
	for i := range all {
		b, a := &all[i].Before, &all[i].After
		ps[i] = fisher(
			min(hits(b), b.Exchanges),
			b.Exchanges,
			min(hits(a), a.Exchanges),
			a.Exchanges,
		)
	}
	for i, p := range adjusted(ps) {
		b, a := &all[i].Before, &all[i].After
		rose := float64(hits(a))*float64(b.Exchanges) - float64(hits(b))*float64(a.Exchanges)
		switch v := verdict(&all[i]); {
		case p > level:
			*v = Alike
		case rose > 0:
			*v = Slower
		default:
			*v = Faster
		}
	}
}

// overall is the mean shift, weighted by how often each endpoint was asked for in BEFORE.
// Intervals of endpoints, which are independent, add up by their squares.
func overall(all []Endpoint) *Shift {
	var s, low, high, weight float64
	for i := range all {
		e := &all[i]
		if e.Shift == nil || e.Behind { // it lies within the time of others
			continue
		}
		w := float64(e.Before.Exchanges)
		weight += w
		s += w * float64(e.Shift.Estimate)
		low += square(w * float64(e.Shift.Estimate-e.Shift.Low))
		high += square(w * float64(e.Shift.High-e.Shift.Estimate))
	}
	if weight == 0 {
		return nil
	}
	return &Shift{
		Estimate: time.Duration(s / weight), Low: time.Duration((s - math.Sqrt(low)) / weight),
		High: time.Duration((s + math.Sqrt(high)) / weight),
	}
}

func square(x float64) float64 { return x * x }

// ledger is where the time of an exchange went, on average: another mix of endpoints changes
// nothing.
func ledger(all []Endpoint) []Spent {
	var before, after [report.LabelCount]float64
	weight := 0.0
	for i := range all {
		e := &all[i]
		if e.Behind || e.Before.Exchanges == 0 || e.After.Exchanges == 0 {
			continue
		}
		if e.Before.untold() || e.After.untold() {
			return nil
		}
		w := float64(e.Before.Exchanges)
		weight += w
		e.Before.spread(&before, w)
		e.After.spread(&after, w)
	}
	var out []Spent
	for _, l := range report.Labels() {
		if before[l] > 0 || after[l] > 0 {
			out = append(out, Spent{
				l, time.Duration(before[l] / weight), time.Duration(after[l] / weight),
			})
		}
	}
	slices.SortStableFunc(out, func(a, b Spent) int {
		return cmp.Compare((b.After - b.Before).Abs(), (a.After - a.Before).Abs())
	})
	return out
}

// untold reports whether the report does not say where the time of these exchanges went.
func (s *Sample) untold() bool { return s.whole > 0 && len(s.times) == 0 }

// spread adds the mean of each label, so often.
func (s *Sample) spread(to *[report.LabelCount]float64, times float64) {
	for _, t := range s.times {
		to[t.Label] += times * float64(t.Time) / float64(s.Exchanges)
	}
}
