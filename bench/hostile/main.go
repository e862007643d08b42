//go:build linux

// Hostile measures what captures cost that are made to cost much, beside a plain one: processor
// time for each octet, and the most memory. It prints a table, of which docs/robustness.md shows
// part.
//
//	go run ./bench/hostile
//	go run ./bench/hostile -n 100000 -only 'xz|gzip'
package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"
)

// The budget: how many times the time of a plain octet, and how much memory.
const (
	mostTimes  = 5
	mostMemory = 300 // MB
)

func main() {
	n := flag.Int("n", 1_000_000, "segments of each capture, 10,000 to 10,000,000")
	plain := flag.String("plain", "100MB",
		"size of the plain capture, which is measured again beside each")
	only := flag.String("only", "", "a pattern of the names to measure")
	flag.Parse()
	pattern, err := regexp.Compile(*only)
	if err == nil {
		err = bench(min(max(*n, 10_000), 10_000_000), *plain, pattern)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "hostile:", err)
		os.Exit(1)
	}
}

// cost is what a run took.
type cost struct {
	octets int64
	cpu    time.Duration
	memory int64 // kB
}

func (c cost) perOctet() float64 { return float64(c.cpu.Nanoseconds()) / float64(c.octets) }

// bench prints the table.
func bench(n int, plainSize string, only *regexp.Regexp) (err error) {
	dir, err := os.MkdirTemp("", "hostile")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	program, plain := filepath.Join(dir, "tcpwhy"), filepath.Join(dir, "plain.pcap")
	for _, command := range [][]string{
		{"go", "build", "-o", program, "."},
		{"go", "run", "./bench/gen", "-size", plainSize, "-o", plain},
	} {
		if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w: %s", strings.Join(command, " "), err, out)
		}
	}
	fmt.Println("| capture | octets | ns an octet | a plain one | times | peak memory | |")
	fmt.Println("|---|---|---|---|---|---|---|")
	for _, in := range inputs() {
		if !only.MatchString(in.name) {
			continue
		}
		c, err := one(program, filepath.Join(dir, "hostile.cap"), in, n)
		if err != nil {
			return fmt.Errorf("%s: %w", in.name, err)
		}
		beside, err := measure(program, plain, 0) // other work on the machine changes both
		if err != nil {
			return err
		}
		row(in.name, c, beside)
	}
	return nil
}

// one makes a file and measures it.
func one(program, name string, in input, n int) (cost, error) {
	f, err := os.Create(name)
	if err != nil {
		return cost{}, err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	octets, err := in.write(w, n)
	if err = errors.Join(err, w.Flush(), f.Close()); err != nil {
		return cost{}, err
	}
	return measure(program, name, octets)
}

// measure runs the program on a file; octets 0 stands for the size of the file.
func measure(program, name string, octets int64) (cost, error) {
	if octets == 0 {
		info, err := os.Stat(name)
		if err != nil {
			return cost{}, err
		}
		octets = info.Size()
	}
	c := exec.Command(program, "-F", "json", "-o", "/dev/null", name)
	c.Stderr = os.Stderr
	if err := c.Run(); err != nil {
		return cost{}, err
	}
	usage := c.ProcessState.SysUsage().(*syscall.Rusage)
	return cost{octets, c.ProcessState.UserTime() + c.ProcessState.SystemTime(), usage.Maxrss}, nil
}

// row prints a line of the table, and what is beyond the budget.
func row(name string, c, plain cost) {
	times := c.perOctet() / plain.perOctet()
	var over []string
	if times > mostTimes {
		over = append(over, "slow")
	}
	if c.memory>>10 > mostMemory {
		over = append(over, "large")
	}
	fmt.Printf("| %s | %.1f M | %.1f | %.1f | %.1f | %d MB | %s |\n", name, float64(c.octets)/1e6,
		c.perOctet(), plain.perOctet(), times, c.memory>>10, strings.Join(over, ", "))
}
