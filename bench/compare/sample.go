//go:build linux

package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// sample is a capture to measure.
type sample struct {
	name, file                             string
	frames, octets, connections, exchanges float64
	// connections about which a rule that looks at single ones says something
	named map[float64]bool
}

// comparing are the rules that look at no connection by itself: what they say of one is known from
// a few numbers of it, and needs none of its segments.
var comparing = [...]string{
	"missed-reuse", "http-errors", "grpc-status", "connect-cost", "parallel-connections",
	"pool-wait", "h2-connections",
}

// plain is the share of the connections that no rule that looks at single ones says anything about.
func (s *sample) plain() float64 { return 1 - float64(len(s.named))/max(s.connections, 1) }

// The captures of the goals.
var standard = []struct {
	kind   string
	frames int
}{{"few", 130_890}, {"many", 668_356}, {"web", 300_000}}

// samples are the captures that are named, or the standard ones, made where they are missing.
func samples(t *tools, files []string) ([]sample, error) {
	var out []sample
	for _, file := range files {
		s, err := look(t, strings.TrimSuffix(filepath.Base(file), filepath.Ext(file)), file)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	if len(files) > 0 {
		return out, nil
	}
	for _, k := range standard {
		file := filepath.Join(t.dir, k.kind+".pcap")
		if _, err := os.Stat(file); err != nil {
			text, err := command(t.gen, "-kind", k.kind, "-n", strconv.Itoa(k.frames), "-o", file)
			if err != nil {
				return nil, fmt.Errorf("generate %s: %w: %s", k.kind, err, text)
			}
		}
		s, err := look(t, k.kind, file)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

// look asks tcpwhy what a capture holds. It also brings the file into memory before anything is
// measured. The report is read line by line: what this program itself takes is the least that the
// kernel tells of those it starts.
func look(t *tools, name, file string) (sample, error) {
	s := sample{name: name, file: file, named: map[float64]bool{}}
	info, err := os.Stat(file)
	if err != nil {
		return s, err
	}
	s.octets = float64(info.Size())
	cmd := exec.Command(
		t.tcpwhy,
		"-F",
		"ndjson",
		"--max-occurrences",
		"0",
		"--max-listed",
		"0",
		file,
	)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return s, err
	}
	lines := bufio.NewReaderSize(out, 1<<16)
	for err == nil {
		var line []byte
		if line, err = lines.ReadBytes('\n'); err == nil {
			err = json.Unmarshal(line, &s)
		}
	}
	if err == io.EOF {
		err = nil
	}
	_, copyErr := io.Copy(io.Discard, out)
	return s, errors.Join(err, copyErr, cmd.Wait())
}

// UnmarshalJSON takes what a line of the report tells.
func (s *sample) UnmarshalJSON(line []byte) error {
	var kind struct{ Type, Rule string }
	if err := json.Unmarshal(line, &kind); err != nil {
		return err
	}
	var told struct {
		Frames, Connections, Exchanges float64
		Occurrences                    []struct{ Connection float64 }
	}
	switch kind.Type {
	case "capture", "summary", "finding":
		if err := json.Unmarshal(line, &told); err != nil {
			return err
		}
	}
	switch kind.Type {
	case "capture":
		s.frames = told.Frames
	case "summary":
		s.connections, s.exchanges = told.Connections, told.Exchanges
	case "finding":
		if slices.Contains(comparing[:], kind.Rule) {
			break
		}
		for _, o := range told.Occurrences {
			s.named[o.Connection] = true
		}
	}
	return nil
}
