package transfer

import (
	"slices"
	"time"

	"tcpwhy/analysis/report"
)

// This file tells endpoints at which clients wait for one event, whatever else the server does: it
// answers all of them at the same moment, however long each has waited, and they wait anew.

const (
	// eventGap is what may lie between two answers that one event releases: a program writes them
	// one after the other (reasoning, without a source).
	eventGap = 2 * time.Millisecond
	// mostTogether is how often, in percent, an endpoint's answers come with all others that wait
	// there, if others do: a server that works on each by itself answers each when it is done. Half
	// of all times must be so, too: where answers mostly come alone, those that do not may have
	// waited for a standstill.
	mostTogether = 75
	// maxEventsOf is of how many endpoints it is counted; more are judged as if each of their
	// answers came by itself.
	maxEventsOf = maxEndpoints
)

// releases counts how often an endpoint answered, where answers right behind each other are one.
type releases struct {
	all      int
	beside   int // of them, those at which several lay there
	together int // of those, the ones that answered all of them, as one event does
}

// events are endpoints at which answers may wait for events.
type events map[endpoint]*releases

// at reports whether clients wait for events at an endpoint.
func (e events) at(of endpoint) bool {
	r := e[of]
	return r != nil && r.together >= leastHeld && 2*r.together >= r.all &&
		reaches(r.together, mostTogether, r.beside)
}

// takeAside takes those that wait for events aside, in a log in the order in which answers were
// ready. What was answered in the given time counts.
func (e events) takeAside(log []served, in report.Interval) {
	byEndpoint := map[*endpoint][]*served{}
	var endpoints []*endpoint
	for i := range log {
		x := &log[i]
		if x.aside {
			continue
		}
		if byEndpoint[x.of] == nil {
			endpoints = append(endpoints, x.of)
		}
		byEndpoint[x.of] = append(byEndpoint[x.of], x)
	}
	for _, of := range endpoints {
		all := byEndpoint[of]
		e.count(*of, all, in)
		for _, x := range all {
			x.aside = e.at(*of)
		}
	}
}

// count counts exchanges of an endpoint that were answered in the given time.
func (e events) count(of endpoint, log []*served, in report.Interval) {
	r := e[of]
	if r == nil {
		if len(e) >= maxEventsOf {
			return
		}
		r = &releases{}
		e[of] = r
	}
	asked := make([]time.Duration, len(log))
	for i, x := range log {
		asked[i] = x.asked
	}
	slices.Sort(asked)
	for from, to := 0, 0; from < len(log); from = to {
		for to = from + 1; to < len(log) && log[to].freed-log[to-1].freed <= eventGap; to++ {
		}
		group := log[from:to]
		if at := group[0].answered; at < in.From || at >= in.To {
			continue
		}
		before, _ := slices.BinarySearch(asked, group[0].freed-eventGap)
		lay := max(before-from, len(group)) // asked for, and not answered before
		r.all++
		if lay > 1 {
			r.beside++
		}
		if reaches(len(group), mostReleased, lay) && oneEvent(group, asked) {
			r.together++
		}
	}
}

// oneEvent reports whether exchanges that were answered one right after the other show that one
// event released them: they had come by and by; or all had waited for long, and clients asked anew
// in step, at the given moments.
func oneEvent(group []*served, asked []time.Duration) bool {
	last := group[len(group)-1]
	from, to, soon := last.asked, last.asked, report.EndOfTime
	for _, x := range group {
		from, to = min(from, x.asked), max(to, x.asked)
		soon = min(soon, x.own)
	}
	written := last.freed - group[0].freed
	if to-from >= heldTimes*max(written, eventGap) {
		return true
	}
	if len(group) < leastHeld || soon < outlierLeast {
		return false
	}
	again, _ := slices.BinarySearch(asked, group[0].freed)
	until, _ := slices.BinarySearch(asked,
		last.freed+last.rtt+max(soon*soonAgain/100, soonAgainFor))
	return reaches(until-again, mostlyAgain, len(group))
}
