// Package sentence makes the sentences that every format for people says alike: the verdict, what a
// story is and between whom, what the capture could not show. It lays nothing out, and decides
// nothing. Whatever came from the network is masked in what it returns.
package sentence

import (
	"cmp"
	"slices"
	"tcpwhy/analysis/report"
)

// Teller says things about one report.
type Teller struct {
	Report    *report.Report
	ShowQuery bool // print query values, which are otherwise masked
}

// Weight is how much a line matters to who reads it.
type Weight uint8

// The weights.
const (
	Usual  Weight = iota
	Main          // what the reader came for
	Grave         // something failed, or data was in danger
	Warned        // something of the report is not to be relied on
)

// Line is one or more sentences, and how much they matter.
type Line struct {
	Text string
	Weight
}

// lines collects lines; what says nothing is none.
type lines []Line

func (l *lines) add(w Weight, text string) {
	if text != "" {
		*l = append(*l, Line{text, w})
	}
}

const (
	targetRoom = 60  // characters of a request target
	fileRoom   = 24  // of a file's name, beside a frame
	longName   = 200 // of a path in a name, before that is shortened to its place
)

// ByTime are the parts that got time, the largest first.
func ByTime(times []report.LabelTime) []report.LabelTime {
	var parts []report.LabelTime
	for _, part := range times {
		if part.Time > 0 {
			parts = append(parts, part)
		}
	}
	largest := func(a, b report.LabelTime) int { return cmp.Compare(b.Time, a.Time) }
	slices.SortStableFunc(parts, largest)
	return parts
}
