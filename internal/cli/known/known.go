// Package known keeps what of the findings is no news: the files of --baseline and
// --write-baseline.
package known

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/spf13/pflag"

	"tcpwhy/analysis/report"
	"tcpwhy/internal/outfile"
	"tcpwhy/output/baseline"
)

// Options are the two flags, and what the first one reads.
type Options struct {
	File, Adding string             // --baseline, --write-baseline
	base         *baseline.Baseline // nil without --baseline
}

// Flag adds the flag that every command with findings has.
func (k *Options) Flag(f *pflag.FlagSet) {
	f.StringVar(&k.File, "baseline", "",
		"findings in `FILE` are known: they are told apart, and do\n"+
			"not fail, until their day is over")
}

// AddingFlag adds the flag that makes a baseline.
func (k *Options) AddingFlag(f *pflag.FlagSet) {
	f.StringVar(&k.Adding, "write-baseline", "",
		"add what is found, and is not in it yet, to `FILE`, each\n"+
			"for 90 days; then write the reasons there")
}

// Read reads the file of --baseline, if there is one.
func (k *Options) Read() (err error) {
	if k.File != "" {
		k.base, err = read("baseline", k.File)
	}
	return err
}

// Rules gives each function the rule and cause of each entry of --baseline. Its error, which is
// returned, is about that entry.
func (k *Options) Rules(check func(entry, rule, cause string) error) error {
	if k.base == nil {
		return nil
	}
	return k.base.Rules(func(n int, rule, cause string) error {
		return check(fmt.Sprintf("--baseline %s: entry %d", k.File, n), rule, cause)
	})
}

// read reads the file of a flag.
func read(flag, name string) (*baseline.Baseline, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := baseline.Read(f)
	if err != nil {
		return nil, fmt.Errorf("--%s %s: %w", flag, name, err)
	}
	return b, nil
}

// Apply says of a report's findings which are known.
func (k *Options) Apply(r *report.Report) {
	if k.base != nil {
		k.base.Apply(r)
	}
}

// Of is a finding, told of while a capture goes on that began then, with whether it is known.
func (k *Options) Of(f *report.Finding, start time.Time) *report.Finding {
	if k.base == nil {
		return f
	}
	told := *f
	told.Known = k.base.Known(f, start)
	return &told
}

// Notes are what of the baseline is out of date, once it was applied to a report.
func (k *Options) Notes(r *report.Report) (notes []string) {
	if k.base == nil {
		return nil
	}
	for _, note := range k.base.Notes(r) {
		notes = append(notes, k.File+": "+note)
	}
	return notes
}

// Add adds what a report found to the file of --write-baseline. What stands there stays.
func (k *Options) Add(r *report.Report) error {
	if k.Adding == "" {
		return nil
	}
	b, err := read("write-baseline", k.Adding)
	if errors.Is(err, fs.ErrNotExist) {
		b, err = &baseline.Baseline{}, nil
	}
	if err != nil {
		return err
	}
	b.Add(r)
	return outfile.Replace(k.Adding, b.Write)
}
