package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"sort"
	"strings"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/io/filesystem"

	"tcpwhy/analysis"
	"tcpwhy/analysis/shard"
	"tcpwhy/capture"
	"tcpwhy/internal/cli"
	"tcpwhy/output"
)

func init() {
	beam.RegisterType(reflect.TypeFor[input]())
	beam.RegisterType(reflect.TypeFor[indexFn]())
	beam.RegisterType(reflect.TypeFor[planFn]())
	beam.RegisterType(reflect.TypeFor[readFn]())
	beam.RegisterType(reflect.TypeFor[followFn]())
	beam.RegisterType(reflect.TypeFor[reportFn]())
}

// job is what is to be done, as every step is told.
type job struct {
	Shards     int
	Filter     string
	Only, Skip []string
	Keys       []byte // a key log
	MaxListed  int
	Format     string
	Output     string
}

// check refuses what no step could do.
func (j *job) check() error {
	if _, known := output.Find(j.Format); !known {
		return fmt.Errorf(
			"--format %q: not one of %s",
			j.Format,
			strings.Join(output.Names(), ", "),
		)
	}
	if j.Shards < 1 {
		return errors.New("--shards must be 1 at least")
	}
	if _, err := j.filter(); err != nil {
		return err
	}
	_, err := analysis.Judge(&capture.Stats{}, nil, j.options()...)
	return err
}

// filter is --filter; nil if there is none.
func (j *job) filter() (*capture.Filter, error) {
	if j.Filter == "" {
		return nil, nil
	}
	return capture.ParseFilter(j.Filter)
}

// options are those of the analysis. Beam runs steps side by side: each needs no workers.
func (j *job) options() []analysis.Option {
	all := []analysis.Option{
		analysis.WithWorkers(1), analysis.WithRules(j.Only, j.Skip),
		analysis.WithLimits(analysis.Limits{Listed: j.MaxListed}),
	}
	if len(j.Keys) > 0 {
		log := &analysis.KeyLog{}
		w := log.Writer()
		_, _ = w.Write(j.Keys) // what it cannot use it counts
		w.End()
		all = append(all, analysis.WithKeys(log))
	}
	return all
}

// build makes the pipeline over captures, which have numbers in the order of their names.
//
//	names -> index -> plan
//	names, plan -> read -> blocks by shard -> follow
//	plan, accounts, followed -> report
func (j *job) build(s beam.Scope, names []string) {
	var all []input
	for number, name := range names {
		all = append(all, input{number, name})
	}
	inputs := beam.Reshuffle(s, beam.CreateList(s, all))
	indexes := beam.ParDo(s.Scope("index"), &indexFn{Job: *j}, inputs)
	plan := beam.ParDo(s.Scope("plan"), &planFn{Job: *j}, together(s, indexes))
	known := beam.SideInput{Input: plan}
	blocks, accounts := beam.ParDo2(s.Scope("read"), &readFn{Job: *j}, inputs, known)
	followed := beam.ParDo(s.Scope("follow"), &followFn{Job: *j},
		beam.GroupByKey(s, blocks), known)
	beam.ParDo0(s.Scope("report"), &reportFn{Job: *j}, beam.CoGroupByKey(s,
		beam.AddFixedKey(s, plan), beam.AddFixedKey(s, accounts), beam.AddFixedKey(s, followed)))
}

// together is a collection as one element.
func together(s beam.Scope, c beam.PCollection) beam.PCollection {
	return beam.GroupByKey(s, beam.AddFixedKey(s, c))
}

// input is one capture.
type input struct {
	Number int
	Name   string
}

// What is counted: for progress, as a step that is done twice counts twice.
var (
	files        = beam.NewCounter("tcpwhy", "files")
	badFiles     = beam.NewCounter("tcpwhy", "bad-files")
	blocksMoved  = beam.NewCounter("tcpwhy", "blocks")
	octetsMoved  = beam.NewCounter("tcpwhy", "shuffled-octets")
	toldOctets   = beam.NewCounter("tcpwhy", "told-octets")
	shardsDone   = beam.NewCounter("tcpwhy", "shards")
	keysTogether = beam.NewCounter("tcpwhy", "keys-together")
	perShard     = beam.NewDistribution("tcpwhy", "octets-of-a-shard")
)

// indexFn looks at captures by themselves.
type indexFn struct{ Job job }

// ProcessElement gives the index of a capture.
func (f *indexFn) ProcessElement(ctx context.Context, in input, emit func([]byte)) error {
	filter, err := f.Job.filter()
	if err != nil {
		return err
	}
	index, err := shard.Index(ctx, stored{ctx, in.Name}, in.Number, filter)
	if err != nil {
		return fmt.Errorf("%s: %w", in.Name, err)
	}
	files.Inc(ctx, 1)
	emit(index)
	return nil
}

