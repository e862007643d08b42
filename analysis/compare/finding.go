package compare

import (
	"cmp"
	"fmt"
	"slices"

	"tcpwhy/analysis/report"
)

// place is where a finding is compared: one rule and cause at one service.
type place struct{ rule, cause, service string }

// account is what one side has of findings, by place.
type account struct {
	*report.Report
	found     map[place]*Finding
	exchanges map[string]int // by service; "" is all that only one side has
	checked   map[string]string
}

// leastAfter is how many exchanges a service must have had for a finding to be gone.
const leastAfter = 3

// findings compares what was found. Where a report does not list all findings, or services do not
// have the same names, those are one.
func findings(before, after *Side, opts *Options) []Finding {
	b, a := accountOf(before.Report, opts.renamed), accountOf(after.Report,
		func(name string) string { return name })
	whole := b.cut() || a.cut()
	alone := func(name string) bool {
		_, in := b.exchanges[name]
		_, too := a.exchanges[name]
		return whole || !in || !too
	}
	b.fill(alone, opts.renamed)
	a.fill(alone, func(name string) string { return name })
	var all []Finding
	for at, f := range b.found {
		all = append(all, joined(f, a.found[at], &b, &a, at))
	}
	for at, f := range a.found {
		if b.found[at] == nil {
			all = append(all, joined(nil, f, &b, &a, at))
		}
	}
	slices.SortFunc(all, byPlace)
	settle(all, &b, &a)
	slices.SortStableFunc(all, func(x, y Finding) int {
		return cmp.Or(cmp.Compare(x.Change, y.Change), cmp.Compare(y.Severity, x.Severity),
			cmp.Compare(y.Before.Cost+y.After.Cost, x.Before.Cost+x.After.Cost))
	})
	return all
}

func byPlace(x, y Finding) int {
	return cmp.Or(cmp.Compare(x.Rule, y.Rule), cmp.Compare(x.Cause, y.Cause),
		cmp.Compare(x.Service, y.Service))
}

// accountOf counts the exchanges of services.
func accountOf(r *report.Report, name func(string) string) account {
	a := account{
		Report: r, found: map[place]*Finding{}, exchanges: map[string]int{}, checked: map[string]string{},
	}
	for i := range r.Endpoints {
		if e := &r.Endpoints[i]; !e.Other() {
			a.exchanges[name(service(e))] += e.Exchanges
		}
	}
	for _, rule := range r.Checked {
		a.checked[rule] = ""
	}
	for _, rule := range r.Blind {
		a.checked[rule] = "the capture shows nothing of it"
	}
	for _, c := range r.Caveats {
		for _, rule := range c.Weakens {
			if why, looked := a.checked[rule]; looked && why == "" {
				a.checked[rule] = c.Message
			}
		}
	}
	return a
}

// cut reports whether some findings are not listed.
func (a *account) cut() bool { return a.Found > len(a.Findings) }

// fill takes in what was found: by service, but one for all services that are alone.
func (a *account) fill(alone func(string) bool, name func(string) string) {
	if a.cut() {
		for i := range a.Stories {
			s := &a.Stories[i]
			a.add(place{s.Rule, s.Cause, ""}, s.Title, s.Severity, Occurred{
				Count: s.Count, Affected: s.Affected, Cost: s.Cost.Expected - s.Shared,
			}, a.KnownStory(s) != nil)
		}
	} else {
		for i := range a.Findings {
			f := &a.Findings[i]
			at := place{f.Rule, f.Cause, name(serviceOf(f))}
			if alone(at.service) {
				at.service = ""
			}
			a.add(at, f.Title, f.Severity, Occurred{
				Count: f.Count, Affected: f.Affected, Cost: f.Cost.Expected - f.Shared,
			}, f.Known != nil)
		}
	}
	all := 0
	for service, n := range a.exchanges {
		if alone(service) {
			all += n
		}
	}
	if all == 0 { // it concerns what no exchange was on, or services that exchanges name otherwise
		all = a.ExchangeCount
	}
	a.exchanges[""] = all
}

