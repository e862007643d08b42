package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"tcpwhy/analysis"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/capture/sockets"
	"tcpwhy/internal/cli/metrics"
	"tcpwhy/internal/outfile"
)

// liveOptions are the flags that only live capture has.
type liveOptions struct {
	stream              bool // standard input goes on
	interval            time.Duration
	exchanges, quiet    bool
	lines               bool // no screen
	wait                bool // for interfaces
	snapLen             int
	fileSize, ringFiles int // MiB; number
	ringSize, blockSize int // MiB; KiB
	allFrames           bool
	noPromiscuous       bool
	user                string
	processes           bool
	metrics             metrics.Options
}

// liveFlags are the names of all flags that mean nothing unless the capture goes on.
var liveFlags = [...]string{
	"live", "duration", "count", "interval", "stream-exchanges", "quiet", "metrics", "metrics-servers",
	"lines",
}

// interfaceFlags are the names of those that mean nothing without an interface.
var interfaceFlags = [...]string{
	"interface",
	"wait",
	"write",
	"force",
	"snaplen",
	"file-size",
	"ring-files",
	"ring-size",
	"block-size",
	"all-frames",
	"no-promiscuous",
	"user",
	"processes",
}

// listens reports whether what is analysed goes on.
func (o *options) listens() bool { return len(o.interfaces) > 0 || o.live.stream }

// source is what a capture that goes on is called.
func (o *options) source() string { return cmp.Or(strings.Join(o.interfaces, ","), "standard input") }

// checkLiveFlags refuses flags that mean nothing for what is read.
func (o *options) checkLiveFlags(f *pflag.FlagSet) error {
	flags, hint := slices.Concat(
		liveFlags[:],
		interfaceFlags[:],
	), "name an interface: -i eth0, or -i any"
	if o.live.stream {
		flags, hint = interfaceFlags[:], "to save what --live reads: ... | tee FILE | tcpwhy --live -"
	}
	if len(o.interfaces) > 0 {
		return nil
	}
	for _, name := range flags {
		if f.Changed(name) {
			what := " is for live capture"
			if o.live.stream {
				what += " from an interface"
			}
			return &usageError{"--" + name + what, hint}
		}
	}
	return nil
}

// checkLive refuses what means nothing in live capture.
func (o *options) checkLive() error {
	l := &o.live
	switch {
	case l.stream && len(o.interfaces) > 0:
		return &usageError{"--live and --interface: one of them", ""}
	case l.stream && !slices.Equal(o.inputs, []string{standard}):
		return &usageError{
			"--live reads standard input alone: name it, -",
			"tail -c +1 -f trace.pcap | tcpwhy --live -",
		}
	case len(o.interfaces) > 1 && slices.Contains(o.interfaces, capture.AnyInterface):
		return &usageError{"--interface any is all interfaces: no other one beside it", ""}
	case len(o.inputs) > 0 && !l.stream:
		return &usageError{"--interface and " + o.inputs[0] + ": either an interface or files", ""}
	case o.duration < 0 || l.interval < 0 || l.snapLen < 0 || l.fileSize < 0 || l.ringFiles < 0:
		return &usageError{"times, sizes and numbers must not be negative", ""}
	case l.ringSize < 1 || l.ringSize > 4096 || l.blockSize < 128 || l.blockSize > 65536:
		return &usageError{"--ring-size is 1 to 4096 MiB, --block-size 128 to 65536 KiB", ""}
	case o.write == "" && (l.fileSize > 0 || l.ringFiles > 0):
		return &usageError{"--file-size and --ring-files need --write", ""}
	case l.ringFiles > 0 && l.fileSize == 0:
		return &usageError{"--ring-files needs --file-size", ""}
	case o.write == standard && o.output == "":
		return &usageError{
			"--write - and the report: both would go to standard output",
			"name a file for the report: --output report.txt",
		}
	case o.write == standard && l.fileSize > 0:
		return &usageError{"--file-size needs a file of its own: --write FILE", ""}
	case o.write != "" && o.write == o.output:
		return &usageError{"--write and --output name the same file", ""}
	}
	if err := l.metrics.Check(); err != nil {
		return &usageError{err.Error(), ""}
	}
	return nil
}