// planFn plans.
type planFn struct{ Job job }

// ProcessElement makes the plan of all indexes.
func (f *planFn) ProcessElement(
	ctx context.Context, _ int, indexes func(*[]byte) bool, emit func([]byte),
) error {
	plan, err := shard.NewPlan(gather(indexes), f.Job.Shards)
	if err != nil {
		return err
	}
	badFiles.Inc(ctx, int64(plan.Bad()))
	keysTogether.Inc(ctx, int64(plan.Joined()))
	octets, err := plan.AppendBinary(nil)
	if err != nil {
		return err
	}
	emit(octets)
	return nil
}

// gather are the elements of a group.
func gather(next func(*[]byte) bool) (all [][]byte) {
	for {
		var one []byte
		if !next(&one) {
			return all
		}
		all = append(all, one)
	}
}

// planOf reads a plan.
func planOf(octets []byte) (*shard.Plan, error) {
	p := &shard.Plan{}
	return p, p.UnmarshalBinary(octets)
}

// readFn reads captures.
type readFn struct{ Job job }

// ProcessElement gives the segments of a capture in blocks, by shard, and its account.
func (f *readFn) ProcessElement(
	ctx context.Context, in input, plan []byte, block func(int, []byte), account func([]byte),
) error {
	p, err := planOf(plan)
	if err != nil {
		return err
	}
	filter, err := f.Job.filter()
	if err != nil {
		return err
	}
	octets, err := p.Read(ctx, stored{ctx, in.Name}, in.Number, filter,
		func(shard int, b []byte) error {
			blocksMoved.Inc(ctx, 1)
			octetsMoved.Inc(ctx, int64(len(b)))
			block(shard, b)
			return nil
		})
	if err != nil {
		return fmt.Errorf("%s: %w", in.Name, err)
	}
	account(octets)
	return nil
}

// followFn follows the connections of shards.
type followFn struct{ Job job }

// ProcessElement gives what the connections of a shard tell.
func (f *followFn) ProcessElement(
	ctx context.Context, of int, blocks func(*[]byte) bool, plan []byte, emit func([]byte),
) error {
	p, err := planOf(plan)
	if err != nil {
		return err
	}
	all, octets := gather(blocks), int64(0)
	for _, b := range all {
		octets += int64(len(b))
	}
	told, err := p.Follow(ctx, of, all, f.Job.options()...)
	if err != nil {
		return fmt.Errorf("shard %d: %w", of, err)
	}
	perShard.Update(ctx, octets)
	shardsDone.Inc(ctx, 1)
	toldOctets.Inc(ctx, int64(len(told)))
	emit(told)
	return nil
}

// reportFn judges, and writes the report.
type reportFn struct{ Job job }

// ProcessElement writes the report of the plan, all accounts, and all that was followed.
func (f *reportFn) ProcessElement(
	ctx context.Context, _ int, plan, accounts, followed func(*[]byte) bool,
) error {
	plans := gather(plan)
	if len(plans) == 0 {
		return errors.New("there is no plan")
	}
	p, err := planOf(plans[0])
	if err != nil {
		return err
	}
	r, err := p.Judge(gather(accounts), gather(followed), f.Job.options()...)
	if err != nil {
		return err
	}
	format, _ := output.Find(f.Job.Format)
	return replace(ctx, f.Job.Output, func(w io.Writer) error {
		return format.Write(w, r, output.Options{Version: cli.ProgramVersion()})
	})
}

// replace writes a file under another name first, so that to do it twice is to do it once, and
// nobody reads half of it. A file system that cannot rename is written to as it is: object stores
// show nothing before all is written.
func replace(ctx context.Context, name string, write func(io.Writer) error) error {
	var text bytes.Buffer
	if err := write(&text); err != nil {
		return err
	}
	fs, err := filesystem.New(ctx, name)
	if err != nil {
		return err
	}
	defer fs.Close()
	renames, able := fs.(filesystem.Renamer)
	to := name
	if able {
		to += ".part"
	}
	w, err := fs.OpenWrite(ctx, to)
	if err != nil {
		return err
	}
	_, err = w.Write(text.Bytes())
	if err := errors.Join(err, w.Close()); err != nil || !able {
		return err
	}
	return renames.Rename(ctx, to, name)
}

// counted is what the job counted, in a line.
func counted(result beam.PipelineResult) string {
	var all []string
	if result == nil {
		return "done"
	}
	for _, c := range result.Metrics().AllMetrics().Counters() {
		if c.Namespace() == "tcpwhy" {
			all = append(
				all,
				fmt.Sprintf("%d %s", c.Result(), strings.ReplaceAll(c.Name(), "-", " ")),
			)
		}
	}
	sort.Strings(all)
	return strings.Join(all, ", ")
}
