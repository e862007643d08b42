package cli

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"tcpwhy/analysis/compare"
	"tcpwhy/internal/outfile"
	"tcpwhy/output"
	"tcpwhy/output/json"
)

// compareOptions are the flags that only comparing has.
type compareOptions struct {
	options
	before, after []string // inputs of a side that is several captures
	by            string
	renamed       []string // OLD=NEW
	failOnWorse   bool
}

// compareCommand says what changed between two captures or reports.
func compareCommand(c *console) *cobra.Command {
	o := &compareOptions{}
	cmd := &cobra.Command{
		Use:   "compare BEFORE AFTER",
		Short: "what changed between two captures, or reports",
		Long: "Says what changed between two captures, or reports that --format json wrote: how\n" +
			"much faster or slower each endpoint became, which findings are gone or new, and\n" +
			"where the time goes now. It calls a difference what chance does not explain, and\n" +
			"warns of whatever makes the two hard to compare.",
		Example: "tcpwhy compare before.pcap after.pcap\n" +
			"tcpwhy compare --before a.pcap --before b.pcap --after c.pcap\n" +
			"tcpwhy compare --map old.example=new.example before.json after.pcap\n" +
			"tcpwhy compare --fail-on-regression -F markdown main.json change.pcap",
		Args: cobra.ArbitraryArgs,
		RunE: func(_ *cobra.Command, args []string) (err error) {
			c.status, err = o.run(c, args)
			return err
		},
	}
	addCompareFlags(cmd.Flags(), o)
	completeCompareFlags(cmd)
	return cmd
}

// completeCompareFlags completes the values of the flags.
func completeCompareFlags(cmd *cobra.Command) {
	formats := func() (all []cobra.Completion) {
		for _, f := range output.ComparisonFormats() {
			all = append(all, cobra.CompletionWithDesc(f.Name, f.For))
		}
		return all
	}
	for name, values := range map[string]func() []cobra.Completion{
		"format": formats, "by": groupings, "color": colorChoices, "min-severity": severities,
		"only": completeRules, "skip": completeRules,
	} {
		completeFlag(cmd, name, values)
	}
}

// groupings are what --by may be.
func groupings() []string { return []string{"endpoint", "service"} }

func addCompareFlags(f *pflag.FlagSet, o *compareOptions) {
	f.StringArrayVar(&o.before, "before", nil,
		"`FILE` of BEFORE: a capture; several times: several are one")
	f.StringArrayVar(&o.after, "after", nil, "`FILE` of AFTER, likewise")
	f.StringVar(&o.by, "by", "endpoint",
		"what is compared: each `WHAT`: endpoint (method and path,\nthe default) or service")
	f.StringArrayVar(&o.renamed, "map", nil,
		"a host, or address:port, of BEFORE has another name in\nAFTER: `OLD=NEW`")
	f.BoolVar(
		&o.failOnWorse,
		"fail-on-regression",
		false,
		"exit with 1 if an endpoint became slower or fails more, or\na finding is new or more frequent, "+
			"beyond chance",
	)
	sourceFlags(f, &o.options)
	usage := "the `NAME` of a format:"
	for i, format := range output.ComparisonFormats() {
		usage += fmt.Sprintf("\n%-8s  %s", format.Name, format.For)
		if i == 0 {
			usage += " (default)"
		}
	}
	f.StringVarP(&o.format, "format", "F", output.ComparisonFormats()[0].Name, usage)
	f.StringVarP(&o.output, "output", "o", "", "write to `FILE` instead of standard output (-)")
	ruleFlags(f, &o.options)
	o.known.Flag(f)
	f.IntVar(&o.workers, "workers", 0,
		"follow connections in `N` goroutines (default: one for\neach processor)")
	colorFlag(f, &o.color)
}

// run reads both sides, compares them and writes what changed.
func (o *compareOptions) run(c *console, args []string) (int, error) {
	what, err := o.compare(c, args)
	if err != nil {
		return ExitError, o.refuse(c.stdout, err)
	}
	format, _ := output.FindComparison(o.format)
	write := func(w io.Writer) error { return format.Write(w, what, o.outputOptions(w)) }
	if o.output == "" {
		err = write(c.stdout)
	} else {
		err = outfile.Replace(o.output, write)
	}
	if err != nil {
		return ExitError, err
	}
	o.tellKnown(what.After.Report, c.stderr)
	return o.verdict(what)
}

// compare reads both sides and compares them.
func (o *compareOptions) compare(c *console, args []string) (*compare.Comparison, error) {
	if err := o.check(args); err != nil {
		return nil, err
	}
	if f, _ := output.FindComparison(o.format); f.File && o.output == "" && isTerminal(c.stdout) {
		return nil, &usageError{
			"--format " + o.format + " is not to be read on a terminal",
			"name a file for it: --output comparison." + o.format,
		}
	}
	before, err := o.side(o.before, c)
	if err != nil {
		return nil, err
	}
	after, err := o.side(o.after, c)
	if err != nil {
		return nil, err
	}
	o.known.Apply(after.Report)
	return compare.Of(before, after, compare.Options{
		ByService: o.by == "service", Renamed: o.names(),
	}), nil
}

