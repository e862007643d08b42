package output

import (
	"io"
	"strings"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/output/mask"
	"tcpwhy/reassembly"
)

const (
	defaultWidth = 80
	minWidth     = 64 // below it, columns of figures do not fit
)

// TextOptions choose how a report for people looks.
type TextOptions struct {
	Color     bool // with terminal colours
	ASCII     bool // without any character beyond ASCII, for terminals that cannot show one
	Width     int  // columns; 0: 80
	ShowQuery bool // print query values, which are otherwise masked
}

// Text writes the report for a person in a hurry: first the verdict, then the findings by cost,
// then where the time went, and last what the capture could not show.
func Text(w io.Writer, r *report.Report, opts TextOptions) error {
	t := textReport{page: newPage(w, opts), report: r, opts: opts}
	t.verdict()
	t.findings()
	t.timeTable()
	t.slowest()
	t.connections()
	t.checked()
	t.captureNotes()
	return t.w.Flush()
}

// textReport is a report on its way to a page.
type textReport struct {
	*page
	report *report.Report
	opts   TextOptions
}

// verdict is what somebody reads who reads nothing else.
func (t *textReport) verdict() {
	t.para("", t.subject(), plain)
	t.blank()
	if t.nothingToAnalyse() {
		return
	}
	groups := t.groups()
	for _, g := range groups {
		switch {
		case g.severity == report.Critical:
			t.para("", "Critical: "+g.title()+", "+times(g.count)+".", red)
		case g.severity == report.High && g.lossy:
			t.para("", "High: "+g.title()+", "+times(g.count)+".", red)
		}
	}
	t.para("", t.lostSentence(groups), strong)
	if len(groups) == 0 && len(t.report.Checked) > 0 {
		t.para("", "Nothing found: "+plural(uint64(len(t.report.Checked)), "rule", "rules")+
			" looked at it and none has anything to report. They are listed below.", strong)
	}
	if 4*t.report.Lost < t.report.ExchangeTime {
		t.para("", t.largestPart(), plain)
	}
}

// largestPart names what took most of the time, where that is not what the findings cost.
func (t *textReport) largestPart() string {
	parts := byTime(t.report.Times)
	if len(parts) == 0 {
		return ""
	}
	return "The largest part of the time: " + parts[0].Label.Title() + ", " + spoken(
		parts[0].Time,
	) + " (" +
		percent(
			parts[0].Time,
			t.report.ExchangeTime,
		) + ")."
}

// subject names the capture and how much is in it.
func (t *textReport) subject() string {
	r := t.report
	s := inputNames(
		r.Capture.Inputs,
	) + ": " + plural(
		uint64(r.ExchangeCount),
		"exchange",
		"exchanges",
	) +
		" on " + plural(
		uint64(r.Connections),
		"connection",
		"connections",
	)
	if r.ExchangeTime > 0 {
		s += ", " + spoken(r.ExchangeTime) + " of exchange time"
	}
	return s
}

// inputNames are the names of the inputs, the first few; of several files without their
// directories.
func inputNames(inputs []capture.Input) string {
	const some = 3
	var names []string
	for i := range inputs {
		if i == some {
			names = append(names, plural(uint64(len(inputs)-some), "more file", "more files"))
			break
		}
		name := inputs[i].Name
		switch {
		case name == "-":
			name = "standard input"
		case len(inputs) > 1:
			name = baseName(name)
		}
		names = append(names, mask.Shorten(mask.Visible(name), 60))
	}
	if len(names) == 0 {
		return "no input"
	}
	return strings.Join(names, ", ")
}

// lostSentence says how much time was lost, and to what.
func (t *textReport) lostSentence(groups []*group) string {
	r := t.report
	if r.Lost <= 0 {
		if len(groups) == 0 || r.ExchangeTime == 0 {
			return ""
		}
		if others := costliest(groups, false); len(others) > 0 &&
			others[0].severity > report.Info {
			return "No exchange time counts as lost; worth a look: " + others[0].title() + " (" + spoken(
				others[0].cost.Expected,
			) + ")."
		}
		return "No exchange time was lost to what was found."
	}
	s := spoken(r.Lost) + " of " + spoken(r.ExchangeTime)
	if share := percent(r.Lost, r.ExchangeTime); share != "" {
		s += " (" + share + ")"
	}
	costly := costliest(groups, true)
	switch {
	case len(costly) == 0:
		return s + " was lost."
	case len(costly) == 1:
		return s + " was lost to one cause: " + costly[0].title() + "."
	}
	s += " was lost to " + plural(
		uint64(len(costly)),
		"cause",
		"causes",
	) + ", most to: " + costly[0].title()
	return s + " (" + spoken(costly[0].cost.Expected) + ")."
}

// nothingToAnalyse says what was seen instead of HTTP over TCP, if there was none of it.
func (t *textReport) nothingToAnalyse() bool {
	r := t.report
	switch {
	case r.Capture.Frames == 0:
		t.para("", "The capture is empty: it holds no frame.", strong)
	case r.Connections == 0 && r.Capture.Count[capture.OutcomeSegment] == 0:
		t.para("", "No TCP in this capture, so there is nothing to analyse.", strong)
	case r.ExchangeCount == 0 && len(t.groups()) == 0:
		t.para("", t.withoutExchange(), strong)
	default:
		return false
	}
	return true
}

// withoutExchange says what became of connections that carried nothing.
func (t *textReport) withoutExchange() string {
	count := map[reassembly.State]uint64{}
	for i := range t.report.Conns {
		count[t.report.Conns[i].State]++
	}
	s := "No connection carries a request and a response"
	words := []struct {
		state reassembly.State
		text  string
	}{{reassembly.Refused, "refused"}, {reassembly.Connecting, "never answered"}, {reassembly.Reset, "reset"}}
	for _, w := range words {
		if n := count[w.state]; n == 1 {
			s += "; 1 was " + w.text
		} else if n > 1 {
			s += "; " + grouped(n) + " were " + w.text
		}
	}
	return s + "."
}

// times says how often.
func times(n int) string {
	if n == 1 {
		return "once"
	}
	return grouped(uint64(n)) + nbsp + "times"
}
