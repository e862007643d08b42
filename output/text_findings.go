package output

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/output/mask"
)

const (
	maxDetailed   = 8  // findings told in full; more than that is no longer read
	maxBrief      = 20 // further findings, one line each
	maxOthers     = 3  // further clients named with a finding
	maxProof      = 8  // frames shown of the worst occurrence
	maxFileInText = 24 // characters of a file name in a line of proof
	minProofCells = 24 // columns left for what a frame shows
	textTarget    = 60 // characters of a request target
	detailIndent  = "    "
	labelWidth    = 12 // "    Proof   "
)

// findings tells each of them: what, how often, how dear, the story, the proof and the fix.
func (t *textReport) findings() {
	groups := t.groups()
	if len(groups) == 0 {
		return
	}
	t.heading("Findings")
	told := 0
	var rest []*group
	for i, g := range groups {
		if i > 0 && (g.severity == report.Info || told == maxDetailed) {
			rest = append(rest, g)
			continue
		}
		told++
		t.detail(told, g)
	}
	if len(rest) > 0 {
		t.blank()
		t.para("", "Also found, in brief (--format json tells all of it):", plain)
	}
	for i, g := range rest {
		if i == maxBrief {
			t.para(detailIndent, "and "+plural(uint64(len(rest)-i), "more", "more"), faint)
			break
		}
		t.title(told+i+1, g)
		t.para(detailIndent, t.extent(g), plain)
		t.parties(g)
	}
}

// title is a finding's first line: its number, how bad it is, what it is and what it costs.
func (t *textReport) title(number int, g *group) {
	figure := ""
	if g.cost.Expected > 0 {
		figure = fmt.Sprintf(
			"%s  %5s",
			spoken(g.cost.Expected),
			percent(g.cost.Expected, t.report.ExchangeTime),
		)
	}
	label := fmt.Sprintf("%2d  %-8s  ", number, strings.ToUpper(g.severity.String()))
	t.row(label, severityStyle(g.severity), g.title(), figure, strong)
}

func severityStyle(s report.Severity) style {
	switch {
	case s >= report.High:
		return red
	case s == report.Medium:
		return yellow
	}
	return plain
}

func (t *textReport) detail(number int, g *group) {
	f := g.worst()
	t.blank()
	t.title(number, g)
	t.para(detailIndent, t.extent(g), plain)
	t.parties(g)
	t.blank()
	t.para(detailIndent, f.Message, plain)
	t.blank()
	t.proof(g)
	t.remedies(f.Remedies)
	if len(f.Occurrences) > 0 {
		t.labelled("Show", wiresharkFilter(t.report, &f.Occurrences[0]), cyan)
	}
	t.labelled("Why", toolName+" --explain "+f.Rule, plain)
}

// extent says how often, how sure and within which bounds.
func (t *textReport) extent(g *group) string {
	s := times(g.count)
	if g.affected > 0 && g.count > 1 {
		s += " in " + plural(uint64(g.affected), "exchange", "exchanges")
	}
	s += ", " + confidenceWords(g.worst().Confidence)
	if g.cost.Expected == 0 {
		return s + ", no time lost"
	}
	if apart := g.cost.Expected - g.wall; 5*apart > g.cost.Expected && apart > time.Millisecond {
		s += "; " + spoken(g.wall) + " by the clock, because other requests ran in the meantime"
	}
	if spread := g.cost.High - g.cost.Low; spread > g.cost.Expected/10 &&
		spread > time.Millisecond {
		s += "; a fix saves between " + spoken(g.cost.Low) + " and " + spoken(g.cost.High)
	}
	return s
}

func confidenceWords(c report.Confidence) string {
	if c == report.Proven {
		return "proven"
	}
	return c.String() + " confidence"
}

// parties says between whom, and which other clients show the same.
func (t *textReport) parties(g *group) {
	f := g.worst()
	line := known(
		address(f.Client),
		"several clients",
	) + " -> " + known(
		endpoint(f.Server),
		"several servers",
	)
	if f.Host != "" && f.Host != f.Server.String() && f.Host != f.Server.Addr().String() {
		line += " (" + mask.Shorten(mask.Host(f.Host), textTarget) + ")"
	}
	t.para(detailIndent, line, plain)
	others := g.findings[1:]
	for i, o := range others {
		if i == maxOthers {
			t.para(
				detailIndent+"and ",
				plural(uint64(len(others)-i), "more client", "more clients"),
				plain,
			)
			break
		}
		t.para(
			detailIndent+"and ",
			known(address(o.Client), "several clients")+", "+times(o.Count)+", "+
				spoken(o.Cost.Expected),
			plain,
		)
	}
}

