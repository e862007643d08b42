//go:build linux

package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestReplaceSection(t *testing.T) {
	name := filepath.Join(t.TempDir(), "page.md")
	page := "a\n<!-- growth: begin -->\nold\n<!-- growth: end -->\nb\n"
	if err := os.WriteFile(name, []byte(page), 0o666); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := replaceSection(name, "growth", "new\n"); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(name)
	want := "a\n<!-- growth: begin -->\n\nnew\n\n<!-- growth: end -->\nb\n"
	if string(got) != want || err != nil {
		t.Errorf("%q, %v, want %q", got, err, want)
	}
	if err := replaceSection(name, "comparison", "new\n"); err == nil {
		t.Error("a section that is not there was replaced")
	}
}

func TestVersionLine(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"tcpdump", "tcpdump version 4.99.3\nlibpcap version 1.10.3\n", "tcpdump 4.99.3"},
		{"tshark", "Running as user \"root\".\nTShark (Wireshark) 4.0.17 (Git v4.0.17)\n",
			"tshark 4.0.17"},
		{"tcptrace", "Version: Ostermann's tcptrace -- version 6.6.7 -- Thu Nov  4, 2004\n",
			"tcptrace 6.6.7"},
		{"httpry", "usage", "httpry"},
	} {
		if got := versionLine(c.name, c.text); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestPlainShare(t *testing.T) {
	s := sample{named: map[float64]bool{}}
	for _, line := range []string{
		`{"type":"capture","frames":90}`,
		`{"type":"summary","connections":4,"exchanges":6}`,
		`{"type":"finding","occurrences":[{"connection":2},{"connection":2}]}`,
		`{"type":"finding","rule":"missed-reuse","occurrences":[{"connection":3}]}`,
		`{"type":"connection","exchanges":[0,1]}`,
	} {
		if err := s.UnmarshalJSON([]byte(line)); err != nil {
			t.Fatal(err)
		}
	}
	if s.frames != 90 || s.exchanges != 6 || s.plain() != 0.75 {
		t.Errorf("%v frames, %v exchanges, plain %v", s.frames, s.exchanges, s.plain())
	}
}

func TestBestOfRounds(t *testing.T) {
	var c cost
	for _, ms := range []time.Duration{5, 3, 4} {
		c.add(cost{cpu: ms, wall: 10 - ms, rss: int64(ms)})
	}
	if c != (cost{cpu: 3, wall: 5, rss: 5, rounds: 3}) {
		t.Errorf("%+v", c)
	}
}
