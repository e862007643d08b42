package markdown

import (
	"fmt"
	"io"
	"strings"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/output/finding"
	"tcpwhy/output/sentence"
	"tcpwhy/output/wording"
)

// Options choose what a report shows.
type Options struct {
	ShowQuery bool // print query values, which are otherwise masked
	Summary   bool // without what single findings show
}

const (
	// mostOctets is how long a report gets: GitHub takes 65,536 in a comment.
	mostOctets = 60_000
	maxTold    = 10 // stories in full
	maxRows    = 30 // of a table
	maxProof   = 12 // frames of a proof
	barCells   = 20
)

// Report writes a report in GitHub's dialect, for a ticket, a comment or the summary of a CI job.
func Report(w io.Writer, r *report.Report, opts Options) error {
	d := draft{Teller: &sentence.Teller{Report: r, ShowQuery: opts.ShowQuery}}
	d.verdict()
	all := finding.Stories(r)
	d.overview(all)
	last := d.rest()
	if !opts.Summary {
		for i, s := range all[:min(len(all), maxTold)] {
			if !d.add(d.story(i+1, s), len(last)) {
				d.add(
					"\nWhat else there is to say would be too long; the format text has it.\n",
					len(last),
				)
				break
			}
		}
	}
	d.add(last, 0)
	_, err := io.WriteString(w, d.text.String())
	return err
}

// draft is a report on its way.
type draft struct {
	*sentence.Teller
	text strings.Builder
}

// add appends a part, if there is room for it and for so much more.
func (d *draft) add(part string, more int) bool {
	if d.text.Len()+len(part)+more > mostOctets-100 {
		return false
	}
	d.text.WriteString(part)
	return true
}

// verdict is what somebody reads who reads nothing else.
func (d *draft) verdict() {
	d.add("**"+plain(d.Subject())+"**\n\n", 0)
	for _, line := range d.Verdict() {
		text := plain(line.Text)
		if line.Weight != sentence.Usual {
			text = "**" + text + "**"
		}
		d.add(text+"\n\n", 0)
	}
}

// overview is a table of all stories.
func (d *draft) overview(all []*report.Story) {
	if len(all) == 0 {
		return
	}
	var b strings.Builder
	b.WriteString("| | | finding | times | lost |\n|--:|---|---|--:|--:|\n")
	for i, s := range all[:min(len(all), maxRows)] {
		lost := ""
		if s.Cost.Expected > 0 { // what exchanges waited side by side counts once
			lost = wording.Duration(s.Cost.Expected - s.Shared)
		}
		fmt.Fprintf(&b, "| %d | %s | %s | %s | %s |\n", i+1, s.Severity, cell(s.Title),
			wording.Grouped(s.Count), spaced(lost))
	}
	if more := len(all) - maxRows; more > 0 {
		fmt.Fprintf(&b, "\nand %s more\n", wording.Grouped(more))
	}
	d.add(b.String()+"\n", 0)
}

// story is one in full, folded but for the first.
func (d *draft) story(n int, s *report.Story) string {
	var b strings.Builder
	open := ""
	if n == 1 {
		open = " open"
	}
	fmt.Fprintf(&b, "<details%s>\n<summary>%d. %s</summary>\n\n", open, n, inElement(s.Title))
	line := func(text string) {
		if text != "" {
			b.WriteString(plain(text) + "\n\n")
		}
	}
	line(wording.Capital(d.Extent(s)))
	line(d.Between(s))
	line(s.Message)
	if f := finding.Worst(d.Report, s); f != nil && len(f.Occurrences) > 0 {
		b.WriteString(d.proof(&f.Occurrences[0]))
	}
	for _, m := range s.Remedies {
		b.WriteString("- **Fix, " + m.Side.String() + ":** " + plain(m.Text) + "\n")
	}
	b.WriteString("- Why: `tcpwhy --explain " + s.Rule + "`\n\n</details>\n\n")
	return b.String()
}

// proof is a table of the frames of an occurrence, and the filter that shows them.
func (d *draft) proof(o *report.Occurrence) string {
	var b strings.Builder
	b.WriteString("Proof: " + plain(d.Place(o)) + "\n\n")
	if len(o.Evidence) > 0 {
		b.WriteString("| frame | after | by | shows |\n|---|--:|---|---|\n")
	}
	several := sentence.SeveralFiles(o.Evidence)
	for i := range o.Evidence[:min(len(o.Evidence), maxProof)] {
		e := &o.Evidence[i]
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", cell(d.FrameName(e.Frame, several)),
			spaced(wording.Offset(e.Time-o.Evidence[0].Time)), sentence.Sender(e.Side),
			cell(wording.Evidence(e)))
	}
	b.WriteString("\n")
	if more := len(o.Evidence) - maxProof; more > 0 {
		b.WriteString("and " + wording.Count(more, "more frame", "more frames") + "\n\n")
	}
	if filter := finding.Filter(d.Report, o); filter != "" {
		b.WriteString("Wireshark: " + code(filter) + "\n\n")
	}
	return b.String()
}

// rest is where the time went, and how far the report can be trusted.
func (d *draft) rest() string {
	var b strings.Builder
	whole := d.Report.ByClock().Time
	if parts := sentence.ByTime(d.Report.ByClock().Times); whole > 0 && len(parts) > 0 {
		b.WriteString("| where the time went | | | |\n|---|---|--:|--:|\n")
		for _, p := range parts[:min(len(parts), maxRows)] {
			fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", cell(p.Label.Title()), bar(p.Time, whole),
				spaced(wording.Percent(p.Time, whole)), spaced(wording.Duration(p.Time)))
		}
		b.WriteString("\n")
		if text := d.EachForItself(); text != "" {
			b.WriteString(plain(text) + "\n\n")
		}
	}
	notes := d.CaptureNotes()
	for i, note := range notes {
		if text := "- " + plain(note.Text) + "\n"; i < maxRows && b.Len()+len(text) < mostOctets/3 {
			b.WriteString(text)
		}
	}
	return b.String()
}

// bar is a share in blocks; what is not nothing gets one.
func bar(part, whole time.Duration) string {
	n := int(float64(barCells)*float64(part)/float64(whole) + 0.5)
	return strings.Repeat("█", min(max(n, 1), barCells))
}
