package analysis

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"tcpwhy/analysis/internal/judge"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
)

// Run analyses a source until it ends. It does not close it.
//
// An error of reading ends the analysis, and so does the context, with its Err: then too there is a
// report, of what was read before. Without a report the options were wrong, and nothing was read.
// The context is looked at between segments: what makes a source wait must itself end, as an
// interface does several times a second.
func Run(ctx context.Context, src capture.Source, opts ...Option) (*report.Report, error) {
	o, err := optionsOf(opts)
	if err != nil {
		return nil, err
	}
	p := newPipeline(o, o.rules())
	err = p.read(ctx, src)
	p.judge.Total.Keys = p.secrets.Tally()
	st := src.Stats()
	if p.enough {
		st = asWhole(st)
	}
	r := p.judge.Report(st)
	if o.partial != nil {
		err = errors.Join(err, o.partial.fill(o, p.judge, st, p.noted))
	}
	return r, err
}

// optionsOf are options that were checked.
func optionsOf(opts []Option) (*options, error) {
	var o options
	for _, set := range opts {
		set(&o)
	}
	return &o, o.check()
}

// check refuses rules that there are not, and a part of what is counted in part.
func (o *options) check() error {
	if o.partial != nil && o.span != (Span{}) {
		return errors.New("analysis: what is known of a part of the time is no part that merges")
	}
	for _, name := range slices.Concat(o.only, o.skip) {
		if !slices.ContainsFunc(detectors(),
			func(d *rule.Detector) bool { return d.Name == name }) {
			return fmt.Errorf("analysis: no rule is named %q", name)
		}
	}
	return nil
}

// rules are those that are to run.
func (o *options) rules() []*rule.Detector {
	var out []*rule.Detector
	for _, d := range detectors() {
		if len(o.only) > 0 && !slices.Contains(o.only, d.Name) || slices.Contains(o.skip, d.Name) {
			continue
		}
		out = append(out, d)
	}
	return out
}

// judged are the limits of the judge, to which 0 is none.
func (o *options) judged() judge.Limits {
	return judge.Limits{
		MinSeverity:    o.least,
		MaxOccurrences: orNone(o.limits.Occurrences, defaultOccurrences),
		MaxListed:      orNone(o.limits.Listed, defaultListed),
		DrawAll:        o.pieces,
		Panics:         o.panics,
	}
}

// orNone is a limit or its default; 0 if there is to be none.
func orNone(limit, standard int) int {
	switch {
	case limit <= 0:
		return standard
	case limit == NoLimit:
		return 0
	}
	return limit
}
