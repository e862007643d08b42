package text

import (
	"fmt"
	"strings"

	"tcpwhy/analysis/report"
	"tcpwhy/output/finding"
	"tcpwhy/output/page"
	"tcpwhy/output/wording"
)

const (
	maxDetailed   = 8  // findings told in full; more than that is no longer read
	maxBrief      = 20 // further findings, one line each
	maxOverview   = 12 // lines of the overview
	leastOverview = 3  // stories that need one
	maxProof      = 8  // frames shown of the worst occurrence
	minProofCells = 24 // columns left for what a frame shows
	textTarget    = 60 // characters of a request target
	detailIndent  = "    "
	labelWidth    = 12 // "    Proof   "
)

// stories tells each of them: what, how often, how dear, the story, the proof and the fix.
func (t *textReport) stories() {
	all := finding.Stories(t.report)
	if len(all) == 0 {
		return
	}
	t.Heading("Findings")
	if t.opts.Summary || len(all) >= leastOverview {
		t.overview(all)
	}
	if t.opts.Summary {
		return
	}
	told := 0
	var rest []*report.Story
	for i, s := range all {
		if i > 0 && (s.Severity == report.Info || told == maxDetailed) {
			rest = append(rest, s)
			continue
		}
		told++
		t.detail(told, s)
	}
	if len(rest) > 0 {
		t.Blank()
		t.Para("", "Also found, in brief (--format json tells all of it):", page.Plain)
	}
	for i, s := range rest {
		if i == maxBrief {
			t.Para(detailIndent, "and "+wording.Grouped(len(rest)-i)+" more", page.Faint)
			break
		}
		t.title(told+i+1, s)
		t.Para(detailIndent, t.Extent(s), page.Plain)
		t.parties(s)
	}
}

// overview is a line for each story, so that the first screen has all of them.
func (t *textReport) overview(all []*report.Story) {
	for i, s := range all[:min(len(all), maxOverview)] {
		t.title(i+1, s)
	}
	if more := len(all) - maxOverview; more > 0 {
		t.Para(detailIndent, "and "+wording.Grouped(more)+" more", page.Faint)
	}
}

// title is a finding's first line: its number, how bad it is, what it is and what it costs.
func (t *textReport) title(number int, s *report.Story) {
	figure := ""
	if s.Cost.Expected > 0 {
		figure = fmt.Sprintf("%s  %5s", wording.Duration(s.Cost.Expected-s.Shared), t.Share(s))
	}
	label := fmt.Sprintf("%2d  %-8s  ", number, strings.ToUpper(s.Severity.String()))
	t.Row(label, severityStyle(s.Severity), s.Title, figure, page.Strong)
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

// detail tells a story in full.
func (t *textReport) detail(number int, s *report.Story) {
	t.Blank()
	t.title(number, s)
	t.Para(detailIndent, t.Extent(s), page.Plain)
	t.Para(detailIndent, t.When(s.When), page.Plain)
	t.parties(s)
	for _, line := range t.Processes(s) {
		t.Para(detailIndent, line, page.Plain)
	}
	t.Blank()
	t.Para(detailIndent, s.Message, page.Plain)
	t.Blank()
	t.shares(s)
	worst := finding.Worst(t.report, s)
	if worst != nil {
		t.proof(s, worst)
	}
	t.remedies(s.Remedies)
	if worst != nil && len(worst.Occurrences) > 0 {
		t.labelled("Show", finding.Filter(t.report, &worst.Occurrences[0]), page.Cyan)
	}
	t.labelled("Why", "tcpwhy --explain "+s.Rule, page.Plain)
}

// parties says between whom.
func (t *textReport) parties(s *report.Story) {
	t.Para(detailIndent, t.Between(s), page.Plain)
	for _, other := range t.AlsoFrom(s) {
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
