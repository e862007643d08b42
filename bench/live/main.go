//go:build linux

// Live measures live capture under load beside tcpdump: the same traffic over the same cable
// between two network namespaces of its own, at the same rates, one after the other. Two parts of
// live capture alone tell where its time goes: reading the ring, which is done with frames that are
// cut before there is anything to decode, and decoding. It needs root, ip(8) and tcpdump.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

func main() {
	if len(os.Args) == 3 && (os.Args[1] == readerMode || os.Args[1] == wholeMode) {
		read := readOnly
		if os.Args[1] == wholeMode {
			read = profiled
		}
		if err := read(os.Args[2]); err != nil {
			fmt.Fprintln(os.Stderr, "live:", err)
			os.Exit(1)
		}
		return
	}
	seconds := flag.Int("seconds", 30, "how long each rate is kept up, 1 to 60")
	rates := flag.String("rates", "50000,100000,200000", "frames a second, separated by commas")
	program := flag.String("program", "", "the program to measure; none: it is built from the tree")
	rounds := flag.Int(
		"rounds",
		1,
		"how often all is measured, in turns; the least CPU time counts",
	)
	parts := flag.Bool("parts", true, "measure reading the ring and decoding alone, too")
	profile := flag.String(
		"profile",
		"",
		"write a CPU profile of all of live capture at the first rate "+
			"to this file, and measure nothing",
	)
	segments := flag.Int("segments", 20,
		"segments of each response, 1 to 1000: few are many exchanges, which cost most")
	flag.Parse()
	l := load{seconds: min(max(*seconds, 1), 60), segments: min(max(*segments, 1), 1000)}
	l.rounds, l.parts, l.profile = min(max(*rounds, 1), 20), *parts, *profile
	if err := measure(*program, *rates, l); err != nil {
		fmt.Fprintln(os.Stderr, "live:", err)
		os.Exit(1)
	}
}

// load is what is sent, beside its rate, and how it is measured.
type load struct {
	seconds, segments, rounds int
	parts                     bool
	profile                   string
}

// measure prints a table of both programs at all rates.
func measure(program, rates string, l load) (err error) {
	all, err := ratesOf(rates)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "tcpwhy-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if program, err = built(program, dir); err != nil {
		return err
	}
	c, err := newCable()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.remove()) }()
	own, err := os.Executable()
	if err != nil {
		return err
	}
	report := filepath.Join(dir, "report.json")
	if l.profile != "" {
		_, err := c.try([]string{own, wholeMode, l.profile}, report, all[0], l)
		return err
	}
	programs := [][]string{
		{"tcpdump", "-i", "v0", "-w", "/dev/null"},
		{program, "-i", "v0", "-q", "-F", "json", "-o", report},
	}
	if l.parts {
		programs = append(programs, []string{own, readerMode, "14"}, []string{own, readerMode, "0"})
	}
	least := map[string]*result{}
	fmt.Printf(
		"| frames/s | program | frames | dropped by the kernel | CPU ns/frame | MB resident |\n" +
			"|---:|---|---:|---:|---:|---:|\n",
	)
	for range l.rounds {
		for _, rate := range all {
			for i, args := range programs {
				r, err := c.try(args, report, rate, l)
				if err != nil {
					return err
				}
				fmt.Println(r)
				key := fmt.Sprint(i, rate)
				if had := least[key]; had == nil || r.cost() < had.cost() {
					least[key] = r
				}
			}
		}
	}
	fmt.Println()
	for _, rate := range all {
		cost := make([]float64, len(programs))
		for i := range programs {
			cost[i] = least[fmt.Sprint(i, rate)].cost()
		}
		fmt.Printf("%d frames/s, least CPU per frame: %.2f times tcpdump's", rate, cost[1]/cost[0])
		if l.parts {
			fmt.Printf("; ring %.0f ns, decoding %.0f, the rest %.0f", cost[2], cost[3]-cost[2],
				cost[1]-cost[3])
		}
		fmt.Println()
	}
	return nil
}

