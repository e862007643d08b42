package failing

import (
	"cmp"
	"maps"
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
	maxSamples        = 16   // of an endpoint's errors are kept, the first
)

// statuses counts responses by endpoint.
type statuses struct{ at map[endpoint]*answers }

// endpoint is what a client asks a service for.
type endpoint struct {
	pair             report.Pair
	method, template string
}

// answers are the responses of an endpoint.
type answers struct {
	all    int
	errors map[string]*errorRun // by cause
}

// errorRun is errors of one endpoint and cause.
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
		(job.MessageFacts[0]|job.MessageFacts[1])&unsure != 0 {
		return
	}
	k := endpoint{c.Pair, x.Method, template.Of(x.Target)}
	a := s.at[k]
	if a == nil {
		if len(s.at) >= maxErrorEndpoints {
			return
		}
		a = &answers{errors: map[string]*errorRun{}}
		s.at[k] = a
	}
	a.all++
	cause := causeOf(x.Status)
	if cause == "" {
		return
	}
	r := a.errors[cause]
	if r == nil {
		r = &errorRun{of: c.Subject()}
		a.errors[cause] = r
	}
	if r.n++; r.n <= maxSamples {
		r.samples = append(r.samples, errorClaim(d, c, x, int(e.Index), cause))
	}
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
	return rule.Claim{
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
}

// Finish tells of endpoints whose errors are more than a few.
func (s *statuses) Finish(d rule.Desk) {
	b := &behind{desk: d}
	for _, k := range slices.SortedFunc(maps.Keys(s.at), endpoint.compare) {
		a := s.at[k]
		for _, cause := range slices.Sorted(maps.Keys(a.errors)) {
			a.errors[cause].book(b, &k, a.all)
		}
	}
}

// compare orders endpoints.
func (k endpoint) compare(l endpoint) int {
	return cmp.Or(k.pair.Client.Compare(l.pair.Client), k.pair.Server.Compare(l.pair.Server),
		cmp.Compare(k.method, l.method), cmp.Compare(k.template, l.template))
}

// book books the errors of an endpoint with so many responses.
func (r *errorRun) book(b *behind, k *endpoint, all int) {
	if 100*r.n < someErrors*all || r.passedOn(b) {
		return
	}
	grade, most := r.grade(all), rule.Grade(0)
	if r.explained(b) {
		grade, most = report.Info, rule.AtMost(report.Info)
	}
	says := []rule.Said{
		rule.Say(shareOfErrors, int64(r.n), int64(all)).With(k.method + " " + k.template),
	}
	for i := range r.samples {
		c := &r.samples[i]
		c.Least, c.Most, c.Says = grade, most, says
		if said := b.says(c); said.Words != 0 {
			c.Says = append(slices.Clip(says), said)
		}
		if i == len(r.samples)-1 {
			c.Also = r.n - len(r.samples)
		}
		b.desk.Book(r.of, c)
	}
}

// grade is the severity of errors by their share.
func (r *errorRun) grade(all int) report.Severity {
	theirs := r.samples[0].Cause == tooManyCause || r.samples[0].Cause == tooSlowCause
	switch {
	case r.n < leastErrors:
		return report.Info
	case 100*r.n >= mostlyErrors*all && !theirs:
		return report.High
	case 100*r.n >= oftenErrors*all:
		return report.Medium
	}
	return report.Low
}
