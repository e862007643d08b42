// Package compare says what changed between two reports: of what was asked for in the same way, how
// much longer or shorter exchanges took; which findings went, came, and became more or less; and
// where the time went. It says so only as far as the numbers bear it: an interval and a test stand
// behind each verdict, and whatever makes the two hard to compare comes first.
//
// What it goes by are the counts and durations of all exchanges of an endpoint, never the exchanges
// that a report lists, which are the slowest.
package compare

import (
	"cmp"
	"slices"
	"time"

	"tcpwhy/analysis/report"
)

// Side is one of the two that are compared.
type Side struct {
	Name    string // of the capture or report, as the user gave it
	Version string // of the program that made the report; "" if it is this one
	*report.Report
}

// Options choose what is taken for the same.
type Options struct {
	// ByService takes all that is asked of a service for one endpoint.
	ByService bool
	// Renamed are services of BEFORE, by host or address:port, that have another name in AFTER.
	Renamed map[string]string
}

// Comparison is what changed.
type Comparison struct {
	Before, After Side
	Warnings      []Warning // what makes the two hard to compare, the gravest first
	// Shift is how much longer an exchange takes on average, over the endpoints that have one,
	// weighted as in BEFORE; nil if none has. P is not valid.
	Shift *Shift
	// Endpoints are what both have: what became worse first, then what became better; among those,
	// on which most time was spent in BEFORE first.
	Endpoints []Endpoint
	Alone     [2]int    // exchanges of endpoints that only one side has: BEFORE, AFTER
	Findings  []Finding // new ones first, then what is gone, more, less, and as it was
	// Times are means for each exchange of the endpoints that both have, weighted as in BEFORE, by
	// what changed most; nil if a report does not tell.
	Times []Spent
}

// Warning is a reason why a difference may have another cause than a change of what was captured.
type Warning struct{ Code, Text string }

// Shift is how much longer it took in AFTER: negative is faster. Low and High are an interval of 95
// %.
type Shift struct {
	Estimate, Low, High time.Duration
	P                   float64 // how likely as much comes by chance, among all endpoints
}

// Verdict is what the numbers bear.
type Verdict uint8

// The verdicts.
const (
	TooFew  Verdict = iota // no interval of 95 % exists
	Alike                  // no difference is shown
	Faster                 // the interval leaves out 0, by as much as matters
	Slower                 // likewise
	tooMany                // how many there are
)

var verdictNames = [tooMany]string{"too-few", "no-difference", "faster", "slower"}

// String is the verdict's name in JSON.
func (v Verdict) String() string { return verdictNames[v] }

// Rate is the verdict in JSON where it is about how often something happens.
func (v Verdict) Rate() string {
	switch v {
	case Faster:
		return "fewer"
	case Slower:
		return "more"
	}
	return v.String()
}

// Quantile is one of a sample; Low and High are an interval of 95 % if it is Sure.
type Quantile struct {
	Value, Low, High time.Duration
	Sure             bool
}

// Sample is one endpoint on one side.
type Sample struct {
	Exchanges      int // without streams
	Failed, Errors int // no whole response; status 5xx or 4xx
	Durations      report.Durations
	P95            *Quantile // nil below leastTail durations
	Octets         int64     // of responses
	times          []report.LabelTime
	whole          time.Duration
}

// Endpoint is what both asked for in the same way.
type Endpoint struct {
	Method, Template, Service string // "" as in report.Endpoint; Service is the host, or address:port
	Behind                    bool   // proxies asked
	Before, After             Sample
	Shift                     *Shift // nil if there are too few
	Verdict                   Verdict
	// Average is the verdict of the mean, which a few exchanges that changed much move, as they do
	// not move Shift; TooFew below leastMean on a side
	Average Verdict
	Tail    Verdict // of the 95th percentile; TooFew without both intervals
	// Failing and Erring: Slower if the share of failures, of errors, rose, and Faster if it fell,
	// by more than chance does
	Failing, Erring Verdict
}

