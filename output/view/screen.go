package view

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/output/page"
	"tcpwhy/output/wording"
)

// Style is how a line is to stand out.
type Style uint8

// The styles of lines.
const (
	Plain    Style = iota
	Head           // what the columns are
	Selected       // where the cursor is
	Strong
)

// Line is a line of a screen: no control characters, and no wider than the screen.
type Line struct {
	Text  string
	Style Style
}

// The columns of the list, in cells; the name and what is lost to take what is left.
const (
	rateCells  = 7
	timeCells  = 9
	shareCells = 6
	gapCells   = 2
	leastName  = 21 // an IPv4 address with a port
	mostName   = 60
	leastCause = 28
	figures    = rateCells + 2*timeCells + shareCells + gapCells
)

// leastRows is how many lines a screen must have for anything but the list.
const leastRows = 4

// Size is what a terminal has room for.
type Size struct {
	Columns, Rows int
	ASCII         bool // no other characters
}

// Lines is the screen of a snapshot.
func Lines(snap *Snapshot, s *State, size Size) []Line {
	columns, rows := size.Columns, size.Rows
	if s.frozen != nil {
		snap = s.frozen
	}
	lines := []Line{headline(snap, s, columns)}
	all := s.sorted(snap)
	switch {
	case s.help && rows > leastRows:
		lines = append(lines, helpLines()...)
	case s.details && rows > leastRows && len(all) > 0:
		rest := details(snap, all[s.at(all)], columns)
		s.scrolled = max(0, min(s.scrolled, len(rest)-(rows-1)))
		lines = append(lines, rest[s.scrolled:]...)
	default:
		lines = append(lines, list(snap, s, all, columns, rows-1)...)
	}
	lines = lines[:min(len(lines), max(rows, 1))]
	for i := range lines {
		text := shown(lines[i].Text)
		if size.ASCII {
			text = page.ASCII(text)
		}
		lines[i].Text = page.Cut(text, columns)
	}
	return lines
}

// headline is the first line: the capture as a whole, and what keys there are.
func headline(snap *Snapshot, s *State, columns int) Line {
	var whole Service
	n := 0
	for i := range snap.Services {
		whole.Lost += snap.Services[i].Lost
		whole.Time += snap.Services[i].Time
		n += snap.Services[i].Took.N
	}
	left := fmt.Sprintf("%s  %s  %s exchanges/s  lost now %s  drops %s", snap.Name,
		clock(snap.Elapsed), figure(float64(n)/snap.Window.Seconds()), percent(whole.share()),
		wording.Grouped(snap.Drops))
	if snap.Drops == 0 {
		left = strings.TrimSuffix(left, "  drops 0")
	}
	keys := "[h]elp [q]uit"
	if s.frozen != nil {
		keys = "PAUSED [p] " + keys
	}
	return Line{Text: ends(left, keys, columns), Style: Strong}
}

// ends is two texts at both ends of a line, or the first alone.
func ends(left, right string, columns int) string {
	left, right = shown(left), shown(right)
	room := columns - page.Cells(left) - page.Cells(right)
	if room < 1 {
		return left
	}
	return left + strings.Repeat(" ", room) + right
}

// list is a line for each service, as many as fit, the selected one among them.
func list(snap *Snapshot, s *State, all []*Service, columns, rows int) []Line {
	name := min(max(leastName, columns-figures-leastCause-columns/6), mostName)
	head := fmt.Sprintf(
		"%-*s%*s%*s%*s%*s%*sMOSTLY TO",
		name,
		"SERVICE",
		rateCells,
		"REQ/S",
		timeCells,
		"P50",
		timeCells,
		"P95",
		shareCells,
		"LOST",
		gapCells,
		"",
	)
	lines := []Line{{ends(head, "by "+orderNames[s.order], columns), Head}}
	if len(all) == 0 {
		return append(lines, Line{}, Line{Text: "Nothing has been judged yet."})
	}
	at, room := s.at(all), max(1, rows-2)
	from := max(0, min(at-room/2, len(all)-room))
	for i := from; i < min(from+room, len(all)); i++ {
		x := all[i]
		text := fit(title(x.Server, x.Host), name) +
			fmt.Sprintf("%*s%*s%*s%*s%*s", rateCells, figure(x.rate(snap.Window)),
				timeCells, took(x, 0.5), timeCells, took(x, 0.95),
				shareCells, percent(x.share()), gapCells, "") +
			mostly(x, columns-name-figures)
		line := Line{Text: strings.TrimRight(text, " ")}
		if i == at && s.chosen {
			line = Line{pad(text, columns), Selected}
		}
		lines = append(lines, line)
	}
	if rest := len(all) - room; rest > 0 {
		lines = append(lines, Line{Text: fmt.Sprintf("%d to %d of %d services", from+1,
			from+room, len(all))})
	}
	return lines
}

// mostly is what a service lost most to, and on whose side that is to be changed.
func mostly(s *Service, room int) string {
	if len(s.Losses) == 0 || s.Losses[0].Cost <= 0 && s.Losses[0].Count == 0 {
		return ""
	}
	most := &s.Losses[0]
	side := side(most.Side)
	for _, name := range []string{most.Title, most.Rule} {
		if text := side + ": " + name; page.Cells(shown(text)) <= room {
			return text
		}
	}
	return side + ": " + most.Rule
}

func side(s report.Side) string {
	if s == report.SideUnknown {
		return "somebody"
	}
	return s.String()
}

