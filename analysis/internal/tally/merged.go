package tally

import (
	"cmp"
	"math"
	"net/netip"
	"slices"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/reassembly/exchange"
)

// Merged is the tally of the exchanges of two, in a capture that is that long. It may share what
// they hold.
func Merged(a, b *report.Tally, end time.Duration) report.Tally {
	all := report.Tally{
		Failures: joined(a.Failures, b.Failures,
			func(f *report.Failures) exchange.Outcome { return f.Outcome }, addFailures,
			func(a, b report.Failures) int { return cmp.Compare(a.Outcome, b.Outcome) }),
		Unfinished: a.Unfinished,
		Statuses: joined(a.Statuses, b.Statuses,
			func(s *report.StatusCount) int { return s.Status },
			func(s, o *report.StatusCount) { s.Count += o.Count },
			func(a, b report.StatusCount) int { return cmp.Compare(a.Status, b.Status) }),
		Endpoints: joined(a.Endpoints, b.Endpoints, keyOf, addEndpoint, byTime),
		Streams:   streamsOf(&a.Streams, &b.Streams),
		Over:      overOf(&a.Over, &b.Over, end),
		Proxied:   proxiedOf(&a.Proxied, &b.Proxied),
		Scanned:   a.Scanned + b.Scanned,
	}
	addFailures(&all.Unfinished, &b.Unfinished)
	return all
}

// Sound reports whether a tally that was read can have been made: no count is below nothing, or of
// more than it is a part of, and steps are those that fall together.
func Sound(t *report.Tally) bool {
	sound := t.Scanned >= 0 && soundSteps(&t.Over) && t.Unfinished.Count >= 0
	for i := range t.Failures {
		f := &t.Failures[i]
		sound = sound && f.Count > 0 && f.Repeated >= 0 && f.Repeated <= f.Count
	}
	for _, s := range t.Statuses {
		sound = sound && s.Count > 0
	}
	for i := range t.Endpoints {
		e := &t.Endpoints[i]
		sound = sound && e.Exchanges > 0 && e.Failed >= 0 && e.Failed <= e.Exchanges &&
			e.Streams >= 0 && e.Streams <= e.Exchanges && e.Duration.N <= e.Exchanges
		for _, n := range e.Statuses {
			sound = sound && n >= 0 && n <= e.Exchanges
		}
	}
	for _, e := range t.Streams.Resets {
		sound = sound && e.Count > 0
	}
	for _, c := range t.Streams.Failed {
		sound = sound && c.Count > 0 && c.Count <= t.Streams.Calls
	}
	for _, s := range t.Proxied.Servers {
		sound = sound && s.Exchanges > 0 && s.Exchanges <= t.Proxied.Exchanges
	}
	return sound && t.Proxied.Exchanges >= 0
}

// soundSteps reports whether steps are those of a capture.
func soundSteps(s *report.Steps) bool {
	each := leastStep
	for each < s.Each && each < math.MaxInt64/2 {
		each *= 2
	}
	sound := len(s.Steps) == 0 && s.Each == 0 || len(s.Steps) <= maxSteps && s.Each == each
	for i := range s.Steps {
		step := &s.Steps[i]
		sound = sound && step.Exchanges >= 0 && step.Failed >= 0 && step.Failed <= step.Exchanges &&
			step.Errors >= 0 && step.Errors <= step.Exchanges && step.Duration.N <= step.Exchanges
	}
	return sound
}

// joined are the items of two lists, those of one key made one, in order.
func joined[T any, K comparable](a, b []T, key func(*T) K, add func(to, more *T),
	compare func(a, b T) int) []T {
	if len(a)+len(b) == 0 {
		return nil
	}
	all, place := slices.Clone(a), map[K]int{}
	for i := range all {
		place[key(&all[i])] = i
	}
	for i := range b {
		if at, known := place[key(&b[i])]; known {
			add(&all[at], &b[i])
		} else {
			all = append(all, b[i])
		}
	}
	slices.SortFunc(all, compare)
	return all
}

func addFailures(f, o *report.Failures) {
	f.Count, f.Repeated = f.Count+o.Count, f.Repeated+o.Repeated
	f.Waits.Merge(&o.Waits)
}

// keyOf is what tells an endpoint from others.
func keyOf(e *report.Endpoint) key {
	return key{e.Method, e.Template, e.Host, e.Server, e.Behind}
}

// addEndpoint adds what was asked for in the same way.
func addEndpoint(e, o *report.Endpoint) {
	e.Exchanges, e.Failed, e.Streams = e.Exchanges+o.Exchanges, e.Failed+o.Failed, e.Streams+o.Streams
	for i := range e.Statuses {
		e.Statuses[i] += o.Statuses[i]
	}
	e.Octets, e.Time = e.Octets+o.Octets, e.Time+o.Time
	e.Thought, e.Waited = e.Thought+o.Thought, e.Waited+o.Waited
	e.Duration.Merge(&o.Duration)
	e.Think.Merge(&o.Think)
	e.Times = report.AddTimes(slices.Clone(e.Times), o.Times)
}

// byTime puts the endpoint first on which most time was spent, and what is left of others last.
func byTime(a, b report.Endpoint) int {
	if x, y := a.Other(), b.Other(); x != y {
		if x {
			return 1
		}
		return -1
	}
	return mostTime(a, b)
}

func streamsOf(a, b *report.StreamEnds) report.StreamEnds {
	type end struct {
		code exchange.ErrorCode
		by   exchange.Dir
	}
	return report.StreamEnds{
		Resets: joined(a.Resets, b.Resets,
			func(e *report.StreamEnd) end { return end{e.Code, e.By} },
			func(e, o *report.StreamEnd) { e.Count += o.Count }, mostResets),
		Calls: a.Calls + b.Calls,
		Failed: joined(a.Failed, b.Failed, func(c *report.CallEnd) int { return c.Status },
			func(c, o *report.CallEnd) { c.Count += o.Count }, mostCalls),
	}
}

func proxiedOf(a, b *report.Proxied) report.Proxied {
	return report.Proxied{
		Exchanges: a.Exchanges + b.Exchanges, Time: a.Time + b.Time,
		Waited: a.Waited + b.Waited, Own: a.Own + b.Own,
		Servers: joined(a.Servers, b.Servers,
			func(s *report.Behind) netip.AddrPort { return s.Server },
			func(s, o *report.Behind) {
				s.Exchanges, s.Waited, s.Own = s.Exchanges+o.Exchanges, s.Waited+o.Waited, s.Own+o.Own
			}, mostWaited),
	}
}

// overOf are the steps of two tallies that began at one moment.
func overOf(a, b *report.Steps, end time.Duration) report.Steps {
	x, y := stepsOf(a), stepsOf(b)
	for x.each < y.each && len(x.steps) > 0 {
		x.join()
	}
	for y.each < x.each && len(y.steps) > 0 {
		y.join()
	}
	if len(x.steps) < len(y.steps) {
		x, y = y, x
	}
	for i := range y.steps {
		x.steps[i].Merge(&y.steps[i])
	}
	return x.list(end)
}

// stepsOf are steps that share nothing with r.
func stepsOf(r *report.Steps) steps {
	s := steps{each: r.Each}
	for i := range r.Steps {
		s.steps = append(s.steps, r.Steps[i].Clone())
	}
	return s
}
