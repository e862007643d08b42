package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"tcpwhy/analysis"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/internal/outfile"
	"tcpwhy/output"
	"tcpwhy/output/page"
	"tcpwhy/output/text"
)

// analyse reads the inputs and writes the report.
func analyse(o *options, stdin io.Reader, stdout, stderr io.Writer) (int, error) {
	report, err := o.analysis(stdin, stderr)
	if report == nil {
		return ExitError, o.refuse(stdout, err)
	}
	o.known.Apply(report)
	if o.copies.wanted() != "" || o.known.Adding != "" || o.spans.Endpoint != "" ||
		o.parts.File != "" {
		signal.Ignore(syscall.SIGPIPE) // who has read enough of the report still wants the others
	}
	// What was read before an error is still worth a report.
	unread := o.writeReport(report, stdout)
	if unread != nil && !brokenPipe(unread) {
		return ExitError, errors.Join(err, unread)
	}
	if err == nil {
		err = o.writeCopies(report, o.inputs, stderr)
	}
	if err == nil {
		err = errors.Join(o.known.Add(report), o.sendSpans(report, stderr), o.parts.Write(stdout))
	}
	if err != nil {
		return ExitError, err
	}
	if unread != nil {
		return ExitError, unread
	}
	o.tellKnown(report, stderr)
	for _, in := range report.Capture.Inputs {
		if !in.Complete {
			fmt.Fprintf(stderr, "tcpwhy: warning: %s\n", visible(in.Name+": "+in.Error))
		}
	}
	return o.status(report), nil
}

// refuse says why there will be no report: where one for programs was to go to standard output, in
// its format, so that they read something in any case. It returns the error.
func (o *options) refuse(stdout io.Writer, err error) error {
	format, known := output.Find(o.format)
	elsewhere := o.output != "" || o.listens() || o.explain != ""
	if !known || format.Refuse == nil || elsewhere {
		return err
	}
	return errors.Join(
		err,
		format.Refuse(stdout, err.Error(), hintOf(err), o.outputOptions(stdout)),
	)
}

// analysis reads the inputs. Without a report there is an error.
func (o *options) analysis(stdin io.Reader, stderr io.Writer) (*report.Report, error) {
	filter, err := o.parseFilter()
	if err != nil {
		return nil, err
	}
	config := capture.Config{
		Inputs: o.inputs, Stdin: stdin, Filter: filter, Start: o.parts.Start(),
	}
	if err := o.checkOutputs(); err != nil {
		return nil, err
	}
	options, err := o.analysisOptions()
	if err != nil {
		return nil, err
	}
	keys, err := o.readKeyLogs()
	if err != nil {
		return nil, err
	}
	options = append(options, analysis.WithKeys(keys))
	open := func() (capture.Source, error) { return capture.Open(config) }
	trace, err := o.traceOf(open, options)
	if err != nil {
		return nil, err
	}
	if trace != nil {
		options = append(options, analysis.WithTrace(*trace))
	}
	options, err = o.pictured(open, options)
	if err != nil {
		return nil, err
	}
	src, err := open()
	if err != nil {
		return nil, err
	}
	defer src.Close()
	if isTerminal(stderr) {
		p := newProgress(src, stderr)
		defer p.clear()
		src = p
	}
	options = append(options, o.parts.Made(version(), o.filter, o.shown.query)...)
	report, err := analysis.Run(context.Background(), src, options...)
	if trace != nil && err == nil && report.Trace == nil {
		return nil, noConnection(o.trace.connection, report)
	}
	return report, err
}

// parseFilter reads --filter; nil if there is none.
func (o *options) parseFilter() (*capture.Filter, error) {
	if o.filter == "" {
		return nil, nil
	}
	filter, err := capture.ParseFilter(o.filter)
	if err != nil {
		return nil, &usageError{
			"--filter: " + strings.TrimPrefix(err.Error(), "filter: "),
			"for example: 'host 10.0.0.7 and not port 22'",
		}
	}
	return filter, nil
}

// analysisOptions are the flags that choose what is analysed.
func (o *options) analysisOptions() ([]analysis.Option, error) {
	least, err := severity("min-severity", o.minSeverity)
	limits := analysis.Limits{Occurrences: o.lists.occurrences, Listed: o.lists.listed}
	if o.lists.occurrences == 0 {
		limits.Occurrences = analysis.NoLimit
	}
	chosen := []analysis.Option{
		analysis.WithWorkers(o.workers),
		analysis.WithRules(o.only, o.skip),
		analysis.WithMinSeverity(least),
		analysis.WithLimits(limits),
		analysis.WithSpan(o.span()),
	}
	if o.as().Graphs != nil {
		chosen = append(chosen, analysis.WithPieces())
	}
	if o.panics {
		chosen = append(chosen, analysis.WithPanics())
	}
	if o.shown.names {
		chosen = append(chosen, analysis.WithNames())
	}
	return chosen, err
}

// pictured are the options of an analysis of which a format is to draw pictures. Which connections
// are worth that is known only when everything has been read, so files are read twice; standard
// input cannot be.
func (o *options) pictured(
	open func() (capture.Source, error), options []analysis.Option,
) ([]analysis.Option, error) {
	format := o.as()
	if format.Graphs == nil || slices.Contains(o.inputs, "-") {
		return options, nil
	}
	src, err := open()
	if err != nil {
		return nil, err
	}
	defer src.Close()
	report, _ := analysis.Run(
		context.Background(),
		src,
		options...) // an error of reading shows again
	if report == nil {
		return options, nil
	}
	return append(slices.Clip(options), analysis.WithGraphs(format.Graphs(report)...)), nil
}