// ratesOf reads a list of rates.
func ratesOf(list string) (all []int, err error) {
	for word := range strings.SplitSeq(list, ",") {
		rate, err := strconv.Atoi(strings.TrimSpace(word))
		if err != nil || rate < 100 {
			return nil, fmt.Errorf("rate %q", word)
		}
		all = append(all, rate)
	}
	return all, nil
}

// built is where the program to measure is: it is built from the tree if none is named.
func built(program, dir string) (string, error) {
	if program != "" {
		return filepath.Abs(program)
	}
	program = filepath.Join(dir, "tcpwhy")
	if out, err := exec.Command("go", "build", "-o", program, "tcpwhy").CombinedOutput(); err != nil {
		return "", fmt.Errorf("build tcpwhy: %w: %s", err, out)
	}
	return program, nil
}

// result is one program at one rate.
type result struct {
	name                string
	rate                int
	sent, seen, dropped uint64
	cpu                 time.Duration
	after               uint64 // octets resident, before it ended
}

func (r *result) cost() float64 { return float64(r.cpu) / float64(max(r.sent, 1)) }

// String is a line of the table.
func (r *result) String() string {
	return fmt.Sprintf(
		"| %d | %s | %d of %d sent | %d | %.0f | %.0f |",
		r.rate,
		r.name,
		r.seen,
		r.sent,
		r.dropped,
		r.cost(),
		float64(r.after)/1e6,
	)
}

// try runs one program while frames are sent. What the kernel does to hand frames over is charged
// to the sender, for both alike.
func (c *cable) try(args []string, report string, rate int, l load) (*result, error) {
	cmd := exec.Command("ip", append([]string{"netns", "exec", c.near}, args...)...)
	var said strings.Builder
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	defer cmd.Process.Kill()
	time.Sleep(time.Second)
	r := &result{name: filepath.Base(args[0]), rate: rate}
	began := cpu(cmd.Process.Pid)
	var err error
	if r.sent, err = c.send(rate, l.seconds, l.segments); err != nil {
		return nil, err
	}
	time.Sleep(time.Second)
	r.cpu, r.after = cpu(cmd.Process.Pid)-began, resident(cmd.Process.Pid)
	timer := time.AfterFunc(20*time.Second, func() { cmd.Process.Kill() })
	defer timer.Stop()
	if err := cmd.Process.Signal(unix.SIGINT); err != nil {
		return nil, err
	}
	if err := cmd.Wait(); err != nil {
		return nil, fmt.Errorf("%s: %w: %s", args[0], err, said.String())
	}
	if r.name == "tcpdump" {
		r.seen, r.dropped = number(said.String(), `(\d+) packets captured`), number(said.String(),
			`(\d+) packets dropped by kernel`)
		return r, nil
	}
	if args[1] == wholeMode {
		return r, nil
	}
	if args[1] == readerMode {
		r.name = map[string]string{"14": "ring", "0": "decode"}[args[2]]
		r.seen, r.dropped = number(said.String(), `(\d+) frames`), number(said.String(),
			`(\d+) dropped`)
		return r, nil
	}
	return r, r.read(report)
}

// read takes the counts from a report.
func (r *result) read(name string) error {
	data, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	var told struct {
		Capture struct {
			Frames uint64
			Drops  uint64 `json:"kernel_drops"`
		}
	}
	err = json.Unmarshal(data, &told)
	r.seen, r.dropped = told.Capture.Frames, told.Capture.Drops
	return err
}

// number is the first group of a pattern, 0 if it does not occur.
func number(text, pattern string) uint64 {
	found := regexp.MustCompile(pattern).FindStringSubmatch(text)
	if found == nil {
		return 0
	}
	n, err := strconv.ParseUint(found[1], 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// cpu is the processor time of a process (proc_pid_stat(5): utime and stime, in ticks of 10 ms).
func cpu(pid int) time.Duration {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, rest, found := strings.Cut(string(data), ") ")
	fields := strings.Fields(rest)
	if err != nil || !found || len(fields) < 13 {
		return 0
	}
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond
}

// resident is the memory of a process, in octets.
func resident(pid int) uint64 {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	return number(string(data), `VmRSS:\s+(\d+) kB`) << 10
}
