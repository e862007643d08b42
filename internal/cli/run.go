// Package cli is the command line: it reads flags, opens captures or listens, has them analysed,
// and writes what the user asked for.
package cli

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/pflag"

	"tcpwhy/capture"
	"tcpwhy/internal/cli/collector"
	"tcpwhy/internal/cli/known"
	"tcpwhy/internal/cli/parts"
	"tcpwhy/output"
)

// How many findings, connections and exchanges are listed: usually, and with --max-listed 0.
const (
	usualListed = 1000
	mostListed  = 20000
)

// standard is how a file is called that is standard input or output.
const standard = "-"

// The exit statuses.
const (
	ExitOK      = 0 // analysed
	exitFinding = 1 // --fail-on was met
	ExitError   = 2 // wrong usage, or no input could be read
)

// Run is the whole program: it returns the exit status.
func Run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	c := &console{stdin: stdin, stdout: stdout, stderr: stderr}
	err := c.execute(args)
	if err == nil || brokenPipe(err) {
		return c.status
	}
	fmt.Fprintf(stderr, "tcpwhy: %s\n", visible(err.Error()))
	if hint := hintOf(err); hint != "" {
		fmt.Fprintf(stderr, "tcpwhy: %s\n", visible(hint))
	}
	return ExitError
}

// hintOf is what may help against an error; "" if nothing is known to.
func hintOf(err error) string {
	var usage *usageError
	if errors.As(err, &usage) {
		return usage.hint
	}
	return ""
}

// run does what the command line asks for, if it names no command.
func (o *options) run(c *console) (int, error) {
	switch {
	case o.version:
		return ExitOK, printVersion(c.stdout)
	case o.listRules:
		return ExitOK, listRules(o, c.stdout)
	case o.explain != "":
		return ExitOK, explain(o, c.stdout)
	}
	if err := o.checkFile(c.stdout); err != nil {
		return ExitError, err
	}
	if o.listens() {
		return listen(o, c.stdin, c.stdout, c.stderr)
	}
	return analyse(o, c.stdin, c.stdout, c.stderr)
}

// checkFile refuses to write on a terminal what is not to be read there.
func (o *options) checkFile(stdout io.Writer) error {
	if !o.as().File || o.output != "" || !isTerminal(stdout) {
		return nil
	}
	return &usageError{
		"--format " + o.format + " is not to be read on a terminal",
		"name a file for it: --output report." + o.format,
	}
}

// options are the command line.
type options struct {
	sources
	part
	written
	format              string
	only, skip          []string
	minSeverity, failOn string
	lists               listOptions
	workers             int
	panics              bool // of this program are not caught
	shown               shownOptions
	color               string

	interfaces []string
	duration   time.Duration
	count      uint64
	live       liveOptions
	trace      traceOptions
	besides
	copies copyOptions

	explain                  string
	listRules, version, help bool
}

// besides are what becomes of a report beside what is printed.
type besides struct {
	known known.Options
	spans collector.Options
	parts parts.Options
}

// sources are what is read, and what of it.
type sources struct {
	inputs, keyLogs []string
	filter          string
}

// written are the files that are written: the report, and what was captured. force: a file of the
// latter that exists is overwritten.
type written struct {
	output, write string
	force         bool
}

// shownOptions are what is shown of what the network carries and may be secret.
type shownOptions struct{ query, names bool }

// listOptions are how much of a report is listed.
type listOptions struct {
	occurrences, listed int
	summary             bool // nothing of single findings, connections and exchanges
}

// What --help prints of an analysis, between it the commands and flags.
const (
	aboutText = `Tcpwhy reads packet captures and says what made HTTP exchanges slow or broke them:
which cause, what it cost, which frames prove it, and what to change.
`
	callsText = `
  tcpwhy [flags] FILE...       analyse capture files (pcap, pcapng; compressed, too);
                               several are one capture; - is standard input
  tcpwhy [flags] -i NAME       analyse live, until interrupted; any: all interfaces
  tcpwhy [flags] --live -      the same of a capture that comes on standard input
`
	exampleText = `
  tcpwhy trace.pcap
  tcpdump -i eth0 -s 0 -w - port 8080 | tcpwhy -
  tcpwhy -f 'host 10.0.0.7 and port 443' client.pcapng.gz
  tcpwhy -i eth0 -f 'port 443' --duration 5m -w trace.pcapng
  ssh HOST tcpdump -U -s 0 -w - port 8080 | tcpwhy --live -
  tcpwhy --exchange 3 trace.pcap
  tcpwhy --annotate annotated.pcapng trace.pcap
  tcpwhy --share shared.pcapng trace.pcap
  tcpwhy --format json trace.pcap | jq '.findings[] | {rule, count, cost_ms}'
  tcpwhy --fail-on high --output report.txt trace.pcap
`
	exitText = `
Exit status: 0 analysed; 1 --fail-on was met; 2 wrong usage, or no input could be
read.
`
)

