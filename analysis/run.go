// Package analysis says what made HTTP exchanges slow or broke them: it draws up a ledger of each
// exchange's time, lets the rules look at connections and exchanges, and collects what they find
// into a Report. Every opinion, threshold, cost and remedy of the program is here.
package analysis

import (
	"slices"

	"tcpwhy/analysis/internal/judge"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
)

// Options choose what is analysed and how much of it is reported.
type Options struct {
	// goroutines that follow connections; 0: one per processor. The report does not depend on it.
	Workers        int
	Only, Skip     []string        // rules to run, rules not to run; empty: all, none
	MinSeverity    report.Severity // findings below it are left out
	MaxOccurrences int             // listed per finding; 0: all
	MaxListed      int             // connections and exchanges listed; 0: all
	Trace          *report.TraceOf // what the report shows in full; nil: nothing
}

// Run analyses the whole source. The error is that of reading; the report holds what was read
// before it.
func Run(src capture.Source, opts Options) (*report.Report, error) {
	rules := opts.rules()
	p := newPipeline(&opts, rules)
	err := p.read(src)
	return p.judge.Report(src.Stats()), err
}

// limits are those of the report.
func (o *Options) limits() judge.Limits {
	return judge.Limits{
		MinSeverity:    o.MinSeverity,
		MaxOccurrences: o.MaxOccurrences,
		MaxListed:      o.MaxListed,
	}
}

// rules are those that are to run.
func (o *Options) rules() []*rule.Detector {
	var out []*rule.Detector
	for _, d := range All() {
		if len(o.Only) > 0 && !slices.Contains(o.Only, d.Name) || slices.Contains(o.Skip, d.Name) {
			continue
		}
		out = append(out, d)
	}
	return out
}
