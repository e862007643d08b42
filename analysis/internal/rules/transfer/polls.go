package transfer

import (
	"hash/maphash"
	"strings"
	"time"

	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
)

// This file tells requests that wait because that is what they are for: a long poll is answered
// when there is something to say (RFC 6202 §2).

const (
	// latestAsked is how many exchanges of a client with a service are remembered, to know what it
	// asked before.
	latestAsked = 8
	// soonAgain is within which part of what the server took, in percent, or within how long a
	// client that polls asks again, not counting what it asked for in between: it does nothing
	// else. A person takes longer for the next step.
	soonAgain    = 10
	soonAgainFor = 50 * time.Millisecond
	// leastPoll is from when on a wait that is asked for again and again looks like a poll, however
	// even it is: who polls would ask more often than once in that time otherwise.
	leastPoll = time.Second
	// mostlyAgain is how many percent of the requests of a client that polls follow the answer
	// before.
	mostlyAgain = 75
	// unevenPoll is how many times as long as the quickest tenth the usual wait for an event is at
	// least: where events come by chance (exponential waits) it is 6.6 times, where each moment is
	// as likely as the next 5 times; work of one kind varies less.
	unevenPoll = 4
)

// followed is how the clients of an endpoint came back to it, by path.
type followed struct {
	before int // requests of clients that had asked for the same path before
	soon   int // of those, the ones right behind the answer
	next   int // of those, the ones with nothing in between
}

// latest is what a client asked a service last.
type latest struct{ all []asked } // the latest last, at most latestAsked

// asked is a request that was answered.
type asked struct {
	path uint64 // a hash of method and path, without query
	report.Interval
}

// follow takes note of whether a client asked again for what it had asked for before.
func (t *serverTimes) follow(
	l *endpointTimes,
	of report.Pair,
	job *rule.Judged,
	now time.Duration,
) {
	last := t.asked.Of(of, now)
	if last == nil {
		return
	}
	x := job.Info
	path, _, _ := strings.Cut(x.Target, "?")
	this := asked{
		maphash.String(t.seed, x.Method+" "+path),
		report.Interval{From: x.Request.Start.Time, To: x.Response.End.Time},
	}
	l.asked.add(last.before(this), job.Times[report.Think], job.Flow.RTT)
	last.add(this)
}

// came is how a request came after the latest one for the same path.
type came struct {
	before bool          // there was one
	others int           // for other paths, that were answered since
	idle   time.Duration // since that answer, without those
}

// before is how a request came.
func (l *latest) before(this asked) (c came) {
	all := l.all
	answered := time.Duration(-1)
	for _, a := range all {
		if a.path == this.path && a.To <= this.From {
			c.before, answered = true, max(answered, a.To)
		}
	}
	var room [latestAsked]report.Interval
	between := room[:0]
	for _, a := range all {
		if a.From >= answered && a.To <= this.From {
			between = append(between, a.Interval)
		}
	}
	c.others, c.idle = len(between), this.From-answered
	for _, b := range report.Union(between) {
		c.idle -= b.To - b.From
	}
	return c
}

// add takes note of a request that was answered.
func (l *latest) add(a asked) {
	if len(l.all) == latestAsked {
		l.all = append(l.all[:0], l.all[1:]...)
	}
	l.all = append(l.all, a)
}

// add counts a request for which the server took so long. Between an answer and the next request,
// each a round trip may pass where the capture was taken.
func (f *followed) add(c came, took, rtt time.Duration) {
	if !c.before {
		return
	}
	f.before++
	if c.idle > max(took*soonAgain/100, soonAgainFor+rtt*time.Duration(c.others+1)) {
		return
	}
	f.soon++
	if c.others == 0 {
		f.next++
	}
}

// polls reports whether an endpoint seems to be one at which clients wait for something: as soon as
// they have an answer they ask again, for nothing else in between if they wait long, or they wait
// as unevenly as events come; or one event answers all of them.
func (l *endpointTimes) polls() bool {
	f := l.asked
	if l.events {
		return true
	}
	if f.before == 0 || len(l.sample) == 0 || !reaches(f.soon, mostlyAgain, f.before) {
		return false
	}
	typical, _, best := spread(l.times())
	return typical >= leastPoll && 2*f.next >= f.soon ||
		typical >= unevenPoll*best && typical >= outlierLeast
}

// asksToWait reports whether a request says that its answer may wait: by a parameter of its query,
// as those of Consul, Matrix, CouchDB and Socket.IO do, or by its path.
func asksToWait(target string) bool {
	path, query, _ := strings.Cut(target, "?")
	if i := strings.LastIndexByte(path, '/'); strings.Contains(
		strings.ToLower(path[i+1:]),
		"poll",
	) {
		return true
	}
	for part := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(strings.ToLower(part), "=")
		if name == "wait" || name == "timeout" || strings.Contains(value, "poll") {
			return true
		}
	}
	return false
}