// addFlags adds the flags of an analysis, writing to o.
func addFlags(f *pflag.FlagSet, o *options) {
	f.StringArrayVarP(&o.inputs, "read", "r", nil, "the same as naming `FILE`")
	sourceFlags(f, o)
	f.StringVarP(&o.format, "format", "F", output.Formats()[0].Name, formatUsage())
	f.StringVarP(&o.output, "output", "o", "", "write to `FILE` instead of standard output (-)")
	ruleFlags(f, o)
	f.StringVar(&o.failOn, "fail-on", "",
		"exit with 1 if a reported finding is at `LEVEL` or above")
	o.known.Flag(f)
	o.known.AddingFlag(f)
	o.spans.Flag(f)
	listFlags(f, o)
	f.IntVar(&o.workers, "workers", 0,
		"follow connections in `N` goroutines (default: one for\neach processor)")
	f.BoolVar(&o.panics, "debug-panics", false,
		"for developers: let a defect of this program end it, and\nshow where it is")
	colorFlag(f, &o.color)
	newTraceFlags(f, &o.trace)
	newCopyFlags(f, &o.copies)
	o.parts.Flags(f)
	f.StringArrayVarP(
		&o.interfaces,
		"interface",
		"i",
		nil,
		"capture live from `NAME`, or from all that match a pattern\n('eth*'); several times for several; any is all interfaces",
	)
	f.BoolVar(&o.live.wait, "wait", false,
		"live: wait for an interface that is not there yet")
	f.BoolVar(&o.live.stream, "live", false,
		"analyse standard input (-) while somebody writes it, as an\ninterface is")
	f.StringVarP(
		&o.write,
		"write",
		"w",
		"",
		"live: save what was captured to `FILE`; - is standard\noutput, where the report must not go then: see -o",
	)
	f.BoolVar(&o.force, "force", false, "live: overwrite files of --write that exist")
	f.Var(&seconds{&o.duration}, "duration", "live: stop after `TIME`: 90, 90s or 1m30s")
	f.Uint64Var(&o.count, "count", 0, "live: stop after `N` frames")
	newLiveFlags(f, &o.live)
	f.StringVar(
		&o.explain,
		"explain",
		"",
		"explain `RULE`: what happens, how it is recognised, how\nits cost is counted, when it is wrong",
	)
	f.BoolVar(&o.listRules, "list-rules", false, "list all rules")
	f.BoolVar(&o.version, "version", false, "print the version")
	f.BoolVarP(&o.help, "help", "h", false, "print this")
}

// sourceFlags are the flags that choose what is read of the inputs.
func sourceFlags(f *pflag.FlagSet, o *options) {
	f.StringVarP(&o.filter, "filter", "f", "",
		"only what matches `EXPR`: host, net, port, portrange,\nsrc, dst, and, or, not")
	f.Var(
		&o.from,
		"from",
		"count only what ends later than `TIME`: so long after the\nfirst frame (90, 1m30s), "+
			"or a time of day in UTC\n(14:05:09.5, 2026-03-14T14:05:09Z)",
	)
	f.Var(&o.to, "to", "read no further than `TIME`, likewise")
	f.StringArrayVar(
		&o.keyLogs,
		"keylog",
		nil,
		"decrypt TLS with the secrets in `FILE`, as SSLKEYLOGFILE has\nprograms write them; several times for several files",
	)
}

// ruleFlags are the flags that choose which rules run, and which of their findings count.
func ruleFlags(f *pflag.FlagSet, o *options) {
	f.StringSliceVar(&o.only, "only", nil, "run only the rules in `LIST`, separated by commas")
	f.StringSliceVar(&o.skip, "skip", nil, "do not run the rules in `LIST`")
	f.StringVar(&o.minSeverity, "min-severity", "info",
		"leave out findings below `LEVEL`: critical, high,\nmedium, low or info (default)")
}

