// Package tally counts what became of all exchanges: by endpoint, by outcome, by status, and over
// the time of the capture. It compares nothing and blames nobody. What it holds is bounded, and two
// tallies of parts of the traffic are one by adding.
package tally

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"tcpwhy/analysis/internal/template"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly/exchange"
)

const (
	// maxEndpoints are kept apart; all others are one, without method and template.
	maxEndpoints = 1024
	// maxWaiting attempts wait for an end that shows elsewhere.
	maxWaiting = 4096
	// statuses are the codes that there can be (RFC 9110 §15: three digits).
	statuses = 1000
	// requestTimeout is status 408.
	requestTimeout = 408
	// tooMany is status 429 (RFC 6585 §4).
	tooMany = 429
	// serverErrors is the class of status codes of a server that failed (RFC 9110 §15.6).
	serverErrors = 5
)

// Tally counts exchanges. Its zero value is empty.
type Tally struct {
	endpoints  map[key]*report.Endpoint
	others     report.Endpoint // of endpoints beyond the limit
	statuses   [statuses]int
	failures   [exchange.OutcomeCount]report.Failures
	unfinished report.Failures
	waiting    map[int]time.Duration // attempts without an end, by connection: what they lasted
	steps      steps
	proxied    proxied
	streams    streamEnds
	refusals   refusals
}

// key tells endpoints apart.
type key struct {
	method, template, host string
	server                 netip.AddrPort // where there is no host, or behind
	behind                 bool           // proxies asked
}

// Exchange is one exchange on its way into the tally.
type Exchange struct {
	*report.ExchangeInfo
	Server  netip.AddrPort
	Name    string // Host or SNI
	Streams bool   // it lasts as long as somebody wants to listen
	Lost    time.Duration
	// Share is, of a leg behind a proxy, what that waited for it before it answered, for no other.
	Share time.Duration
}

// Cut reports whether the exchange is a handshake of TLS that the end of the capture cut, and
// nothing was lost in it: how long it takes, and whether anybody waits for it, is not known.
func (x *Exchange) Cut() bool {
	return x.Attempt != nil && x.Attempt.Secure && x.Outcome == exchange.Incomplete && x.Lost == 0
}

// Add counts an exchange.
func (t *Tally) Add(x *Exchange) {
	failed, e := Failed(x.ExchangeInfo, x.Streams), t.endpoint(x)
	if failed && (x.OnStream.Refused || x.Attempt != nil && x.Outcome == exchange.TLSFailed) {
		failed = false
		if x.Attempt != nil || x.Target != "" { // else nobody knows whether it came again
			t.excusable(x, e)
		}
	}
	e.add(x, failed)
	t.proxied.add(x)
	if x.Behind { // who asked counts for both
		t.Lose(x.Start+x.Duration, x.Lost)
		return
	}
	if x.Status > 0 && x.Status < statuses && !farewell(x) {
		t.statuses[x.Status]++
	}
	switch {
	case failed:
		t.failures[x.Outcome].Add(x.Duration)
	case x.Outcome == exchange.Incomplete && !x.Streams && !t.awaits(x):
		t.unfinished.Add(x.Duration)
	}
	t.streams.add(x.ExchangeInfo)
	t.steps.add(x, failed)
}

// farewell reports whether a status answers nobody: a server that ends an idle connection may say
// so (RFC 9110 §15.5.9).
func farewell(x *Exchange) bool { return x.Request == nil && x.Status == requestTimeout }

// Failed reports whether an exchange came to nothing, or not to its end, by what is known of it. A
// stream ends when somebody wants it to, and turns of which nobody knows what was said may have
// said all.
func Failed(x *report.ExchangeInfo, streams bool) bool {
	switch x.Outcome {
	case exchange.Incomplete, exchange.Complete, exchange.Upgraded:
		return false
	case exchange.Aborted, exchange.NoResponse:
		return !streams && !x.Turn
	}
	return !streams
}

// awaits keeps an attempt of which the end may show elsewhere, if it is one.
func (t *Tally) awaits(x *Exchange) bool {
	if x.Attempt == nil || len(t.waiting) >= maxWaiting {
		return false
	}
	if t.waiting == nil {
		t.waiting = map[int]time.Duration{}
	}
	t.waiting[x.Connection] = x.Duration
	return true
}

// Ended says how the attempt on a connection ended, which the capture did not show there.
func (t *Tally) Ended(conn int, o exchange.Outcome) {
	took, ok := t.waiting[conn]
	if !ok {
		return
	}
	delete(t.waiting, conn)
	t.failures[o].Add(took)
}

// Repeated says that an exchange that had failed so was asked again.
func (t *Tally) Repeated(o exchange.Outcome) { t.failures[o].Repeated++ }

// Lose says that so much time was lost at that moment, beside what exchanges came with.
func (t *Tally) Lose(at, lost time.Duration) { t.steps.at(at).Lost += lost }

