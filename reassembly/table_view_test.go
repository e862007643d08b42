package reassembly

import (
	"net/netip"
	"testing"
	"time"

	"tcpwhy/capture"
)

// A connection is known again behind a translation of addresses by what its client's kernel chose
// for the SYN.
func TestViews(t *testing.T) {
	first := capture.Segment{Src: netip.MustParseAddrPort("172.17.0.2:40000"), Dst: netip.MustParseAddrPort("192.0.2.1:80"),
		Seq: 7, Window: 64240, TSVal: 99, Flags: capture.SYN, Options: capture.HasTS}
	first.Time = time.Second
	for _, tt := range []struct {
		name   string
		change func(*capture.Segment)
		want   bool
	}{
		{"source translated", func(s *capture.Segment) { s.Src = netip.MustParseAddrPort("10.0.0.1:40000") }, true},
		{"destination translated", func(s *capture.Segment) { s.Dst = netip.MustParseAddrPort("172.17.0.3:8080") }, true},
		{"at another host, later", func(s *capture.Segment) {
			s.Src, s.Time = netip.MustParseAddrPort("10.0.0.1:40000"), 1200*time.Millisecond
		}, true},
		{"another number", func(s *capture.Segment) { s.Src, s.Seq = netip.MustParseAddrPort("10.0.0.1:40000"), 8 }, false},
		{"another time", func(s *capture.Segment) { s.Src, s.TSVal = netip.MustParseAddrPort("10.0.0.1:40000"), 100 }, false},
		{"a scanner's next", func(s *capture.Segment) { s.Dst, s.Options = netip.MustParseAddrPort("192.0.2.1:81"), 0 }, false},
		{"long after", func(s *capture.Segment) { s.Src, s.Time = netip.MustParseAddrPort("10.0.0.1:40000"), time.Minute }, false},
	} {
		table := NewTable(TableLimits{})
		seg := first
		if c, _, _ := table.Assign(&seg, seg.Time); c.View {
			t.Fatalf("%s: the first one is no view", tt.name)
		}
		tt.change(&seg)
		if c, _, _ := table.Assign(&seg, seg.Time); c.View != tt.want || c.ID != 1 {
			t.Errorf("%s: connection %d, view %v, want %v", tt.name, c.ID, c.View, tt.want)
		}
	}
}
