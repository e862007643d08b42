//go:build linux

// Compare measures tcpwhy beside other programs that read captures, on the same files, in turns,
// and writes a table in Markdown. It builds tcpwhy and its own tools, generates the captures, and
// measures those of tcpdump, tcptrace, tshark, capinfos and httpry that are there; it installs
// nothing.
//
//	go run ./bench/compare                                write the tables to standard output
//	go run ./bench/compare -o docs/performance.md         replace the tables of that file
//	go run ./bench/compare -growth -o docs/performance.md the same for growth, minutes
//	go run ./bench/compare my.pcap                        other captures
package main

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// options are the command line.
type options struct {
	rounds, slowRounds int
	peers              string
	growth             bool
	most               int
	dir, out           string
	files              []string
}

func main() {
	var o options
	flag.IntVar(&o.rounds, "rounds", 7, "rounds; the best of them counts")
	flag.IntVar(&o.slowRounds, "slow-rounds", 2, "rounds for programs that take longer than 3 s")
	flag.StringVar(&o.peers, "peers", "",
		"only these programs, by the beginning of their name, separated by commas")
	flag.BoolVar(&o.growth, "growth", false,
		"instead: tcpwhy alone on ever larger captures, through a pipe")
	flag.IntVar(&o.most, "most", 10_000_000,
		"with -growth: packets of the largest capture; 80000000 are 10 GB of many")
	flag.StringVar(&o.dir, "dir", "",
		"keep programs and captures in this directory, and use what is there")
	flag.StringVar(&o.out, "o", "", "replace the tables of this file")
	flag.Parse()
	o.files = flag.Args()
	if err := run(&o); err != nil {
		fmt.Fprintln(os.Stderr, "compare:", err)
		os.Exit(1)
	}
}

// run measures and writes.
func run(o *options) error {
	if o.dir == "" {
		dir, err := os.MkdirTemp("", "tcpwhy-bench")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		o.dir = dir
	}
	tools, err := build(o.dir)
	if err != nil {
		return err
	}
	var text bytes.Buffer
	section := "comparison"
	if o.growth {
		section = "growth"
		err = growth(&text, tools, o.most)
	} else {
		err = compare(&text, tools, o)
	}
	if err != nil {
		return err
	}
	if o.out == "" {
		_, err := io.Copy(os.Stdout, &text)
		return err
	}
	return replaceSection(o.out, section, text.String())
}

// tools are the programs that this one builds.
type tools struct{ dir, tcpwhy, gen, floor string }

// build compiles tcpwhy and the tools. It is to be run inside the module.
func build(dir string) (*tools, error) {
	t := &tools{
		dir,
		filepath.Join(dir, "tcpwhy"),
		filepath.Join(dir, "gen"),
		filepath.Join(dir, "floor"),
	}
	for out, pkg := range map[string]string{
		t.tcpwhy: "tcpwhy",
		t.gen:    "tcpwhy/bench/gen",
		t.floor:  "tcpwhy/bench/floor",
	} {
		if text, err := command("go", "build", "-o", out, pkg); err != nil {
			return nil, fmt.Errorf("build %s: %w: %s", pkg, err, text)
		}
	}
	return t, nil
}

// replaceSection writes text between the two comments that begin and end a section of a file.
func replaceSection(name, section, text string) error {
	old, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	begin, end := "<!-- "+section+": begin -->\n", "<!-- "+section+": end -->"
	head, rest, found := strings.Cut(string(old), begin)
	_, tail, closed := strings.Cut(rest, end)
	if !found || !closed {
		return fmt.Errorf("%s has no section between %q and %q", name, strings.TrimSpace(begin),
			end)
	}
	return os.WriteFile(name, []byte(head+begin+"\n"+text+"\n"+end+tail), 0o666)
}