// details is all that is known of a service.
func details(snap *Snapshot, s *Service, columns int) []Line {
	lines := []Line{
		{title(s.Server, s.Host), Head},
		{Text: fmt.Sprintf("latest %-6s  %s exchanges/s, p50 %s, p95 %s, %d failed",
			spanned(snap.Window), figure(s.rate(snap.Window)), took(s, 0.5), took(s, 0.95),
			s.failed())},
		{Text: fmt.Sprintf("%-13s  %s of %s (%s)", "lost", wording.Duration(s.Lost),
			wording.Duration(s.Time), percent(s.share()))},
		{Text: fmt.Sprintf("%-13s  %s lost, %s", "in all", wording.Duration(s.AllLost),
			wording.Count(s.All, "exchange", "exchanges"))},
		tallied("statuses", s.Statuses),
		tallied("ended", s.Ends),
		{},
	}
	if len(s.Losses) > 0 {
		const cells, count = 44, 8
		lines = append(lines, Line{fmt.Sprintf("%-*s %-9s%*s%*s", cells, "LOST TO", "SIDE", count,
			"TIMES", timeCells+2, "LOST"), Head})
		for i := range s.Losses {
			l := &s.Losses[i]
			lines = append(lines, Line{Text: fit(l.Title, cells) + fmt.Sprintf(" %-9s%*s%*s",
				side(l.Side), count, wording.Grouped(l.Count), timeCells+2,
				shown(wording.Duration(l.Cost)))})
		}
		lines = append(lines, Line{})
	}
	return append(lines, latest(s.Latest, columns)...)
}

// tallied is how often what was seen.
func tallied(label string, all []Tally) Line {
	if len(all) == 0 {
		return Line{Text: fmt.Sprintf("%-13s  -", label)}
	}
	var parts []string
	for _, t := range all {
		parts = append(parts, t.Name+" "+wording.Grouped(t.Count))
	}
	return Line{Text: fmt.Sprintf("%-13s  %s", label, strings.Join(parts, ", "))}
}

// latest is the latest finding with its proof.
func latest(f *report.Finding, columns int) []Line {
	if f == nil {
		return []Line{{Text: "Nothing was found."}}
	}
	lines := []Line{{"LATEST  " + strings.ToUpper(f.Severity.String()) + "  " + f.Title, Head}}
	for _, text := range page.Wrap(shown(f.Message), columns) {
		lines = append(lines, Line{Text: text})
	}
	const figure = 14
	for i := range f.Occurrences {
		o := &f.Occurrences[i]
		lines = append(lines, Line{Text: fmt.Sprintf(
			"At %s, client %s, connection %d, cost %s. Proof:", clock(o.Start),
			wording.Client(f.Client), o.Connection, wording.Duration(o.Cost.Expected))})
		for k := range o.Evidence {
			e := &o.Evidence[k]
			label := fmt.Sprintf("  frame %-6d", e.Frame.Number())
			for _, text := range page.Wrap(shown(wording.Evidence(e)), columns-figure) {
				lines = append(lines, Line{Text: fmt.Sprintf("%-*s%s", figure, label, text)})
				label = ""
			}
		}
	}
	return append(lines, Line{Text: "tcpwhy explain " + f.Rule + " has what to change."})
}

// helpLines is what keys there are, and what columns mean.
func helpLines() (lines []Line) {
	for text := range strings.SplitSeq(`
KEYS
  up, down, k, j     choose a service; also page up, page down, home, end
  enter              what it lost to, statuses, the latest finding with proof
  esc                back
  s, S               sort by the next, the one before: `+
		strings.Join(orderNames[:], ", ")+`
  p, space           pause what is shown; the capture goes on
  h, ?               this; any key ends it
  q, Ctrl-C          end the capture, and write the report
  Ctrl-Z             stop the program; fg goes on

COLUMNS, all of the latest minute
  REQ/S              exchanges a second
  P50, P95           half, and 95 %, took at most so long
  LOST               how much of the time of exchanges, and between them,
                     cures would save
  MOSTLY TO          who is to change something, and the cause that cost most`, "\n") {
		line := Line{Text: text}
		if text != "" && text[0] != ' ' {
			line.Style = Strong
		}
		lines = append(lines, line)
	}
	return lines
}

// took is a quantile of what exchanges took.
func took(s *Service, q float64) string {
	if s.Took.N == 0 {
		return "-"
	}
	return shown(wording.Duration(s.Took.Quantile(q)))
}

// figure is a number with two or three digits that matter.
func figure(f float64) string {
	switch {
	case f == 0:
		return "0"
	case f < 9.95:
		return strconv.FormatFloat(f, 'f', 1, 64)
	}
	return wording.Grouped(int(f + 0.5))
}

// spanned is how long a window is.
func spanned(d time.Duration) string { return strconv.Itoa(int(d/time.Second)) + " s" }

// percent is a share of 0 to 1.
func percent(share float64) string {
	switch {
	case share <= 0:
		return "-"
	case share < 0.005:
		return "<1 %"
	}
	return strconv.Itoa(int(share*100+0.5)) + " %"
}

// clock is a time as hours, minutes and seconds.
func clock(d time.Duration) string {
	n := int64(d / time.Second)
	return fmt.Sprintf("%02d:%02d:%02d", n/3600, n/60%60, n%60)
}

// fit is a text that takes so many cells.
func fit(text string, cells int) string {
	text = shown(text)
	if page.Cells(text) > cells {
		text = page.Cut(text, cells-2) + "…"
	}
	return pad(text, cells)
}

// pad is a text with spaces up to so many cells.
func pad(text string, cells int) string {
	return text + strings.Repeat(" ", max(0, cells-page.Cells(text)))
}
