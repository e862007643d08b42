package text

import (
	"fmt"
	"strings"

	"tcpwhy/analysis/report"
	"tcpwhy/output/page"
	"tcpwhy/output/sentence"
	"tcpwhy/output/wording"
)

// proof shows the frames of the worst occurrence.
func (t *textReport) proof(s *report.Story, f *report.Finding) {
	if len(f.Occurrences) == 0 || len(f.Occurrences[0].Evidence) == 0 {
		return
	}
	o := &f.Occurrences[0]
	where := t.Place(o)
	switch {
	case s.Count > 1 && o.Cost.Expected > 0:
		where += ", the worst of " + wording.Grouped(s.Count)
	case s.Count > 1:
		where += ", one of " + wording.Grouped(s.Count)
	}
	if len(t.report.Capture.Inputs) > 1 && !sentence.SeveralFiles(o.Evidence) {
		where += ", in " + t.FileName(o.Evidence[0].Frame.Input())
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
	first, several := evidence[0].Time, sentence.SeveralFiles(evidence)
	for i := range evidence {
		e := &evidence[i]
		nameCells = max(nameCells, page.Cells(t.FrameName(e.Frame, several)))
		offsetCells = max(offsetCells, page.Cells(wording.Offset(e.Time-first)))
		senderCells = max(senderCells, page.Cells(sentence.Sender(e.Side)))
	}
	var lines []proofLine
	indent := strings.Repeat(" ", labelWidth)
	for i := range evidence {
		e := &evidence[i]
		name := t.FrameName(e.Frame, several)
		name += strings.Repeat(" ", nameCells-page.Cells(name))
		label := indent + fmt.Sprintf("%s  %*s  %-*s  ", name,
			offsetCells, wording.Offset(e.Time-first), senderCells, sentence.Sender(e.Side))
		if page.Cells(label) > t.Width-minProofCells {
			lines = append(lines, proofLine{indent, strings.TrimSpace(label)})
			label = indent + "  "
		}
		lines = append(lines, proofLine{label, wording.Evidence(e)})
	}
	return lines
}
