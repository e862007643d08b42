package sentence

import (
	"fmt"
	"strings"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/output/finding"
	"tcpwhy/output/wording"
	"tcpwhy/reassembly"
)

// Verdict is what somebody reads who reads nothing else, the gravest first.
func (t *Teller) Verdict() []Line {
	var out lines
	if nothing := t.nothingToAnalyse(); nothing != "" {
		out.add(Main, nothing)
		return out
	}
	errors, grave := t.Statuses()
	out.add(Grave, t.Failed())
	if grave {
		out.add(Grave, errors)
	} else {
		out.add(Usual, errors)
	}
	out.add(Grave, t.Resets())
	out.add(Grave, t.Calls())
	out.add(Usual, t.Unfinished())
	all := finding.Stories(t.Report)
	for _, g := range all {
		if g.Broke() {
			out.add(Grave, Graded(g))
		}
	}
	out.add(Main, t.Lost())
	if left := t.Report.LeftOut; left > 0 {
		out.add(Usual, "Left out: "+wording.Count(left, "finding", "findings")+
			" not as grave as was asked for.")
	} else if len(all) == 0 && len(t.Report.Checked) > 0 {
		out.add(Main, t.nothingFound(errors))
	}
	out.add(Usual, t.unreadSentence())
	if c := t.Report.ByClock(); 4*c.Lost < c.Time {
		out.add(Usual, t.Whose())
	}
	return out
}

// Lost says how much time was lost, and to what; where none was, what is worth most attention. ""
// if nothing is.
func (t *Teller) Lost() string {
	all := finding.Stories(t.Report)
	lost := t.lostSentence(all)
	if lost == "" && len(all) > 0 && !all[0].Broke() {
		lost = Graded(all[0])
	}
	return lost
}

// Graded is a finding in one line: how grave it is, what it is, and how often it was.
func Graded(g *report.Story) string {
	grade := g.Severity.String()
	s := strings.ToUpper(grade[:1]) + grade[1:] + ": " + g.Title + ", " + wording.Times(g.Count)
	if g.Affected > g.Count {
		s += " in " + wording.Count(g.Affected, "exchange", "exchanges")
	}
	return s + "."
}

// nothingFound says that no rule has anything to report; what failed or was an error has been said.
func (t *Teller) nothingFound(errors string) string {
	rules := wording.Count(len(t.Report.Checked)-len(t.Report.Blind), "rule", "rules") +
		" looked at it and none has anything to report. They are listed below."
	soFar := ""
	if t.Report.GoesOn {
		soFar = " so far"
	}
	if _, failed := t.FailuresAsked(); failed > 0 || errors != "" {
		return "No cause found" + soFar + ": " + rules
	}
	return "Nothing found" + soFar + ": " + rules
}

// unreadSentence says that rules could not look because what was said cannot be read; "" if none
// could not.
func (t *Teller) unreadSentence() string {
	blind := len(t.Report.Blind)
	if blind == 0 {
		return ""
	}
	why := "is not in the capture"
	for i := range t.Report.Caveats {
		switch t.Report.Caveats[i].Code {
		case report.CaveatEncrypted:
			why = "is encrypted, and no key opens it"
		case report.CaveatForeign:
			why = "is in a protocol that is not read"
		}
	}
	return "What was said " + why + ": " + wording.Count(blind, "rule", "rules") +
		" that read it could not look."
}

// Subject names the capture and how much is in it.
func (t *Teller) Subject() string {
	r := t.Report
	behind := r.Proxied.Exchanges
	s := InputNames(r.Capture.Inputs) + ": " +
		wording.Count(t.Asked(), "exchange", "exchanges")
	if behind > 0 {
		s += ", and " + wording.Grouped(behind) + " that proxies made of them,"
	}
	s += " on " + wording.Count(r.Connections, "connection", "connections")
	if r.ExchangeTime > 0 {
		s += ", " + wording.Duration(r.ExchangeTime) + " of exchange time"
		if r.Clock.Shared > 0 {
			s += " in " + wording.Duration(r.ByClock().Time) + " by the clock"
		}
	}
	if r.Pending > 0 {
		s += "; " + wording.Grouped(r.Pending) + " under way or not judged yet"
	}
	return s
}

// InputNames are the names of the inputs, the first few; of several files no more of their paths
// than tells them apart.
func InputNames(inputs []capture.Input) string {
	const some = 3
	var names []string
	for i := range inputs {
		if i == some {
			names = append(names, wording.Count(len(inputs)-some, "more file", "more files"))
			break
		}
		name := inputs[i].Name
		switch {
		case name == "-":
			name = "standard input"
		case len(inputs) > 1:
			name = tellingName(inputs, i)
		}
		names = append(names, pathName(name, pathRoom))
	}
	if len(names) == 0 {
		return "no input"
	}
	return strings.Join(names, ", ")
}

