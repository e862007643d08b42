package cli

import (
	"context"
	"fmt"
	"os"
	"slices"

	"tcpwhy/analysis"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/output/wording"
)

// traceOptions are the flags that show one exchange or connection in full instead of the report.
type traceOptions struct{ exchange, connection int }

// notTraced is the value of a flag that was not given.
const notTraced = -1

// wanted reports whether there is something to be traced.
func (o *traceOptions) wanted() bool { return o.exchange != notTraced || o.connection != notTraced }

// checkTrace checks the flags.
func (o *options) checkTrace() error {
	t := &o.trace
	switch {
	case !t.wanted():
		return nil
	case t.exchange < notTraced || t.connection < notTraced:
		return &usageError{"--exchange and --connection must not be negative", ""}
	case t.exchange >= 0 && t.connection >= 0:
		return &usageError{"--exchange and --connection: one of them", ""}
	case o.listens():
		return &usageError{
			"--exchange and --connection are for capture files",
			"save the capture with --write, and name that file",
		}
	}
	if t.exchange < 0 {
		return nil
	}
	return o.readTwice("--exchange", "use --connection")
}

// readTwice refuses inputs that cannot be read twice, as a flag has them read; other is what else
// may be done.
func (o *options) readTwice(flag, other string) error {
	for _, name := range o.inputs {
		if info, err := os.Stat(name); name == standard ||
			err == nil && !info.Mode().IsRegular() && !info.IsDir() {
			if name == standard {
				name = "standard input"
			}
			hint := "save it to a file first"
			if other != "" {
				hint += ", or " + other
			}
			return &usageError{
				flag + " reads its input twice, and " + name + " can be read only once", hint,
			}
		}
	}
	return nil
}

// traceOf is what the analysis is to trace; nil if nothing. The number of an exchange is known only
// when everything has been read, so its connection is looked for first.
func (o *options) traceOf(
	open func() (capture.Source, error),
	options []analysis.Option,
) (*report.TraceOf, error) {
	if o.trace.connection >= 0 {
		return &report.TraceOf{Connection: o.trace.connection, Exchange: -1}, nil
	}
	if o.trace.exchange < 0 {
		return nil, nil
	}
	src, err := open()
	if err != nil {
		return nil, err
	}
	defer src.Close()
	var of *report.TraceOf
	options = append(slices.Clip(options),
		analysis.WithLimits(analysis.Limits{Listed: 1, Occurrences: 1}),
		analysis.OnExchange(func(_ report.Pair, x *report.ExchangeInfo) {
			if x.ID == o.trace.exchange {
				of = &report.TraceOf{Connection: x.Connection, Exchange: x.Index}
			}
		}))
	report, err := analysis.Run(context.Background(), src, options...)
	if of == nil && (err == nil || report.Capture.Frames > 0) {
		return nil, noSuch("exchange", o.trace.exchange, report.ExchangeCount)
	}
	if of == nil {
		return nil, err
	}
	return of, nil // an error of reading shows again
}

// noConnection says that there is no connection of that number, or none that was analysed.
func noConnection(n int, r *report.Report) error {
	for i := range r.Caveats {
		if c := &r.Caveats[i]; c.Code == "translated" && n < r.Connections+int(c.Count) {
			return &usageError{fmt.Sprintf("connection %d was not analysed", n), c.Message}
		}
	}
	return noSuch("connection", n, r.Connections)
}

// noSuch says that there is no exchange or connection of that number.
func noSuch(what string, n, count int) error {
	hint := fmt.Sprintf("the input has %s, counted from 0", wording.Grouped(count))
	return &usageError{fmt.Sprintf("there is no %s %d", what, n), hint}
}
