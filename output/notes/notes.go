// Package notes says of each frame of a proof what it shows, for a copy of the capture that is
// opened in Wireshark. Whatever came from the network is masked in what it says.
package notes

import (
	"fmt"
	"strconv"
	"strings"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/output/mask"
	"tcpwhy/output/sentence"
	"tcpwhy/output/wording"
)

// Mark begins every comment, so that a display filter finds them: frame.comment contains "tcpwhy".
const Mark = "tcpwhy"

// The limits of what is said.
const (
	maxComments = 100_000
	maxOnFrame  = 12    // comments on one frame
	maxComment  = 2_000 // characters of a comment on a frame
	maxStories  = 100   // lines of the summary
	maxLine     = 300   // characters of one of them
)

// Options choose what is said.
type Options struct {
	Version   string // of the program
	ShowQuery bool   // print query values, which are otherwise masked
	// Numbers has each comment begin with the number that the frame has in its own file: in the
	// copy it has another.
	Numbers bool
}

// Of are the notes of a report: a comment on each frame of each listed proof, a summary of the
// capture, and the names of hosts that it shows.
func Of(r *report.Report, opts Options) *capture.Notes {
	w := writer{
		teller: &sentence.Teller{Report: r, ShowQuery: opts.ShowQuery}, opts: opts,
		notes: &capture.Notes{
			Program: "tcpwhy " + opts.Version, Frames: map[capture.FrameID][]string{}, Names: names(r),
		},
	}
	for i := range r.Findings {
		f := &r.Findings[i]
		for k := range f.Occurrences {
			w.occurrence(f, k)
		}
	}
	w.finish()
	w.notes.Summary = []string{w.summary()}
	return w.notes
}

// writer collects the notes.
type writer struct {
	teller *sentence.Teller
	opts   Options
	notes  *capture.Notes
	count  int
	more   map[capture.FrameID]int // comments left out
	left   int                     // of them, those beyond maxComments
}

// occurrence adds the comments of the k-th listed occurrence of a finding.
func (w *writer) occurrence(f *report.Finding, k int) {
	o := &f.Occurrences[k]
	steps := frames(o)
	for i, e := range steps {
		head := Mark + " " + f.Rule
		if len(steps) > 1 {
			head += fmt.Sprintf(" %d/%d", i+1, len(steps))
		}
		if since := e.Time - steps[0].Time; i > 0 {
			head += " " + wording.Offset(since)
		}
		text := head + ": " + wording.Evidence(e)
		if i == 0 {
			text += ". " + whole(f, k)
		}
		w.add(e.Frame, text)
	}
}

// frames are the parts of a proof that have a frame.
func frames(o *report.Occurrence) (all []*report.Evidence) {
	for i := range o.Evidence {
		if o.Evidence[i].Frame.Number() > 0 {
			all = append(all, &o.Evidence[i])
		}
	}
	return all
}

// whole says what an occurrence is, what it cost, and where: on the first frame of its proof.
func whole(f *report.Finding, k int) string {
	o := &f.Occurrences[k]
	text := wording.Capital(f.Title) + ": "
	if o.Cost.Expected > 0 {
		text += wording.Duration(o.Cost.Expected) + ", "
	}
	if o.Exchange >= 0 {
		text += "exchange " + strconv.Itoa(o.Exchange)
	} else {
		text += "connection " + strconv.Itoa(o.Connection)
	}
	if f.Count > 1 {
		text += fmt.Sprintf(" (%d of %s)", k+1, wording.Grouped(f.Count))
	}
	return text
}

// add adds a comment to a frame.
func (w *writer) add(id capture.FrameID, text string) {
	on := w.notes.Frames[id]
	switch {
	case w.count >= maxComments:
		w.left++
		return
	case len(on) >= maxOnFrame:
		if w.more == nil {
			w.more = map[capture.FrameID]int{}
		}
		w.more[id]++
		return
	}
	if w.opts.Numbers {
		text = w.original(id) + ": " + text
	}
	w.count++
	w.notes.Frames[id] = append(on, fit(text, maxComment))
}

// original names a frame as the report does.
func (w *writer) original(id capture.FrameID) string {
	name := w.teller.FileName(id.Input())
	return fmt.Sprintf("frame %d of %s", id.Number(), name)
}

// finish says on each frame how many comments it would have besides.
func (w *writer) finish() {
	for id, n := range w.more {
		w.notes.Frames[id] = append(w.notes.Frames[id],
			Mark+": and "+wording.Count(n, "more proof", "more proofs")+" in the report")
	}
}

// summary is the verdict, and a line for each story.
func (w *writer) summary() string {
	text := []string{"tcpwhy " + w.opts.Version + ":"}
	for _, l := range w.teller.Verdict() {
		text = append(text, l.Text)
	}
	stories := w.teller.Report.Stories
	for i := range stories[:min(len(stories), maxStories)] {
		text = append(text, line(&stories[i]))
	}
	if left := len(stories) - maxStories; left > 0 {
		text = append(text, "and "+strconv.Itoa(left)+" more in the report")
	}
	if w.left > 0 {
		text = append(text, wording.Grouped(w.left)+" more frames of proofs have no comment")
	}
	if w.count > 0 {
		text = append(text, `Frames of proofs: frame.comment contains "`+Mark+`"`)
	}
	for i := range text {
		text[i] = fit(text[i], maxLine)
	}
	return strings.Join(text, "\n")
}

// fit is text that can be shown, of at most so many characters. Programs that show comments spell
// out what joins a figure and its unit elsewhere.
func fit(text string, most int) string {
	return mask.Shorten(mask.Visible(strings.ReplaceAll(text, "\u00a0", " ")), most)
}

// line is what a story says in one line.
func line(s *report.Story) string {
	text := wording.Capital(s.Severity.String()) + ", " + s.Rule
	if s.Cause != "" {
		text += "/" + s.Cause
	}
	text += ": " + s.Title + ", " + sentence.Occurred(s)
	if cost := sentence.ByClock(s).Expected; cost > 0 {
		text += ", " + wording.Duration(cost)
	}
	return text + "."
}
