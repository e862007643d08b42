// Package analysis says what made HTTP exchanges slow or broke them: it draws up a ledger of each
// exchange's time, lets the rules look at connections and exchanges, and collects what they find
// into a Report. Every opinion, threshold, cost and remedy of the program is here.
package analysis

import (
	"slices"
	"time"

	"tcpwhy/analysis/internal/ledger"
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
	p := newPipeline(&opts, rules, clocks(src))
	err := p.read(src)
	return p.judge.report(src.Stats()), err
}

// rules are those that are to run.
func (o *Options) rules() []*Detector {
	var out []*Detector
	for _, d := range All() {
		if len(o.Only) > 0 && !slices.Contains(o.Only, d.Name) || slices.Contains(o.Skip, d.Name) {
			continue
		}
		out = append(out, d)
	}
	return out
}

// clocks tells the resolution of the clock that stamped a frame. Frames of one input may come from
// several interfaces; the coarsest counts.
func clocks(src capture.Source) ledger.Clock {
	tick := time.Nanosecond
	for _, i := range src.Stats().Interfaces {
		tick = max(tick, i.Resolution)
	}
	return ledger.Clock{Tick: min(tick, time.Second)}
}

// report draws up the report.
func (j *judge) report(st *capture.Stats) *report.Report {
	j.finishFailures()
	for _, c := range j.cross {
		c.finish(j)
	}
	j.clock.finish(j)
	r := &report.Report{Capture: st, Caveats: j.caveats(st), Connections: j.total.connections,
		ExchangeCount: j.total.exchanges, ExchangeTime: j.total.exchangeTime, Lost: j.total.lost,
		Times: labelTimes(&j.total.times), Findings: j.findings(), Vantages: j.total.vantages}
	if j.enabled(captureQuality.Name) && j.opts.MinSeverity == report.Info {
		r.Findings = append(r.Findings, qualityFindings(r.Caveats)...)
	}
	r.Conns, r.Exchanges, r.Trace = j.list.conns.done(), j.list.exchanges.done(), j.trace
	attach(r.Exchanges, j.list.slowest.done())
	for _, d := range j.rules {
		r.Checked = append(r.Checked, d.Name)
	}
	return r
}
