package main

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"tcpwhy/analysis"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
)

// view says what of a report is compared.
type view struct {
	addr     func(netip.AddrPort) netip.AddrPort // nil: as they are
	frames   bool                                // also the numbers of frames
	counts   bool                                // also how many segments there were
	http     bool                                // also what HTTP said
	anyPlace bool                                // but not where connections were captured
}

var whole = view{frames: true, counts: true, http: true}

// digest is the report as lines in an order that does not depend on addresses: what must be equal
// of two captures that tell the same.
func (v view) digest(r *report.Report) []string {
	if v.addr == nil {
		v.addr = func(a netip.AddrPort) netip.AddrPort { return a }
	}
	out := []string{fmt.Sprintf("total %d connections %d exchanges %v lost %v %s", r.Connections, r.ExchangeCount,
		r.ExchangeTime, r.Lost, times(r.Times))}
	for i := range r.Conns {
		c := &r.Conns[i]
		vantage := c.Vantage
		if v.anyPlace {
			vantage = 0
		}
		s := fmt.Sprintf("connection %d %v %v %v+%v %v %v %v rtt %v %v %v %v mss %v bytes %v closed %q reset %q exchanges %v %s %v",
			c.ID, v.addr(c.Client), v.addr(c.Server), c.Start, c.Duration, c.State, c.Protocol, vantage, c.Handshake,
			c.RTTMin, c.ClientRTT, c.ServerRTT, c.MSS, c.Bytes, c.ClosedBy, c.ResetBy, c.Exchanges, times(c.Times), c.Caveats)
		if v.counts {
			s += fmt.Sprintf(" segments %v %v %s", c.Segments, c.Retransmissions, c.History)
		}
		out = append(out, s)
	}
	for i := range r.Exchanges {
		out = append(out, v.exchange(&r.Exchanges[i]))
	}
	var findings []string
	for i := range r.Findings {
		if !r.Findings[i].Client.IsValid() {
			continue // about the capture
		}
		findings = append(findings, v.finding(&r.Findings[i])...)
	}
	slices.Sort(findings)
	return append(out, findings...)
}

func (v view) exchange(x *report.ExchangeInfo) string {
	s := fmt.Sprintf("exchange %d of %d at %v %v %s", x.ID, x.Connection, x.Start, x.Duration, times(x.Times))
	if v.http {
		s += fmt.Sprintf(" %s %s %s %s %d %v %v", x.Method, x.Target, x.Host, x.Version, x.Status, x.Interim, x.Outcome)
		s += fmt.Sprintf(" behind %t %d of %v waited %v", x.Behind, x.Front, x.Upstream, x.Waited)
	}
	for _, m := range []*report.MessageInfo{x.Request, x.Response} {
		if m == nil {
			continue
		}
		s += fmt.Sprintf(" %v..%v", m.Start.Time, m.End.Time)
		if v.http {
			s += fmt.Sprintf(" %d+%d %t", m.HeaderBytes, m.BodyBytes, m.Complete)
		}
		if v.frames {
			s += fmt.Sprintf(" %d..%d", m.Start.Frame.Number(), m.End.Frame.Number())
		}
	}
	return s
}

func (v view) finding(f *report.Finding) []string {
	pair := v.addr(netip.AddrPortFrom(f.Client, 0)).Addr()
	head := fmt.Sprintf("finding %s/%s %v %v", f.Rule, f.Cause, pair, v.addr(f.Server))
	out := []string{fmt.Sprintf("%s: %v %v %v count %d cost %v affected %d", head, f.Severity, f.Confidence, f.Side, f.Count,
		f.Cost, f.Affected)}
	for _, o := range f.Occurrences {
		s := fmt.Sprintf("%s: in %d %d %v..%v %v", head, o.Connection, o.Exchange, o.Start, o.End, o.Cost)
		for _, e := range o.Evidence {
			s += fmt.Sprintf(" %s %v", e.Role, e.Time)
			if v.frames {
				s += fmt.Sprintf(" %d", e.Frame.Number())
			}
		}
		out = append(out, s)
	}
	return out
}

func times(all []report.LabelTime) string {
	var b strings.Builder
	for _, part := range all {
		fmt.Fprintf(&b, "%v=%v ", part.Label, part.Time)
	}
	return b.String()
}

// same compares two digests and tells the first line that differs.
func same(t tester, what string, got, want []string) {
	t.Helper()
	for i := range max(len(got), len(want)) {
		g, w := "nothing", "nothing"
		if i < len(got) {
			g = got[i]
		}
		if i < len(want) {
			w = want[i]
		}
		if g != w {
			t.Errorf("%s:\n got %s\nwant %s", what, g, w)
			return
		}
	}
}

// analyseData is the report of capture files by content, with all occurrences listed.
func analyseData(t tester, files ...[]byte) *report.Report {
	t.Helper()
	if len(files) == 1 {
		return analyseConfig(t, capture.Config{Inputs: []string{"-"}, Stdin: bytes.NewReader(files[0])})
	}
	dir, err := os.MkdirTemp("", "tcpwhy")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	var names []string
	for i, file := range files {
		names = append(names, filepath.Join(dir, fmt.Sprintf("%03d.pcap", i)))
		if err := os.WriteFile(names[i], file, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return analyseConfig(t, capture.Config{Inputs: names})
}

func analyseConfig(t tester, c capture.Config) *report.Report {
	t.Helper()
	src, err := capture.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	r, err := analysis.Run(context.Background(), src, analysis.WithWorkers(1),
		analysis.WithLimits(analysis.Limits{Occurrences: analysis.NoLimit}))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// labelTotal is the time that a label got over all exchanges and, for the time between them,
// connections.
func labelTotal(list []report.LabelTime, l report.Label) time.Duration {
	for _, part := range list {
		if part.Label == l {
			return part.Time
		}
	}
	return 0
}
