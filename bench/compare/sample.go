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
	"strconv"
	"strings"
)

// sample is a capture to measure.
type sample struct {
	name, file                             string
	frames, octets, connections, exchanges float64
}

// The two captures of the goals.
var standard = []struct {
	kind   string
	frames int
}{{"few", 130_890}, {"many", 668_356}}

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
	s := sample{name: name, file: file}
	info, err := os.Stat(file)
	if err != nil {
		return s, err
	}
	s.octets = float64(info.Size())
	cmd := exec.Command(t.tcpwhy, "-F", "ndjson", file)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return s, err
	}
	lines := bufio.NewReaderSize(out, 1<<16)
	// The first two lines are the capture's and the summary.
	for err == nil && (s.frames == 0 || s.connections == 0) {
		var line []byte
		if line, err = lines.ReadBytes('\n'); err == nil {
			err = json.Unmarshal(line, &s)
		}
	}
	_, copyErr := io.Copy(io.Discard, out)
	return s, errors.Join(err, copyErr, cmd.Wait())
}

// UnmarshalJSON takes what a line of the report tells.
func (s *sample) UnmarshalJSON(line []byte) error {
	var told struct {
		Type                           string
		Frames, Connections, Exchanges float64
	}
	err := json.Unmarshal(line, &told)
	switch told.Type {
	case "capture":
		s.frames = told.Frames
	case "summary":
		s.connections, s.exchanges = told.Connections, told.Exchanges
	}
	return err
}
