package text

import (
	"fmt"
	"strings"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/output/finding"
	"tcpwhy/output/mask"
	"tcpwhy/output/page"
	"tcpwhy/output/wording"
)

const (
	maxDetailed   = 8  // findings told in full; more than that is no longer read
	maxBrief      = 20 // further findings, one line each
	maxOthers     = 3  // further clients named with a finding
	maxProof      = 8  // frames shown of the worst occurrence
	maxFileInText = 24 // characters of a file name in a line of proof
	minProofCells = 24 // columns left for what a frame shows
	textTarget    = 60 // characters of a request target
	detailIndent  = "    "
	labelWidth    = 12 // "    Proof   "
)

// findings tells each of them: what, how often, how dear, the story, the proof and the fix.
func (t *textReport) findings() {
	all := finding.Groups(t.report.Findings)
	if len(all) == 0 {
		return
	}
	t.Heading("Findings")
	told := 0
	var rest []*finding.Group
	for i, g := range all {
		if i > 0 && (g.Severity == report.Info || told == maxDetailed) {
			rest = append(rest, g)
			continue
		}
		told++
		t.detail(told, g)
	}
	if len(rest) > 0 {
		t.Blank()
		t.Para("", "Also found, in brief (--format json tells all of it):", page.Plain)
	}
	for i, g := range rest {
		if i == maxBrief {
			t.Para(detailIndent, "and "+wording.Grouped(len(rest)-i)+" more", page.Faint)
			break
		}
		t.title(told+i+1, g)
		t.Para(detailIndent, t.extent(g), page.Plain)
		t.parties(g)
	}
}

// title is a finding's first line: its number, how bad it is, what it is and what it costs.
func (t *textReport) title(number int, g *finding.Group) {
	figure := ""
	if g.Cost.Expected > 0 {
		share := wording.Percent(min(g.Within, t.report.ExchangeTime), t.report.ExchangeTime)
		if 2*g.Within < g.Cost.Expected { // most of it is not time of exchanges
			share = "-"
		}
		figure = fmt.Sprintf("%s  %5s", wording.Duration(g.Cost.Expected), share)
	}
	label := fmt.Sprintf("%2d  %-8s  ", number, strings.ToUpper(g.Severity.String()))
	t.Row(label, severityStyle(g.Severity), g.Title(), figure, page.Strong)
}

// severityStyle is how bad a finding looks.
func severityStyle(s report.Severity) page.Style {
	switch {
	case s >= report.High:
		return page.Red
	case s == report.Medium:
		return page.Yellow
	}
	return page.Plain
}

// detail tells a finding in full.
func (t *textReport) detail(number int, g *finding.Group) {
	f := g.Worst()
	t.Blank()
	t.title(number, g)
	t.Para(detailIndent, t.extent(g), page.Plain)
	t.parties(g)
	t.Blank()
	t.Para(detailIndent, f.Message, page.Plain)
	t.Blank()
	t.proof(g)
	t.remedies(f.Remedies)
	if len(f.Occurrences) > 0 {
		t.labelled("Show", finding.Filter(t.report, &f.Occurrences[0]), page.Cyan)
	}
	t.labelled("Why", "tcpwhy --explain "+f.Rule, page.Plain)
}

// extent says how often, how sure and within which bounds.
func (t *textReport) extent(g *finding.Group) string {
	s := occurred(g) + ", " + wording.Confidence(g.Worst().Confidence)
	if g.Cost.Expected == 0 {
		return s + ", no time lost"
	}
	if apart := g.Cost.Expected - g.Wall; 5*apart > g.Cost.Expected && apart > time.Millisecond {
		s += "; " + wording.Duration(g.Wall) +
			" by the clock, because other requests ran in the meantime"
	}
	spread := g.Cost.High - g.Cost.Low
	if spread > g.Cost.Expected/10 && spread > time.Millisecond {
		s += "; a fix saves between " + wording.Duration(g.Cost.Low) + " and " +
			wording.Duration(g.Cost.High)
	}
	return s
}

// occurred says how often it was, and in how many exchanges.
func occurred(g *finding.Group) string {
	s := wording.Times(g.Count)
	if g.Affected > 1 || g.Affected > 0 && g.Count > 1 {
		s += " in " + wording.Count(g.Affected, "exchange", "exchanges")
	}
	return s
}

// parties says between whom, and which other clients show the same.
func (t *textReport) parties(g *finding.Group) {
	f := g.Worst()
	line := wording.Client(f.Client) + " -> " + wording.Server(f.Server)
	if f.Host != "" && f.Host != f.Server.String() && f.Host != f.Server.Addr().String() {
		line += " (" + mask.Shorten(mask.Host(f.Host), textTarget) + ")"
	}
	t.Para(detailIndent, line, page.Plain)
	others := g.Findings[1:]
	for i, o := range others {
		if i == maxOthers {
			more := wording.Count(len(others)-i, "more client", "more clients")
			t.Para(detailIndent+"and ", more, page.Plain)
			break
		}
		other := wording.Client(o.Client) + ", " + wording.Times(o.Count)
		if o.Cost.Expected > 0 {
			other += ", " + wording.Duration(o.Cost.Expected)
		}
		t.Para(detailIndent+"and ", other, page.Plain)
	}
}

// labelled writes text behind one of the words at the left of a finding.
func (t *textReport) labelled(label, text string, s page.Style) {
	t.Para(fmt.Sprintf("%s%-*s", detailIndent, labelWidth-len(detailIndent), label), text, s)
}

// remedies says what each side can change.
func (t *textReport) remedies(remedies []report.Remedy) {
	label := "Fix"
	for _, m := range remedies {
		side := m.Side.String() + ": "
		if m.Side == report.SideUnknown {
			side = ""
		}
		t.labelled(label, side+m.Text, page.Green)
		label = ""
	}
}