// listen analyses what an interface or a stream shows, and writes the report when it is told to
// stop.
func listen(o *options, stdin io.Reader, stdout, stderr io.Writer) (int, error) {
	if err := o.checkOutputs(); err != nil {
		return ExitError, err
	}
	options, err := o.analysisOptions()
	if err != nil {
		return ExitError, err
	}
	notes := &switched{to: stderr}
	keys, stop := o.followKeyLogs(func(err error) {
		fmt.Fprintf(notes, "tcpwhy: warning: %s\n", visible(err.Error()))
	})
	defer stop()
	options = append(options, analysis.WithKeys(keys))
	options = append(options, o.parts.Made(version(), o.filter, o.shown.query)...)
	shown, err := o.live.metrics.Open(version())
	if err != nil {
		return ExitError, &usageError{err.Error(), metrics.Hint(err)}
	}
	if shown != nil {
		defer shown.Close()
	}
	src, stream, err := o.openLive(stdin)
	if err != nil {
		return ExitError, err
	}
	if stream != nil {
		stdout = stream
	}
	watch, err := o.watchSockets(src)
	if err != nil {
		return ExitError, err
	}
	if watch != nil {
		options = append(options, analysis.WithSockets(watch))
		defer watch.Close()
	}
	report, err := o.follow(src, shown, options, stdout, notes)
	tellSockets(watch, stderr)
	tellLate(src, stderr)
	err = errors.Join(err, src.Close())
	if report != nil {
		o.known.Apply(report)
		err = errors.Join(err, o.writeLive(report, stdout))
	}
	if stream != nil {
		err = errors.Join(err, stream.Close())
	}
	if err != nil {
		return ExitError, err
	}
	if err := o.writeCopies(report, []string{o.write}, stderr); err != nil {
		return ExitError, err
	}
	if err := errors.Join(o.known.Add(report), o.sendSpans(report, stderr),
		o.parts.Write(stdout)); err != nil {
		return ExitError, err
	}
	o.tellKnown(report, stderr)
	if in := report.Capture.Inputs[0]; !in.Complete {
		fmt.Fprintf(stderr, "tcpwhy: warning: %s\n", visible(in.Name+": "+in.Error))
	}
	return o.status(report), nil
}

// openLive opens the capture, gives up root's rights, and only then opens what is to be written:
// the stream is nil unless the report is a file that is written while the capture goes on.
func (o *options) openLive(stdin io.Reader) (src capture.Listener, stream *os.File, err error) {
	filter, err := o.parseFilter()
	if err != nil {
		return nil, nil, err
	}
	user, err := findUser(o.live.user)
	if err != nil {
		return nil, nil, err
	}
	if o.live.stream {
		src, err = o.openFollowed(stdin, filter)
	} else {
		src, err = o.openInterface(filter)
	}
	if err != nil {
		return nil, nil, err
	}
	err = user.become()
	if err == nil {
		stream, err = o.openStream()
	}
	if err == nil {
		err = o.openSaver(src)
	}
	if errors.Is(err, fs.ErrPermission) && user != nil && o.live.user == "" {
		err = &usageError{
			err.Error(),
			"root's rights were given up, for " + user.name + ": name a place where " +
				"that user may write, or keep them: --user " + keepRoot,
		}
	}
	if err != nil {
		return nil, nil, errors.Join(err, src.Close())
	}
	return src, stream, nil
}

// waitEvery is how often --wait looks for an interface.
const waitEvery = 100 * time.Millisecond

// openInterface begins to listen.
func (o *options) openInterface(filter *capture.Filter) (capture.Listener, error) {
	config := capture.LiveConfig{
		Interfaces: o.interfaces, Filter: filter, Condition: o.filter, SnapLen: o.live.snapLen,
		Ring: o.live.ringSize << 20, Block: o.live.blockSize << 10, AllFrames: o.live.allFrames,
		Promiscuous: !o.live.noPromiscuous, Count: o.count, Start: o.parts.Start(),
	}
	src, err := capture.OpenLive(config)
	for o.live.wait && errors.Is(err, capture.ErrNoInterface) {
		time.Sleep(waitEvery)
		src, err = capture.OpenLive(config)
	}
	if err != nil {
		return nil, liveError(err)
	}
	return src, nil
}

