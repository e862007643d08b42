package reassembly

import (
	"fmt"
	"net/netip"
	"testing"
	"time"
	"unsafe"

	"tcpwhy/capture"
	"tcpwhy/reassembly/exchange"
)

// bulk makes segments of one long download: a request, then data with an acknowledgment for every
// second segment.
type bulk struct {
	seg     capture.Segment
	client  netip.AddrPort
	server  netip.AddrPort
	down    uint32
	n       int
	payload []byte
}

func newBulk() *bulk {
	return &bulk{
		client: netip.MustParseAddrPort("10.0.0.1:40000"), server: netip.MustParseAddrPort("10.0.0.2:9999"),
		payload: make([]byte, 1448),
	}
}

func (b *bulk) next() *capture.Segment {
	s := &b.seg
	*s = capture.Segment{Src: b.server, Dst: b.client, Seq: 1 + b.down, Ack: 101, Window: 1000, TTL: 64, Flags: capture.ACK}
	s.Time = time.Duration(b.n) * 10 * time.Microsecond
	s.Frame = capture.NewFrameID(0, uint64(b.n+1))
	if b.n%3 == 2 {
		s.Src, s.Dst, s.Seq, s.Ack = b.client, b.server, 101, 1+b.down
	} else {
		s.Len, s.Payload = 1448, b.payload
		b.down += 1448
	}
	b.n++
	return s
}

func BenchmarkBulk(b *testing.B) {
	table, tracker := NewTable(TableLimits{}), NewTracker(&countSink{}, TrackerLimits{})
	gen := newBulk()
	b.ReportAllocs()
	for b.Loop() {
		seg := gen.next()
		c, dir, fresh := table.Assign(seg, seg.Time)
		if fresh {
			tracker.state(c).reader = &countReader{}
		}
		tracker.Add(c, dir, seg)
	}
}

// countSink and countReader do nothing, without allocating.
type (
	countSink   struct{}
	countReader struct{}
)

func (*countSink) Began(*Conn, *exchange.Exchange)    {}
func (*countSink) Over(*Conn, *exchange.Exchange)     {}
func (*countSink) Exchange(*Conn, *exchange.Exchange) {}
func (*countSink) Release(*Conn, int)                 {}
func (*countSink) Closed(*Conn, bool)                 {}

func (*countReader) Data(Dir, int64, []byte, *exchange.Arrival)   {}
func (*countReader) Skipped(Dir, int64, int64, *exchange.Arrival) {}
func (*countReader) Gap(Dir, int64, int64, *exchange.Arrival)     {}
func (*countReader) Fin(Dir, capture.Mark)                        {}
func (*countReader) Rst(Dir, capture.Mark)                        {}
func (*countReader) Skip(Dir) int64                               { return 0 }
func (*countReader) End(capture.Mark, bool)                       {}

// BenchmarkShort is a handshake, one request and response, and a close, each on a tuple of its own.
func BenchmarkShort(b *testing.B) {
	segs := parse(b, threeWay+`
0.050 > P. 1 ack 1 win 502 "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
0.100 < P. 1 ack 28 win 509 "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
0.100 > .  28:28(0) ack 44 win 501
0.200 > F. 28:28(0) ack 44 win 501
0.250 < F. 44:44(0) ack 29 win 509
0.250 > .  29:29(0) ack 45 win 501`)
	table, tracker := NewTable(TableLimits{}), NewTracker(&countSink{}, TrackerLimits{})
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		seg := segs[n%len(segs)]
		round := n / len(segs)
		client := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 1, byte(round >> 16), byte(round >> 8)}), uint16(1024+round&255))
		if seg.Src.Port() == 80 {
			seg.Dst = client
		} else {
			seg.Src = client
		}
		seg.Time += time.Duration(round) * time.Millisecond
		n++
		c, dir, _ := table.Assign(&seg, seg.Time)
		tracker.Add(c, dir, &seg)
		for o, _, _ := table.Over(); o != nil; o, _, _ = table.Over() {
			tracker.Close(o, false)
		}
	}
}

// TestSteadyStateAllocatesNothing holds the hot path to what performance asks of it.
func TestSteadyStateAllocatesNothing(t *testing.T) {
	table, tracker := NewTable(TableLimits{}), NewTracker(&countSink{}, TrackerLimits{})
	gen := newBulk()
	step := func() {
		for range 3 {
			seg := gen.next()
			c, dir, fresh := table.Assign(seg, seg.Time)
			if fresh {
				tracker.state(c).reader = &countReader{}
			}
			tracker.Add(c, dir, seg)
		}
	}
	for range 5000 {
		step()
	}
	if n := testing.AllocsPerRun(5000, step); n >= 0.1 {
		t.Errorf("%v allocations for three segments, want none", n)
	}
}

// TestStateIsSmall keeps an open connection near 1 KB, and a record at its 64 octets.
func TestStateIsSmall(t *testing.T) {
	if n := unsafe.Sizeof(Record{}); n > 64 {
		t.Errorf("a Record takes %d octets, want at most 64", n)
	}
	if n := unsafe.Sizeof(entry{}); n > 112 {
		t.Errorf("an entry of the table takes %d octets, want at most 112", n)
	}
	if n := unsafe.Sizeof(Conn{}) + unsafe.Sizeof(track{}); n > 2048 {
		t.Errorf("a connection takes %d octets without its history (%s), want at most 2048", n,
			fmt.Sprint(unsafe.Sizeof(Conn{}), "+", unsafe.Sizeof(track{}), ", side ", unsafe.Sizeof(side{})))
	}
}
