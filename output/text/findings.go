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
	maxOverview   = 12 // lines of the overview
	leastOverview = 3  // stories that need one
	maxProof      = 8  // frames shown of the worst occurrence
	maxFileInText = 24 // characters of a file name in a line of proof
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
		t.Para(detailIndent, t.extent(s), page.Plain)
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
		share := wording.Percent(min(s.Within, t.report.ExchangeTime), t.report.ExchangeTime)
		if 2*s.Within < s.Cost.Expected { // most of it is not time of exchanges
			share = "-"
		}
		figure = fmt.Sprintf("%s  %5s", wording.Duration(s.Cost.Expected), share)
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
	t.Para(detailIndent, t.extent(s), page.Plain)
	t.Para(detailIndent, t.when(s.When), page.Plain)
	t.parties(s)
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

// extent says how often, how sure and within which bounds.
func (t *textReport) extent(s *report.Story) string {
	text := occurred(s) + ", " + wording.Confidence(s.Confidence)
	switch {
	case s.Cost.Expected == 0 && s.Cost.High > time.Millisecond:
		return text + "; a fix saves up to " + wording.Duration(s.Cost.High)
	case s.Cost.Expected == 0:
		return text + ", no time lost"
	}
	if apart := s.Cost.Expected - s.Wall; 5*apart > s.Cost.Expected && apart > time.Millisecond {
		text += "; " + wording.Duration(s.Wall) +
			" by the clock, because other requests ran in the meantime"
	}
	spread := s.Cost.High - s.Cost.Low
	if spread > s.Cost.Expected/10 && spread > time.Millisecond {
		text += "; a fix saves between " + wording.Duration(s.Cost.Low) + " and " +
			wording.Duration(s.Cost.High)
	}
	return text
}

// occurred says how often it was, and in how many exchanges.
func occurred(s *report.Story) string {
	text := wording.Times(s.Count)
	if s.Affected > 1 || s.Affected > 0 && s.Count > 1 {
		text += " in " + wording.Count(s.Affected, "exchange", "exchanges")
	}
	return text
}

// parties says between whom: both by name where there is one service, else how many.
func (t *textReport) parties(s *report.Story) {
	if s.Services > 1 {
		t.Para(detailIndent, "at "+wording.Count(s.Services, "service", "services")+", from "+
			wording.Count(s.Clients, "client", "clients")+spreadWords(s.Spread), page.Plain)
		return
	}
	f := finding.Worst(t.report, s)
	if f == nil {
		return
	}
	line := wording.Client(f.Client) + " -> " + wording.Server(f.Server)
	if f.Host != "" && f.Host != f.Server.String() && f.Host != f.Server.Addr().String() {
		line += " (" + mask.Shorten(mask.Host(f.Host), textTarget) + ")"
	}
	t.Para(detailIndent, line, page.Plain)
	told := 0
	for i := range s.WorstClients {
		c := &s.WorstClients[i]
		if c.Client == f.Client {
			continue
		}
		if told == maxOthers {
			break
		}
		told++
		other := wording.Client(c.Client) + ", " + wording.Times(c.Count)
		if c.Cost > 0 {
			other += ", " + wording.Duration(c.Cost)
		}
		t.Para(detailIndent+"and ", other, page.Plain)
	}
	if more := s.Clients - 1 - told; more > 0 {
		t.Para(detailIndent+"and ", wording.Count(more, "more client", "more clients"), page.Plain)
	}
}

// spreadWords say how services share a story.
func spreadWords(s report.Spread) string {
	switch s {
	case report.Everywhere:
		return "; all services have about the same of it, so the cause is a common one"
	case report.Concentrated:
		return "; a tenth of the services has most of it"
	}
	return ""
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

// when says when a fault began and ended, and at what intervals it came; "" where nothing is
// regular.
func (t *textReport) when(w report.When) string {
	var s string
	switch {
	case w.Began > 0 && w.Ended > 0:
		s = "began " + t.moment(w.Began, " into the capture") +
			" and ended at " + t.moment(w.Ended, "")
	case w.Began > 0:
		s = "began " + t.moment(w.Began, " into the capture") + " and did not end"
	case w.Ended > 0:
		s = "ended " + t.moment(w.Ended, " into the capture")
	}
	if w.Every == 0 {
		return s
	}
	if s != "" {
		s += "; "
	}
	return s + "came every " + wording.Duration(twoDigits(w.Every))
}

// twoDigits is d rounded to two significant digits: intervals differ by more than the third.
func twoDigits(d time.Duration) time.Duration {
	unit := time.Duration(1)
	for unit*100 <= d {
		unit *= 10
	}
	return d.Round(unit)
}

// moment is a time of the capture, with what follows it, and of the day if that is known.
func (t *textReport) moment(at time.Duration, behind string) string {
	s := wording.Duration(at) + behind
	if start := t.report.Capture.Start; !start.IsZero() {
		s += " (" + start.Add(at).UTC().Format("15:04:05") + wording.NoBreak + "UTC)"
	}
	return s
}