// Change is what became of a finding.
type Change uint8

// The changes.
const (
	New Change = iota
	More
	Gone
	NotSeen // gone, but it was not looked for as before, or chance may have left it out
	Less
	Still // as before, as far as numbers tell
	changes
)

var changeNames = [changes]string{"new", "more", "gone", "not-seen", "less", "still"}

// String is the change's name in JSON.
func (c Change) String() string { return changeNames[c] }

// Occurred is how much there was of a finding on one side.
type Occurred struct {
	Count     int           // occurrences
	Affected  int           // exchanges, or occurrences where it concerns connections
	Exchanges int           // of the service
	Cost      time.Duration // expected, by the clock
	Low, High float64       // the rate of affected ones: an interval of 95 %
}

// Rate is the share of exchanges that were affected.
func (o *Occurred) Rate() float64 {
	if o.Exchanges == 0 {
		return 0
	}
	return float64(o.Affected) / float64(o.Exchanges)
}

// Each is the cost for each exchange of the service.
func (o *Occurred) Each() time.Duration { return o.Cost / time.Duration(max(1, o.Exchanges)) }

// Finding is one rule and cause at one service.
type Finding struct {
	Rule, Cause, Title string
	Severity           report.Severity // the worse of both sides
	Service            string          // "" for all that do not have the same name on both sides
	Change             Change
	Why                string // of NotSeen, and of New where it does not count
	Before, After      Occurred
	P                  float64 // how likely rates differ as much by chance, among all findings
	Known              bool    // AFTER's is in the baseline that was given
	Regression         bool    // it came, or became more, and not by chance
}

// Spent is what one label of the ledger got of an exchange, on average.
type Spent struct {
	Label         report.Label
	Before, After time.Duration
}

// Of compares two reports.
func Of(before, after Side, opts Options) *Comparison {
	c := &Comparison{Before: before, After: after}
	p := pairUp(before.Report, after.Report, &opts)
	c.Endpoints, c.Alone = p.endpoints(), p.alone
	judge(c.Endpoints)
	slices.SortStableFunc(
		c.Endpoints,
		func(x, y Endpoint) int { return cmp.Compare(x.rank(), y.rank()) },
	)
	c.Shift = overall(c.Endpoints)
	c.Findings = findings(&before, &after, &opts)
	c.excuse()
	c.Times = ledger(c.Endpoints)
	c.Warnings = warnings(c, p)
	return c
}

// excuse takes back that a finding is a regression if all it does is cost time, and exchanges take
// less all the same: where one limit goes, the next one shows.
func (c *Comparison) excuse() {
	for i := range c.Findings {
		f := &c.Findings[i]
		if c.Shift != nil && c.Shift.High < 0 && f.After.Cost > 0 && f.Severity < report.Critical {
			f.Regression = false
		}
	}
}

// Regressed reports whether AFTER is worse in a way that chance does not explain.
func (c *Comparison) Regressed() bool {
	for i := range c.Endpoints {
		if c.Endpoints[i].Regressed() {
			return true
		}
	}
	for i := range c.Findings {
		if c.Findings[i].Regression {
			return true
		}
	}
	return false
}

// rank is where an endpoint stands among others.
func (e *Endpoint) rank() int {
	switch {
	case e.Regressed():
		return 0
	case e.Better():
		return 1
	}
	return 2
}

// Better reports whether an endpoint is, in any way.
func (e *Endpoint) Better() bool {
	return e.Verdict == Faster || e.Average == Faster || e.Tail == Faster ||
		e.Failing == Faster || e.Erring == Faster
}

// Regressed reports whether an endpoint is.
func (e *Endpoint) Regressed() bool {
	return e.Verdict == Slower || e.Average == Slower || e.Tail == Slower ||
		e.Failing == Slower || e.Erring == Slower
}