// Waits says that the server of an exchange that was counted waited that much longer for others
// than was known then. Of the endpoint, what single exchanges took stays as it was.
func (t *Tally) Waits(x *Exchange, more time.Duration) {
	first := x.Waited == 0 && len(x.Upstream) == 1
	x.Waited += more
	if x.Behind {
		return
	}
	e := t.endpoint(x)
	e.Thought, e.Waited = max(0, e.Thought-more), e.Waited+more
	t.proxied.waits(x, more, first)
}

// endpoint is that of an exchange.
func (t *Tally) endpoint(x *Exchange) *endpoint {
	k := key{host: x.Name, behind: x.Behind}
	if x.Name == "" || x.Behind {
		k.server = x.Server
	}
	if !x.Turn && x.Attempt == nil && x.Target != "" { // else nobody knows what was asked for
		k.method, k.template = x.Method, template.Of(x.Target)
	}
	e := t.endpoints[k]
	if e == nil {
		if len(t.endpoints) >= maxEndpoints {
			return (*endpoint)(&t.others)
		}
		if t.endpoints == nil {
			t.endpoints = map[key]*report.Endpoint{}
		}
		e = &report.Endpoint{
			Method:   k.method,
			Template: k.template,
			Host:     k.host,
			Server:   k.server,
			Behind:   k.behind,
		}
		t.endpoints[k] = e
	}
	return (*endpoint)(e)
}

// endpoint is one to which exchanges are added.
type endpoint report.Endpoint

// add counts an exchange.
func (e *endpoint) add(x *Exchange, failed bool) {
	e.Exchanges++
	if class := x.OnStream.Meant(x.Status) / 100; class > 0 && class < len(e.Statuses) &&
		!farewell(x) {
		e.Statuses[class]++
	}
	if x.Response != nil {
		e.Octets += x.Response.HeaderBytes + x.Response.BodyBytes
	}
	if x.Streams || x.Outcome == exchange.Upgraded {
		e.Streams++
		return
	}
	if x.Cut() {
		return
	}
	think := max(0, Think(x.Times)-x.Waited)
	e.Waited += x.Waited
	e.Time += x.Duration
	e.Times = report.AddTimes(e.Times, x.Times)
	e.Thought += think
	switch {
	case failed:
		e.Failed++
	case x.Outcome == exchange.Complete:
		e.Duration.Add(x.Duration)
		e.Think.Add(think)
	}
}

// Think is the server's own time before it answered.
func Think(times []report.LabelTime) time.Duration {
	for _, t := range times {
		if t.Label == report.Think {
			return t.Time
		}
	}
	return 0
}

// SoFar is all of it, of a capture that is that long; it shares nothing with t.
func (t *Tally) SoFar(end time.Duration) (r report.Tally) {
	for code, n := range t.statuses {
		if n > 0 {
			r.Statuses = append(r.Statuses, report.StatusCount{Status: code, Count: n})
		}
	}
	for o := range t.failures {
		if f := &t.failures[o]; f.Count > 0 {
			f := f.Clone()
			f.Outcome = exchange.Outcome(o)
			r.Failures = append(r.Failures, f)
		}
	}
	r.Unfinished = t.unfinished.Clone()
	for _, took := range t.waiting {
		r.Unfinished.Add(took)
	}
	r.Endpoints = t.list()
	r.Over = t.steps.list(end)
	t.refusals.addTo(&r)
	r.Proxied = t.proxied.soFar()
	r.Streams = t.streams.list()
	return r
}

// mostTime puts the endpoint first on which most time was spent. No two are the same to it: all
// that tells endpoints apart counts, what clients asked for themselves before what lies behind.
func mostTime(a, b report.Endpoint) int {
	return cmp.Or(cmp.Compare(b.Time, a.Time), cmp.Compare(b.Exchanges, a.Exchanges),
		cmp.Compare(a.Host, b.Host), cmp.Compare(a.Template, b.Template),
		cmp.Compare(a.Method, b.Method), a.Server.Compare(b.Server), behind(a)-behind(b))
}

func behind(e report.Endpoint) int {
	if e.Behind {
		return 1
	}
	return 0
}

// list is all endpoints, the one on which most time was spent first, and what is left of others
// last.
func (t *Tally) list() []report.Endpoint {
	refused := t.refusals.byEndpoint()
	all := make([]report.Endpoint, 0, len(t.endpoints)+1)
	for _, e := range t.endpoints {
		c := e.Clone()
		c.Failed += refused[(*endpoint)(e)]
		all = append(all, c)
	}
	slices.SortFunc(all, mostTime)
	if t.others.Exchanges > 0 {
		c := t.others.Clone()
		c.Failed += refused[(*endpoint)(&t.others)]
		all = append(all, c)
	}
	return all
}
