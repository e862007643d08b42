package grpc

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly/exchange"
)

// Status codes that are looked at by number (google/rpc/code.proto).
const (
	unknownStatus       = 2
	deadlineExceeded    = 4
	resourceExhausted   = 8
	unimplementedStatus = 12
	internalStatus      = 13
	unavailableStatus   = 14
	dataLoss            = 15
)

const (
	// Shares of a method's calls, in percent, by which failures are graded: those of http-errors
	// (reasoning: each second answer is an outage, each tenth is noticed by everybody who asks ten
	// times).
	mostlyFailed = 50
	oftenFailed  = 10
	someFailed   = 1
	// leastFailures is how many make a run.
	leastFailures = 3

	maxMethods = 1024 // are followed; those that come later are not
	maxRuns    = 4096 // likewise: of which failures are shown, those of the others count only
	maxSamples = 16   // of the failures of one client at a method are kept, the first
)

// method is what a server is called for.
type method struct {
	server        netip.AddrPort
	service, name string
}

// String is the method as calls name it.
func (m *method) String() string { return "/" + m.service + "/" + m.name }

// compare orders methods.
func (m method) compare(n method) int {
	return cmp.Or(m.server.Compare(n.server), cmp.Compare(m.service, n.service),
		cmp.Compare(m.name, n.name))
}

// methodOf is the method of a call; false if its path is not known.
func methodOf(c *rule.Conn, r *exchange.RPC) (method, bool) {
	return method{c.Pair.Server, r.Service, r.Method}, r.Service != "" && r.Method != ""
}

// statuses counts calls by method, whoever makes them.
type statuses struct {
	at   map[method]*answers
	runs int
}

// answers are the calls of a method whose end was seen.
type answers struct {
	all    int
	failed map[string]*failures // by cause
	// octets of the largest messages that were taken, beyond usualMessage: of the server's by
	// client
	asked int64
	taken map[netip.Addr]int64
}

// failures are those of one method and cause.
type failures struct {
	n     int
	large int                 // of them with a message that may have been too large
	least int64               // octets of the smallest of these
	of    map[netip.Addr]*run // by client
}

// run is failures that one client got.
type run struct {
	n       int
	of      rule.Subject
	samples []failure
}

// Event counts a call.
func (s *statuses) Event(d rule.Desk, c *rule.Conn, e *rule.Told) {
	job := e.Judged()
	x := job.Info
	r := x.OnStream.RPC
	if r == nil || !d.Enabled(statusRule) || x.Request == nil || x.Response == nil {
		return
	}
	what, cancelled := refusedAnswer(job)
	if !cancelled && (r.Status == exchange.NoRPCStatus || x.Outcome == exchange.Aborted) {
		return
	}
	m, known := methodOf(c, r)
	a := s.at[m]
	if a == nil {
		if !known || len(s.at) >= maxMethods {
			return
		}
		a = &answers{failed: map[string]*failures{}, taken: map[netip.Addr]int64{}}
		s.at[m] = a
	}
	a.all++
	a.take(c, x)
	cause := causeOf(&m, r.Status)
	if cancelled {
		cause = tooLargeCause
	} else {
		what = refusedRequest(job)
	}
	if cause == "" {
		return
	}
	if f := s.run(a, cause, c, what.size); f != nil {
		if f.n++; f.n <= maxSamples {
			cl := failureClaim(d, c, x, int(e.Index), cause)
			cl.refuses(what, x.OnStream.Reset)
			f.samples = append(f.samples, cl)
		}
	}
}

// run counts a failure, which may be for a message of that size, and is the run that it belongs to;
// nil if there are too many.
func (s *statuses) run(a *answers, cause string, c *rule.Conn, size int64) *run {
	all := a.failed[cause]
	if all == nil {
		all = &failures{of: map[netip.Addr]*run{}}
		a.failed[cause] = all
	}
	all.n++
	if size > 0 {
		if all.large++; all.large == 1 || size < all.least {
			all.least = size
		}
	}
	r := all.of[c.Pair.Client]
	if r == nil && s.runs < maxRuns {
		r = &run{of: c.Subject()}
		all.of[c.Pair.Client] = r
		s.runs++
	}
	return r
}

// failure is the claim of a call that failed.
type failure struct {
	rule.Claim
	size int64 // octets of the message that it was for, if that may have been too large; else 0
}

