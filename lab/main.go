//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"sort"
	"strings"
	"syscall"

	"tcpwhy/lab/internal/catalog"
	"tcpwhy/lab/internal/publish"
	"tcpwhy/lab/internal/recording"
	"tcpwhy/lab/internal/score"
	"tcpwhy/lab/internal/world"
)

func main() {
	// Threads that wait in system calls must find a processor at once, or the link's delay would
	// depend on the load.
	runtime.GOMAXPROCS(8)
	world.Hurry()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM,
		syscall.SIGHUP)
	err := inCheckout()
	if err == nil {
		err = run(ctx, os.Args[1:])
	}
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "lab:", err)
		os.Exit(1)
	}
}

// inCheckout makes the checkout's root the working folder, whether the lab was started there or in
// its own folder: lab/out, testdata/pcaps and docs are named from there.
func inCheckout() error {
	for _, root := range []string{".", ".."} {
		if _, err := os.Stat(filepath.Join(root, "lab", "go.mod")); err == nil {
			return os.Chdir(root)
		}
	}
	return errors.New("not in a checkout: start it in lab/")
}

// command is one word of the command line.
type command struct {
	about string
	run   func(ctx context.Context, args []string) error
}

func commands() map[string]command {
	return map[string]command{
		"list":    {"show the scenarios", listNamed},
		"record":  {"record scenarios below lab/out", recordNamed},
		"publish": {"copy recordings into testdata/pcaps", publishNamed},
		"damage": {
			"make captures with trouble from published ones",
			func(_ context.Context, names []string) error { return publish.Damage(names) },
		},
		"check": {"analyse the recordings and score the reports", checkNamed},
		"ping":  {"measure the link", ping},
		"clean": {
			"remove leftovers",
			func(context.Context, []string) error { return world.RemoveLeftovers() },
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
	b.WriteString("usage: go run . COMMAND [NAME...]")
	for _, name := range names {
		fmt.Fprintf(&b, "\n  %-8s %s", name, all[name].about)
	}
	return b.String()
}

func listNamed(_ context.Context, names []string) error {
	chosen, err := catalog.Choose(names)
	for _, s := range chosen {
		fmt.Printf("%-36s %-42s %s\n", s.Name, s.Expect.String(), s.About)
	}
	return err
}

func recordNamed(ctx context.Context, names []string) error {
	chosen, err := catalog.Choose(names)
	if err != nil {
		return err
	}
	return recording.Record(ctx, chosen)
}

func publishNamed(_ context.Context, names []string) error {
	return publish.Publish(catalog.All(), names)
}

func checkNamed(ctx context.Context, names []string) error {
	chosen, err := catalog.Choose(names)
	if err != nil {
		return err
	}
	return score.Check(ctx, chosen, len(names) == 0)
}
