package json

import (
	"io"
	"math"
	"time"

	"tcpwhy/analysis/compare"
	"tcpwhy/output/finding"
	"tcpwhy/output/mask"
)

// comparisonObject is all of a comparison but what stands before it in each object.
type comparisonObject struct {
	Before     comparedObject         `json:"before"`
	After      comparedObject         `json:"after"`
	Warnings   []warningObject        `json:"warnings"`
	Regression bool                   `json:"regression"`
	Shift      *shiftObject           `json:"shift_ms"`
	Alone      aloneObject            `json:"exchanges_not_compared"`
	Endpoints  []endpointChange       `json:"endpoints"`
	Findings   []findingChange        `json:"findings"`
	Times      map[string]spentObject `json:"time_ms"`
}

// comparedObject is one of the two that are compared.
type comparedObject struct {
	Name    string         `json:"name"`
	Version maybe          `json:"tool_version"`
	Capture *captureObject `json:"capture"`
	Summary *summaryObject `json:"summary"`
}

type warningObject struct {
	Code string `json:"code"`
	Text string `json:"text"`
}

// shiftObject is how much longer it took in AFTER, and the interval of 95 %.
type shiftObject struct {
	Estimate millis `json:"estimate"`
	Low      millis `json:"low"`
	High     millis `json:"high"`
}

// aloneObject is how many exchanges are of endpoints that only one side has.
type aloneObject struct {
	Before int `json:"before"`
	After  int `json:"after"`
}

// endpointChange is an endpoint that both have.
type endpointChange struct {
	Method   maybe        `json:"method"`
	Template maybe        `json:"template"`
	Service  maybe        `json:"service"`
	Behind   bool         `json:"behind_proxy"`
	Before   sampleObject `json:"before"`
	After    sampleObject `json:"after"`
	Shift    *shiftObject `json:"shift_ms"`
	P        *chance      `json:"p"`
	Verdict  string       `json:"verdict"`
	Average  string       `json:"mean_verdict"`
	Tail     string       `json:"p95_verdict"`
	Failures string       `json:"failures_verdict"`
	Errors   string       `json:"errors_verdict"`
}

// sampleObject is an endpoint on one side.
type sampleObject struct {
	Exchanges int             `json:"exchanges"`
	Failed    int             `json:"failures"`
	Errors    int             `json:"errors"`
	N         int             `json:"n"`
	Median    *millis         `json:"median_ms"`
	Mean      *millis         `json:"mean_ms"`
	P95       *quantileObject `json:"p95_ms"`
}

// quantileObject is a quantile; without an interval where there are too few.
type quantileObject struct {
	Value millis  `json:"value"`
	Low   *millis `json:"low"`
	High  *millis `json:"high"`
}

// findingChange is what became of one rule and cause at a service.
type findingChange struct {
	ID         string         `json:"id"`
	Rule       string         `json:"rule"`
	Cause      maybe          `json:"cause"`
	Title      string         `json:"title"`
	Severity   string         `json:"severity"`
	Service    maybe          `json:"service"`
	Change     string         `json:"change"`
	Why        maybe          `json:"why"`
	Known      bool           `json:"known"`
	Regression bool           `json:"regression"`
	P          float64        `json:"p"`
	Before     occurredObject `json:"before"`
	After      occurredObject `json:"after"`
}

// occurredObject is how much of it there was on one side.
type occurredObject struct {
	Count     int     `json:"count"`
	Affected  int     `json:"affected"`
	Exchanges int     `json:"exchanges"`
	Rate      float64 `json:"rate"`
	Low       float64 `json:"rate_low"`
	High      float64 `json:"rate_high"`
	Cost      millis  `json:"cost_ms"`
	Each      millis  `json:"cost_each_ms"`
}

// spentObject is what an exchange spent on a label, on average.
type spentObject struct {
	Before millis `json:"before"`
	After  millis `json:"after"`
}

// chance is a probability, or null.
type chance float64

func (p *chance) appendTo(b []byte) []byte {
	if p == nil {
		return append(b, null...)
	}
	return appendFloat(b, float64(*p))
}

