package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"tcpwhy/analysis"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/internal/cli"
)

// FuzzRun takes any octets for a capture file: whatever they are, there is an error or a report,
// the report adds up, is the same with another number of workers, and can be printed.
func FuzzRun(f *testing.F) {
	files, err := filepath.Glob("testdata/pcaps/*/capture.pcap")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range files {
		if file, err := os.ReadFile(name); err == nil && len(file) < 6<<10 {
			f.Add(file)
		}
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		one, err := runBytes(file, 1)
		if err != nil {
			if strings.ContainsAny(err.Error(), "\n\r\x1b") {
				t.Errorf("error %q", err)
			}
			return
		}
		addsUp(t, one)
		text, asJSON := renderBoth(t, one)
		three, err := runBytes(file, 3)
		if err != nil {
			t.Fatal(err)
		}
		if again, _ := renderBoth(t, three); again != text {
			t.Error("with three workers the report is another")
		}
		if !json.Valid([]byte(asJSON)) {
			t.Error("the JSON is none")
		}
		for _, s := range append(traced(t, file), text, asJSON) {
			if i := strings.IndexFunc(s, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }); i >= 0 {
				t.Errorf("an unprintable character: %q", s[i:min(i+8, len(s))])
			}
		}
	})
}

func runBytes(file []byte, workers int) (*report.Report, error) {
	src, err := capture.Open(capture.Config{Inputs: []string{"-"}, Stdin: bytes.NewReader(file)})
	if err != nil {
		return nil, err
	}
	defer src.Close()
	return analysis.Run(context.Background(), src, analysis.WithWorkers(workers),
		analysis.WithLimits(analysis.Limits{Listed: 100}))
}

// traced are the traces of the first connection and exchange, if there are any.
func traced(t *testing.T, file []byte) (out []string) {
	t.Helper()
	for _, of := range []report.TraceOf{{Connection: 0, Exchange: -1}, {Connection: 0, Exchange: 0}} {
		src, err := capture.Open(capture.Config{Inputs: []string{"-"}, Stdin: bytes.NewReader(file)})
		if err != nil {
			t.Fatal(err)
		}
		r, err := analysis.Run(t.Context(), src, analysis.WithWorkers(1), analysis.WithTrace(of),
			analysis.WithLimits(analysis.Limits{Occurrences: analysis.NoLimit}))
		src.Close()
		if err != nil {
			t.Fatal(err)
		}
		if r.Trace == nil {
			continue
		}
		asText, asJSON := renderBoth(t, r)
		out = append(out, asText, asJSON)
	}
	return out
}

// FuzzCommandLine takes any arguments, of which none names a file that exists: there is an exit
// status, and one line that can be printed about each mistake.
func FuzzCommandLine(f *testing.F) {
	for _, args := range []string{"--help", "-f\x00tcp and port\x00x", "--explain\x00nagle", "--only=nagle\x00a.pcap", "-F\x00json",
		"--color\x00never\x00--list-rules", "--fail-on\x00\x1b[31m", "-\x00-"} {
		f.Add(args)
	}
	f.Fuzz(func(t *testing.T, line string) {
		args := strings.Split(line, "\x00")
		for _, a := range args {
			short := strings.HasPrefix(a, "-") && !strings.HasPrefix(a, "--")
			if strings.ContainsAny(a, "/.") || short && strings.ContainsAny(a, "io") || strings.HasPrefix(a, "--i") || strings.HasPrefix(a, "--o") || strings.Contains(a, "w") {
				return // files and interfaces of this machine stay out of it
			}
		}
		var stdout, stderr bytes.Buffer
		status := cli.Run(args, strings.NewReader(""), &stdout, &stderr)
		if status < cli.ExitOK || status > cli.ExitError || (status == cli.ExitError) != (stderr.Len() > 0) {
			t.Errorf("status %d with %q", status, stderr.String())
		}
		for _, s := range []string{stdout.String(), stderr.String()} {
			if i := strings.IndexFunc(s, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }); i >= 0 {
				t.Errorf("an unprintable character: %q", s[max(0, i-20):min(i+8, len(s))])
			}
		}
	})
}
