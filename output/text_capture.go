package output

import (
	"strings"

	"tcpwhy/capture"
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
		if !found[rule] {
			quiet = append(quiet, rule)
		}
	}
	if len(quiet) == 0 || t.report.Connections == 0 {
		return
	}
	t.heading("Checked and quiet")
	t.para("  ", strings.Join(quiet, ", "), plain)
}

// captureNotes says how far the report can be trusted: where the capture was taken, what it lacks,
// what in it was not analysed.
func (t *textReport) captureNotes() {
	t.heading("The capture")
	s := t.report.Capture
	t.para(
		"  ",
		plural(s.Frames, "frame", "frames")+", "+plural(s.Bytes, "byte", "bytes")+t.began(),
		plain,
	)
	if v := t.vantage(); v != "" {
		t.para("  ", v, plain)
	}
	for i := range s.Inputs {
		if in := &s.Inputs[i]; !in.Complete && !t.caveatSays(in.Error) {
			t.para("  ", inputNames(s.Inputs[i:i+1])+": "+orWords(in.Error, "not complete"), yellow)
		}
	}
	for _, c := range t.report.Caveats {
		message := upperFirst(strings.TrimSuffix(c.Message, ".")) + "."
		if len(c.Weakens) > 0 {
			message += " This weakens " + strings.Join(c.Weakens, ", ") + "."
		}
		t.para("  ", message, plain)
	}
	t.notAnalysed()
	if len(t.report.Caveats) == 0 && t.report.Connections > 0 {
		t.para(
			"  ",
			"It shows all that the rules need: nothing in it is known to be missing.",
			plain,
		)
	}
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
	return ", from " + s.Start.UTC().Format("2006-01-02 15:04:05.000") + " UTC for " + spoken(s.End)
}

func orWords(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// vantage says at which point of the path the frames were recorded.
func (t *textReport) vantage() string {
	words := []struct {
		v    reassembly.Vantage
		text string
	}{
		{reassembly.ClientSide, "at the client"},
		{reassembly.ServerSide, "at the server"},
		{reassembly.Middle, "between client and server"},
		{reassembly.SameHost, "where client and server are too near to tell apart"},
		{reassembly.VantageUnknown, "at a point that it does not show"},
	}
	kinds := 0
	for _, n := range t.report.Vantages {
		if n > 0 {
			kinds++
		}
	}
	var parts []string
	for _, w := range words {
		n := t.report.Vantages[w.v]
		switch {
		case n > 0 && kinds == 1:
			parts = append(parts, w.text)
		case n > 0:
			parts = append(parts, w.text+" ("+plural(uint64(n), "connection", "connections")+")")
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return "Taken " + strings.Join(parts, ", ") + "."
}

// outcomeWords say what became of frames that were not analysed.
func outcomeWords(o capture.Outcome) string {
	switch o {
	case capture.OutcomeDuplicate:
		return "second copies of a segment"
	case capture.OutcomeFiltered:
		return "left out by --filter"
	case capture.OutcomeFragment:
		return "IP fragments"
	case capture.OutcomeUDP:
		return "UDP"
	case capture.OutcomeQUIC:
		return "QUIC"
	case capture.OutcomeDNS:
		return "DNS"
	case capture.OutcomeOtherIP:
		return "other IP protocols"
	case capture.OutcomeNotIP:
		return "not IP"
	case capture.OutcomeUnknownLink:
		return "of a link type that cannot be decoded"
	case capture.OutcomeMalformed:
		return "malformed"
	case capture.OutcomeShort:
		return "cut before the end of the TCP header"
	}
	return o.String()
}

// notAnalysed accounts for the other frames.
func (t *textReport) notAnalysed() {
	s := t.report.Capture
	var parts []string
	for _, o := range skipped(s) {
		parts = append(parts, grouped(s.Count[o])+" "+outcomeWords(o))
	}
	if len(parts) > 0 {
		t.para("  ", "Frames not analysed: "+strings.Join(parts, ", ")+".", plain)
	}
	if s.Count[capture.OutcomeQUIC] > 0 {
		t.para("  ", "HTTP/3 runs over QUIC, which this program cannot analyse.", yellow)
	}
}
