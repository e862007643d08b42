// Package baseline keeps what was found before and is not to be told as news: a file that people
// edit, with a reason and an end date for each finding. What is in it is told apart in reports and
// fails no run, until its day is over.
package baseline

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"tcpwhy/analysis/report"
	plain "tcpwhy/output/json"
	"tcpwhy/output/mask"
)

const (
	schemaVersion = 1
	// holds is for how long a new entry holds: a quarter, within which somebody should have looked.
	holds = 90 * 24 * time.Hour
	// notYet is the reason that a new entry has until somebody writes one. It is none.
	notYet = "not looked into yet"
)

// Entry is one known finding: a rule and cause at a service, whatever the client.
type Entry struct {
	Rule    string `json:"rule"`
	Cause   string `json:"cause"`   // "" where the rule has none
	Service string `json:"service"` // the host, or address:port; "" for any
	Title   string `json:"title"`   // for who reads the file
	Reason  string `json:"reason"`  // never empty
	Until   string `json:"until"`   // the last day, as 2026-11-30

	until time.Time // the beginning of the day after
	used  bool
}

// Baseline is the entries of a file.
type Baseline struct {
	Version int      `json:"schema_version"`
	Entries []*Entry `json:"known"`
}

// Read reads a file. It refuses what it does not understand, since a typing error would let
// something through.
func Read(r io.Reader) (*Baseline, error) {
	b := &Baseline{}
	if err := json.UnmarshalRead(r, b, json.RejectUnknownMembers(true)); err != nil {
		return nil, plain.Plain(err)
	}
	if b.Version != schemaVersion {
		return nil, fmt.Errorf(
			"schema_version is %d; this program reads %d",
			b.Version,
			schemaVersion,
		)
	}
	for i, e := range b.Entries {
		if err := e.check(); err != nil {
			return nil, fmt.Errorf("entry %d: %w", i+1, err)
		}
	}
	return b, nil
}

// check reads the day and refuses an entry that says too little.
func (e *Entry) check() error {
	day, err := time.Parse(time.DateOnly, e.Until)
	switch {
	case e.Rule == "":
		return errors.New("it names no rule")
	case strings.TrimSpace(e.Reason) == "":
		return fmt.Errorf("%s: it gives no reason", e.Rule)
	case err != nil:
		return fmt.Errorf("%s: until: %q is no day, as 2026-11-30 is", e.Rule, e.Until)
	}
	e.until = day.AddDate(0, 0, 1)
	return nil
}

// Rules are the rules and causes of the entries, and what the entries are called in messages.
func (b *Baseline) Rules(each func(entry int, rule, cause string) error) error {
	for i, e := range b.Entries {
		if err := each(i+1, e.Rule, e.Cause); err != nil {
			return err
		}
	}
	return nil
}

// Apply says of each finding whether it is known: by an entry that held when the capture began. So
// the same capture gives the same report on any day.
func (b *Baseline) Apply(r *report.Report) {
	for i := range r.Findings {
		r.Findings[i].Known = b.Known(&r.Findings[i], r.Capture.Began())
	}
}

// Known is what is known of a finding of a capture that began then; nil if nothing is.
func (b *Baseline) Known(f *report.Finding, start time.Time) *report.Known {
	var known *report.Known
	for _, e := range b.Entries {
		if !e.is(f) {
			continue
		}
		e.used = true
		if known == nil && start.Before(e.until) {
			known = &report.Known{Reason: e.told(), Until: e.Until}
		}
	}
	return known
}

// told is the reason as a report gives it, which says if nobody has written one.
func (e *Entry) told() string {
	if e.Reason == notYet {
		return notYet + "; its entry needs a reason"
	}
	return e.Reason
}

// is reports whether a finding is the one of the entry.
func (e *Entry) is(f *report.Finding) bool {
	return e.Rule == f.Rule && e.Cause == f.Cause && (e.Service == "" || e.Service == serviceOf(f))
}

// serviceOf is how entries name the service of a finding.
func serviceOf(f *report.Finding) string {
	if f.Host == "" && f.Server.IsValid() {
		return f.Server.String()
	}
	return mask.Host(f.Host)
}

// Notes are what the keeper of the file may want to know, once it was applied to a report: entries
// whose day was over, those that nothing was found of, and those that nobody has written a reason
// for.
func (b *Baseline) Notes(r *report.Report) (notes []string) {
	over, unseen, bare := 0, 0, 0
	for _, e := range b.Entries {
		if e.Reason == notYet {
			bare++
		}
		switch {
		case e.used && !r.Capture.Began().Before(e.until):
			over++
			notes = append(
				notes,
				fmt.Sprintf("%s was known until %s, and is no longer", e.Rule, e.Until),
			)
		case !e.used:
			unseen++
		}
	}
	const most = 10
	if over > most {
		notes = append(notes[:most], fmt.Sprintf("and %d more", over-most))
	}
	if unseen > 0 {
		notes = append(notes, fmt.Sprintf("of %d of %d known findings nothing was found",
			unseen, len(b.Entries)))
	}
	if bare > 0 {
		notes = append(notes, fmt.Sprintf("the reason of %d of %d known findings is %q, which is "+
			"none: write why they are no news", bare, len(b.Entries), notYet))
	}
	return notes
}

// Add takes in what a report found and the baseline does not have, each for a quarter from the day
// of the capture on. What is merely worth knowing, and what a capture lacks, is left out.
func (b *Baseline) Add(r *report.Report) {
	b.Version = schemaVersion
	for i := range r.Findings {
		f := &r.Findings[i]
		known := func(e *Entry) bool { return e.is(f) }
		if f.Severity == report.Info || f.Rule == report.CaptureQuality ||
			slices.ContainsFunc(b.Entries, known) {
			continue
		}
		b.Entries = append(b.Entries, &Entry{
			Rule: f.Rule, Cause: f.Cause, Service: mask.Visible(serviceOf(f)),
			Title: mask.Visible(f.Title), Reason: notYet,
			Until: r.Capture.Began().Add(holds).Format(time.DateOnly),
		})
	}
	slices.SortStableFunc(b.Entries, func(x, y *Entry) int {
		return cmp.Or(cmp.Compare(x.Rule, y.Rule), cmp.Compare(x.Cause, y.Cause),
			cmp.Compare(x.Service, y.Service))
	})
}

// Write writes the file, for people to edit.
func (b *Baseline) Write(w io.Writer) error {
	if b.Entries == nil {
		b.Entries = []*Entry{}
	}
	return errors.Join(json.MarshalWrite(w, b, jsontext.WithIndent("  ")), newline(w))
}

func newline(w io.Writer) error {
	_, err := io.WriteString(w, "\n")
	return err
}
