package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/pflag"

	"tcpwhy/analysis"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/internal/outfile"
	"tcpwhy/output/notes"
	"tcpwhy/reassembly/redact"
)

// copyOptions are the flags that have a copy of the capture written.
type copyOptions struct {
	annotate string
	share    string
	only     bool // the connections of proofs alone
}

// copyBuffer is how much of a copy is written at once, in octets.
const copyBuffer = 256 << 10

// newCopyFlags are the flags that have a copy of the capture written.
func newCopyFlags(f *pflag.FlagSet, o *copyOptions) {
	f.StringVar(
		&o.annotate,
		"annotate",
		"",
		"write the capture to `FILE`, too, as pcapng for Wireshark\nwith a comment on each frame of a proof",
	)
	f.StringVar(
		&o.share,
		"share",
		"",
		"write to `FILE` the same to hand out: other addresses and\nnames, no payload but the words of protocols",
	)
	f.BoolVar(&o.only, "annotate-only", false,
		"of both only the connections with a listed finding")
}

// wanted is a flag that wants something to be copied; "" if none does.
func (o *copyOptions) wanted() string {
	switch {
	case o.annotate != "":
		return "--annotate"
	case o.share != "":
		return "--share"
	}
	return ""
}

// checkCopies checks the flags.
func (o *options) checkCopies() error {
	flag := o.copies.wanted()
	switch {
	case flag == "" && o.copies.only:
		return &usageError{
			"--annotate-only needs --annotate or --share", "--annotate FILE --annotate-only",
		}
	case flag == "":
		return nil
	case o.copies.annotate == standard || o.copies.share == standard:
		return &usageError{flag + " needs a file of its own: " + flag + " FILE", ""}
	case len(o.interfaces) == 0:
		return o.readTwice(flag, "")
	case o.write == "" || o.write == standard || o.live.fileSize > 0:
		return &usageError{
			flag + " needs the capture in one file: --write FILE, without --file-size", "",
		}
	}
	return nil
}

// writeCopies writes the copies of the files that a report is about.
func (o *options) writeCopies(r *report.Report, inputs []string, stderr io.Writer) error {
	if name := o.copies.annotate; name != "" {
		if err := o.annotate(name, r, inputs); err != nil {
			return err
		}
	}
	if o.copies.share == "" {
		return nil
	}
	return o.share(r, inputs, stderr)
}

// annotate writes a copy of the inputs with what a report says of them.
func (o *options) annotate(name string, r *report.Report, inputs []string) error {
	several := len(inputs) > 1
	c := capture.CopyConfig{
		Config: capture.Config{Inputs: inputs},
		Notes: notes.Of(r, notes.Options{
			Version: version(), ShowQuery: o.shown.query, Numbers: o.copies.only || several,
		}),
	}
	if o.copies.only {
		set, err := capture.Choose(c.Config, notes.Stretches(r))
		if err != nil {
			return err
		}
		for id := range c.Notes.Frames {
			set.Add(id)
		}
		c.Only = set
	}
	return outfile.Replace(name, func(w io.Writer) error {
		buffered := bufio.NewWriterSize(w, copyBuffer)
		if err := capture.Copy(buffered, c); err != nil {
			return err
		}
		return buffered.Flush()
	})
}

// share writes an anonymous copy of the inputs, with comments. What they say is what the copy
// shows: it is analysed by itself, so that nothing else can be in them. before is the report of the
// inputs.
func (o *options) share(before *report.Report, inputs []string, stderr io.Writer) error {
	if err := outfile.Check(o.copies.share); err != nil {
		return err
	}
	name := filepath.Join(
		folderOf(o.copies.share), fmt.Sprintf(".%s.%d", "tcpwhy-share", os.Getpid()),
	)
	f, err := outfile.Create(name, false)
	if err != nil {
		return err
	}
	defer os.Remove(name)
	full, err := o.anonymise(f, inputs)
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write %s: %w", o.copies.share, bare(err))
	}
	after, err := o.analyseShared(name)
	if err != nil {
		return err
	}
	after.Capture.Inputs[0].Name = "the capture" // nobody has seen the name of the file
	if err := o.annotate(o.copies.share, after, []string{name}); err != nil {
		return err
	}
	for _, told := range unlike(before, after) {
		fmt.Fprintf(stderr, "tcpwhy: %s %s: that rests on what is not handed out\n",
			visible(o.copies.share), told)
	}
	if full {
		fmt.Fprintf(stderr, "tcpwhy: %s: of what came late only zeros are shown\n",
			visible(o.copies.share))
	}
	return nil
}

// folderOf is where a file is written beside the one named: the folder for passing files where that
// is a device.
func folderOf(name string) string {
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		return os.TempDir()
	}
	return filepath.Dir(name)
}

// bare is an error of the system without the name of the file, which nobody gave.
func bare(err error) error {
	var path *os.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// anonymise writes an anonymous copy of what the filter leaves of the inputs; all that a live
// capture has saved.
func (o *options) anonymise(w io.Writer, inputs []string) (full bool, err error) {
	config := capture.Config{Inputs: inputs}
	if len(o.interfaces) == 0 {
		if config.Filter, err = o.parseFilter(); err != nil {
			return false, err
		}
	}
	return redact.Copy(w, config)
}

// analyseShared analyses the anonymous copy as the inputs were, without secrets.
func (o *options) analyseShared(name string) (*report.Report, error) {
	options, err := o.analysisOptions()
	if err != nil {
		return nil, err
	}
	src, err := capture.Open(capture.Config{Inputs: []string{name}})
	if err != nil {
		return nil, err
	}
	defer src.Close()
	return analysis.Run(context.Background(), src, options...)
}
