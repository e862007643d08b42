package failing

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"time"

	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/internal/template"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
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

	maxErrorEndpoints = 1024    // are followed; those that come later are not
	maxErrorRuns      = 4096    // likewise: of which errors are shown, those of the others count only
	maxErrorServices  = 1024    // likewise
	maxKeptErrors     = 1 << 14 // likewise: are known one by one, the others are taken for like them
	maxSamples        = 16      // of the errors of one client at an endpoint are told one by one, the first
	// mostlySent is which part of the time until an answer a request has to take, in percent, to
	// have come slowly.
	mostlySent = 50
)

// statuses counts responses by endpoint and by service, whoever asks.
type statuses struct {
	at       map[endpoint]*answers
	services map[netip.AddrPort]*service
	runs     int
	kept     int
}

// service is how many responses a service gave, and how many of them were errors: where it fails as
// a whole, no endpoint need have failed often.
type service struct {
	all, behind int            // behind: errors that came from servers behind it
	errors      map[string]int // by cause, without those
}

// endpoint is what a service is asked for.
type endpoint struct {
	server           netip.AddrPort
	method, template string
}

// answers are the responses of an endpoint.
type answers struct {
	all, behind int                  // likewise
	errors      map[string]*errorsAt // by cause
}

// errorsAt are those of one endpoint and cause.
type errorsAt struct {
	n  int                      // without those that came from servers behind it
	of map[netip.Addr]*errorRun // by client
}

// errorRun is errors that one client got.
type errorRun struct {
	n    int
	of   rule.Subject
	kept []failed
	// sorted by what the capture shows behind a proxy: nothing that says why, what says why, the
	// same error
	own, explained, passed []failed
	more                   int // beyond those that are kept: they are own, unless none of those is
}

// failed is an exchange that was answered with an error.
type failed struct {
	conn, exchange int
	start, answer  capture.Mark
	end            time.Duration
	status         int
	late           time.Duration // 408: the request had been whole for so long; 0: it came slowly
}

func newStatuses() *statuses {
	return &statuses{at: map[endpoint]*answers{}, services: map[netip.AddrPort]*service{}}
}

// Event counts a response.
func (s *statuses) Event(d rule.Desk, c *rule.Conn, e *rule.Told) {
	job := e.Judged()
	x := job.Info
	const unsure = exchange.HasGap | exchange.Resynced
	if !d.Enabled(errorsRule) || x.Turn || x.Target == "" || x.Request == nil ||
		x.Response == nil ||
		x.Status == 0 ||
		x.Outcome == exchange.Aborted || // nobody listened any more
		(job.MessageFacts[0]|job.MessageFacts[1])&unsure != 0 {
		return
	}
	cause := causeOf(x.Status)
	s.service(c.Pair.Server).count()
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
	if cause == "" {
		return
	}
	if r := s.run(a, cause, c); r != nil {
		if r.n++; s.kept < maxKeptErrors {
			r.kept = append(r.kept, failedBy(x, c.Id, d.Exchange(c.Id, int(e.Index))))
			s.kept++
		}
	}
}

// service is that of an address; nil if there are too many.
func (s *statuses) service(server netip.AddrPort) *service {
	v := s.services[server]
	if v == nil && len(s.services) < maxErrorServices {
		v = &service{errors: map[string]int{}}
		s.services[server] = v
	}
	return v
}

// count counts a response.
func (v *service) count() {
	if v != nil {
		v.all++
	}
}

// fails counts errors, of which some came from servers behind the service.
func (v *service) fails(cause string, own, behind int) {
	if v != nil {
		v.errors[cause] += own
		v.behind += behind
	}
}

// run counts an error, and is the run that it belongs to; nil if there are too many.
func (s *statuses) run(a *answers, cause string, c *rule.Conn) *errorRun {
	all := a.errors[cause]
	if all == nil {
		all = &errorsAt{of: map[netip.Addr]*errorRun{}}
		a.errors[cause] = all
	}
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

// failedBy is an exchange that was answered with an error.
func failedBy(x *report.ExchangeInfo, conn, exchange int) failed {
	f := failed{
		conn: conn, exchange: exchange, start: x.Request.Start, answer: x.Response.Start,
		end: x.Response.End.Time, status: x.Status,
	}
	if x.Request.Complete && !slowlySent(x) {
		f.late = x.Response.Start.Time - x.Request.End.Time
	}
	return f
}

// claim is that of one exchange.
func (f *failed) claim(cause string) rule.Claim {
	cl := rule.Claim{
		Rule: errorsRule, Cause: cause, Index: -1, Confidence: report.Proven,
		Occ: rule.Occurrence{
			Connection: f.conn,
			Exchange:   f.exchange,
			Start:      f.start.Time,
			End:        f.end,
			Proof: []rule.Evidence{
				rule.Shows(f.start, report.SideClient, requestBegins),
				rule.Shows(f.answer, report.SideServer, saysError, int64(f.status)),
			},
		},
	}
	if cause == tooSlowCause {
		cl.Side = report.SideClient
		if f.late > 0 {
			cl.Side = report.SideServer
			cl.Says = []rule.Said{rule.Say(hadItWhole, rule.Ns(f.late))}
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
	s.eachError(func(k *endpoint, cause string, a *answers, e *errorsAt) {
		for _, r := range e.of {
			own, behind := r.sort(b, cause)
			e.n, a.behind = e.n+own, a.behind+behind
			s.services[k.server].fails(cause, own, behind)
			if own > 0 {
				b.owns(r.of.Pair, cause)
			}
		}
	})
	s.eachError(func(k *endpoint, cause string, a *answers, e *errorsAt) {
		for _, client := range slices.SortedFunc(maps.Keys(e.of), netip.Addr.Compare) {
			s.book(b, e.of[client], k, cause)
		}
	})
}

// eachError calls a function for the errors of each endpoint and cause, in order.
func (s *statuses) eachError(do func(*endpoint, string, *answers, *errorsAt)) {
	for _, k := range slices.SortedFunc(maps.Keys(s.at), endpoint.compare) {
		a := s.at[k]
		for _, cause := range slices.Sorted(maps.Keys(a.errors)) {
			do(&k, cause, a, a.errors[cause])
		}
	}
}

// compare orders endpoints.
func (k endpoint) compare(l endpoint) int {
	return cmp.Or(k.server.Compare(l.server),
		cmp.Compare(k.method, l.method), cmp.Compare(k.template, l.template))
}
