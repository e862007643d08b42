package view

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
)

func TestView(t *testing.T) {
	v := New("eth0")
	server := netip.MustParseAddrPort("10.0.0.1:80")
	lose := func(rule string, cost time.Duration) {
		v.Finding(&report.Finding{Rule: rule, Server: server, Host: "api.example",
			Occurrences: []report.Occurrence{{Cost: report.Cost{Expected: cost}}}})
	}
	v.Exchange(server)
	lose("nagle", 300*time.Millisecond)
	v.Advance(3)
	lose("slow-start", 100*time.Millisecond)
	want := "eth0: 10.0.0.1:80 api.example: 400 ms lost in 10 s, mostly to nagle"
	if got := strings.Join(v.Lines(), "\n"); got != want {
		t.Errorf("lines %q, want %q", got, want)
	}
	v.Advance(11) // the first loss is no longer recent
	if got := strings.Join(v.Lines(), "\n"); !strings.Contains(got, ": 100 ms lost") {
		t.Errorf("after 11 s: %q", got)
	}
	screen := v.Screen(&capture.Stats{Frames: 12345}, 80)
	for line := range strings.SplitSeq(strings.TrimSuffix(screen, "\n"), "\n") {
		if len(line) > 79 {
			t.Errorf("line of %d columns: %q", len(line), line)
		}
	}
	if !strings.Contains(screen, "12,345 frames") ||
		!strings.Contains(screen, "10.0.0.1:80 api.example") {
		t.Errorf("screen %q", screen)
	}
	if got := v.Clear(); got != "\r\x1b[3A\x1b[J" {
		t.Errorf("clears with %q", got)
	}
	v.Advance(1000)
	if lines := v.Lines(); lines != nil {
		t.Errorf("long after: %q", lines)
	}
}

// TestViewIsBounded meets more services than are remembered; the one that lost time stays.
func TestViewIsBounded(t *testing.T) {
	v := New("eth0")
	costly := netip.MustParseAddrPort("192.0.2.1:80")
	v.Finding(&report.Finding{
		Rule: "nagle", Server: costly,
		Occurrences: []report.Occurrence{{Cost: report.Cost{Expected: time.Second}}},
	})
	for i := range 5000 {
		v.Exchange(netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), 80))
	}
	if n := len(v.services); n > maxServices {
		t.Errorf("%d services", n)
	}
	if v.services[costly] == nil {
		t.Error("the service that lost time was forgotten")
	}
}
