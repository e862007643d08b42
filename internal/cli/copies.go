package cli

import (
	"bufio"
	"io"

	"github.com/spf13/pflag"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/internal/outfile"
	"tcpwhy/output/notes"
)

// copyOptions are the flags that have a copy of the capture written.
type copyOptions struct {
	annotate string
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
	f.BoolVar(&o.only, "annotate-only", false,
		"of it only the connections with a listed finding")
}

// wanted reports whether there is something to be copied.
func (o *copyOptions) wanted() bool { return o.annotate != "" }

// checkCopies checks the flags.
func (o *options) checkCopies() error {
	c := &o.copies
	switch {
	case c.only && !c.wanted():
		return &usageError{"--annotate-only needs --annotate", "--annotate FILE --annotate-only"}
	case !c.wanted():
		return nil
	case c.annotate == standard:
		return &usageError{"--annotate needs a file of its own: --annotate FILE", ""}
	case o.interfaceName == "":
		return o.readTwice("--annotate", "")
	case o.write == "" || o.write == standard || o.live.fileSize > 0:
		return &usageError{
			"--annotate needs the capture in one file: --write FILE, without --file-size", "",
		}
	}
	return nil
}

// writeCopies writes the copies of the files that a report is about.
func (o *options) writeCopies(r *report.Report, inputs []string) error {
	if o.copies.annotate == "" {
		return nil
	}
	return o.annotate(o.copies.annotate, r, inputs)
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
