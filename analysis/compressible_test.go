package analysis

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
)

// TestCompressible: what a response is, and what the client asked for, decides what compression
// would save, and whose turn it is.
func TestCompressible(t *testing.T) {
	file, err := os.ReadFile("../testdata/pcaps/bandwidth-compressible-rtt30/capture.pcap")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name     string
		from, to string // of the same length
		count    int
		side     report.Side
	}{
		{"as recorded", "", "", 3, report.SideServer},
		{"no text", "application/json", "application/zstd", 1, report.SideServer},
		{"parts", "HTTP/1.1 200 OK", "HTTP/1.1 206 OK", 0, 0},
		{"compressed already", "Connection: keep-alive\r\n", "Content-Encoding: gzip\r\n", 0, 0},
		{"not asked for", "Accept-Encoding", "Accept-Anything", 3, report.SideClient},
		{"of no use", "deflate, gzip", "foo;q=0, bar1", 3, report.SideServer},
	} {
		f := compressibleIn(t, bytes.ReplaceAll(file, []byte(tt.from), []byte(tt.to)))
		switch {
		case f == nil && tt.count == 0:
		case f == nil || f.Count != tt.count || f.Side != tt.side:
			t.Errorf("%s: %+v, want %d times, by the %s", tt.name, f, tt.count, tt.side)
		}
	}
}

// compressibleIn is what was found in a capture; nil if nothing was.
func compressibleIn(t *testing.T, file []byte) *report.Finding {
	t.Helper()
	name := filepath.Join(t.TempDir(), "capture.pcap")
	if err := os.WriteFile(name, file, 0o600); err != nil {
		t.Fatal(err)
	}
	src, err := capture.Open(capture.Config{Inputs: []string{name}})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	r, err := Run(context.Background(), src)
	if err != nil {
		t.Fatal(err)
	}
	for i := range r.Findings {
		if r.Findings[i].Cause == "compressible" {
			return &r.Findings[i]
		}
	}
	return nil
}