// tellingName is the shortest end of an input's path that no other input's path has; all of it if
// others are called the same.
func tellingName(inputs []capture.Input, of int) string {
	path := inputs[of].Name
	for at := len(path) - len(BaseName(path)); at > 0; {
		shared := false
		for i := range inputs {
			other := inputs[i].Name
			shared = shared || i != of && strings.HasSuffix("/"+other, path[at-1:])
		}
		if !shared {
			return path[at:]
		}
		at = strings.LastIndexAny(path[:at-1], `/\`) + 1
	}
	return path
}

// lostSentence says how much time was lost, and to what.
func (t *Teller) lostSentence(all []*report.Story) string {
	r := t.Report
	if r.ByClock().Lost <= 0 {
		if len(all) == 0 || r.ExchangeTime == 0 {
			return ""
		}
		_, failed := t.FailuresAsked()
		return nothingLost(all, failed)
	}
	s := t.LostOf()
	if r.Clock.Shared > 0 {
		s += " by the clock"
	}
	if share := wording.Percent(r.ByClock().Lost, r.ByClock().Time); share != "" {
		s += " (" + share + ")"
	}
	costly := finding.Costliest(all, true)
	switch {
	case len(costly) == 0:
		return s + " was lost."
	case len(costly) == 1:
		return s + " was lost to one cause: " + costly[0].Title + t.ofWhich(costly[0]) + "."
	}
	return fmt.Sprintf("%s was lost to %s, most to: %s%s.", s,
		wording.Count(len(costly), "cause", "causes"), costly[0].Title, t.ofWhich(costly[0]))
}

// LostOf is how much was lost, of what: moments that exchanges shared on a connection count once.
func (t *Teller) LostOf() string {
	c := t.Report.ByClock()
	return wording.Duration(c.Lost) + " of " + wording.Duration(c.Time)
}

// ofWhich says in brackets what the costliest finding cost, where that is not all that was lost: a
// failure may go on between exchanges, and what overlaps others counts once in the sum.
func (t *Teller) ofWhich(g *report.Story) string {
	between, once := g.Cost.Expected-g.Within, g.Cost.Expected-g.Shared
	switch {
	case between > time.Millisecond && g.Shared == 0:
		return " (" + wording.Duration(g.Cost.Expected) + ", of which " +
			wording.Duration(between) + " between exchanges)"
	case once < t.Report.ByClock().Lost:
		return " (" + wording.Duration(once) + ")"
	}
	return ""
}

// nothingLost says that no time was lost to the findings, and names one that is worth a look though
// its time does not count as lost. Where exchanges failed that is no news: "" unless there is one.
func nothingLost(all []*report.Story, failed int) string {
	others := finding.Costliest(all, false)
	if len(others) > 0 && beside(others[0]) {
		return fmt.Sprintf("Lost beside the time of exchanges: %s (%s).", others[0].Title,
			wording.Duration(others[0].Cost.Expected-others[0].Shared))
	}
	if len(others) > 0 && others[0].Severity > report.Info {
		return fmt.Sprintf("No exchange time counts as lost; worth a look: %s (%s).",
			others[0].Title, wording.Duration(others[0].Cost.Expected-others[0].Shared))
	}
	if failed > 0 {
		return ""
	}
	return "No exchange time was lost to what was found."
}

// beside reports whether the time that a finding lost is none of an exchange's: requests waited
// before they were sent.
func beside(g *report.Story) bool {
	return g.Severity > report.Low && g.Within <= 0 && g.Cost.Expected > time.Millisecond
}

// nothingToAnalyse says what was seen instead of HTTP over TCP, if there was none of it; else "".
func (t *Teller) nothingToAnalyse() string {
	r := t.Report
	switch {
	case r.Capture.Frames == 0:
		return "The capture is empty: it holds no frame."
	case r.Connections == 0 && r.Capture.Count[capture.OutcomeFiltered] > 0:
		return "The filter left nothing to analyse of " +
			wording.Count(r.Capture.Frames, "frame", "frames") + "."
	case r.Connections == 0 && r.Capture.Count[capture.OutcomeSegment] == 0:
		return "No TCP in this capture, so there is nothing to analyse."
	case r.ExchangeCount == 0 && len(finding.Stories(t.Report)) == 0 && r.Pending > 0:
		return "No exchange is judged yet: the capture goes on."
	case r.ExchangeCount == 0 && len(finding.Stories(t.Report)) == 0:
		return t.withoutExchange()
	}
	return ""
}

// withoutExchange says what became of connections that carried nothing.
func (t *Teller) withoutExchange() string {
	count := map[reassembly.State]int{}
	for i := range t.Report.Conns {
		count[t.Report.Conns[i].State]++
	}
	s := "No connection carries a request and a response"
	words := []struct {
		state reassembly.State
		text  string
	}{
		{reassembly.Refused, "refused"},
		{reassembly.Connecting, "never answered"},
		{reassembly.Reset, "reset"},
	}
	for _, w := range words {
		if n := count[w.state]; n == 1 {
			s += "; 1 was " + w.text
		} else if n > 1 {
			s += "; " + wording.Grouped(n) + " were " + w.text
		}
	}
	return s + "."
}
