package json

import (
	"bytes"
	"io"
	"net/netip"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"tcpwhy/analysis"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/output/finding"
	"tcpwhy/output/internal/sample"
	"tcpwhy/output/mask"
	"tcpwhy/output/wording"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

// codec is one way to write a report and to read it back.
type codec struct {
	name   string
	write  func(io.Writer, *report.Report, Options) error
	decode func(io.Reader) (*report.Report, string, error)
}

var codecs = []codec{{"object", Write, Decode}, {"lines", WriteLines, DecodeLines}}

// thereAndBack is what a report is as JSON, and the report that is made of that.
func (c *codec) thereAndBack(
	t *testing.T, r *report.Report, opts Options,
) (there string, back *report.Report) {
	t.Helper()
	var b strings.Builder
	if err := c.write(&b, r, opts); err != nil {
		t.Fatal(err)
	}
	back, version, err := c.decode(strings.NewReader(b.String()))
	if err != nil {
		t.Fatalf("%s: %v", c.name, err)
	}
	if version != opts.Version {
		t.Errorf("%s: version %q, want %q", c.name, version, opts.Version)
	}
	return b.String(), back
}

// checkRoundTrip: a report that is read back is written as it was, and is the same but for what
// JSON does not hold.
func checkRoundTrip(t *testing.T, r *report.Report, opts Options) {
	t.Helper()
	checkReflected(t, r, opts)
	var want *report.Report
	for _, c := range codecs {
		there, back := c.thereAndBack(t, r, opts)
		if again, _ := c.thereAndBack(t, back, opts); again != there {
			t.Errorf("%s: written again it is another:\n%s", c.name, cmp.Diff(there, again))
		}
		if want == nil {
			want = held(r, opts)
		} else if reflect.DeepEqual(want, back) {
			continue // as that of the codec before
		}
		if d := difference(want, back); d != "" {
			t.Errorf("%s: read back it is another:\n%s", c.name, d)
		}
		want = back
	}
}

// difference is between two reports; "" if there is none.
func difference(want, got *report.Report) string {
	addresses := cmpopts.EquateComparable(netip.Addr{}, netip.AddrPort{})
	return cmp.Diff(want, got, cmpopts.EquateEmpty(), addresses)
}

// held is what JSON holds of a report: the list at Decode, in code.
func held(from *report.Report, opts Options) *report.Report {
	r := *from
	r.Capture = heldStats(from.Capture)
	r.Times = heldTimes(from.Times)
	r.Findings = nil
	for _, f := range from.Findings {
		f.Broken, f.Counted, f.Host, f.Asserts = false, false, mask.Host(f.Host), nil
		f.Occurrences = slices.Clone(f.Occurrences)
		for i := range f.Occurrences {
			o := &f.Occurrences[i]
			o.Elsewhere = o.Elsewhere && elsewhereMatters(from, *o)
			o.Evidence = slices.Clone(o.Evidence)
			for k := range o.Evidence {
				o.Evidence[k].Asserts = nil
			}
		}
		r.Findings = append(r.Findings, f)
	}
	r.Stories = slices.Clone(from.Stories)
	for i := range r.Stories {
		s := &r.Stories[i]
		s.Broken, s.Counted = false, false
		s.WorstServices = slices.Clone(s.WorstServices)
		for k := range s.WorstServices {
			s.WorstServices[k].Host = mask.Host(s.WorstServices[k].Host)
		}
	}
	r.Tally = heldTally(&from.Tally)
	r.Conns = nil
	for _, c := range from.Conns {
		r.Conns = append(r.Conns, heldConn(c))
	}
	r.Exchanges = nil
	for _, x := range from.Exchanges {
		r.Exchanges = append(r.Exchanges, heldExchange(x, opts))
	}
	r.Trace = heldTrace(from.Trace, opts)
	return &r
}

// elsewhereMatters: without evidence elsewhere, the filter would name the connection.
func elsewhereMatters(r *report.Report, o report.Occurrence) bool {
	o.Elsewhere = false
	return strings.HasPrefix(finding.Filter(r, &o), finding.StreamFilter)
}

func heldTally(from *report.Tally) report.Tally {
	t := *from
	t.Endpoints = slices.Clone(t.Endpoints)
	for i := range t.Endpoints {
		p := &t.Endpoints[i]
		p.Method, p.Host = mask.ASCII(p.Method), mask.Host(p.Host)
		p.Template = mask.Target(p.Template, false, longestTarget)
	}
	t.Over.Steps = slices.Clone(t.Over.Steps)
	for i := range t.Over.Steps {
		s := &t.Over.Steps[i]
		p90 := s.Duration.Quantile(0.90)
		if s.Duration = (report.Durations{}); p90 > 0 {
			s.Duration.Add(p90)
		}
	}
	return t
}

func heldStats(s *capture.Stats) *capture.Stats {
	out := &capture.Stats{
		Start: s.Start, End: s.End, Frames: s.Frames, Bytes: s.Bytes, Count: s.Count,
	}
	for _, in := range s.Inputs {
		in.KernelDrops, in.Comments = 0, nil
		in.Octets, in.First, in.Latest = 0, 0, 0
		out.Inputs = append(out.Inputs, in)
	}
	if len(out.Inputs) > 0 {
		out.Inputs[0].KernelDrops = s.KernelDrops()
	}
	return out
}

func heldTimes(times []report.LabelTime) []report.LabelTime {
	none := func(t report.LabelTime) bool { return t.Time == 0 }
	return slices.DeleteFunc(slices.Clone(times), none)
}

func heldConn(c report.ConnInfo) report.ConnInfo {
	c.Times = heldTimes(c.Times)
	if c.TLS != nil {
		c.TLS = &exchange.TLSInfo{
			SNI: mask.Host(c.TLS.SNI), ALPN: mask.ASCII(c.TLS.ALPN), Version: c.TLS.Version,
			Resumed: c.TLS.Resumed, Suite: c.TLS.Suite, Decrypted: c.TLS.Decrypted,
		}
	}
	for side, e := range c.Ends {
		if e != nil {
			shown := *e
			shown.Command, shown.Cgroup = mask.ASCII(e.Command), mask.ASCII(e.Cgroup)
			c.Ends[side] = &shown
		}
	}
	return c
}

func heldExchange(x report.ExchangeInfo, opts Options) report.ExchangeInfo {
	longest := longestTarget
	if opts.ShowQuery {
		longest = mask.WholeTarget
	}
	x.Times, x.Pieces, x.Trail = heldTimes(x.Times), nil, nil
	x.Method, x.Version, x.Host = mask.ASCII(x.Method), mask.ASCII(x.Version), mask.Host(x.Host)
	x.Target = mask.Target(x.Target, opts.ShowQuery, longest)
	return x
}

func heldTrace(from *report.Trace, opts Options) *report.Trace {
	if from == nil {
		return nil
	}
	t := *from
	conn := heldConn(*t.Conn)
	t.Conn = &conn
	if t.Exchange != nil {
		x := heldExchange(*t.Exchange, opts)
		t.Exchange = &x
	}
	t.Tiles, t.Segments = slices.Clone(t.Tiles), slices.Clone(t.Segments)
	for i := range t.Tiles {
		k := &t.Tiles[i]
		k.Before.Time, k.Cause.Time, k.End.Time = 0, 0, 0
	}
	for i := range t.Segments {
		s := &t.Segments[i]
		s.Cause.Time = 0
		s.TSVal, s.TSEcr, s.SACK, s.IPID, s.TTL = 0, 0, 0, 0, 0
		s.Trait &^= reassembly.Advances | reassembly.HasTS | reassembly.Outrun
		if s.Flags&capture.ACK == 0 {
			s.Ack = 0
		}
	}
	return &t
}

func TestRoundTripOfSample(t *testing.T) {
	several := sample.Report()
	second := capture.Input{Name: "-", Error: "cut", KernelDrops: 3}
	several.Capture.Inputs = append(several.Capture.Inputs, second)
	several.Findings[0].Occurrences[0].Elsewhere = true
	for _, r := range []*report.Report{
		sample.Report(), sample.Traced(), several, {Capture: &capture.Stats{}},
	} {
		checkRoundTrip(t, r, Options{Version: "1.2.3"})
		checkRoundTrip(t, r, Options{ShowQuery: true})
	}
}

// TestRoundTrip reads back what is written of the captures of all scenarios, each with a trace of
// its first connection or its first exchange.
func TestRoundTrip(t *testing.T) {
	scenarios, err := filepath.Glob("../../testdata/pcaps/*")
	if err != nil || len(scenarios) == 0 {
		t.Fatal("there are no scenarios", err)
	}
	for i, dir := range scenarios {
		if testing.Short() && i%8 > 0 {
			continue
		}
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			of := report.TraceOf{Connection: 0, Exchange: i%2 - 1}
			checkRoundTrip(t, analyse(t, dir, of), Options{Version: "1.2.3", ShowQuery: i%3 == 0})
		})
	}
}

