package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"tcpwhy/internal/cli"
)

const scenarios = "../testdata/pcaps/"

func TestMain(m *testing.M) {
	flag.Parse()
	beam.Init()
	os.Exit(m.Run())
}

// copied puts captures of scenarios into a folder.
func copied(t *testing.T, names ...string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for _, name := range names {
		octets, err := os.ReadFile(filepath.Join(scenarios, name, "capture.pcap"))
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name+".pcap"), octets, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// some are scenarios with look-ups, with one host each, and with several connections.
var some = []string{
	"cork-kept-rtt10", "connection-refused-restart-rtt50", "dns-slow-answers-rtt10",
	"nagle-delayed-ack-request-rtt10", "lookalike-dns-other-waits-rtt10",
}

// atOnce is the report of one process over the captures of a folder.
func atOnce(t *testing.T, dir, format string) string {
	t.Helper()
	names, err := filepath.Glob(dir + "/*.pcap")
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	var stdout, stderr bytes.Buffer
	args := append([]string{"-F", format, "--max-listed", "1000"}, names...)
	if status := cli.Run(args, nil, &stdout, &stderr); status != cli.ExitOK {
		t.Fatalf("status %d: %s", status, &stderr)
	}
	return stdout.String()
}

// clustered is the report of a job.
func clustered(t *testing.T, dir, format string, shards int) string {
	t.Helper()
	out := filepath.Join(dir, "report.out")
	o := flags{inputs: dir + "/*.pcap", output: out}
	o.job = job{Shards: shards, Format: format, MaxListed: 1000}
	if err := o.run(t.Context(), io.Discard); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	if left, _ := filepath.Glob(out + ".*"); len(left) > 0 {
		t.Errorf("there is %q, too", left)
	}
	return string(got)
}

// TestPrism: a job has the report of one process, to the octet.
func TestPrism(t *testing.T) {
	dir := copied(t, some...)
	for format, shards := range map[string]int{"json": 5, "text": 1} {
		if got, want := clustered(t, dir, format, shards), atOnce(t, dir, format); got != want {
			t.Errorf("%s in %d shards:\n%s\nwant\n%s", format, shards, got, want)
		}
	}
}

// TestDamaged: what is no capture, or is damaged, is named, and all else is analysed.
func TestDamaged(t *testing.T) {
	dir := copied(t, some[0], some[1])
	cut := filepath.Join(dir, some[1]+".pcap")
	octets, err := os.ReadFile(cut)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(cut, octets[:len(octets)-7], 0o600); err != nil {
		t.Fatal(err)
	}
	if got, want := clustered(t, dir, "json", 3), atOnce(t, dir, "json"); got != want {
		t.Errorf("of a file that is cut:\n%s\nwant\n%s", got, want)
	}
	if err := os.WriteFile(dir+"/text.pcap", []byte("no capture\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got := clustered(t, dir, "text", 3)
	for _, want := range []string{"text.pcap: not a capture but text", "6 exchanges"} {
		if !bytes.Contains([]byte(got), []byte(want)) {
			t.Errorf("there is no %q in\n%s", want, got)
		}
	}
}

// retried calls the steps of a job as a runner does whose workers die: of each element it takes what
// an attempt gave that came to its end, after one that did not; it hands each on twice, and in
// another order.
func retried(t *testing.T, j job, names []string, rnd *rand.Rand) {
	t.Helper()
	ctx := t.Context()
	died := errors.New("the worker died")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	twice := func(all [][]byte) func(*[]byte) bool {
		all = append(slices.Clone(all), all...)
		rnd.Shuffle(len(all), func(i, k int) { all[i], all[k] = all[k], all[i] })
		return func(to *[]byte) bool {
			if len(all) == 0 {
				return false
			}
			*to, all = slices.Clone(all[0]), all[1:]
			return true
		}
	}
	dies := func(of func(ctx context.Context) error) {
		t.Helper()
		gone, cancel := context.WithCancelCause(ctx)
		cancel(died)
		if err := of(gone); err == nil {
			t.Error("a step ended well though its context had ended")
		}
	}
	var indexes, plans, accounts, followed [][]byte
	blocks := map[int][][]byte{}
	into := func(all *[][]byte) func([]byte) {
		return func(one []byte) { *all = append(*all, one) }
	}
	for number, name := range names {
		dies(func(ctx context.Context) error {
			return (&indexFn{j}).ProcessElement(ctx, input{number, name}, func([]byte) {})
		})
		must((&indexFn{j}).ProcessElement(ctx, input{number, name}, into(&indexes)))
	}
	must((&planFn{j}).ProcessElement(ctx, 0, twice(indexes), into(&plans)))
	for number, name := range names {
		keep := func(shard int, block []byte) { blocks[shard] = append(blocks[shard], block) }
		for range 2 {
			account := into(new([][]byte))
			must((&readFn{j}).ProcessElement(ctx, input{number, name}, plans[0], keep, account))
		}
		must((&readFn{j}).ProcessElement(ctx, input{number, name}, plans[0],
			func(int, []byte) {}, into(&accounts)))
	}
	for shard, own := range blocks {
		dies(func(ctx context.Context) error {
			return (&followFn{j}).ProcessElement(ctx, shard, twice(own), plans[0], func([]byte) {})
		})
		must((&followFn{j}).ProcessElement(ctx, shard, twice(own), plans[0], into(&followed)))
	}
	for range 2 {
		must((&reportFn{j}).ProcessElement(ctx, 0, twice(plans), twice(accounts), twice(followed)))
	}
}

// TestRetried: steps that are done again, and whose outcome comes twice and in another order, change
// nothing.
func TestRetried(t *testing.T) {
	dir := copied(t, some...)
	want := atOnce(t, dir, "json")
	names, err := match(t.Context(), []string{dir + "/*.pcap"})
	if err != nil {
		t.Fatal(err)
	}
	for seed := range 4 {
		j := job{
			Shards: 1 + 3*seed, Format: "json", MaxListed: 1000,
			Output: filepath.Join(dir, fmt.Sprint(seed, ".json")),
		}
		retried(t, j, names, rand.New(rand.NewPCG(uint64(seed), 19)))
		got, err := os.ReadFile(j.Output)
		if err != nil || string(got) != want {
			t.Errorf("seed %d: %v\n%s\nwant\n%s", seed, err, got, want)
		}
	}
}

// TestRefused: what cannot be done is said before anything is.
func TestRefused(t *testing.T) {
	dir := copied(t, some[0])
	good := flags{inputs: dir + "/*.pcap", output: dir + "/r", job: job{Shards: 1, Format: "json"}}
	for name, change := range map[string]func(*flags){
		"no inputs":     func(o *flags) { o.inputs = "" },
		"no output":     func(o *flags) { o.output = "" },
		"no such file":  func(o *flags) { o.inputs = dir + "/*.none" },
		"no shard":      func(o *flags) { o.job.Shards = 0 },
		"no format":     func(o *flags) { o.job.Format = "none" },
		"no filter":     func(o *flags) { o.job.Filter = "host" },
		"no such rule":  func(o *flags) { o.only = "none" },
		"no key log":    func(o *flags) { o.keylog = dir + "/none" },
		"no filesystem": func(o *flags) { o.inputs = "none://a" },
	} {
		o := good
		change(&o)
		if err := func() (err error) {
			defer func() {
				if broke := recover(); broke != nil {
					err = fmt.Errorf("%v", broke)
				}
			}()
			return o.run(t.Context(), io.Discard)
		}(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := os.Stat(dir + "/r"); err == nil {
		t.Error("there is a report all the same")
	}
}