// serviceOf is the name of a finding's service, as endpoints have it.
func serviceOf(f *report.Finding) string {
	if f.Host == "" && f.Server.IsValid() {
		return f.Server.String()
	}
	return f.Host
}

// add takes in what was found at a place; what a capture lacks is no finding.
func (a *account) add(at place, title string, severity report.Severity, o Occurred, known bool) {
	if at.rule == report.CaptureQuality {
		return
	}
	f := a.found[at]
	if f == nil {
		f = &Finding{Rule: at.rule, Cause: at.cause, Service: at.service, Title: title, Known: true}
		a.found[at] = f
	}
	f.Severity, f.Known = max(f.Severity, severity), f.Known && known
	f.After.Count += max(0, o.Count) // a file may say anything
	f.After.Affected += max(0, o.Affected)
	f.After.Cost += max(0, o.Cost)
}

// joined is a finding of both sides; either may be nil.
func joined(before, after *Finding, b, a *account, at place) Finding {
	var f Finding
	if before != nil {
		f = *before
		f.Before, f.After, f.Known = before.After, Occurred{}, false
	}
	if after != nil {
		worst := max(f.Severity, after.Severity)
		was := f.Before
		f = *after
		f.Severity, f.Before = worst, was
	}
	f.Before.of(b.exchanges[at.service])
	f.After.of(a.exchanges[at.service])
	return f
}

// of sets of how many exchanges these are. What concerns connections counts by occurrence.
func (o *Occurred) of(exchanges int) {
	if o.Affected == 0 {
		o.Affected = o.Count
	}
	o.Exchanges = max(exchanges, o.Affected)
	o.Low, o.High = wilson(o.Affected, o.Exchanges)
}

// settle says what became of each finding, and which of them count. Those that can be regressions
// are tested among themselves: remarks, and what is known, make none of them less certain.
func settle(all []Finding, b, a *account) {
	var ps [2][]float64
	for i := range all {
		f := &all[i]
		p := fisher(f.Before.Affected, f.Before.Exchanges, f.After.Affected, f.After.Exchanges)
		ps[f.counts()] = append(ps[f.counts()], p)
	}
	for k := range ps {
		ps[k] = adjusted(ps[k])
	}
	for i := range all {
		f := &all[i]
		k := f.counts()
		f.P, ps[k] = ps[k][0], ps[k][1:]
		f.Change, f.Why = f.change(b, a)
		f.Regression = k == 1 && (f.Change == New && f.Why == "" || f.Change == More)
	}
}

// counts is 1 for a finding that can be a regression, and 0 for others.
func (f *Finding) counts() int {
	if f.Severity > report.Info && !f.Known {
		return 1
	}
	return 0
}

// change is what became of a finding, and why that is not certain.
func (f *Finding) change(b, a *account) (Change, string) {
	switch {
	case f.Before.Count == 0:
		why := b.unseen(f, f.After, f.Before)
		if why == "" && f.P > level {
			why = fmt.Sprintf("it may be chance (p %.2f)", f.P)
		}
		return New, why
	case f.After.Count == 0:
		if why := a.unseen(f, f.Before, f.After); why != "" {
			return NotSeen, why
		}
		return Gone, ""
	case f.P <= level && f.After.Rate() > f.Before.Rate():
		return More, ""
	case f.P <= level:
		return Less, ""
	}
	return Still, ""
}

// leastExpected is of how many occurrences, expected by the rate of the other side, none is seen by
// chance in no more than 5 % of all cases (the rule of three: exp(-3)).
const leastExpected = 3

// unseen is why a side may not show what the other does, though it is there; "" if it would.
func (a *account) unseen(f *Finding, seen, here Occurred) string {
	why, looked := a.checked[f.Rule]
	switch {
	case !looked:
		return "its rule did not run"
	case why != "":
		return why
	case a.LeftOut > 0:
		return "lesser findings were left out"
	case here.Exchanges < leastAfter:
		return "too few exchanges"
	case f.P > level && seen.Rate()*float64(here.Exchanges) < leastExpected:
		return fmt.Sprintf("by chance none is seen in %.0f %% of cases",
			100*none(seen.Affected, seen.Exchanges, here.Exchanges))
	}
	return ""
}
