package failing

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"

	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/internal/template"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly/exchange"
)

const (
	// Shares of an endpoint's responses, in percent, by which errors are graded (reasoning: each
	// second answer is an outage, each tenth is noticed by everybody who asks ten times).
	mostlyErrors = 50
	oftenErrors  = 10
	someErrors   = 1
	// leastErrors is how many make a run.
	leastErrors = 3

	maxErrorEndpoints = 1024 // are followed; those that come later are not
	maxErrorRuns      = 4096 // likewise: of which errors are shown, those of the others count only
	maxSamples        = 16   // of the errors of one client at an endpoint are kept, the first
	// mostlySent is which part of the time until an answer a request has to take, in percent, to
	// have come slowly.
	mostlySent = 50
)

// statuses counts responses by endpoint, whoever asks.
type statuses struct {
	at   map[endpoint]*answers
	runs int
}

// endpoint is what a service is asked for.
type endpoint struct {
	server           netip.AddrPort
	method, template string
}

// answers are the responses of an endpoint.
type answers struct {
	all    int
	errors map[string]*errorsAt // by cause
}

// errorsAt are those of one endpoint and cause.
type errorsAt struct {
	n  int
	of map[netip.Addr]*errorRun // by client
}

// errorRun is errors that one client got.
type errorRun struct {
	n       int
	of      rule.Subject
	samples []rule.Claim
}

// Event counts a response.
func (s *statuses) Event(d rule.Desk, c *rule.Conn, e *rule.Told) {
	job := e.Judged()
	x := job.Info
	const unsure = exchange.HasGap | exchange.Resynced
	if !d.Enabled(errorsRule) || x.Turn || x.Request == nil || x.Response == nil || x.Status == 0 ||
		x.Outcome == exchange.Aborted || // nobody listened any more
		(job.MessageFacts[0]|job.MessageFacts[1])&unsure != 0 {
		return
	}
	k := endpoint{c.Pair.Server, x.Method, template.Of(x.Target)}
	a := s.at[k]
	if a == nil {
		if len(s.at) >= maxErrorEndpoints {
			return
		}
		a = &answers{errors: map[string]*errorsAt{}}
		s.at[k] = a
	}
	a.all++
	cause := causeOf(x.Status)
	if cause == "" {
		return
	}
	if r := s.run(a, cause, c); r != nil {
		if r.n++; r.n <= maxSamples {
			r.samples = append(r.samples, errorClaim(d, c, x, int(e.Index), cause))
		}
	}
}

// run counts an error, and is the run that it belongs to; nil if there are too many.
func (s *statuses) run(a *answers, cause string, c *rule.Conn) *errorRun {
	all := a.errors[cause]
	if all == nil {
		all = &errorsAt{of: map[netip.Addr]*errorRun{}}
		a.errors[cause] = all
	}
	all.n++
	r := all.of[c.Pair.Client]
	if r == nil && s.runs < maxErrorRuns {
		r = &errorRun{of: c.Subject()}
		all.of[c.Pair.Client] = r
		s.runs++
	}
	return r
}

// causeOf is the cause that a status belongs to; "" if it is none.
func causeOf(status int) string {
	switch {
	case status == 408:
		return tooSlowCause
	case status == 429:
		return tooManyCause
	case status == 502 || status == 504:
		return gatewayCause
	case status == 503:
		return unavailableCause
	case status >= 500 && status < 600:
		return serverErrorCause
	}
	return ""
}

// errorClaim is that of one exchange.
func errorClaim(
	d rule.Desk, c *rule.Conn, x *report.ExchangeInfo, index int, cause string,
) rule.Claim {
	cl := rule.Claim{
		Rule: errorsRule, Cause: cause, Index: -1, Confidence: report.Proven,
		Occ: rule.Occurrence{
			Connection: c.Id,
			Exchange:   d.Exchange(c.Id, index),
			Start:      x.Request.Start.Time,
			End:        x.Response.End.Time,
			Proof: []rule.Evidence{
				rule.Shows(x.Request.Start, report.SideClient, requestBegins),
				rule.Shows(x.Response.Start, report.SideServer, saysError, int64(x.Status)),
			},
		},
	}
	if cause == tooSlowCause {
		cl.Side = report.SideClient
		if x.Request.Complete && !slowlySent(x) {
			cl.Side = report.SideServer
			left := x.Response.Start.Time - x.Request.End.Time
			cl.Says = []rule.Said{rule.Say(hadItWhole, rule.Ns(left))}
		}
	}
	return cl
}

// slowlySent reports whether most of the time until the answer came passed while the request was
// sent.
func slowlySent(x *report.ExchangeInfo) bool {
	sent := x.Request.End.Time - x.Request.Start.Time
	return 100*sent >= mostlySent*(x.Response.Start.Time-x.Request.Start.Time)
}

// Finish tells of endpoints whose errors are more than a few.
func (s *statuses) Finish(d rule.Desk) {
	b := &behind{desk: d}
	for _, k := range slices.SortedFunc(maps.Keys(s.at), endpoint.compare) {
		a := s.at[k]
		for _, cause := range slices.Sorted(maps.Keys(a.errors)) {
			if all := a.errors[cause]; 100*all.n >= someErrors*a.all {
				all.book(b, &k, cause, a.all)
			}
		}
	}
}

// compare orders endpoints.
func (k endpoint) compare(l endpoint) int {
	return cmp.Or(k.server.Compare(l.server),
		cmp.Compare(k.method, l.method), cmp.Compare(k.template, l.template))
}

// book books the errors of an endpoint with so many responses, client by client.
func (e *errorsAt) book(b *behind, k *endpoint, cause string, all int) {
	words := shareOfErrors
	switch {
	case len(e.of) > 1:
		words = shareOfAllErrors
	case e.n == 1:
		words = shareOfOneError
	}
	says := []rule.Said{
		rule.Say(words, int64(e.n), int64(all)).With(k.method + " " + k.template),
	}
	for _, client := range slices.SortedFunc(maps.Keys(e.of), netip.Addr.Compare) {
		if r := e.of[client]; !r.passedOn(b) {
			r.book(b, e.grade(cause, all), says)
		}
	}
}

// book books the errors that one client got.
func (r *errorRun) book(b *behind, grade report.Severity, says []rule.Said) {
	most := rule.Grade(0)
	if r.explained(b) {
		grade, most = report.Info, rule.AtMost(report.Info)
	}
	for i := range r.samples {
		c := &r.samples[i]
		c.Least, c.Most, c.Says = grade, most, append(slices.Clip(says), c.Says...)
		if said := b.says(c); said.Words != 0 {
			c.Says = append(slices.Clip(c.Says), said)
		}
		if i == len(r.samples)-1 {
			c.Also = r.n - len(r.samples)
			c.Others = c.Also
		}
		b.desk.Book(r.of, c)
	}
}

// grade is the severity of errors by their share.
func (e *errorsAt) grade(cause string, all int) report.Severity {
	theirs := cause == tooManyCause || cause == tooSlowCause
	switch {
	case e.n < leastErrors:
		return report.Info
	case 100*e.n >= mostlyErrors*all && !theirs:
		return report.High
	case 100*e.n >= oftenErrors*all:
		return report.Medium
	}
	return report.Low
}
