//go:build linux

// The lab records faults of HTTP over TCP, and the same with the fault cured, between real kernels
// and real programs, so that the cost in a report can be held against the time that the cure saved
// at the application.
//
//	go run ./lab list             the scenarios
//	go run ./lab record [NAME...] record them below lab/out (all without names)
//	go run ./lab publish NAME...  copy recordings into testdata/pcaps
//	go run ./lab damage           make captures with trouble from published ones
//	go run ./lab check [NAME...]  analyse the recordings and score the reports
//	go run ./lab ping             measure what the link really delays
//	go run ./lab clean            remove what a killed run left behind
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"sort"
	"strings"
	"syscall"
)

func main() {
	// Threads that wait in system calls must find a processor at once, or the link's delay would
	// depend on the load.
	runtime.GOMAXPROCS(8)
	hurry()
	ctx, stop := signal.NotifyContext(
		context.Background(),
		os.Interrupt,
		syscall.SIGTERM,
		syscall.SIGHUP,
	)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "lab:", err)
		os.Exit(1)
	}
}

// command is one word of the command line.
type command struct {
	about string
	run   func(ctx context.Context, args []string) error
}

func commands() map[string]command {
	return map[string]command{
		"list":    {"show the scenarios", list},
		"record":  {"record scenarios below lab/out", record_},
		"publish": {"copy recordings into testdata/pcaps", publish},
		"damage": {
			"make captures with trouble from published ones",
			func(_ context.Context, names []string) error { return damageAll(names) },
		},
		"check": {"analyse the recordings and score the reports", check},
		"ping":  {"measure the link", ping},
		"clean": {
			"remove leftovers",
			func(context.Context, []string) error { return removeLeftovers() },
		},
	}
}

func run(ctx context.Context, args []string) error {
	all := commands()
	if len(args) == 0 || all[args[0]].run == nil {
		return errors.New(usage(all))
	}
	return all[args[0]].run(ctx, args[1:])
}

func usage(all map[string]command) string {
	var names []string
	for name := range all {
		names = append(names, name)
	}
	sort.Strings(names)
	var b strings.Builder
	b.WriteString("usage: go run ./lab COMMAND [NAME...]")
	for _, name := range names {
		fmt.Fprintf(&b, "\n  %-8s %s", name, all[name].about)
	}
	return b.String()
}

func list(_ context.Context, names []string) error {
	chosen, err := choose(names)
	for _, s := range chosen {
		fmt.Printf("%-36s %-42s %s\n", s.Name, s.Expect.String(), s.About)
	}
	return err
}

func record_(ctx context.Context, names []string) error {
	chosen, err := choose(names)
	if err != nil {
		return err
	}
	return recordScenarios(ctx, chosen)
}

func publish(_ context.Context, names []string) error { return publishNamed(allScenarios(), names) }

func check(ctx context.Context, names []string) error {
	chosen, err := choose(names)
	if err != nil {
		return err
	}
	return checkScenarios(ctx, chosen, len(names) == 0)
}