// WriteComparison writes a comparison as one JSON object. It is described by docs/json.md and
// docs/compare.schema.json.
func WriteComparison(w io.Writer, c *compare.Comparison, opts Options) error {
	o := newObjectWriter(w, true, opts)
	o.member("comparison", comparison(c, opts))
	return o.end()
}

func comparison(c *compare.Comparison, opts Options) *comparisonObject {
	o := &comparisonObject{
		Before: compared(&c.Before, opts), After: compared(&c.After, opts),
		Warnings: []warningObject{}, Regression: c.Regressed(), Shift: shift(c.Shift),
		Alone: aloneObject{c.Alone[0], c.Alone[1]}, Times: map[string]spentObject{},
		Endpoints: []endpointChange{}, Findings: []findingChange{},
	}
	for _, s := range c.Times {
		o.Times[s.Label.String()] = spentObject{millis(s.Before), millis(s.After)}
	}
	for _, w := range c.Warnings {
		o.Warnings = append(o.Warnings, warningObject{w.Code, mask.Visible(w.Text)})
	}
	for i := range c.Endpoints {
		o.Endpoints = append(o.Endpoints, changedEndpoint(&c.Endpoints[i]))
	}
	for i := range c.Findings {
		o.Findings = append(o.Findings, changedFinding(&c.Findings[i]))
	}
	return o
}

func compared(s *compare.Side, opts Options) comparedObject {
	e := encoder{report: s.Report, opts: opts, ids: finding.IDs(s.Findings)}
	return comparedObject{mask.Visible(s.Name), text(s.Version), e.capture(), e.summary()}
}

// shift is null where there is none.
func shift(s *compare.Shift) *shiftObject {
	if s == nil {
		return nil
	}
	return &shiftObject{millis(s.Estimate), millis(s.Low), millis(s.High)}
}

func changedEndpoint(e *compare.Endpoint) endpointChange {
	o := endpointChange{
		Method: text(
			mask.ASCII(e.Method),
		), Template: text(mask.Target(e.Template, false, longestTarget)),
		Service: text(mask.Host(e.Service)), Behind: e.Behind,
		Before: sampled(&e.Before), After: sampled(&e.After), Shift: shift(e.Shift),
		Verdict: e.Verdict.String(), Average: e.Average.String(), Tail: e.Tail.String(),
		Failures: e.Failing.Rate(), Errors: e.Erring.Rate(),
	}
	if e.Shift != nil {
		p := chance(rounded(e.Shift.P))
		o.P = &p
	}
	return o
}

func sampled(s *compare.Sample) sampleObject {
	o := sampleObject{
		Exchanges: s.Exchanges, Failed: s.Failed, Errors: s.Errors, N: s.Durations.N,
	}
	if n := time.Duration(s.Durations.N); n > 0 {
		median, mean := millis(s.Durations.Median()), millis(s.Durations.Sum/n)
		o.Median, o.Mean = &median, &mean
	}
	if q := s.P95; q != nil {
		o.P95 = &quantileObject{Value: millis(q.Value)}
		if q.Sure {
			o.P95.Low, o.P95.High = (*millis)(&q.Low), (*millis)(&q.High)
		}
	}
	return o
}

func changedFinding(f *compare.Finding) findingChange {
	return findingChange{
		ID: finding.NameOf(f.Rule, f.Cause, f.Service), Rule: f.Rule, Cause: text(f.Cause),
		Title: mask.Visible(
			f.Title,
		), Severity: f.Severity.String(), Service: text(mask.Host(f.Service)),
		Change: f.Change.String(), Why: text(f.Why), Known: f.Known, Regression: f.Regression,
		P: rounded(f.P), Before: occurred(&f.Before), After: occurred(&f.After),
	}
}

func occurred(o *compare.Occurred) occurredObject {
	return occurredObject{
		Count: o.Count, Affected: o.Affected, Exchanges: o.Exchanges, Rate: rounded(o.Rate()),
		Low: rounded(o.Low), High: rounded(o.High), Cost: millis(o.Cost), Each: millis(o.Each()),
	}
}

// rounded is a share, or a probability, to four digits behind the point.
func rounded(x float64) float64 { return math.Round(x*shareDigits) / shareDigits }