// verdict is the exit status. Where nothing could be compared, nobody may take that for no
// regression.
func (o *compareOptions) verdict(c *compare.Comparison) (int, error) {
	switch {
	case !o.failOnWorse:
		return ExitOK, nil
	case len(c.Endpoints) == 0:
		return ExitError, &usageError{"--fail-on-regression: nothing could be compared",
			"the two have no endpoint in common; see --map and --by"}
	case c.Regressed():
		return exitFinding, nil
	}
	return ExitOK, nil
}

// check sorts out which inputs are which, and refuses values that mean nothing.
func (o *compareOptions) check(args []string) error {
	if len(o.before) == 0 && len(args) > 0 {
		o.before, args = args[:1], args[1:]
	}
	if len(o.after) == 0 && len(args) > 0 {
		o.after, args = args[:1], args[1:]
	}
	switch {
	case len(o.before) == 0 || len(o.after) == 0:
		return &usageError{"compare: two inputs are needed",
			"tcpwhy compare before.pcap after.pcap; captures, or reports of --format json"}
	case len(args) > 0:
		return &usageError{fmt.Sprintf("compare: %q is one input too many", args[0]),
			"several captures of one side: --before a.pcap --before b.pcap --after c.pcap"}
	case slices.Contains(o.before, standard) && slices.Contains(o.after, standard):
		return &usageError{"compare: only one side can be standard input", ""}
	}
	var formats []string
	for _, f := range output.ComparisonFormats() {
		formats = append(formats, f.Name)
	}
	for _, m := range o.renamed {
		if old, name, ok := strings.Cut(m, "="); !ok || old == "" || name == "" {
			return &usageError{fmt.Sprintf("--map %q: not OLD=NEW", m),
				"for example: --map staging.example=www.example"}
		}
	}
	if o.output == standard {
		o.output = ""
	}
	o.lists.occurrences, o.lists.listed = 1, usualListed
	o.inputs = slices.Concat(o.before, o.after)
	return errors.Join(oneOf("format", o.format, formats...), oneOf("by", o.by, groupings()...),
		o.checkColor(), o.checkRules(), o.checkOutputs(), o.readKnown())
}

// names are --map as the comparison takes them.
func (o *compareOptions) names() map[string]string {
	all := map[string]string{}
	for _, m := range o.renamed {
		old, name, _ := strings.Cut(m, "=")
		all[old] = name
	}
	return all
}

// side reads one side: a report, or captures that are analysed. What an analysis found goes the way
// of a report, so that both are the same.
func (o *compareOptions) side(names []string, c *console) (compare.Side, error) {
	s := compare.Side{Name: strings.Join(names, ", ")}
	stdin := c.stdin
	for _, name := range names {
		head, rest, err := beginning(name, stdin)
		if err != nil {
			return s, err
		}
		if name == standard {
			stdin = rest
		}
		switch {
		case json.Begins(head) && len(names) > 1:
			return s, &usageError{
				name + ": a report is all of a side",
				"several captures are one, " +
					"reports are not: analyse the captures together",
			}
		case json.Begins(head):
			return o.reported(s, name, stdin)
		case readable(head):
			return s, &usageError{name + ": neither a capture nor a report in JSON",
				"reports that can be compared are those of --format json"}
		}
	}
	return o.captured(s, names, stdin, c.stderr)
}

// captured analyses captures.
func (o *compareOptions) captured(
	s compare.Side, names []string, stdin io.Reader, stderr io.Writer,
) (compare.Side, error) {
	one := o.options
	one.inputs, one.format = names, "json"
	one.trace = traceOptions{notTraced, notTraced}
	r, err := one.analysis(stdin, stderr)
	if err != nil {
		return s, err
	}
	var b bytes.Buffer
	if err := json.Write(&b, r, json.Options{Version: Version}); err != nil {
		return s, err
	}
	s.Report, s.Version, err = json.Decode(&b)
	return s, err
}

// reported reads a report.
func (o *compareOptions) reported(
	s compare.Side,
	name string,
	stdin io.Reader,
) (compare.Side, error) {
	in := stdin
	if name != standard {
		f, err := os.Open(name)
		if err != nil {
			return s, err
		}
		defer f.Close()
		in = f
	}
	var err error
	if s.Report, s.Version, err = json.Read(in); err != nil {
		return s, fmt.Errorf("%s: %w", name, err)
	}
	return s, nil
}

// headLength is how much of an input shows what it is.
const headLength = 512

// beginning is how an input begins, and all of it if it is standard input.
func beginning(name string, stdin io.Reader) ([]byte, io.Reader, error) {
	in := stdin
	if name != standard {
		var one options
		one.inputs = []string{name}
		if err := one.readTwice("compare", "give one of the two as -"); err != nil {
			return nil, nil, err
		}
		f, err := os.Open(name)
		if err != nil {
			return nil, nil, err
		}
		defer f.Close()
		in = f
	}
	r := bufio.NewReaderSize(in, 1<<16)
	head, err := r.Peek(headLength)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	if err != nil {
		var path *fs.PathError // which names the file once more
		if errors.As(err, &path) {
			err = path.Err
		}
		err = fmt.Errorf("read %s: %w", name, err)
	}
	return head, r, err
}

// readable reports whether what begins so is text.
func readable(head []byte) bool {
	for i := 0; i < len(head); {
		r, n := utf8.DecodeRune(head[i:])
		if r == utf8.RuneError && n == 1 && len(head)-i >= utf8.UTFMax ||
			r < ' ' && !strings.ContainsRune("\t\r\n\x1b", r) {
			return false
		}
		i += n
	}
	return len(head) > 0
}
