package main

import (
	"flag"
	"fmt"
	"io"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"time"

	"tcpwhy/analysis"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
)

// service makes the segments of clients of one service, whose times go on as the test says.
type service struct {
	queue []capture.Segment
	now   time.Duration
	ticks time.Duration // packet time between two pauses; 0: none
	next  time.Duration // when the next pause is due
	more  func() bool   // queues what comes next; false: nothing does
	stats capture.Stats
	frame uint64
}

func (s *service) Next(seg *capture.Segment) error {
	for len(s.queue) == 0 {
		if !s.more() {
			return io.EOF
		}
	}
	if s.ticks > 0 && s.queue[0].Time > s.next {
		s.next = s.queue[0].Time + s.ticks
		s.now = s.queue[0].Time
		return capture.ErrTick
	}
	*seg, s.queue = s.queue[0], s.queue[1:]
	if st := &s.stats; seg.Time-st.End > capture.GapFrom {
		st.Gaps = append(st.Gaps, capture.Gap{From: st.End, To: seg.Time})
	}
	s.stats.End = max(s.stats.End, seg.Time)
	return nil
}
func (s *service) Stats() *capture.Stats   { return &s.stats }
func (s *service) Account() *capture.Stats { copied := s.stats; return &copied }
func (s *service) Settled() time.Duration  { return s.now }
func (s *service) Close() error            { return nil }

// caller is one connection to the service.
type caller struct {
	s        *service
	from     netip.AddrPort
	seq      [2]uint32
	distance time.Duration
}

var serviceAt = netip.MustParseAddrPort("192.0.2.1:80")

// newCaller is the connection of the n-th client.
func (s *service) newCaller(n, port int) *caller {
	a := netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)})
	return &caller{s: s, from: netip.AddrPortFrom(a, uint16(port)), seq: [2]uint32{1000, 9000}, distance: 10 * time.Millisecond}
}

// send queues a segment: of the client (0) or the server (1).
func (c *caller) send(at time.Duration, side int, flags capture.TCPFlags, data string) {
	c.s.frame++
	g := capture.Segment{Src: c.from, Dst: serviceAt, Seq: c.seq[side], Ack: c.seq[1-side], Len: uint32(len(data)),
		Window: 60000, Flags: flags, TTL: 64, Payload: []byte(data)}
	if side == 1 {
		g.Src, g.Dst = g.Dst, g.Src
	}
	g.Time, g.Frame = at, capture.NewFrameID(0, c.s.frame)
	c.seq[side] += uint32(len(data))
	if flags&(capture.SYN|capture.FIN) != 0 {
		c.seq[side]++
	}
	c.s.queue = append(c.s.queue, g)
}

func (c *caller) open(at time.Duration) {
	c.send(at, 0, capture.SYN, "")
	c.send(at+c.distance, 1, capture.SYN|capture.ACK, "")
	c.send(at+c.distance, 0, capture.ACK, "")
}

func (c *caller) ask(at time.Duration) {
	c.send(at, 0, capture.ACK|capture.PSH, "GET /a HTTP/1.1\r\nHost: a\r\n\r\n")
	c.send(at+c.distance, 1, capture.ACK|capture.PSH, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
	c.send(at+c.distance, 0, capture.ACK, "")
}

func (c *caller) close(at time.Duration) {
	c.send(at, 0, capture.ACK|capture.FIN, "")
	c.send(at+c.distance, 1, capture.ACK|capture.FIN, "")
	c.send(at+c.distance, 0, capture.ACK, "")
}

// soakClients is how long TestSoak goes on.
var soakClients = flag.Int("soak", 36_000, "clients of TestSoak, one every two seconds")

// TestSoak is twenty hours of traffic, unless -soak says otherwise: a client that never came before
// every two seconds, which opens a second connection while its first is idle. Memory does not grow
// after a third of it, and what was left out is counted.
func TestSoak(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds, and no other test may run beside it")
	}
	clients := *soakClients
	s := &service{ticks: 10 * time.Second}
	n := 0
	s.more = func() bool {
		at := time.Duration(n) * 2 * time.Second
		first, second := s.newCaller(n, 40000), s.newCaller(n, 40001)
		first.open(at)
		first.ask(at + 10*time.Millisecond)
		second.open(at + time.Second)
		second.ask(at + 1010*time.Millisecond)
		first.close(at + 1100*time.Millisecond)
		second.close(at + 1200*time.Millisecond)
		n++
		return n <= clients
	}
	var heap []float64 // MB, after each sixth
	told := 0
	tick := func(soFar func() *report.Report) {
		if len(heap) < 5 && n >= clients/6*(len(heap)+1) {
			var m runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&m)
			heap = append(heap, float64(m.HeapAlloc)/1e6)
			soFar()
		}
	}
	r, err := analysis.Run(t.Context(), s, analysis.WithLimits(analysis.Limits{Listed: 1000}),
		analysis.OnFinding(func(*report.Finding) { told++ }), analysis.OnProgress(tick))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("heap %.1f MB", heap)
	// It goes up and down as lists are filled and trimmed.
	if len(heap) != 5 || max(heap[3], heap[4]) > 2*max(heap[0], heap[1]) {
		t.Errorf("memory grows: %.1f MB after each sixth", heap)
	}
	if r.Connections != 2*clients || r.ExchangeCount != 2*clients || told != clients {
		t.Errorf("%d connections, %d exchanges, %d occurrences", r.Connections, r.ExchangeCount, told)
	}
	counted := 0
	for i := range r.Stories {
		counted += r.Stories[i].Count
	}
	var left string
	for _, c := range r.Caveats {
		if c.Code == "finding-cap" {
			left = c.Message
		}
	}
	said := strings.ReplaceAll(left, ",", "")
	if !strings.Contains(said, fmt.Sprintf("%d occurrences", clients-counted)) {
		t.Errorf("%d of %d occurrences are listed, and %q is said of the rest", counted, clients, left)
	}
}

// TestTimesThatJump: a capture file has no second clock. Where times go back by an hour, or on by a
// day, between exchanges of connections that stay open, nothing is accused.
func TestTimesThatJump(t *testing.T) {
	t.Parallel()
	for _, jump := range []time.Duration{0, -time.Hour, 24 * time.Hour} {
		for _, ticks := range []time.Duration{0, time.Second} {
			s := &service{ticks: ticks}
			var callers []*caller
			for i := range 50 {
				callers = append(callers, s.newCaller(i, 40000))
			}
			round := 0
			s.more = func() bool {
				at := time.Duration(round) * time.Second
				if round > 100 {
					at += jump
				}
				for i, c := range callers {
					at += time.Millisecond
					switch {
					case round == 0:
						c.open(at)
					case round < 200+i%2:
						c.ask(at)
					case round == 202:
						c.close(at)
					}
				}
				round++
				return round <= 203
			}
			r, err := analysis.Run(t.Context(), s, analysis.WithWorkers(2),
				analysis.WithLimits(analysis.Limits{Occurrences: 1}))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for i := range r.Findings {
				got = append(got, fmt.Sprintf("%s/%s×%d", r.Findings[i].Rule, r.Findings[i].Cause, r.Findings[i].Count))
			}
			if len(got) > 0 || r.ExchangeCount != 50*199+25 {
				t.Errorf("jump of %v, ticks %v: %d connections, %d exchanges, findings %v", jump, ticks, r.Connections, r.ExchangeCount, got)
			}
		}
	}
}
