package capture

import (
	"testing"

	"tcpwhy/capture/internal/filter"
	"tcpwhy/capture/internal/frame"
	"tcpwhy/capture/internal/frametest"
	"tcpwhy/capture/internal/header"
)

// sortBench is a sorter with a clock, for feeding it frames one by one.
type sortBench struct {
	*sorter
	now   int64
	count uint64
	frame frame.Frame
	seg   Segment
}

func newSortBench(t testing.TB, expr string) *sortBench {
	t.Helper()
	filter, err := filter.Parse(expr)
	if err != nil {
		t.Fatal(err)
	}
	return &sortBench{sorter: newSorter(&Stats{}, filter), now: 1e18}
}

// feed sorts a frame of which the capture has all but some octets, 10 ms after the last, which is
// too late for a copy.
func (b *sortBench) feed(link frame.LinkType, data []byte, missing int) Outcome {
	b.now += 10e6
	b.count++
	b.frame = frame.Frame{
		Number: b.count, Time: b.now, Link: link, Data: data, OrigLen: uint32(len(data) + missing),
	}
	b.seg.Mark = Mark{Frame: NewFrameID(0, b.count)}
	return b.sort(&b.frame, &b.seg)
}

// TestSortOutcomes has a frame for each outcome.
func TestSortOutcomes(t *testing.T) {
	hello := frametest.Hello4()
	identified := func(protocol uint8, payload []byte) []byte {
		return frametest.IPv4{Protocol: protocol, ID: 3}.Wrap(payload)
	}
	quic := frametest.Cat([]byte{0xc3}, frametest.U32(1), []byte{8}, make([]byte, 8), []byte{4}, make([]byte, 1190))
	frames := []struct {
		want    Outcome
		link    frame.LinkType
		data    []byte
		missing int
	}{
		{OutcomeSegment, frame.LinkRaw, hello, 0},
		{OutcomeICMP, frame.LinkRaw, identified(1, frametest.Cat([]byte{3, 1, 0, 0}, frametest.U32(0), hello)), 0},
		{OutcomeFiltered, frame.LinkRaw, frametest.IPv4{}.Wrap(frametest.TCP{DstPort: 81}.Octets(frametest.Client4, frametest.Server4)), 0},
		{OutcomeFragment, frame.LinkRaw, frametest.IPv4{Fragment: 0x2000}.Wrap(make([]byte, 8)), 0},
		{OutcomeUDP, frame.LinkRaw, identified(17, frametest.UDP(5, 6, []byte("text"))), 0},
		{OutcomeQUIC, frame.LinkRaw, identified(17, frametest.UDP(5, 443, quic)), 0},
		{OutcomeDNS, frame.LinkRaw, identified(17, frametest.UDP(5, 53, []byte("text"))), 0},
		{OutcomeOtherIP, frame.LinkRaw, identified(89, []byte("text")), 0},
		{OutcomeNotIP, frame.LinkEthernet, frametest.Ethernet(0x0806, make([]byte, 28)), 0},
		{OutcomeUnknownLink, 147, hello, 0},
		{OutcomeMalformed, frame.LinkRaw, []byte{0x55}, 0},
		{OutcomeShort, frame.LinkRaw, hello[:30], len(hello) - 30},
	}
	b := newSortBench(t, "port 80")
	for _, f := range frames {
		if got := b.feed(f.link, f.data, f.missing); got != f.want {
			t.Errorf("outcome %v, want %v", got, f.want)
		}
	}
	b.feed(frame.LinkRaw, hello, 0)
	b.now -= 10e6
	if got := b.feed(frame.LinkRaw, hello, 0); got != OutcomeDuplicate {
		t.Errorf("outcome %v, want %v", got, OutcomeDuplicate)
	}
	b.finish()
	if n := b.stats.UnknownLinks["USER0"]; n != 1 || b.stats.FragmentsLost != 1 {
		t.Errorf("%d frames of USER0, %d datagrams lost, want 1 and 1", n, b.stats.FragmentsLost)
	}
}

