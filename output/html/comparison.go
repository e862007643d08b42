package html

import (
	"bufio"
	"html/template"
	"io"
	"strings"
	"time"

	"tcpwhy/analysis/compare"
	"tcpwhy/analysis/report"
	"tcpwhy/output/mask"
	"tcpwhy/output/sentence"
	"tcpwhy/output/wording"

	_ "embed" // the template is a file
)

//go:embed comparison.tmpl
var comparisonText string

// WriteComparison writes what changed as a page: warnings, the verdict, where the time of an
// exchange went on both sides, endpoints with the durations of both on one axis, and findings. It
// has no script.
func WriteComparison(w io.Writer, c *compare.Comparison, opts Options) error {
	out := bufio.NewWriter(w)
	t, err := template.New("comparison").Parse(comparisonText)
	if err != nil {
		return err
	}
	style := paletteCSS() + styleText
	head := strings.NewReplacer("STYLE-HASH", hash(style), "'sha256-SCRIPT-HASH'", "'none'")
	io.WriteString(out, head.Replace(headText))
	io.WriteString(out, "<style>"+style+"</style>\n")
	if err := t.Execute(out, comparison(c, opts)); err != nil {
		return err
	}
	return out.Flush()
}

// comparisonPage is what the template lays out, from top to bottom.
type comparisonPage struct {
	Title, Subject string
	Warnings       []string
	Verdict        string
	Grave          bool
	Also           []line
	Patterns       template.HTML
	Sides          []ledgerBar
	Spent          []spentRow
	MoreSpent      string
	Endpoints      []comparedRow
	Ticks          []tick
	More           string // endpoints that are not shown
	Findings       []changedRow
	MoreFindings   string
	Version        string
}

// spentRow is what an exchange spent on one label, with what stands for it in the bars.
type spentRow struct {
	Name, Class, Fill string
	Cells             []string
}

// ledgerBar is where the time of an exchange went on one side, on the scale of both.
type ledgerBar struct {
	Name, Took string
	Bits       []bit
}

// comparedRow is one endpoint.
type comparedRow struct {
	Name, Verdict, Class string
	Cells                []string
	Sides                []spreadOut // nothing where no durations are
}

// spreadOut is what single exchanges of one side took.
type spreadOut struct {
	Dots          string
	Cloud         []level
	Median, About string
	Class, Fill   string
}

// changedRow is what became of a finding.
type changedRow struct{ Became, Title, Severity, Class, Cost, HowMuch string }

func comparison(c *compare.Comparison, opts Options) *comparisonPage {
	p := &comparisonPage{
		Subject: text(sentence.Compared(c)), Patterns: patterns(), Version: text(opts.Version),
	}
	for _, w := range c.Warnings {
		p.Warnings = append(p.Warnings, text(w.Text))
	}
	all := lines(sentence.Changed(c))
	p.Verdict, p.Also = arrows(all[0].Text), all[1:]
	for i := range p.Also {
		p.Also[i].Text = arrows(p.Also[i].Text)
	}
	p.Grave = c.Regressed()
	p.Title = mask.Shorten(p.Verdict, 120)
	p.spentOn(c)
	p.endpoints(c)
	p.findings(c)
	return p
}

// arrows has arrows as a page can show them.
func arrows(s string) string { return strings.ReplaceAll(text(s), "->", "→") }

// leastShown is which part of the longer bar a label has at least that is in the table.
const leastShown = 100

// spentOn draws the two bars, and the table below them: of what changed, and of what can be seen.
func (p *comparisonPage) spentOn(c *compare.Comparison) {
	if len(c.Times) == 0 {
		return
	}
	var before, after time.Duration
	for _, s := range c.Times {
		before, after = before+s.Before, after+s.After
	}
	changed := len(sentence.Shifts(c))
	for i, s := range c.Times {
		if i >= changed && leastShown*max(s.Before, s.After) < max(before, after) {
			continue
		}
		p.Spent = append(p.Spent, spentRow{
			Name: s.Label.Title(), Class: labelClass(s.Label), Fill: labelFill(s.Label),
			Cells: []string{
				text(wording.Duration(s.Before)), text(wording.Duration(s.After)),
				text(sentence.Signed(s.After - s.Before)),
			},
		})
	}
	if more := len(c.Times) - len(p.Spent); more > 0 {
		p.MoreSpent = "and " + wording.Count(more, "label", "labels") + " of less than a hundredth"
	}
	whole := spanOf(0, max(before, after))
	was := func(s compare.Spent) time.Duration { return s.Before }
	is := func(s compare.Spent) time.Duration { return s.After }
	p.Sides = []ledgerBar{
		ledgerOf(
			"before",
			before,
			whole,
			c.Times,
			was,
		), ledgerOf("after", after, whole, c.Times, is),
	}
}

