// Cluster analyses captures with Apache Beam, on one machine or on many: the report is that of
// tcpwhy over the same captures.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/io/filesystem"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/x/beamx"

	"tcpwhy/capture"
)

const usage = `Cluster analyses captures with Apache Beam: the report is that of tcpwhy.

  cd cluster && go run . --inputs '/captures/*.pcap.gz' --output /reports/day.json

--inputs takes patterns of names, separated by commas, of a file system that the
workers see, too: files of a folder, gs://...; --output is written there. The
runner is Prism, in this process, unless --runner names another one of Beam's.

`

func main() {
	var o flags
	o.add(flag.CommandLine)
	flag.Usage = func() {
		fmt.Fprint(os.Stderr, usage)
		flag.PrintDefaults()
	}
	flag.Parse()
	beam.Init() // in a worker it does not return
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := o.run(ctx, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "cluster:", err)
		os.Exit(2)
	}
}

// flags are those of this program; the rest are Beam's.
type flags struct {
	inputs, output, keylog, only, skip string
	job                                job
}

func (o *flags) add(f *flag.FlagSet) {
	f.StringVar(&o.inputs, "inputs", "", "`PATTERNS` of captures, separated by commas")
	f.StringVar(&o.output, "output", "", "write the report to `FILE`")
	f.StringVar(&o.job.Format, "format", "json", "`NAME` of a format, one of tcpwhy's")
	f.StringVar(&o.job.Filter, "filter", "", "only what matches `EXPR`, as tcpwhy --filter")
	f.StringVar(&o.keylog, "keylog", "", "decrypt TLS with the secrets in `FILE`")
	f.StringVar(&o.only, "only", "", "run only the rules in `LIST`, separated by commas")
	f.StringVar(&o.skip, "skip", "", "do not run the rules in `LIST`")
	f.IntVar(&o.job.Shards, "shards", 16,
		"connections are followed in `N` groups: about four for each processor")
	f.IntVar(&o.job.MaxListed, "max-listed", 1000,
		"list `N` findings, connections and exchanges")
}

// list are the elements of a list; nil of an empty one.
func list(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, ",")
}

// run runs the job, and says on stderr what it did.
func (o *flags) run(ctx context.Context, stderr io.Writer) error {
	if o.inputs == "" || o.output == "" {
		return errors.New("--inputs and --output are needed; --help shows an example")
	}
	o.job.Only, o.job.Skip, o.job.Output = list(o.only), list(o.skip), o.output
	if o.keylog != "" {
		text, err := readAll(ctx, o.keylog)
		if err != nil {
			return err
		}
		o.job.Keys = text
	}
	if err := o.job.check(); err != nil {
		return err
	}
	names, err := match(ctx, list(o.inputs))
	if err != nil {
		return err
	}
	fmt.Fprintf(stderr, "cluster: %d files, %d shards\n", len(names), o.job.Shards)
	p := beam.NewPipeline()
	o.job.build(p.Root(), names)
	result, err := beamx.RunWithMetrics(ctx, p)
	if err != nil {
		return err
	}
	fmt.Fprintln(stderr, "cluster:", counted(result))
	return nil
}

// match are the names that patterns match, each once, in order: that of the captures' numbers.
func match(ctx context.Context, patterns []string) (names []string, err error) {
	for _, pattern := range patterns {
		fs, err := filesystem.New(ctx, pattern)
		if err != nil {
			return nil, err
		}
		some, err := fs.List(ctx, pattern)
		if err := errors.Join(err, fs.Close()); err != nil {
			return nil, err
		}
		if len(some) == 0 {
			return nil, fmt.Errorf("--inputs %s: there is no such file", pattern)
		}
		names = append(names, some...)
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// readAll reads a small file.
func readAll(ctx context.Context, name string) ([]byte, error) {
	r, err := stored{ctx, name}.Open()
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(r)
	return text, errors.Join(err, r.Close())
}

// stored is a recording in a file system of Beam's.
type stored struct {
	ctx  context.Context
	name string
}

var _ capture.Recording = stored{}

// Name implements capture.Recording.
func (s stored) Name() string { return s.name }

// Open implements capture.Recording.
func (s stored) Open() (io.ReadCloser, error) {
	fs, err := filesystem.New(s.ctx, s.name)
	if err != nil {
		return nil, err
	}
	r, err := fs.OpenRead(s.ctx, s.name)
	if err != nil {
		return nil, errors.Join(err, fs.Close())
	}
	return both{r, fs}, nil
}

// both closes a file and its file system.
type both struct {
	io.ReadCloser
	fs io.Closer
}

// Close implements io.Closer.
func (b both) Close() error { return errors.Join(b.ReadCloser.Close(), b.fs.Close()) }

// Size implements capture.Recording.
func (s stored) Size() int64 {
	fs, err := filesystem.New(s.ctx, s.name)
	if err != nil {
		return -1
	}
	defer fs.Close()
	size, err := fs.Size(s.ctx, s.name)
	if err != nil {
		return -1
	}
	return size
}
