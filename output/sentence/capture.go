package sentence

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"tcpwhy/capture"
	"tcpwhy/output/mask"
	"tcpwhy/output/wording"
	"tcpwhy/reassembly"
	"time"
)

// Quiet are the rules that ran, could look, and found nothing.
func (t *Teller) Quiet() []string {
	found := map[string]bool{}
	for i := range t.Report.Findings {
		found[t.Report.Findings[i].Rule] = true
	}
	var quiet []string
	for _, rule := range t.Report.Checked {
		if !found[rule] && !slices.Contains(t.Report.Blind, rule) {
			quiet = append(quiet, rule)
		}
	}
	if t.Report.Connections == 0 {
		return nil
	}
	return quiet
}

// CaptureNotes say how far the report can be trusted: where the capture was taken, what it lacks,
// what in it was not analysed.
func (t *Teller) CaptureNotes() []Line {
	var out lines
	s := t.Report.Capture
	frames := wording.Count(s.Frames, "frame", "frames")
	bytes := wording.Count(s.Bytes, "byte", "bytes")
	out.add(Usual, frames+", "+bytes+t.began())
	out.add(Usual, t.Vantage())
	for i := range s.Inputs {
		if in := &s.Inputs[i]; !in.Complete && !t.caveatSays(in.Error) {
			fault := cmp.Or(in.Error, "not complete")
			out.add(Warned, InputNames(s.Inputs[i:i+1])+": "+fault)
		}
	}
	for _, c := range t.Report.Caveats {
		message := wording.Capital(strings.TrimSuffix(c.Message, ".")) + "."
		out.add(Usual, message+t.weakens(c.Weakens))
	}
	out = append(out, t.notAnalysed()...)
	if len(t.Report.Caveats) == 0 && t.Report.Connections > 0 {
		out.add(Usual, "It shows all that the rules need: nothing in it is known to be missing.")
	}
	return out
}

// notAnalysed accounts for the other frames.
func (t *Teller) notAnalysed() (out lines) {
	s := t.Report.Capture
	var parts []string
	for _, o := range s.Skipped() {
		parts = append(parts, wording.Grouped(s.Count[o])+" "+wording.NotAnalysed(o))
	}
	if len(parts) > 0 {
		out.add(Usual, "Frames not analysed: "+strings.Join(parts, ", ")+".")
	}
	if s.Count[capture.OutcomeQUIC] > 0 {
		out.add(Warned, "HTTP/3 runs over QUIC, which this program cannot analyse."+t.quic())
	}
	return out
}

// vantages are the points of the path in the order in which the report names them.
var vantages = [...]reassembly.Vantage{
	reassembly.ClientSide, reassembly.ServerSide, reassembly.Middle, reassembly.SameHost,
	reassembly.VantageUnknown,
}

// weakens says which rules a flaw of the capture weakens.
func (t *Teller) weakens(rules []string) string {
	const few = 4 // rules that it leaves alone are named instead
	spared := slices.DeleteFunc(slices.Clone(t.Report.Checked),
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
func (t *Teller) caveatSays(message string) bool {
	for _, c := range t.Report.Caveats {
		if message != "" && strings.Contains(c.Message, message) {
			return true
		}
	}
	return false
}

// began says when the first frame was captured.
func (t *Teller) began() string {
	s := t.Report.Capture
	if s.Start.IsZero() {
		return ""
	}
	start := s.Began().Format("2006-01-02 15:04:05.000")
	return ", from " + start + " UTC for " + wording.Duration(s.Lasted())
}

// Vantage says at which point of the path the frames were recorded.
func (t *Teller) Vantage() string {
	kinds := 0
	for _, n := range t.Report.Vantages {
		if n > 0 {
			kinds++
		}
	}
	var parts []string
	for _, v := range vantages {
		n := t.Report.Vantages[v]
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

// quic says what there was of QUIC.
func (t *Teller) quic() string {
	q := &t.Report.QUIC
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
