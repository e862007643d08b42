package reassembly

import (
	"fmt"
	"math"
	"net/netip"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tcpwhy/capture"
)

// unlimited are limits that nothing reaches.
var unlimited = TableLimits{
	Open:     math.MaxInt,
	Closed:   math.MaxInt,
	Embryos:  math.MaxInt,
	Finished: math.MaxInt,
	Waiting:  math.MaxInt,
}

// logbook notes by client port what a Table says of connections.
type logbook map[uint16][]string

func (l logbook) note(c *Conn, format string, args ...any) {
	port := max(c.Client.Port(), c.Server.Port()) // the server's is 80
	l[port] = append(l[port], fmt.Sprintf(format, args...))
}

// takeOver notes which connections are over.
func (l logbook) takeOver(t *Table) {
	for c, at, captureEnd := t.Over(); c != nil; c, at, captureEnd = t.Over() {
		l.note(c, "over since %v, capture ended %v", at, captureEnd)
	}
}

// read takes segments through a Table that is told of the gaps and the end of the capture that they
// are a part of.
func (l logbook) read(segs []capture.Segment, gaps []gap, end time.Duration) {
	t := NewTable(unlimited)
	for _, g := range gaps {
		t.Gap(g.from, g.to)
	}
	for i := range segs {
		c, dir, fresh := t.Assign(&segs[i], segs[i].Time)
		l.takeOver(t)
		if c != nil {
			l.note(c, "%v at %v: fresh %v", dir, segs[i].Time, fresh)
			l.note(c, "reuses %v, ended %v, %q", c.Reuses >= 0, c.ReusesEnd, c.Caveats)
		}
		if c := t.Finished(); c != nil {
			l.note(c, "finished")
		}
	}
	t.Settle(math.MaxInt64)
	l.takeOver(t)
	t.Finish(end)
	l.takeOver(t)
}

// gapsOf are those of a capture.
func gapsOf(segs []capture.Segment) (gaps []gap, end time.Duration) {
	for i := range segs {
		if at := segs[i].Time; at-end > GapFrom {
			gaps = append(gaps, gap{end, at})
		}
		end = segs[i].Time
	}
	return gaps, end
}

// traffic draws segments of a few clients, with silences between them of any length.
func traffic(t *rapid.T) []capture.Segment {
	server := netip.MustParseAddrPort("192.0.2.1:80")
	silences := []time.Duration{
		time.Millisecond, time.Second, 6 * time.Second, time.Minute, 9 * time.Minute,
		50 * time.Minute, 61 * time.Minute, 3 * time.Hour,
	}
	flags := []capture.TCPFlags{
		capture.SYN, capture.SYN | capture.ACK, capture.ACK, capture.ACK, capture.ACK,
		capture.FIN | capture.ACK, capture.FIN | capture.ACK, capture.RST | capture.ACK,
	}
	var segs []capture.Segment
	now := time.Duration(0)
	for i := range rapid.IntRange(1, 60).Draw(t, "segments") {
		port := uint16(40000 + rapid.IntRange(0, 3).Draw(t, "client"))
		client := netip.AddrPortFrom(netip.MustParseAddr("10.0.0.1"), port)
		s := capture.Segment{Src: client, Dst: server}
		s.Flags = rapid.SampledFrom(flags).Draw(t, "flags")
		if rapid.Bool().Draw(t, "server") {
			s.Src, s.Dst = server, client
		}
		s.Seq = 1000 * rapid.Uint32Range(1, 3).Draw(t, "seq")
		s.Ack = 1000 * rapid.Uint32Range(1, 4).Draw(t, "ack")
		s.Len = uint32(rapid.SampledFrom([]int{0, 0, 10, 1000}).Draw(t, "len"))
		now += rapid.SampledFrom(silences).Draw(t, "silence")
		s.Time, s.Frame = now, capture.NewFrameID(0, uint64(i+1))
		segs = append(segs, s)
	}
	return segs
}

