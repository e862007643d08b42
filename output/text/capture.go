package text

import (
	"strings"

	"tcpwhy/output/page"
	"tcpwhy/output/sentence"
)

// checked lists the rules that ran and found nothing.
func (t *textReport) checked() {
	quiet := t.Quiet()
	if len(quiet) == 0 {
		return
	}
	t.Heading("Checked and quiet")
	t.Para("  ", strings.Join(quiet, ", "), page.Plain)
	if len(t.report.Blind) > 0 {
		t.Para("  ", "Could not look, as nothing that was said can be read: "+
			strings.Join(t.report.Blind, ", ")+".", page.Plain)
	}
}

// captureNotes says how far the report can be trusted.
func (t *textReport) captureNotes() {
	t.Heading("The capture")
	for _, line := range t.CaptureNotes() {
		style := page.Plain
		if line.Weight == sentence.Warned {
			style = page.Yellow
		}
		t.Para("  ", line.Text, style)
	}
}

// styles are how the lines of a verdict look, by their weight.
var styles = [...]page.Style{
	sentence.Usual: page.Plain, sentence.Main: page.Strong, sentence.Grave: page.Red,
	sentence.Warned: page.Yellow,
}

// verdict is what somebody reads who reads nothing else.
func (t *textReport) verdict() {
	t.Para("", t.Subject(), page.Plain)
	t.Blank()
	for _, line := range t.Verdict() {
		t.Para("", line.Text, styles[line.Weight])
	}
}
