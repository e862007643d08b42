package text

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"tcpwhy/capture"
	"tcpwhy/output/mask"
	"tcpwhy/output/page"
	"tcpwhy/output/wording"
	"tcpwhy/reassembly"
)

// checked lists the rules that ran and found nothing.
func (t *textReport) checked() {
	found := map[string]bool{}
	for i := range t.report.Findings {
		found[t.report.Findings[i].Rule] = true
	}
	var quiet []string
	for _, rule := range t.report.Checked {
		if !found[rule] && !slices.Contains(t.report.Blind, rule) {
			quiet = append(quiet, rule)
		}
	}
	if len(quiet) == 0 || t.report.Connections == 0 {
		return
	}
	t.Heading("Checked and quiet")
	t.Para("  ", strings.Join(quiet, ", "), page.Plain)
	if len(t.report.Blind) > 0 {
		t.Para("  ", "Could not look, as nothing that was said can be read: "+
			strings.Join(t.report.Blind, ", ")+".", page.Plain)
	}
}

// captureNotes says how far the report can be trusted: where the capture was taken, what it lacks,
// what in it was not analysed.
func (t *textReport) captureNotes() {
	t.Heading("The capture")
	s := t.report.Capture
	frames := wording.Count(s.Frames, "frame", "frames")
	bytes := wording.Count(s.Bytes, "byte", "bytes")
	t.Para("  ", frames+", "+bytes+t.began(), page.Plain)
	if v := t.vantage(); v != "" {
		t.Para("  ", v, page.Plain)
	}
	for i := range s.Inputs {
		if in := &s.Inputs[i]; !in.Complete && !t.caveatSays(in.Error) {
			fault := cmp.Or(in.Error, "not complete")
			t.Para("  ", inputNames(s.Inputs[i:i+1])+": "+fault, page.Yellow)
		}
	}
	for _, c := range t.report.Caveats {
		message := wording.Capital(strings.TrimSuffix(c.Message, ".")) + "."
		message += t.weakens(c.Weakens)
		t.Para("  ", message, page.Plain)
	}
	t.notAnalysed()
	if len(t.report.Caveats) == 0 && t.report.Connections > 0 {
		const whole = "It shows all that the rules need: nothing in it is known to be missing."
		t.Para("  ", whole, page.Plain)
	}
}

// weakens says which rules a flaw of the capture weakens.
func (t *textReport) weakens(rules []string) string {
	const few = 4 // rules that it leaves alone are named instead
	spared := slices.DeleteFunc(slices.Clone(t.report.Checked),
		func(rule string) bool { return slices.Contains(rules, rule) })
	switch {
	case len(rules) == 0:
		return ""
	case len(spared) == 0:
		return " This weakens every rule."
	case len(spared) <= few && len(rules) > len(spared)+few:
		return " This weakens every rule but " + strings.Join(spared, ", ") + "."
	}
	return " This weakens " + strings.Join(rules, ", ") + "."
}

// caveatSays reports whether one of the caveats tells of an input's error already.
func (t *textReport) caveatSays(message string) bool {
	for _, c := range t.report.Caveats {
		if message != "" && strings.Contains(c.Message, message) {
			return true
		}
	}
	return false
}

// began says when the first frame was captured.
func (t *textReport) began() string {
	s := t.report.Capture
	if s.Start.IsZero() {
		return ""
	}
	start := s.Start.UTC().Format("2006-01-02 15:04:05.000")
	return ", from " + start + " UTC for " + wording.Duration(s.End)
}

// vantages are the points of the path in the order in which the report names them.
var vantages = [...]reassembly.Vantage{
	reassembly.ClientSide, reassembly.ServerSide, reassembly.Middle, reassembly.SameHost,
	reassembly.VantageUnknown,
}

// vantage says at which point of the path the frames were recorded.
func (t *textReport) vantage() string {
	kinds := 0
	for _, n := range t.report.Vantages {
		if n > 0 {
			kinds++
		}
	}
	var parts []string
	for _, v := range vantages {
		n := t.report.Vantages[v]
		switch {
		case n > 0 && kinds == 1:
			parts = append(parts, wording.Vantage(v))
		case n > 0:
			count := wording.Count(n, "connection", "connections")
			parts = append(parts, wording.Vantage(v)+" ("+count+")")
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return "Taken " + strings.Join(parts, ", ") + "."
}

// notAnalysed accounts for the other frames.
func (t *textReport) notAnalysed() {
	s := t.report.Capture
	var parts []string
	for _, o := range s.Skipped() {
		parts = append(parts, wording.Grouped(s.Count[o])+" "+wording.NotAnalysed(o))
	}
	if len(parts) > 0 {
		t.Para("  ", "Frames not analysed: "+strings.Join(parts, ", ")+".", page.Plain)
	}
	if s.Count[capture.OutcomeQUIC] > 0 {
		t.Para(
			"  ",
			"HTTP/3 runs over QUIC, which this program cannot analyse."+t.quic(),
			page.Yellow,
		)
	}
}

// quic says what there was of QUIC.
func (t *textReport) quic() string {
	q := &t.report.QUIC
	if q.Connections == 0 {
		return ""
	}
	const whole = time.Duration(1000)
	s := fmt.Sprintf(" It began %s (%s answered): %s, %s of all.",
		wording.Count(q.Connections, "connection", "connections"), wording.Grouped(q.Answered),
		wording.Count(q.Octets, "octet", "octets"),
		wording.Percent(time.Duration(q.Share*float64(whole)), whole))
	if q.Done > 0 {
		s += " Handshakes took " + wording.Duration(q.Handshakes/time.Duration(q.Done)) +
			" on average."
	}
	if n := len(q.Names); n > 0 {
		s += " Names asked for: " + mask.Host(q.Names[0])
		if n > 1 {
			s += fmt.Sprintf(" and %s more", wording.Grouped(uint64(n-1)))
		}
		s += "."
	}
	return s
}