// known is *s, or the given words.
func known(s *string, otherwise string) string {
	if s == nil {
		return otherwise
	}
	return *s
}

// labelled writes text behind one of the words at the left of a finding.
func (t *textReport) labelled(label, text string, s style) {
	t.para(fmt.Sprintf("%s%-*s", detailIndent, labelWidth-len(detailIndent), label), text, s)
}

func (t *textReport) remedies(remedies []report.Remedy) {
	label := "Fix"
	for _, m := range remedies {
		side := m.Side.String() + ": "
		if m.Side == report.SideUnknown {
			side = ""
		}
		t.labelled(label, side+m.Text, green)
		label = ""
	}
}

// proof shows the frames of the worst occurrence.
func (t *textReport) proof(g *group) {
	f := g.worst()
	if len(f.Occurrences) == 0 || len(f.Occurrences[0].Evidence) == 0 {
		return
	}
	o := &f.Occurrences[0]
	where := t.place(o)
	if g.count > 1 {
		where += ", the worst of " + grouped(uint64(g.count))
	}
	if len(t.report.Capture.Inputs) > 1 && !severalFiles(o.Evidence) {
		where += ", in " + t.fileName(o.Evidence[0].Frame.Input())
	}
	t.labelled("Proof", where, plain)
	for _, line := range t.frames(o.Evidence[:min(maxProof, len(o.Evidence))]) {
		t.para(line.label, line.text, plain)
	}
	if more := len(o.Evidence) - maxProof; more > 0 {
		t.labelled("", "and "+plural(uint64(more), "more frame", "more frames"), faint)
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
		nameCells = max(nameCells, cells(t.frameName(e.Frame, several)))
		offsetCells = max(offsetCells, cells(offset(e.Time-first)))
		senderCells = max(senderCells, cells(sender(e.Side)))
	}
	var lines []proofLine
	for i := range evidence {
		e := &evidence[i]
		name := t.frameName(e.Frame, several)
		label := strings.Repeat(
			" ",
			labelWidth,
		) + name + strings.Repeat(
			" ",
			nameCells-cells(name),
		) +
			fmt.Sprintf(
				"  %*s  %-*s  ",
				offsetCells,
				offset(e.Time-first),
				senderCells,
				sender(e.Side),
			)
		if cells(label) > t.width-minProofCells {
			lines = append(
				lines,
				proofLine{strings.Repeat(" ", labelWidth), strings.TrimSpace(label)},
			)
			label = strings.Repeat(" ", labelWidth+2)
		}
		lines = append(lines, proofLine{label, shows(e)})
	}
	return lines
}

// shows is what a frame is and what can be seen in it.
func shows(e *report.Evidence) string {
	if e.Text == "" {
		return e.Role
	}
	return e.Role + ": " + e.Text
}

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
	return mask.Shorten(t.fit(base), maxFileInText)
}

// baseName is a path's last element, whichever way its slashes lean.
func baseName(path string) string {
	return path[strings.LastIndexAny(path, `/\`)+1:]
}

// place says in which exchange or connection an occurrence lies.
func (t *textReport) place(o *report.Occurrence) string {
	if o.Exchange < 0 {
		return "connection " + strconv.Itoa(o.Connection) + " at " + spoken(o.Start)
	}
	s := "exchange " + strconv.Itoa(o.Exchange)
	if x := t.exchange(o.Exchange); x != nil {
		s += ", " + t.request(x, textTarget-24) + ", " + spoken(x.Duration)
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

// request names an exchange by its request line.
func (t *textReport) request(x *report.ExchangeInfo, room int) string {
	switch {
	case x.Turn:
		return "turn"
	case x.Method == "":
		return "a response without its request"
	}
	if t.opts.ShowQuery {
		room = 4 * reassemblyTargetCap // who asked for values wants all of them
	}
	return mask.ASCII(x.Method) + " " + mask.Target(x.Target, t.opts.ShowQuery, room)
}