// listFlags are the flags that choose how much of a report is shown.
func listFlags(f *pflag.FlagSet, o *options) {
	f.IntVar(&o.lists.occurrences, "max-occurrences", 10,
		"list `N` occurrences of each finding (default 10; 0: all);\ntotals always count all")
	f.IntVar(
		&o.lists.listed,
		"max-listed",
		usualListed,
		"list `N` findings, connections and exchanges (default\n1000, of ndjson 20000; 0: 20000); totals count all",
	)
	f.BoolVar(&o.lists.summary, "summary", false,
		"leave out what single findings, connections and\nexchanges show")
	f.BoolVar(&o.shown.query, "show-query", false,
		"print query values, which are else shown as ?name=…")
	f.BoolVar(
		&o.shown.names,
		"show-names",
		false,
		"print names that were looked up and that no connection\nfollowed, which are else only counted",
	)
}

// colorFlag is the flag that every command for people has.
func colorFlag(f *pflag.FlagSet, color *string) {
	f.StringVar(color, "color", "auto",
		"`WHEN` to colour: auto (default), always, never;\nNO_COLOR is honoured")
}

// FlagUsages describes the flags of an analysis, as --help does.
func FlagUsages() string {
	f := pflag.NewFlagSet("tcpwhy", pflag.ContinueOnError)
	f.SortFlags = false
	addFlags(f, &options{})
	return describe(f)
}

// formatUsage describes every format.
func formatUsage() string {
	widest := 0
	for _, name := range output.Names() {
		widest = max(widest, len(name))
	}
	text := "the `NAME` of a format:"
	for i, f := range output.Formats() {
		text += fmt.Sprintf("\n%-*s  %s", widest, f.Name, f.For)
		if i == 0 {
			text += " (default)"
		}
	}
	return text
}

// newTraceFlags are the flags that show one exchange or connection in full.
func newTraceFlags(f *pflag.FlagSet, o *traceOptions) {
	f.IntVar(
		&o.exchange,
		"exchange",
		notTraced,
		"instead of the report, show exchange `N` in full: where its\ntime went in order, and its segments",
	)
	f.IntVar(&o.connection, "connection", notTraced,
		"the same for connection `N` (tcp.stream of Wireshark)")
}

// newLiveFlags are the flags that only live capture has, beside those of every capture program.
func newLiveFlags(f *pflag.FlagSet, o *liveOptions) {
	f.Var(&seconds{&o.interval}, "interval",
		"live: a report so far every `TIME` (and at SIGUSR1)")
	f.BoolVar(&o.exchanges, "stream-exchanges", false,
		"live, ndjson: a line for each exchange as it is judged")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "live: do not show what is being lost right now")
	f.BoolVar(&o.lines, "lines", false,
		"live: show that in lines, on a terminal too")
	f.IntVar(&o.snapLen, "snaplen", 0, "live: keep `N` octets of each frame (default: all)")
	f.IntVar(&o.fileSize, "file-size", 0,
		"live: begin another file of --write after `N` MiB;\nnames get a number")
	f.IntVar(&o.ringFiles, "ring-files", 0, "live: keep only the latest `N` files of --write")
	f.IntVar(
		&o.ringSize,
		"ring-size",
		capture.DefaultRing>>20,
		"live: `N` MiB of memory shared with the kernel (default\n64): what may wait while this program is busy",
	)
	f.IntVar(&o.blockSize, "block-size", capture.DefaultBlock>>10,
		"live: `N` KiB handed over at once (default 1024)")
	f.BoolVar(&o.allFrames, "all-frames", false,
		"live: read (count, save) frames that cannot be TCP, too")
	f.BoolVar(&o.noPromiscuous, "no-promiscuous", false,
		"live: only frames from and to this machine")
	f.BoolVar(&o.processes, "processes", false,
		"live: look up whose this machine's ends of connections\nare, and what its kernel counted")
	o.metrics.Flags(f)
	f.StringVar(
		&o.user,
		"user",
		"",
		"live: become `NAME` once the capture is open, when root's\nrights are not needed any more "+
			"(default: who called sudo,\nor the user tcpwhy, if there is one; root keeps them)",
	)
}

// complete takes from the flags, which have been read, what they mean together, and checks what can
// be checked before an input is opened.
func (o *options) complete(f *pflag.FlagSet) error {
	o.inputs = append(o.inputs, f.Args()...)
	if o.output == standard {
		o.output = ""
	}
	if o.lists.listed == 0 || o.as().All && !f.Changed("max-listed") {
		o.lists.listed = mostListed
	}
	if o.version || o.listRules {
		return nil
	}
	if f.Changed("explain") {
		return o.checkExplain()
	}
	if err := o.checkLiveFlags(f); err != nil {
		return err
	}
	return o.check()
}
