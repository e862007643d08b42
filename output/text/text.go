// Package text writes reports, traces and the description of rules for people.
package text

import (
	"io"

	"tcpwhy/analysis/report"
	"tcpwhy/output/page"
	"tcpwhy/output/sentence"
)

// Options choose what a report for people shows, and how it looks.
type Options struct {
	Page      page.Options
	ShowQuery bool // print query values, which are otherwise masked
	Summary   bool // without what single connections and exchanges show
}

// Write writes the report for a person in a hurry: first the verdict, then the findings by cost,
// then where the time went, and last what the capture could not show. Of a report that holds a
// trace, it writes that alone.
func Write(w io.Writer, r *report.Report, opts Options) error {
	t := textReport{
		Page: page.New(w, opts.Page), report: r, opts: opts,
		Teller: &sentence.Teller{Report: r, ShowQuery: opts.ShowQuery},
	}
	if r.Trace != nil {
		return writeTrace(t)
	}
	t.verdict()
	t.stories()
	t.endpoints()
	t.timeTable()
	t.overTime()
	if !opts.Summary {
		t.slowest()
		t.connections()
	}
	t.checked()
	t.captureNotes()
	return t.Flush()
}

// textReport is a report on its way to a page.
type textReport struct {
	*page.Page
	*sentence.Teller
	report *report.Report
	opts   Options
}
