package tally

import (
	"maps"
	"slices"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/reassembly/exchange"
)

// A stream of HTTP/2 that its server refused was not processed, so that it is safe to ask again
// (RFC 9113 section 8.7), and clients do so by themselves. Such an exchange came to nothing only if
// its request was not repeated, which shows later. So does whether a request waited for a TLS
// handshake that its client broke off.

// maxRefused is of how many of both that is awaited at a time, and for how many it is
// remembered until they are counted; of the oldest more than that is not expected.
const maxRefused = 4096

// refusals are exchanges that have failed unless something excuses it.
type refusals struct {
	waiting map[int]refusal  // by number: not excused so far
	order   []int            // oldest first, excused ones among them
	again   map[int]struct{} // excused, and not counted yet
}

// refusal is one of them.
type refusal struct {
	endpoint *endpoint
	until    time.Duration // its end
	took     time.Duration
	outcome  exchange.Outcome
	behind   bool // it is a leg behind a proxy, whose client counts for both
}

// excusable takes in an exchange that has not failed if something excuses it.
func (t *Tally) excusable(x *Exchange, e *endpoint) {
	r := &t.refusals
	if _, excused := r.again[x.ID]; excused {
		delete(r.again, x.ID)
		return
	}
	if r.waiting == nil {
		r.waiting = map[int]refusal{}
	}
	r.waiting[x.ID] = refusal{e, x.Start + x.Duration, x.Duration, x.Outcome, x.Behind}
	r.order = append(r.order, x.ID)
	if len(r.order) < maxRefused {
		return
	}
	for _, id := range r.order[:maxRefused/2] {
		if old, waits := r.waiting[id]; waits {
			old.endpoint.Failed++
			if !old.behind {
				t.failures[old.outcome].Add(old.took)
				t.steps.at(old.until).Failed++
			}
			delete(r.waiting, id)
		}
	}
	r.order = append(r.order[:0], r.order[maxRefused/2:]...)
}

// Excuse says that an exchange has not failed: its server refused it and its request came again, or
// no request waited for that handshake.
func (t *Tally) Excuse(id int) {
	r := &t.refusals
	if _, waits := r.waiting[id]; waits {
		delete(r.waiting, id)
		return
	}
	if r.again == nil {
		r.again = map[int]struct{}{}
	}
	if len(r.again) < maxRefused {
		r.again[id] = struct{}{}
	}
}

// addTo counts those that have not been repeated so far, as far as clients waited for them, in a
// tally of which all else has been drawn up.
func (r *refusals) addTo(all *report.Tally) {
	for _, id := range slices.Sorted(maps.Keys(r.waiting)) {
		x := r.waiting[id]
		if x.behind {
			continue
		}
		i := slices.IndexFunc(all.Failures, func(f report.Failures) bool {
			return f.Outcome >= x.outcome
		})
		if i < 0 {
			i = len(all.Failures)
		}
		if i == len(all.Failures) || all.Failures[i].Outcome != x.outcome {
			all.Failures = slices.Insert(all.Failures, i, report.Failures{Outcome: x.outcome})
		}
		all.Failures[i].Add(x.took)
		all.Over.Steps[x.until/all.Over.Each].Failed++
	}
}

// byEndpoint is how many of each endpoint have not been repeated so far.
func (r *refusals) byEndpoint() map[*endpoint]int {
	all := map[*endpoint]int{}
	for _, x := range r.waiting {
		all[x.endpoint]++
	}
	return all
}