// tellKnown tells who keeps the baseline what of it is out of date.
func (o *options) tellKnown(r *report.Report, stderr io.Writer) {
	for _, note := range o.known.Notes(r) {
		fmt.Fprintf(stderr, "tcpwhy: warning: %s\n", visible(note))
	}
}

// status is the exit status for a report.
func (o *options) status(r *report.Report) int {
	if o.failOn == "" {
		return ExitOK
	}
	level, err := severity("fail-on", o.failOn)
	for i := range r.Findings {
		if err == nil && r.Findings[i].Severity >= level && r.Findings[i].Known == nil {
			return exitFinding
		}
	}
	return ExitOK
}

// sendSpans sends the exchanges of a report to the collector, if one is named.
func (o *options) sendSpans(r *report.Report, stderr io.Writer) error {
	if o.spans.Endpoint == "" {
		return nil
	}
	replies, err := o.spans.Send(output.Spans(r, o.outputOptions(io.Discard)), Version)
	for _, reply := range replies {
		if n, why := output.SpansRejected(reply); n > 0 {
			fmt.Fprintf(stderr, "tcpwhy: warning: the collector did not take in %d spans: %s\n", n,
				visible(why))
		}
	}
	return err
}

// writeReport writes to the file of --output, or to standard output. Spans that are sent are
// written nowhere else unless asked for.
func (o *options) writeReport(r *report.Report, stdout io.Writer) error {
	if o.spans.Endpoint != "" && o.format == "otlp" && o.output == "" {
		return nil
	}
	if o.output == "" {
		return o.render(stdout, r)
	}
	return outfile.Replace(o.output, func(w io.Writer) error { return o.render(w, r) })
}

// render writes the report in the format asked for.
func (o *options) render(w io.Writer, r *report.Report) (err error) {
	defer o.caught(&err)
	return o.as().Write(w, r, o.outputOptions(w))
}

// caught makes an error of a panic, so that nobody gets half a report for a whole one, or none
// while a capture goes on. It is to be deferred.
func (o *options) caught(err *error) {
	if o.panics {
		return
	}
	if broke := recover(); broke != nil {
		*err = &usageError{
			"this program has a defect: --format " + o.format + " cannot show this report",
			"another format may; --debug-panics shows where the defect is",
		}
	}
}

// as is the format of --format, which has been checked.
func (o *options) as() output.Format {
	format, _ := output.Find(o.format)
	return format
}

// outputOptions are the flags that choose how a report looks on w.
func (o *options) outputOptions(w io.Writer) output.Options {
	failOn := report.High
	if o.failOn != "" {
		failOn, _ = severity("fail-on", o.failOn) // it has been checked
	}
	return output.Options{
		FailOn: failOn, Version: version(), ShowQuery: o.shown.query, Summary: o.lists.summary, Page: o.pageOptions(w),
	}
}

// pageOptions are how text looks on w.
func (o *options) pageOptions(w io.Writer) page.Options {
	return page.Options{Color: wantsColor(o.color, w), ASCII: asciiOnly(w), Width: columns(w)}
}

// checkOutputs refuses to write over an input, or two things to one file, before anything is read.
func (o *options) checkOutputs() error {
	inputs := slices.Concat(o.inputs, o.keyLogs)
	if o.known.File != o.known.Adding { // a baseline may grow
		inputs = append(inputs, o.known.File)
	}
	taken := slices.Clone(inputs)
	for _, out := range []struct{ flag, name string }{
		{"output", o.output}, {"annotate", o.copies.annotate},
		{"share", o.copies.share}, {"write", o.write},
		{"write-baseline", o.known.Adding}, {"partial", o.parts.File},
	} {
		if out.name == "" || out.name == standard {
			continue
		}
		for i, name := range taken {
			if !sameFile(out.name, name) {
				continue
			}
			what := "that is an input"
			if i >= len(inputs) {
				what = "something else is written there"
			}
			return &usageError{fmt.Sprintf("--%s %s: %s", out.flag, out.name, what), ""}
		}
		taken = append(taken, out.name)
	}
	return nil
}

// sameFile reports whether two names are those of one regular file, or of one that is to be made.
func sameFile(a, b string) bool {
	of, err := os.Stat(a)
	if err != nil {
		return filepath.Clean(a) == filepath.Clean(b)
	}
	other, err := os.Stat(b)
	return err == nil && of.Mode().IsRegular() && os.SameFile(of, other)
}

// listRules writes the names of all rules.
func listRules(o *options, stdout io.Writer) error {
	return text.ListRules(stdout, analysis.Rules(), o.pageOptions(stdout))
}

// explain writes all that is known about the rule of --explain.
func explain(o *options, stdout io.Writer) error {
	rules := analysis.Rules()
	i := slices.IndexFunc(rules, func(r report.Rule) bool { return r.Name == o.explain })
	return text.Explain(stdout, &rules[i], o.pageOptions(stdout))
}

// brokenPipe reports whether writing ended because nobody reads any more, which is no error to tell
// of.
func brokenPipe(err error) bool {
	return errors.Is(err, syscall.EPIPE) || errors.Is(err, io.ErrClosedPipe)
}
