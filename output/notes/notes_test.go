package notes

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"unicode"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/output/internal/sample"
	"tcpwhy/reassembly/exchange"
)

// TestComments: each frame of a proof has a comment, none has a secret or what a program that shows
// it would act on.
func TestComments(t *testing.T) {
	r := sample.Report()
	n := Of(r, Options{Version: "1", Numbers: true})
	all := slices.Clone(n.Summary)
	for i := range r.Findings {
		for k := range r.Findings[i].Occurrences {
			for _, e := range r.Findings[i].Occurrences[k].Evidence {
				own := n.Frames[e.Frame]
				begin := fmt.Sprintf(
					"frame %d of trace.pcap: tcpwhy %s ",
					e.Frame.Number(),
					r.Findings[i].Rule,
				)
				if len(own) == 0 || !strings.HasPrefix(own[0], begin) {
					t.Errorf("frame %d: %q, want it to begin with %q", e.Frame.Number(), own, begin)
				}
				all = append(all, own...)
			}
		}
	}
	for _, text := range all {
		harmless := func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }
		if strings.Contains(text, sample.Secret) || strings.ContainsFunc(text, harmless) {
			t.Errorf("%q", text)
		}
	}
}

// TestLimits: whatever the report holds, comments are not longer or more than programs take.
func TestLimits(t *testing.T) {
	r := sample.Report()
	f := &r.Findings[0]
	f.Occurrences[0].Evidence[0].Text = strings.Repeat("\x1b", 5_000)
	for range 20 {
		f.Occurrences = append(f.Occurrences, f.Occurrences[0])
	}
	for id, own := range Of(r, Options{}).Frames {
		if len(own) > maxOnFrame+1 {
			t.Errorf("%d comments on frame %d", len(own), id.Number())
		}
		for _, text := range own {
			if len([]rune(text)) > maxComment || strings.Contains(text, "\x1b") {
				t.Errorf("%d characters: %q", len(text), text)
			}
		}
		if last := own[len(own)-1]; !strings.Contains(last, "more proofs in the report") {
			t.Errorf("the last comment is %q", last)
		}
	}
	w := writer{notes: &capture.Notes{}, count: maxComments}
	w.add(capture.NewFrameID(0, 1), "x")
	if len(w.notes.Frames) > 0 || w.left != 1 {
		t.Error("more comments than there may be")
	}
}

func TestNames(t *testing.T) {
	at := func(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }
	r := &report.Report{
		Conns: []report.ConnInfo{
			{ID: 0, Server: at("10.0.0.1:80")}, {ID: 1, Server: at("10.0.0.2:80")},
			{ID: 2, Server: at("10.0.0.3:443"), TLS: &exchange.TLSInfo{SNI: "Three.example"}},
			{ID: 3, Server: at("10.0.0.4:80")}, {ID: 4, Server: at("[fd00::1]:80")},
			{ID: 5, Server: at("10.0.0.5:3128")}, {ID: 6, Server: at("10.0.0.6:80")},
		},
		Exchanges: []report.ExchangeInfo{
			{Connection: 0, Host: "one.example:8080"}, {Connection: 1, Host: "a.example"},
			{Connection: 1, Host: "b.example"}, {Connection: 3, Host: "10.0.0.4"},
			{Connection: 4, Host: "six_1.example"},
			{Connection: 5, Host: "origin.example", Target: "http://origin.example/"},
			{
				Connection: 6,
				Host:       "a\x1b[31m.example",
			}, {Connection: 6, Host: strings.Repeat("a", 256)},
		},
	}
	var got []string
	for _, n := range names(r) {
		got = append(got, n.Addr.String()+"="+n.Name)
	}
	if want := "10.0.0.1=one.example 10.0.0.3=three.example fd00::1=six_1.example"; strings.Join(
		got,
		" ",
	) != want {
		t.Errorf("names %v, want %s", got, want)
	}
}