// openFollowed begins to read standard input as it comes.
func (o *options) openFollowed(
	stdin io.Reader, filter *capture.Filter,
) (capture.Listener, error) {
	if isTerminal(stdin) {
		return nil, &usageError{
			"--live: standard input is a terminal, and no capture",
			"ssh HOST tcpdump -U -s 0 -w - | tcpwhy --live -",
		}
	}
	src, err := capture.Follow(capture.FollowConfig{
		Name: standard, From: stdin, Filter: filter, Count: o.count,
		Room: o.live.ringSize << 20, Start: o.parts.Start(),
	})
	if err != nil {
		return nil, err
	}
	return src, nil
}

// openSaver opens the file of --write.
func (o *options) openSaver(src capture.Listener) error {
	live, saves := src.(*capture.Live)
	if o.write == "" || !saves {
		return nil
	}
	saver, err := capture.NewSaver(capture.SaveConfig{
		Name: o.write, FileSize: int64(o.live.fileSize) << 20, Files: o.live.ringFiles,
		Overwrite: o.force,
	})
	if errors.Is(err, outfile.Exists) {
		return &usageError{err.Error(), "choose another name, or overwrite it with --force"}
	}
	if err != nil {
		return err
	}
	return live.SaveTo(saver)
}

// watchSockets begins to look up this machine's ends of connections, if that is asked for. If it is
// not possible, the capture is closed.
func (o *options) watchSockets(src capture.Listener) (*sockets.Watch, error) {
	if !o.live.processes {
		return nil, nil
	}
	watch, err := sockets.Open()
	if err != nil {
		return nil, errors.Join(&usageError{"--processes: " + err.Error(), ""}, src.Close())
	}
	return watch, nil
}

// tellSockets tells what went wrong while sockets were asked about. The report says what they did
// not tell.
func tellSockets(watch *sockets.Watch, stderr io.Writer) {
	if watch == nil {
		return
	}
	t := watch.Tally()
	if t.Overrun+t.Odd == 0 {
		return
	}
	fmt.Fprintf(
		stderr,
		"tcpwhy: warning: --processes: the kernel's messages were lost %d times, and "+
			"odd %d times: of some connections its account is not the last\n",
		t.Overrun,
		t.Odd,
	)
}

// tellLate tells of what came later than can be waited for.
func tellLate(src capture.Listener, stderr io.Writer) {
	followed, is := src.(*capture.Followed)
	if !is || followed.Late() == 0 {
		return
	}
	fmt.Fprintf(stderr, "tcpwhy: warning: the way to standard input had stopped: %d segments came "+
		"after exchanges around them had been judged without them; save the capture, and analyse "+
		"the file, where that matters\n", followed.Late())
}

// liveError adds to an error of opening a capture what cures it.
func liveError(err error) error {
	switch {
	case errors.Is(err, capture.ErrNoPermission):
		return &usageError{
			err.Error(),
			"run it as root, or allow it once: sudo setcap cap_net_raw+ep " + ownPath(),
		}
	case errors.Is(err, capture.ErrNoInterface):
		return &usageError{err.Error(), "there are: " + strings.Join(interfaceNames(), ", ")}
	}
	return err
}

// ownPath is the file of this program, as a person would name it to a shell.
func ownPath() string {
	path, err := os.Executable()
	if err != nil || strings.ContainsAny(path, " '\"\\$") {
		return "./tcpwhy"
	}
	return path
}

// interfaceNames are the interfaces that there are.
func interfaceNames() []string {
	names := []string{capture.AnyInterface}
	all, err := net.Interfaces()
	if err != nil {
		return names
	}
	for _, i := range all {
		name := i.Name
		if i.Flags&net.FlagUp == 0 {
			name += " (down)"
		}
		names = append(names, name)
	}
	return names
}

// openStream opens the file of --output if it is written while the capture goes on; else it is nil,
// and whether it can be written at the end is found out now.
func (o *options) openStream() (*os.File, error) {
	switch {
	case o.output == "":
		return nil, nil
	case o.as().Live == nil:
		return nil, outfile.Check(o.output)
	}
	return outfile.Create(o.output, true)
}

// writeLive writes the last report: behind what was written while the capture went on, or else in
// the place of the one before.
func (o *options) writeLive(r *report.Report, to io.Writer) error {
	if o.as().Live != nil {
		return o.render(to, r)
	}
	return o.writeReport(r, to)
}
