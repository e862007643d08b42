package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tcpwhy/analysis"
	"tcpwhy/capture"
	"tcpwhy/internal/cli"
	"tcpwhy/reassembly/exchange"
)

// made is a capture of the given kind, as frames.
func made(t *testing.T, kind string, seed uint64, count int) (*generator, [][]byte) {
	t.Helper()
	var frames [][]byte
	last := int64(0)
	g := newGenerator(func(at int64, f []byte) error {
		if at < last {
			t.Errorf("%s: frame %d is earlier than the one before", kind, len(frames)+1)
		}
		last = at
		frames = append(frames, bytes.Clone(f))
		return nil
	}, seed, 1<<62, count)
	if err := g.generate(kind); err != nil {
		t.Fatal(err)
	}
	return g, frames
}

func TestChecksumsAreValid(t *testing.T) {
	for _, kind := range kinds {
		_, frames := made(t, kind, 1, 500)
		for i, f := range frames {
			pseudo := sum(f[26:34], protocolTCP+uint64(len(f)-34))
			if fold(sum(f[14:34], 0)) != 0xffff || fold(sum(f[34:], pseudo)) != 0xffff {
				t.Fatalf("%s: frame %d has a wrong checksum", kind, i+1)
			}
			if n := int(binary.BigEndian.Uint16(f[16:])); n != len(f)-14 {
				t.Fatalf("%s: frame %d says %d octets of IP, and has %d", kind, i+1, n, len(f)-14)
			}
		}
	}
}

func TestSameSeedSameFrames(t *testing.T) {
	for _, kind := range []string{"few", "many"} {
		_, a := made(t, kind, 7, 2000)
		_, b := made(t, kind, 7, 2000)
		_, c := made(t, kind, 8, 2000)
		if !bytes.Equal(bytes.Join(a, nil), bytes.Join(b, nil)) {
			t.Errorf("%s: the same seed made other frames", kind)
		}
		if bytes.Equal(bytes.Join(a, nil), bytes.Join(c, nil)) {
			t.Errorf("%s: another seed made the same frames", kind)
		}
	}
}

// The sequence numbers of each end leave no gap and no overlap in a capture without loss.
func TestShortConnectionsAreWhole(t *testing.T) {
	_, frames := made(t, "many", 1, 5000)
	next := make(map[string]uint32)
	for i, f := range frames {
		flow := string(f[26:38])
		seq, flags := binary.BigEndian.Uint32(f[38:]), f[47]
		if want, ok := next[flow]; ok && flags&flagSYN == 0 && seq != want {
			t.Fatalf("frame %d begins at %d, want %d", i+1, seq, want)
		}
		length := uint32(len(f) - 34 - int(f[46]>>4)*4)
		if flags&(flagSYN|flagFIN) != 0 {
			length++
		}
		next[flow] = seq + length
	}
}

func TestParseSize(t *testing.T) {
	for _, c := range []struct {
		text string
		want int64
	}{{"100MB", 100e6}, {"1GB", 1e9}, {"7", 7}, {"-1MB", 0}, {"MB", 0}, {"", 0}} {
		got, err := parseSize(c.text)
		if got != c.want || (err == nil) != (c.want > 0) {
			t.Errorf("parseSize(%q) = %d, %v, want %d", c.text, got, err, c.want)
		}
	}
}

// TestTruth holds the program's count against what was generated.
func TestTruth(t *testing.T) {
	for i, kind := range kinds {
		format := []string{"pcap", "pcapng"}[i%2]
		name := filepath.Join(t.TempDir(), kind)
		if err := run(kind, "1MB", 12000, format, 3, name); err != nil {
			t.Fatal(err)
		}
		var want truth
		text, err := os.ReadFile(name + ".truth")
		if err == nil {
			err = json.Unmarshal(text, &want)
		}
		if err != nil {
			t.Fatal(err)
		}
		if got := counted(t, name); got != want {
			t.Errorf("%s:\n got %+v\nwant %+v", kind, got, want)
		}
	}
}

// counted is what tcpwhy finds in a capture, and of the rest what the capture says.
func counted(t *testing.T, name string) truth {
	t.Helper()
	src, err := capture.Open(capture.Config{Inputs: []string{name}})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	log := &analysis.KeyLog{}
	if keys, err := os.ReadFile(name + ".keys"); err == nil {
		w := log.Writer()
		w.Write(keys)
		w.End()
	}
	r, err := analysis.Run(t.Context(), src, analysis.WithKeys(log),
		analysis.WithLimits(analysis.Limits{
			Occurrences: analysis.NoLimit, Listed: analysis.NoLimit,
		}))
	if err != nil {
		t.Fatal(err)
	}
	out := truth{
		Kind:        filepath.Base(name),
		Seed:        3,
		Frames:      int(r.Capture.Frames),
		Connections: r.Connections,
		Exchanges:   r.ExchangeCount,
		Octets:      int64(r.Capture.Bytes + r.Capture.Frames*recordOverhead),
	}
	for _, c := range r.Conns {
		out.Retransmissions += int(c.Retransmissions[0] + c.Retransmissions[1])
	}
	for _, x := range r.Exchanges {
		if x.Outcome == exchange.Complete {
			out.Complete++
		}
	}
	return out
}

// TestFirstScreenOfMany: of 66,000 connections with one fault the text is short, its first screen
// says it all, and the JSON is no larger than people can load.
func TestFirstScreenOfMany(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	const connections, screen, mostLines, mostJSON = 66000, 24, 120, 5 << 20
	name := filepath.Join(t.TempDir(), "many.pcap")
	if err := run("many", "1GB", 10*connections, "pcap", 1, name); err != nil {
		t.Fatal(err)
	}
	var text, json strings.Builder
	for format, to := range map[string]*strings.Builder{"text": &text, "json": &json} {
		if status := cli.Run([]string{"-F", format, name}, nil, to, os.Stderr); status != 0 {
			t.Fatalf("%s: status %d", format, status)
		}
	}
	lines := strings.Split(text.String(), "\n")
	if len(lines) > mostLines || json.Len() > mostJSON {
		t.Errorf("%d lines of text, %d octets of JSON", len(lines), json.Len())
	}
	first := strings.Join(strings.Fields(strings.Join(lines[:screen], " ")), " ")
	for _, want := range []string{
		"exchanges on", "was lost to one cause: client closes right after the response.",
		"HIGH client closes right after the response", "more clients",
	} {
		if !strings.Contains(first, want) {
			t.Errorf("the first %d lines do not say %q:\n%s", screen, want, first)
		}
	}
}