// own leaves the failures that no proxy passed on, and those for the size of an answer only of
// clients that took none as large. Of those that are not kept as many did as of the others.
func (a *answers) own(d rule.Desk, f *failures) {
	f.n = 0
	for client, r := range f.of {
		kept := len(r.samples)
		r.samples = slices.DeleteFunc(r.samples, func(one failure) bool {
			return passedOn(d, one.Occ.Exchange) ||
				one.Cause == tooLargeCause && one.size <= a.taken[client]
		})
		if len(r.samples) == 0 {
			delete(f.of, client)
			continue
		}
		r.n = r.n * len(r.samples) / kept
		f.n += r.n
	}
}

// passedOn reports whether a proxy gave a call the end that a server behind it had said: it is told
// of that. What it says itself comes without a response from there.
func passedOn(d rule.Desk, exchange int) bool {
	legs := d.Proxied(exchange).Legs
	return len(legs) > 0 && legs[len(legs)-1].Status == okay
}

// okay is the status of HTTP below that of a call (gRPC PROTOCOL-HTTP2).
const okay = 200

// causeOf is the cause that a status belongs to; "" if it is none.
func causeOf(m *method, status int) string {
	switch status {
	case unavailableStatus:
		return unavailableCause
	case resourceExhausted:
		return exhaustedCause
	case internalStatus, unknownStatus, dataLoss:
		return failedCause
	case unimplementedStatus:
		if !probes(m.service) {
			return unimplementedCause
		}
	}
	return ""
}

// probes reports whether calls of a service only find out what a server has: of many it has none of
// these, and says so.
func probes(service string) bool {
	return service == "grpc.health.v1.Health" || strings.HasPrefix(service, "grpc.reflection.")
}

// failureClaim is that of one call.
func failureClaim(
	d rule.Desk, c *rule.Conn, x *report.ExchangeInfo, index int, cause string,
) failure {
	status := x.OnStream.RPC.Status
	return failure{Claim: rule.Claim{
		Rule: statusRule, Cause: cause, Index: -1, Confidence: report.Proven,
		Occ: rule.Occurrence{
			Connection: c.Id,
			Exchange:   d.Exchange(c.Id, index),
			Start:      x.Request.Start.Time,
			End:        x.Response.End.Time,
			Proof: []rule.Evidence{
				rule.Shows(x.Request.Start, report.SideClient, callBegins),
				rule.Shows(x.Response.End, report.SideServer, saysStatus, int64(status)).
					With(exchange.RPCStatusName(status)),
			},
		},
	}}
}

// Finish tells of methods whose failures are more than a few.
func (s *statuses) Finish(d rule.Desk) {
	for _, m := range slices.SortedFunc(maps.Keys(s.at), method.compare) {
		a := s.at[m]
		for _, cause := range slices.Sorted(maps.Keys(a.failed)) {
			f := a.failed[cause]
			cause := a.sized(cause, f)
			a.own(d, f)
			if f.n > 0 && 100*f.n >= someFailed*a.all {
				f.book(d, &m, cause, f.grade(cause, a.all), a.all)
			}
		}
	}
}

// book books the failures of a method with so many calls, client by client.
func (f *failures) book(
	d rule.Desk, m *method, cause string, grade report.Severity, all int,
) {
	words := shareFailed
	if len(f.of) > 1 {
		words = shareOfAllFailed
	}
	says := []rule.Said{rule.Say(words, int64(f.n), int64(all)).With(m.String())}
	for _, client := range slices.SortedFunc(maps.Keys(f.of), netip.Addr.Compare) {
		r := f.of[client]
		for i := range r.samples {
			c := &r.samples[i].Claim
			if c.Cause = cause; cause == askedTooMuchCause {
				c.Confidence = report.ConfidenceMedium
			}
			c.Least, c.Says = grade, says
			if grade == report.Info {
				c.Most = rule.AtMost(report.Info)
			}
			if i == len(r.samples)-1 {
				c.Also = r.n - len(r.samples)
				c.Others = c.Also
			}
			d.Book(r.of, c)
		}
	}
}

// grade is the severity of failures by their share.
func (f *failures) grade(cause string, all int) report.Severity {
	theirs := cause == exhaustedCause || cause == unimplementedCause
	switch {
	case f.n < leastFailures:
		return report.Info
	case 100*f.n >= mostlyFailed*all && !theirs:
		return report.High
	case 100*f.n >= oftenFailed*all:
		return report.Medium
	}
	return report.Low
}