// ledgerOf is one bar: labels in the order of reports, so that both have them in the same.
func ledgerOf(
	name string, took time.Duration, whole scale, times []compare.Spent,
	of func(compare.Spent) time.Duration,
) ledgerBar {
	b := ledgerBar{Name: name, Took: text(wording.Duration(took))}
	var parts [report.LabelCount]time.Duration
	for _, s := range times {
		parts[s.Label] = of(s)
	}
	at := time.Duration(0)
	for l, part := range parts {
		if part <= 0 {
			continue
		}
		from, to := whole.moment(at), whole.moment(at+part)
		at += part
		label := report.Label(l)
		b.Bits = append(b.Bits, bit{
			X: pct(from), W: pct(to - from), Class: labelClass(label), Fill: labelFill(label),
			Title: label.Title() + ", " + spaced(wording.Duration(part)),
		})
	}
	return b
}

// endpoints draws the first of them.
func (p *comparisonPage) endpoints(c *compare.Comparison) {
	shown := c.Endpoints[:min(len(c.Endpoints), maxTable)]
	var all report.Durations
	for i := range shown {
		all.Merge(&shown[i].Before.Durations)
		all.Merge(&shown[i].After.Durations)
	}
	s := logOf(max(all.Least, 10*time.Microsecond), all.Most)
	if all.N > 0 {
		p.Ticks = s.marks()
	}
	for i := range shown {
		p.Endpoints = append(p.Endpoints, compareRow(c, &shown[i], s))
	}
	if more := len(c.Endpoints) - len(shown); more > 0 {
		p.More = "and " + wording.Count(more, "more", "more")
	}
}

func compareRow(c *compare.Comparison, e *compare.Endpoint, s logScale) comparedRow {
	b, a := &e.Before, &e.After
	r := comparedRow{
		Name:    text(mask.Shorten(sentence.ComparedName(c, e), 2*targetRoom)),
		Verdict: sentence.Verdicts(e),
		Cells: []string{
			wording.Grouped(b.Exchanges) + " → " + wording.Grouped(a.Exchanges),
			median(&b.Durations) + " → " + median(&a.Durations),
			p95(&b.Durations) + " → " + p95(&a.Durations), "–",
		},
	}
	if e.Shift != nil {
		r.Cells[3] = text(sentence.Interval(e.Shift))
	}
	switch {
	case e.Regressed():
		r.Class = "grave"
	case e.Better():
		r.Class = "main"
	}
	if b.Durations.N+a.Durations.N > 0 {
		r.Sides = []spreadOut{
			spreadOf("before", &b.Durations, s, "d-grey", palette[famPath].light),
			spreadOf("after", &a.Durations, s, "d-server", palette[famServer].light),
		}
	}
	return r
}

// spreadOf draws durations on the axis.
func spreadOf(name string, d *report.Durations, s logScale, class, fill string) spreadOut {
	out := spreadOut{Class: class, Fill: fill, About: name + ": none"}
	if d.N == 0 {
		return out
	}
	out.Median, out.About = pct(s.place(d.Median())), name+": median "+median(d)
	out.Dots, out.Cloud = spreadAlong(d, s)
	return out
}

// findings are the rows of what became of them.
func (p *comparisonPage) findings(c *compare.Comparison) {
	for i := range c.Findings[:min(len(c.Findings), maxTable)] {
		f := &c.Findings[i]
		r := changedRow{
			Became: sentence.Became(f), Title: text(f.Title), Severity: f.Severity.String(),
			HowMuch: arrows(sentence.HowMuch(f)), Cost: "–",
		}
		if f.Before.Cost > 0 || f.After.Cost > 0 {
			r.Cost = text(
				wording.Duration(f.Before.Cost),
			) + " → " + text(
				wording.Duration(f.After.Cost),
			)
		}
		switch {
		case f.Regression:
			r.Class = "grave"
		case f.Change == compare.Gone || f.Change == compare.Less:
			r.Class = "main"
		}
		p.Findings = append(p.Findings, r)
	}
	if more := len(c.Findings) - maxTable; more > 0 {
		p.MoreFindings = "and " + wording.Count(more, "more", "more")
	}
}
