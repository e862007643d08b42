//go:build linux

package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strings"
)

// program is one way to read a capture.
type program struct {
	name    string   // as the table has it
	command []string // FILE stands for the capture
	env     []string
	version []string // what prints the version; nil: of this repository
}

// The names by which the goals find their figures.
const (
	ownName   = "tcpwhy -F json"
	ownOne    = "tcpwhy -F json, GOMAXPROCS=1"
	floorName = "Go floor"
	treeName  = "tshark -q -z http,tree"
	traceName = "tcptrace -n"
)

// programs are all that are there and asked for, this one first.
func programs(t *tools, wanted string) []program {
	all := []program{
		{
			name:    ownName,
			command: []string{t.tcpwhy, "-F", "json", "FILE"},
			env:     []string{fmt.Sprint("GOMAXPROCS=", min(2, runtime.NumCPU()))},
		},
		{
			name:    ownOne,
			command: []string{t.tcpwhy, "-F", "json", "FILE"},
			env:     []string{"GOMAXPROCS=1"},
		},
		{name: floorName, command: []string{t.floor, "FILE"}},
		{
			name:    "tcpdump -w /dev/null",
			command: []string{"tcpdump", "-r", "FILE", "-w", "/dev/null"},
			version: []string{"tcpdump", "--version"},
		},
		{
			name:    "capinfos -c",
			command: []string{"capinfos", "-c", "FILE"},
			version: []string{"capinfos", "--version"},
		},
		{
			name:    "httpry",
			command: []string{"httpry", "-q", "-r", "FILE", "-o", "/dev/null"},
			version: []string{"httpry", "-h"},
		},
		{
			name:    traceName,
			command: []string{"tcptrace", "-n", "FILE"},
			version: []string{"tcptrace", "-v"},
		},
		{
			name:    "tcptrace -l -r -W",
			command: []string{"tcptrace", "-n", "-l", "-r", "-W", "FILE"},
			version: []string{"tcptrace", "-v"},
		},
		{
			name:    treeName,
			command: []string{"tshark", "-r", "FILE", "-q", "-z", "http,tree"},
			version: []string{"tshark", "--version"},
		},
		{
			name:    "tshark -q -z expert",
			command: []string{"tshark", "-r", "FILE", "-q", "-z", "expert"},
			version: []string{"tshark", "--version"},
		},
	}
	var out []program
	for i, p := range all {
		if i < 2 || p.isWanted(wanted) && p.isThere() {
			out = append(out, p)
		}
	}
	return out
}

func (p *program) isWanted(wanted string) bool {
	if wanted == "" {
		return true
	}
	for name := range strings.SplitSeq(wanted, ",") {
		if strings.HasPrefix(strings.ToLower(p.name), strings.ToLower(name)) {
			return true
		}
	}
	return false
}

func (p *program) isThere() bool {
	_, err := exec.LookPath(p.command[0])
	return err == nil
}

// versions are one line for each program that is not of this repository.
func versions(programs []program) string {
	var b strings.Builder
	seen := map[string]bool{}
	for _, p := range programs {
		if p.version == nil || seen[p.version[0]] {
			continue
		}
		seen[p.version[0]] = true
		// Some end with a status other than 0 after they have printed it.
		text, _ := command(p.version[0], p.version[1:]...)
		fmt.Fprintf(&b, ", %s", versionLine(p.version[0], text))
	}
	return strings.TrimPrefix(b.String(), ", ")
}

// versionLine is the name of the program with the number that its first line with its name gives.
func versionLine(name, text string) string {
	for line := range strings.Lines(text) {
		if !strings.Contains(strings.ToLower(line), name) {
			continue
		}
		for _, word := range strings.Fields(line) {
			if word = strings.Trim(word, "(),;v"); word != "" && word[0] >= '0' && word[0] <= '9' &&
				strings.Contains(word, ".") {
				return name + " " + word
			}
		}
	}
	return name
}

// machine describes where this runs.
func machine() string {
	model := "unknown processor"
	text, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(line, ":"); ok &&
			strings.TrimSpace(name) == "model name" {
			model = strings.TrimSpace(value)
			break
		}
	}
	kernel, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	return fmt.Sprintf("%s, %d cores, Linux %s, %s", model, runtime.NumCPU(),
		strings.TrimSpace(string(kernel)), runtime.Version())
}

// revision is the commit that is measured.
func revision() string {
	if text, err := command("git", "describe", "--always", "--dirty"); err == nil {
		return strings.TrimSpace(text)
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		return info.Main.Version
	}
	return "unknown"
}

// command runs a program and gives what it prints.
func command(name string, args ...string) (string, error) {
	text, err := exec.Command(name, args...).CombinedOutput()
	return string(text), err
}
