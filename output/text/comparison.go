package text

import (
	"fmt"
	"io"
	"strings"

	"tcpwhy/analysis/compare"
	"tcpwhy/analysis/report"
	"tcpwhy/output/page"
	"tcpwhy/output/sentence"
	"tcpwhy/output/wording"
)

// maxCompared is how many endpoints, and how many findings, are shown.
const maxCompared = 12

// WriteComparison writes what changed for a person who has to decide: what makes the two hard to
// compare, how much faster or slower it is, what came and what went; then endpoint by endpoint.
func WriteComparison(w io.Writer, c *compare.Comparison, opts page.Options) error {
	p := comparisonPage{page.New(w, opts), c}
	p.Para("", sentence.Compared(c), page.Strong)
	p.Blank()
	for _, warning := range c.Warnings {
		p.Para("Beware: ", warning.Text+".", page.Yellow)
	}
	if len(c.Warnings) > 0 {
		p.Blank()
	}
	for _, line := range sentence.Changed(c) {
		p.Para("", line.Text, styles[line.Weight])
	}
	p.endpoints()
	p.findings()
	p.times()
	return p.Flush()
}

// comparisonPage is a comparison on its way to a page.
type comparisonPage struct {
	*page.Page
	c *compare.Comparison
}

// endpoints are two lines each: what it is and became, and its figures.
func (p *comparisonPage) endpoints() {
	if len(p.c.Endpoints) == 0 {
		return
	}
	p.Heading("Endpoints, before -> after")
	for i := range p.c.Endpoints[:min(len(p.c.Endpoints), maxCompared)] {
		e := &p.c.Endpoints[i]
		p.Row(
			"  ",
			page.Plain,
			sentence.ComparedName(p.c, e),
			sentence.Verdicts(e),
			verdictStyle(e),
		)
		p.Para("      ", figuresOf(e), page.Plain)
	}
	p.more(len(p.c.Endpoints) - maxCompared)
}

// verdictStyle is how the line of an endpoint looks.
func verdictStyle(e *compare.Endpoint) page.Style {
	switch {
	case e.Regressed():
		return page.Red
	case e.Verdict == compare.Faster || e.Average == compare.Faster || e.Tail == compare.Faster:
		return page.Green
	}
	return page.Plain
}

// figuresOf are the figures of an endpoint; of too few, the durations themselves.
func figuresOf(e *compare.Endpoint) string {
	b, a := &e.Before, &e.After
	text := wording.Grouped(b.Exchanges) + " -> " +
		wording.Count(a.Exchanges, "exchange", "exchanges") + "; "
	if e.Shift == nil {
		text += sentence.Values(b) + " -> " + sentence.Values(a)
	} else {
		if e.Average > compare.Alike && e.Verdict == compare.Alike {
			text += "mean " + wording.Duration(b.Mean()) + " -> " + wording.Duration(a.Mean()) + ", "
		}
		text += "median " + wording.Duration(b.Durations.Median()) + " -> " +
			wording.Duration(a.Durations.Median()) + ", difference " + sentence.Interval(e.Shift)
	}
	if b.P95 != nil && a.P95 != nil {
		text += "; 95 % " + wording.Duration(b.P95.Value) + " -> " + wording.Duration(a.P95.Value)
	}
	if b.Failed+a.Failed > 0 {
		text += fmt.Sprintf("; failed %d -> %d", b.Failed, a.Failed)
	}
	if b.Errors+a.Errors > 0 {
		text += fmt.Sprintf("; 4xx and 5xx %d -> %d", b.Errors, a.Errors)
	}
	return text
}

// more says how many are not shown.
func (p *comparisonPage) more(n int) {
	if n > 0 {
		p.Para("  ", "and "+wording.Count(n, "more", "more"), page.Faint)
	}
}

// findings are what became of each.
func (p *comparisonPage) findings() {
	if len(p.c.Findings) == 0 {
		return
	}
	p.Heading("Findings, before -> after")
	for i := range p.c.Findings[:min(len(p.c.Findings), maxCompared)] {
		f := &p.c.Findings[i]
		label := fmt.Sprintf("  %-14s  ", sentence.Became(f))
		p.Row(label, changeStyle(f), f.Title, costs(f), gravity(f))
		p.Para(strings.Repeat(" ", page.Cells(label)), sentence.HowMuch(f), page.Plain)
	}
	p.more(len(p.c.Findings) - maxCompared)
}

// costs are those of a finding, before and after.
func costs(f *compare.Finding) string {
	if f.Before.Cost == 0 && f.After.Cost == 0 {
		return f.Severity.String()
	}
	return wording.Duration(f.Before.Cost) + " -> " + wording.Duration(f.After.Cost)
}

// changeStyle is how a change is shown.
func changeStyle(f *compare.Finding) page.Style {
	switch {
	case f.Regression:
		return page.Red
	case f.Change == compare.Gone || f.Change == compare.Less:
		return page.Green
	}
	return page.Plain
}

func gravity(f *compare.Finding) page.Style {
	if f.Severity >= report.High && f.Change != compare.Gone && f.Change != compare.NotSeen {
		return page.Strong
	}
	return page.Plain
}

// times are where an exchange's time went, before and after, what changed most first.
func (p *comparisonPage) times() {
	if len(p.c.Times) == 0 {
		return
	}
	p.Heading("Where the time went, for each exchange")
	shown := sentence.Shifts(p.c)
	for _, s := range shown {
		p.Row("  ", page.Plain, s.Label.Title(), fmt.Sprintf("%9s -> %9s  %10s",
			plainSpaces(wording.Duration(s.Before)), plainSpaces(wording.Duration(s.After)),
			plainSpaces(sentence.Signed(s.After-s.Before))), page.Plain)
	}
	if more := len(p.c.Times) - len(shown); more > 0 {
		p.Para("  ", sentence.MoreShifts(more), page.Faint)
	}
}

// plainSpaces has no spaces that take other room than they seem to.
func plainSpaces(s string) string { return strings.ReplaceAll(s, wording.NoBreak, " ") }
