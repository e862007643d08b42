// Package parts writes what is known of a capture as a part, and reads parts to make one of them.
package parts

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/pflag"

	"tcpwhy/analysis"
	"tcpwhy/analysis/report"
	"tcpwhy/internal/outfile"
	"tcpwhy/output/mask"
)

// Options are the flags --partial and --start, and the part in hand.
type Options struct {
	File  string // that the part is written to; "": none
	start start
	part  *analysis.Partial // nil: there is none yet
}

// Flags adds the flags of an analysis.
func (o *Options) Flags(f *pflag.FlagSet) {
	f.StringVar(&o.File, "partial", "",
		"also write what is known to `FILE`, for tcpwhy merge")
	f.Var(&o.start, "start",
		"times count from `TIME` (2026-03-14T14:00:00Z), if it is not\nlater than the first frame: "+
			"those of parts that are merged\ncount from one (default: from the first frame; with\n"+
			"--partial from its hour)")
}

// FileFlag adds the flag of who has parts already.
func (o *Options) FileFlag(f *pflag.FlagSet) {
	f.StringVar(&o.File, "partial", "", "also write all of them as one part to `FILE`")
}

// start is a flag for a date with a time; without a zone it is UTC, as in reports.
type start struct {
	at   time.Time
	text string
}

// String is what was given.
func (s *start) String() string { return s.text }

// Type names it for --help.
func (s *start) Type() string { return "time" }

// Set reads a date with a time.
func (s *start) Set(text string) error {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05"} {
		if at, err := time.Parse(layout, text); err == nil {
			s.at, s.text = at.UTC(), text
			return nil
		}
	}
	return fmt.Errorf("%q is no date with a time, such as 2026-03-14T14:00:00Z", text)
}

// Start is the moment from which times count, given that of the first frame; nil: from that.
func (o *Options) Start() func(first time.Time) time.Time {
	switch {
	case o.start.text != "":
		return func(time.Time) time.Time { return o.start.at }
	case o.File != "":
		return func(first time.Time) time.Time { return first.Truncate(time.Hour) }
	}
	return nil
}

// longestTarget is how much of a target a part keeps, in characters.
const longestTarget = 1 << 12

// Made has an analysis make a part, if one is to be written: by a program of that version, with a
// filter, and with values of queries if they are to be shown.
func (o *Options) Made(version, filter string, query bool) []analysis.Option {
	if o.File == "" {
		return nil
	}
	o.part = &analysis.Partial{}
	return []analysis.Option{analysis.WithPartial(o.part, analysis.PartBy{
		Program: "tcpwhy " + version, Filter: filter, Host: mask.Host,
		Target: func(s string) string { return mask.Target(s, query, longestTarget) },
	})}
}

// Standard is the name of standard output.
const Standard = "-"

// Write writes the part, if that is asked for: to the file, or to stdout if that is its name.
func (o *Options) Write(stdout io.Writer) error {
	if o.File == "" || o.part == nil {
		return nil
	}
	octets, err := o.part.AppendBinary(nil)
	if err != nil {
		return err
	}
	write := func(w io.Writer) error {
		_, err := w.Write(octets)
		return err
	}
	if o.File == Standard {
		return write(stdout)
	}
	return outfile.Replace(o.File, write)
}

// Take reads the parts in files, and makes them one: of two that are as many, so that each is moved
// seldom.
func (o *Options) Take(names []string) error {
	var taken []heap
	for i, name := range names {
		part, err := read(name)
		if err != nil {
			return err
		}
		taken = append(taken, heap{name, part, 1})
		for n := len(taken); n > 1 && (taken[n-2].of == taken[n-1].of || i == len(names)-1); n-- {
			last := taken[n-1]
			if err := taken[n-2].part.Merge(last.part); err != nil {
				return fmt.Errorf("read %s: %w", last.name, err)
			}
			taken[n-2].of += last.of
			taken = taken[:n-1]
		}
	}
	o.part = taken[0].part
	return nil
}

// read reads the part in a file. Of what is none only the beginning is read, however long it is.
func read(name string) (*analysis.Partial, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	head := make([]byte, len(analysis.PartialMark))
	n, err := io.ReadFull(f, head)
	switch {
	case err != nil && n == 0 && err != io.EOF:
		return nil, err
	case string(head[:n]) != analysis.PartialMark:
		return nil, fmt.Errorf("read %s: %w", name, analysis.ErrNoPartial)
	}
	octets, err := io.ReadAll(io.MultiReader(bytes.NewReader(head), f))
	if err != nil {
		return nil, err
	}
	part := &analysis.Partial{}
	if err := part.UnmarshalBinary(octets); err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return part, nil
}

// heap is one of several parts, and the name of the first of them.
type heap struct {
	name string
	part *analysis.Partial
	of   int
}

// Report is that of all parts, without findings below a severity.
func (o *Options) Report(least report.Severity) (*report.Report, error) {
	return o.part.Report(least)
}

// Hint is what may help against an error of parts; "" if nothing is known to.
func Hint(err error) string {
	var starts *analysis.StartsError
	switch {
	case errors.As(err, &starts):
		return "analyse both with --start " + starts.Earlier().Format(time.RFC3339) +
			", or an earlier one that all parts have in common"
	case errors.Is(err, analysis.ErrNoPartial):
		return "tcpwhy --partial FILE CAPTURE writes parts; captures are analysed without merge"
	case errors.Is(err, analysis.ErrMismatch):
		return "parts fit that one version made with the same options, and one --start"
	case errors.Is(err, analysis.ErrOverlap):
		return "each recording belongs to one part"
	}
	return ""
}