// TestTablesByThemselves gives each client's segments to a Table of their own, which is told of the
// capture's gaps and its end: it says what the Table of all segments says of that client.
func TestTablesByThemselves(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		all := traffic(rt)
		gaps, end := gapsOf(all)
		want, got := logbook{}, logbook{}
		want.read(all, gaps, end)
		parts := map[uint16][]capture.Segment{}
		for _, s := range all {
			port := max(s.Src.Port(), s.Dst.Port())
			parts[port] = append(parts[port], s)
		}
		for _, part := range parts {
			got.read(part, gaps, end)
		}
		for port := range parts {
			if !slices.Equal(got[port], want[port]) {
				rt.Fatalf("port %d alone\n%q\namong others\n%q", port, got[port], want[port])
			}
		}
	})
}

// TestGap: what was open when the capture was interrupted goes on after it, whoever is seen first;
// what was silent while others were seen does not.
func TestGap(t *testing.T) {
	const other = "client 10.0.0.9:1 isn 1\n+7200 > S 0:0(0)\nclient 10.0.0.1:40000 isn 1000\n"
	const open = "+0 > S 0:0(0)\n+0 < S. 0:0(0) ack 1\n+0 > . 1:1(0) ack 1\n"
	atOnce := []gap{{0, 2 * time.Hour}}
	soon := []gap{{30 * time.Minute, 9000 * time.Second}}
	late := []gap{{2 * time.Hour, 4 * time.Hour}}
	for _, tt := range []struct {
		name, text string
		gaps       []gap
		want       bool // the connection goes on
	}{
		{"told", open + "+7200 > . 1:1(0) ack 1", atOnce, true},
		{"not told: others were seen", open + "+7200 > . 1:1(0) ack 1", nil, false},
		{"another is seen first", open + other + "+1 > . 1:1(0) ack 1", atOnce, true},
		{"silent long before", open + "+20000 > . 1:1(0) ack 1", late, false},
		{"silent a little before", open + "+10000 > . 1:1(0) ack 1", soon, true},
		{"silent a little before, long after", open + "+20000 > . 1:1(0) ack 1", soon, false},
	} {
		table := NewTable(TableLimits{})
		for _, g := range tt.gaps {
			table.Gap(g.from, g.to)
		}
		segs := parse(t, tt.text)
		var first, last *Conn
		for i := range segs {
			last, _, _ = table.Assign(&segs[i], segs[i].Time)
			if i == 0 {
				first = last
			}
		}
		if got := last == first; got != tt.want {
			t.Errorf("%s: goes on %v, want %v", tt.name, got, tt.want)
		}
	}
}

// TestEndIsTold: a connection that was silent for an hour when the capture ended was over before.
func TestEndIsTold(t *testing.T) {
	for _, tt := range []struct {
		end, at    time.Duration
		captureEnd bool
	}{
		{time.Minute, time.Minute, true}, {3 * time.Hour, time.Hour, false},
	} {
		table := NewTable(TableLimits{})
		for _, seg := range parse(t, "0 > . 1:1(0) ack 1") {
			table.Assign(&seg, seg.Time)
		}
		table.Finish(tt.end)
		c, at, captureEnd := table.Over()
		if c == nil || at != tt.at || captureEnd != tt.captureEnd {
			t.Errorf("over since %v, capture ended %v, want %+v", at, captureEnd, tt)
		}
	}
}

// TestWaiting: closed connections wait for late copies, up to the limit.
func TestWaiting(t *testing.T) {
	for _, tt := range []struct{ limit, want int }{{0, 300 - 256}, {100, 200}, {math.MaxInt, 0}} {
		table := NewTable(TableLimits{Waiting: tt.limit})
		finished := 0
		for i := range 300 {
			client := fmt.Sprintf("client 10.0.0.1:%d isn 1", 1000+i)
			for _, seg := range parse(t, client+closed) {
				table.Assign(&seg, 0)
				if table.Finished() != nil {
					finished++
				}
			}
		}
		if finished != tt.want {
			t.Errorf("limit %d: %d finished at once, want %d", tt.limit, finished, tt.want)
		}
	}
}