// TestSortDatagram reads what is handed out of a message of DNS, which no filter leaves out.
func TestSortDatagram(t *testing.T) {
	b := newSortBench(t, "host 10.9.9.9 and port 80")
	p := frametest.IPv4{Protocol: 17, ID: 3}.Wrap(frametest.UDP(5000, 53, []byte("query")))
	if got := b.feed(frame.LinkRaw, p[:len(p)-2], 2); got != OutcomeDNS {
		t.Fatalf("outcome %v, want %v", got, OutcomeDNS)
	}
	s := &b.seg
	if s.Kind != Datagram || s.Src.Port() != 5000 || s.Dst.Port() != 53 || s.Len != 5 ||
		string(s.Payload) != "que" || !s.Options.Has(Snapped|HasIPID) {
		t.Errorf("handed out: %+v", s)
	}
}

// TestSortAccount counts what is told of segments, but not of copies and of what is filtered.
func TestSortAccount(t *testing.T) {
	large := frametest.TCP{Seq: 1, Payload: make([]byte, 4000)}.Octets(frametest.Client4, frametest.Server4)
	octets := frametest.Ethernet(header.EtherVLAN, frametest.Cat(frametest.Tag(7, header.EtherIPv4), frametest.IPv4{ID: 2}.Wrap(large)))
	for expr, want := range map[string]uint64{"": 1, "port 99": 0} {
		b := newSortBench(t, expr)
		for range 2 {
			b.feed(frame.LinkEthernet, octets[:200], len(octets)-200)
			b.now -= 10e6
		}
		s := b.stats
		if s.Snapped != want || s.Offloaded != want || s.Tunnels["vlan"] != want {
			t.Errorf("%q: %d snapped, %d offloaded, tunnels %v, want %d of each",
				expr, s.Snapped, s.Offloaded, s.Tunnels, want)
		}
	}
}

func TestSortAllocatesNothing(t *testing.T) {
	for name, octets := range frametest.Steady() {
		t.Run(name, func(t *testing.T) {
			b := newSortBench(t, "host 10.1.2.3 or 2001:db8::3")
			b.feed(frame.LinkEthernet, octets, 0)
			at := frametest.SequenceAt(octets)
			if allocs := testing.AllocsPerRun(1000, func() {
				octets[at]++
				b.feed(frame.LinkEthernet, octets, 0)
			}); allocs != 0 {
				t.Errorf("%v allocations a frame, want none", allocs)
			}
		})
	}
}

func BenchmarkSort(b *testing.B) {
	for _, name := range []string{"ipv4", "ipv6", "vlan ipv4", "ack ipv4", "udp"} {
		octets := frametest.Steady()[name]
		b.Run(name, func(b *testing.B) {
			d := newSortBench(b, "")
			f := frame.Frame{Link: frame.LinkEthernet, Data: octets, OrigLen: uint32(len(octets))}
			at := frametest.SequenceAt(octets)
			b.ReportAllocs()
			for b.Loop() {
				// Another segment each time; 8 low bits and 8 higher ones of the sequence number
				// change.
				if octets[at+3]++; octets[at+3] == 0 {
					octets[at+2]++
				}
				f.Time += 10e3
				d.sort(&f, &d.seg)
			}
		})
	}
}

// BenchmarkConnections sorts segments of many connections in turn, so that tables do not stay in
// the cache.
func BenchmarkConnections(b *testing.B) {
	octets := frametest.Steady()["ipv4"]
	d := newSortBench(b, "")
	f := frame.Frame{Link: frame.LinkEthernet, Data: octets, OrigLen: uint32(len(octets))}
	n := uint32(0)
	for b.Loop() {
		n = n*1664525 + 1013904223 // some order that is not that of the table
		octets[14+20], octets[14+21] = byte(n>>24), byte(n>>16)
		octets[18]++
		f.Time += 10e3
		d.sort(&f, &d.seg)
	}
}
