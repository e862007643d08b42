package cli

import (
	"cmp"
	"io"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"tcpwhy/analysis/report"
	"tcpwhy/internal/cli/parts"
	"tcpwhy/output"
)

// mergeCommand makes one report of parts.
func mergeCommand(c *console) *cobra.Command {
	o := &options{trace: traceOptions{exchange: notTraced, connection: notTraced}}
	cmd := &cobra.Command{
		Use:   "merge PART...",
		Short: "one report of parts that were analysed apart",
		Long: "Makes one report of parts that --partial wrote, on other machines perhaps. Where no\n" +
			"host is in two of them, it is the report of one analysis of all their captures;\n" +
			"else what lies across parts was not compared, and the report says how much that\n" +
			"is. Parts of one version, options and --start fit each other.",
		Example: "tcpwhy --partial a.part a.pcap    # on one host\n" +
			"tcpwhy --partial b.part b.pcap    # on another\n" +
			"tcpwhy merge a.part b.part\n" +
			"tcpwhy merge -F html -o day.html --partial day.part *.part",
		Args: cobra.ArbitraryArgs,
		RunE: func(_ *cobra.Command, args []string) (err error) {
			c.status, err = o.merge(args, c)
			return err
		},
	}
	f := cmd.Flags()
	f.StringVarP(&o.format, "format", "F", output.Formats()[0].Name, formatUsage())
	f.StringVarP(&o.output, "output", "o", "", "write to `FILE` instead of standard output (-)")
	f.StringVar(&o.minSeverity, "min-severity", "info",
		"leave out findings below `LEVEL`: critical, high,\nmedium, low or info (default)")
	f.StringVar(&o.failOn, "fail-on", "",
		"exit with 1 if a reported finding is at `LEVEL` or above")
	o.known.Flag(f)
	f.BoolVar(&o.lists.summary, "summary", false,
		"leave out what single findings, connections and\nexchanges show")
	o.parts.FileFlag(f)
	colorFlag(f, &o.color)
	completeFlags(cmd)
	return cmd
}

// merge reads parts and writes the report of all of them.
func (o *options) merge(names []string, c *console) (int, error) {
	if o.output == standard {
		o.output = ""
	}
	r, err := o.merged(names, c.stdout)
	if err != nil {
		return ExitError, o.refuse(c.stdout, err)
	}
	o.known.Apply(r)
	if o.parts.File != "" {
		signal.Ignore(syscall.SIGPIPE) // who has read enough of the report still wants the part
	}
	unread := o.writeReport(r, c.stdout)
	if unread != nil && !brokenPipe(unread) {
		return ExitError, unread
	}
	if err := cmp.Or(o.parts.Write(c.stdout), unread); err != nil {
		return ExitError, err
	}
	o.tellKnown(r, c.stderr)
	return o.status(r), nil
}

// merged is the report of all parts.
func (o *options) merged(names []string, stdout io.Writer) (*report.Report, error) {
	o.inputs = names
	if len(names) == 0 {
		return nil, &usageError{
			"merge: no part is named", "tcpwhy --partial FILE CAPTURE writes one",
		}
	}
	if err := o.checkPartial(); err != nil {
		return nil, err
	}
	if err := o.check(); err != nil {
		return nil, err
	}
	if err := cmp.Or(o.checkFile(stdout), o.checkOutputs()); err != nil {
		return nil, err
	}
	if err := o.parts.Take(names); err != nil {
		return nil, &usageError{err.Error(), parts.Hint(err)}
	}
	least, err := severity("min-severity", o.minSeverity)
	if err != nil {
		return nil, err
	}
	return o.parts.Report(least)
}

// checkPartial checks where a part and the report are to go.
func (o *options) checkPartial() error {
	if o.parts.File == standard && o.output == "" {
		return &usageError{
			"--partial - and the report: both would go to standard output",
			"-o FILE writes the report elsewhere",
		}
	}
	return nil
}
