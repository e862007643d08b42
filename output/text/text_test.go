package text

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"
	"unicode"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/output/internal/sample"
	"tcpwhy/output/page"
	"tcpwhy/reassembly"
)

// render is the text report, checked for what holds for every one.
func render(t *testing.T, r *report.Report, opts Options) string {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, r, opts); err != nil {
		t.Fatal(err)
	}
	width := max(opts.Page.Width, page.MinWidth)
	if opts.Page.Width == 0 {
		width = page.DefaultWidth
	}
	for i, line := range strings.Split(b.String(), "\n") {
		if n := page.Cells(stripColor(line)); n > width {
			t.Errorf("line %d is %d columns wide: %q", i+1, n, line)
		}
		if strings.TrimRight(line, " ") != line && !opts.Page.Color {
			t.Errorf("line %d ends in spaces: %q", i+1, line)
		}
		for _, c := range stripColor(line) {
			if !unicode.IsPrint(c) {
				t.Errorf("line %d holds the unprintable %U: %q", i+1, c, line)
			}
		}
	}
	return b.String()
}

func stripColor(s string) string {
	for _, code := range []page.Style{
		page.Strong, page.Faint, page.Red, page.Yellow, page.Cyan, page.Green, page.Reset,
	} {
		s = strings.ReplaceAll(s, string(code), "")
	}
	return s
}

func TestTextSample(t *testing.T) {
	got := render(t, sample.Report(), Options{})
	for _, want := range []string{
		"trace.pcap: 2 exchanges on 1 connection, 834 ms of exchange time",
		"615 ms of 834 ms (74 %) was lost to one cause: Nagle hold ended by a delayed ACK.",
		"a fix saves between 520 ms and 640 ms",
		"+40.851 ms",
		"tcp.stream eq 0 && frame.number in {14,15,16}",
		"client: write headers and body at once, or set TCP_NODELAY",
		"Taken at the client.",
		"This weakens slow-start, receive-window.",
	} {
		if !strings.Contains(strings.Join(strings.Fields(got), " "), want) {
			t.Errorf("the report lacks %q:\n%s", want, got)
		}
	}
}

func TestTextWidths(t *testing.T) {
	r := sample.Report()
	long := strings.Repeat("averylongwordwithoutanyspace", 8)
	f := &r.Findings[0]
	f.Title, f.Message, f.Remedies[0].Text = long, long+" "+long, long
	r.Findings = append(r.Findings, *f)
	r.Findings[1].Rule, r.Findings[1].Cost = "truncated-response", report.Cost{}
	f = &r.Findings[0]
	f.Host = long
	f.Client = netip.MustParseAddr("2001:db8:1111:2222:3333:4444:5555:6666")
	f.Server = netip.MustParseAddrPort("[2001:db8:1111:2222:3333:4444:5555:7777]:65535")
	for i := range 40 {
		e := f.Occurrences[0].Evidence[0]
		e.Frame = capture.NewFrameID(i%2, 1<<39+uint64(i))
		f.Occurrences[0].Evidence = append(f.Occurrences[0].Evidence, e)
	}
	r.Exchanges[0].Target, r.Exchanges[0].Method, r.Exchanges[0].ID = "/"+long, long, 123456789
	r.Conns[0].Client, r.Conns[0].ID = netip.AddrPortFrom(f.Client, 60000), 1234567890
	r.Caveats[0].Message = long
	r.Capture.Inputs = append(r.Capture.Inputs, capture.Input{
		Name: "資料/資料資料資料資料資料資料資料資料資料資料資料資料資料資料資料資料資料資料資料資料.pcap", Error: long,
	})
	sample.Tell(r)
	for _, opts := range []page.Options{
		{}, {Width: page.MinWidth}, {Width: 132}, {Color: true}, {ASCII: true},
	} {
		got := render(t, r, Options{Page: opts})
		if opts.ASCII {
			if i := strings.IndexFunc(got, func(c rune) bool { return c >= 0x80 }); i >= 0 {
				t.Errorf("not ASCII: %q", got[i:i+4])
			}
		}
	}
}

func TestTextManyFindings(t *testing.T) {
	r := sample.Report()
	f := r.Findings[0]
	r.Findings = nil
	for i := range 60 {
		g := f
		g.Rule = "rule-" + string(rune('a'+i%40))
		g.Client = netip.AddrFrom4([4]byte{10, 0, 0, byte(i)})
		g.Severity = report.Severity(i%4 + 1)
		r.Findings = append(r.Findings, g)
	}
	sample.Tell(r)
	got := render(t, r, Options{})
	if n := strings.Count(got, "    Proof"); n != maxDetailed {
		t.Errorf("%d findings are told in full, want %d", n, maxDetailed)
	}
	if !strings.Contains(got, "and 12 more") {
		t.Errorf("the report does not say how many findings it left out:\n%s", got)
	}
}

func TestTextWithoutFindings(t *testing.T) {
	quiet := sample.Report()
	quiet.Stories, quiet.Findings, quiet.Lost = nil, nil, 0
	empty := &report.Report{
		Capture: &capture.Stats{Inputs: []capture.Input{{Name: "e.pcap", Complete: true}}},
	}
	quic := &report.Report{
		Capture: &capture.Stats{
			Frames: 9,
			Inputs: []capture.Input{{Name: "q.pcap", Complete: true}},
		},
	}
	quic.Capture.Count[capture.OutcomeQUIC] = 9
	silent := &report.Report{
		Connections: 1,
		Capture: &capture.Stats{
			Frames: 3,
			Inputs: []capture.Input{{Name: "s.pcap", Complete: true}},
		},
	}
	silent.Capture.Count[capture.OutcomeSegment] = 3
	silent.Conns = []report.ConnInfo{{State: reassembly.Refused}}
	tests := []struct {
		name   string
		report *report.Report
		want   string
	}{
		{"quiet", quiet, "Nothing found: 4 rules looked at it"},
		{"empty", empty, "The capture is empty"},
		{"QUIC", quic, "HTTP/3 runs over QUIC, which this program cannot analyse."},
		{"no TCP", quic, "No TCP in this capture"},
		{"no exchange", silent, "No connection carries a request and a response; 1 was refused."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := render(t, tt.report, Options{}); !strings.Contains(got, tt.want) {
				t.Errorf("the report lacks %q:\n%s", tt.want, got)
			}
		})
	}
}

// TestShowQuery: values of queries are there when they are asked for, and only then.
func TestShowQuery(t *testing.T) {
	for _, show := range []bool{false, true} {
		got := render(t, sample.Report(), Options{ShowQuery: show})
		if shown := strings.Contains(got, "key="+sample.Secret); shown != show {
			t.Errorf("values shown %v: a planted value appears: %v", show, shown)
		}
	}
}
