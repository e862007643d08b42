package text

import (
	"fmt"
	"strconv"
	"strings"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/output/mask"
	"tcpwhy/output/page"
	"tcpwhy/output/wording"
)

// proof shows the frames of the worst occurrence.
func (t *textReport) proof(s *report.Story, f *report.Finding) {
	if len(f.Occurrences) == 0 || len(f.Occurrences[0].Evidence) == 0 {
		return
	}
	o := &f.Occurrences[0]
	where := t.place(o)
	switch {
	case s.Count > 1 && o.Cost.Expected > 0:
		where += ", the worst of " + wording.Grouped(s.Count)
	case s.Count > 1:
		where += ", one of " + wording.Grouped(s.Count)
	}
	if len(t.report.Capture.Inputs) > 1 && !severalFiles(o.Evidence) {
		where += ", in " + t.fileName(o.Evidence[0].Frame.Input())
	}
	t.labelled("Proof", where, page.Plain)
	for _, line := range t.frames(o.Evidence[:min(maxProof, len(o.Evidence))]) {
		t.Para(line.label, line.text, page.Plain)
	}
	if more := len(o.Evidence) - maxProof; more > 0 {
		t.labelled("", "and "+wording.Count(more, "more frame", "more frames"), page.Faint)
	}
}

// proofLine is one frame of a proof: which frame, when, from whom; and what it shows.
type proofLine struct{ label, text string }

// frames lays the evidence out in columns that are as wide as they have to be.
func (t *textReport) frames(evidence []report.Evidence) []proofLine {
	var nameCells, offsetCells, senderCells int
	first, several := evidence[0].Time, severalFiles(evidence)
	for i := range evidence {
		e := &evidence[i]
		nameCells = max(nameCells, page.Cells(t.frameName(e.Frame, several)))
		offsetCells = max(offsetCells, page.Cells(wording.Offset(e.Time-first)))
		senderCells = max(senderCells, page.Cells(sender(e.Side)))
	}
	var lines []proofLine
	indent := strings.Repeat(" ", labelWidth)
	for i := range evidence {
		e := &evidence[i]
		name := t.frameName(e.Frame, several)
		name += strings.Repeat(" ", nameCells-page.Cells(name))
		label := indent + fmt.Sprintf("%s  %*s  %-*s  ", name,
			offsetCells, wording.Offset(e.Time-first), senderCells, sender(e.Side))
		if page.Cells(label) > t.Width-minProofCells {
			lines = append(lines, proofLine{indent, strings.TrimSpace(label)})
			label = indent + "  "
		}
		lines = append(lines, proofLine{label, wording.Evidence(e)})
	}
	return lines
}

// sender names who sent a frame, if that is known.
func sender(s report.Side) string {
	if s == report.SideUnknown {
		return ""
	}
	return s.String()
}

// frameName is a frame's number, and its file if the evidence comes from several.
func (t *textReport) frameName(f capture.FrameID, several bool) string {
	name := "frame " + strconv.FormatUint(f.Number(), 10)
	if several {
		name = t.fileName(f.Input()) + " " + name
	}
	return name
}

// severalFiles reports whether the evidence comes from more than one file.
func severalFiles(evidence []report.Evidence) bool {
	for i := range evidence {
		if evidence[i].Frame.Input() != evidence[0].Frame.Input() {
			return true
		}
	}
	return false
}

// fileName is a short name for an input: the last element of its path if no other input has the
// same, else its place on the command line, from 1.
func (t *textReport) fileName(input int) string {
	inputs := t.report.Capture.Inputs
	if input >= len(inputs) {
		return "file " + strconv.Itoa(input+1)
	}
	base := baseName(inputs[input].Name)
	for i := range inputs {
		if i != input && baseName(inputs[i].Name) == base {
			return "file " + strconv.Itoa(input+1)
		}
	}
	return mask.Shorten(t.Fit(base), maxFileInText)
}

// baseName is a path's last element, whichever way its slashes lean.
func baseName(path string) string {
	return path[strings.LastIndexAny(path, `/\`)+1:]
}

// place says in which exchange or connection an occurrence lies.
func (t *textReport) place(o *report.Occurrence) string {
	if o.Exchange < 0 {
		return "connection " + strconv.Itoa(o.Connection) + " at " + wording.Duration(o.Start)
	}
	s := "exchange " + strconv.Itoa(o.Exchange)
	if x := t.exchange(o.Exchange); x != nil {
		s += ", " + wording.Request(x, t.opts.ShowQuery, textTarget-24)
		if x.Duration > 0 {
			s += ", " + wording.Duration(x.Duration)
		}
	}
	return s
}

// exchange is the listed exchange of that ID, nil if it was not listed.
func (t *textReport) exchange(id int) *report.ExchangeInfo {
	for i := range t.report.Exchanges {
		if t.report.Exchanges[i].ID == id {
			return &t.report.Exchanges[i]
		}
	}
	return nil
}