// analyse is the report on the captures of a scenario.
func analyse(t *testing.T, dir string, of report.TraceOf) *report.Report {
	t.Helper()
	inputs, err := filepath.Glob(dir + "/capture*.pcap*")
	if err != nil {
		t.Fatal(err)
	}
	src, err := capture.Open(capture.Config{Inputs: inputs})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	r, err := analysis.Run(t.Context(), src, analysis.WithWorkers(1), analysis.WithTrace(of))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestDecodeLive: the lines of a capture that goes on are no part of the report that follows them.
func TestDecodeLive(t *testing.T) {
	var b, report bytes.Buffer
	r := sample.Report()
	live := NewLive(&b, "eth0", Options{})
	_, _, _ = live.Occurrence(&r.Findings[0]), live.Exchange(&r.Exchanges[1]), live.SoFar(r)
	if err := WriteLines(&report, r, Options{}); err != nil {
		t.Fatal(err)
	}
	want := report.String()
	b.WriteString(want)
	back, _, err := DecodeLines(&b)
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := codecs[1].thereAndBack(t, back, Options{}); got != want {
		t.Errorf("read back it is another:\n%s", cmp.Diff(want, got))
	}
}

// changed is the sample's JSON with one text replaced.
func changed(t *testing.T, from, to string) string {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, sample.Traced(), Options{}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), from) {
		t.Fatalf("the sample does not hold %q", from)
	}
	return strings.Replace(b.String(), from, to, 1)
}

func TestDecodeMistakes(t *testing.T) {
	tests := []struct{ from, to, want string }{
		{`"schema_version": 2`, `"schema_version": 3`, "schema_version is 3; this program reads 2"},
		{`"schema_version": 2`, `"schema": 2`, "no schema_version"},
		{`"severity": "high"`, `"severity": "grave"`, `no severity is called "grave"`},
		{`"client": "10.20.0.2"`, `"client": "10.20.0"`, "10.20.0"},
		{`"think": 70`, `"coffee": 70`, `no label is called "coffee"`},
		{`"think": 70`, `"think": "70"`, "no number of milliseconds"},
		{`"flags": "S."`, `"flags": ".S"`, `no set of flags is called ".S"`},
		{`"frame": 14`, `"frame": 281474976710656`, "there can be no frame 281474976710656"},
		{`"endpoints": [`, `"endpoints": {}, "other": [`, `not [`},
		{`"frames": 214`, `"frames": -1`, "frames"},
	}
	for _, tt := range tests {
		_, _, err := Decode(strings.NewReader(changed(t, tt.from, tt.to)))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s instead of %s: %v, want %q", tt.to, tt.from, err, tt.want)
		}
	}
	for _, text := range []string{"", "{", "[]", "null", "{} {}", `{"schema_version":1} 2`} {
		if _, _, err := Decode(strings.NewReader(text)); err == nil {
			t.Errorf("%q is read as a report", text)
		}
		if _, _, err := DecodeLines(strings.NewReader(text)); err == nil {
			t.Errorf("%q is read as lines of a report", text)
		}
	}
}

// TestDecodeNewer: what a newer program adds is skipped, and another program's numbers are read.
func TestDecodeNewer(t *testing.T) {
	for from, to := range map[string]string{
		`"tool": {`:           `"tales": [{"a": [1, {}]}], "tool": {"since": 2026,`,
		`"id": 1,`:            `"id": 1, "downstream": [3],`,
		`"think": 70,`:        `"think": 7.0e1,`,
		`"unknown": 0.000001`: `"unknown": 1e-06`,
	} {
		back, _, err := Decode(strings.NewReader(changed(t, from, to)))
		if err != nil {
			t.Errorf("with %s: %v", to, err)
			continue
		}
		if d := difference(held(sample.Traced(), Options{}), back); d != "" {
			t.Errorf("with %s: %s", to, d)
		}
	}
}

func TestParseMillis(t *testing.T) {
	for _, d := range []time.Duration{0, 1, -1, time.Millisecond, 40812345, 1<<63 - 1, -1 << 63} {
		if got, ok := parseMillis(string(wording.AppendMillis(nil, d))); got != d || !ok {
			t.Errorf("%d is read as %d, %v", d, got, ok)
		}
	}
	others := map[string]time.Duration{"1e3": time.Second, "0.0000014": 1, "0.0000015": 2}
	for text, want := range others {
		if got, ok := parseMillis(text); got != want || !ok {
			t.Errorf("%s is read as %d, %v, want %d", text, got, ok, want)
		}
	}
	for _, text := range []string{"9223372036854.775808", "1e300", `"1"`, "null", "true"} {
		if _, ok := parseMillis(text); ok {
			t.Errorf("%s is read as a time", text)
		}
	}
}

// FuzzDecode reads anything. What is a report is written in a way that reading and writing leave as
// it is.
func FuzzDecode(f *testing.F) {
	empty := &report.Report{Capture: &capture.Stats{}}
	for _, r := range []*report.Report{sample.Report(), sample.Traced(), empty} {
		var b bytes.Buffer
		if err := Write(&b, r, Options{}); err != nil {
			f.Fatal(err)
		}
		f.Add(b.String())
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, version, err := Decode(strings.NewReader(text))
		if err != nil {
			return
		}
		opts := Options{Version: version}
		written, back := codecs[0].thereAndBack(t, r, opts)
		if again, _ := codecs[0].thereAndBack(t, back, opts); again != written {
			t.Errorf("written again it is another:\n%s", cmp.Diff(written, again))
		}
	})
}

// TestErrorInsteadOfReport: what stands in place of a report says why there is none.
func TestErrorInsteadOfReport(t *testing.T) {
	for _, tt := range []struct {
		name  string
		write func(io.Writer, string, string, Options) error
		read  func(io.Reader) (*report.Report, string, error)
	}{{"object", WriteError, Decode}, {"line", WriteErrorLine, DecodeLines}} {
		var b bytes.Buffer
		if err := tt.write(&b, "no \x1b such file", "", Options{Version: "1"}); err != nil {
			t.Fatal(err)
		}
		_, _, err := tt.read(&b)
		const want = `JSON report: there is no report: no \x1b such file`
		if err == nil || err.Error() != want {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}
