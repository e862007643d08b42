package main

import (
	"flag"
	"fmt"
	"io"
	"net/netip"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"tcpwhy/analysis"
	"tcpwhy/capture"
	"tcpwhy/output"
)

// The hostile inputs are as long as docs/robustness.md says with -hostile 1000000; go test makes them shorter.
var hostileSize = flag.Int("hostile", hostileShort, "segments of each hostile capture")

// The bounds of what a hostile capture may cost.
const (
	hostileMemory = 300 << 20             // octets of heap
	hostileShort  = 30_000                // segments, unless told otherwise
	hostileTime   = 60 * time.Microsecond // for each segment, several times what is measured
)

// madeSource makes the segments of a capture one by one, so that only what the program keeps is held.
type madeSource struct {
	n, next int
	make    func(i int, s *capture.Segment)
	stats   capture.Stats
	peak    uint64
}

func (m *madeSource) Next(s *capture.Segment) error {
	if m.next%8192 == 0 {
		m.sample()
	}
	if m.next >= m.n {
		return io.EOF
	}
	*s = capture.Segment{Window: 65535, TTL: 64, Flags: capture.ACK}
	s.Time = time.Duration(m.next) * 10 * time.Microsecond
	m.make(m.next, s)
	s.Len = max(s.Len, uint32(len(s.Payload)))
	m.next++
	s.Frame = capture.NewFrameID(0, uint64(m.next))
	m.stats.Frames++
	m.stats.Count[capture.OutcomeSegment]++
	m.stats.End = max(m.stats.End, s.Time)
	return nil
}

func (m *madeSource) Stats() *capture.Stats { return &m.stats }
func (m *madeSource) Close() error          { return nil }

// sample notes the most memory that was in use, garbage included.
func (m *madeSource) sample() {
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	m.peak = max(m.peak, mem.HeapInuse+mem.StackInuse)
}

// host is the i-th of many addresses.
func host(i int) netip.Addr {
	return netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
}

var hostileServer = netip.MustParseAddrPort("192.0.2.1:80")

// talker fills in who sends.
func talker(s *capture.Segment, client int, fromClient bool) {
	c := netip.AddrPortFrom(host(client), 40000)
	s.Src, s.Dst = c, hostileServer
	if !fromClient {
		s.Src, s.Dst = hostileServer, c
	}
}

// opening makes the first three segments of a connection whose numbers begin at 0; false after those.
func opening(i int, s *capture.Segment) bool {
	talker(s, 1, i != 1)
	switch i {
	case 0:
		s.Flags, s.Seq = capture.SYN, ^uint32(0)
	case 1:
		s.Flags, s.Seq = capture.SYN|capture.ACK, ^uint32(0)
	}
	return i < 3
}

// scramble is a fixed permutation of the numbers below 2^32.
func scramble(i int) uint32 {
	x := uint32(i) * 2654435761
	x ^= x >> 15
	return x * 2246822519
}

const getTiny = "GET / HTTP/1.1\r\nHost: h\r\n\r\n"

var hostiles = []struct {
	name   string
	make   func(i int, s *capture.Segment)
	caveat string // that must be reported, "" for none
}{
	{"SYN flood", func(i int, s *capture.Segment) {
		talker(s, i, true)
		s.Flags, s.Seq = capture.SYN, scramble(i)
	}, ""},
	{"half-open connections", func(i int, s *capture.Segment) {
		talker(s, i/2, i%2 == 0)
		s.Flags, s.Seq = capture.SYN, 0
		if i%2 == 1 {
			s.Flags, s.Ack = capture.SYN|capture.ACK, 1
		}
	}, ""},
	{"requests without an answer", func(i int, s *capture.Segment) {
		talker(s, i, true)
		s.Payload = []byte(getTiny)
	}, "one-sided"},
	{"short connections of as many clients", shortConnections, ""},
	{"connections of as many clients, each with a fault", faultyConnections, ""},
	{"endless header line", func(i int, s *capture.Segment) {
		if !opening(i, s) {
			s.Seq = uint32(i-3) * 1400
			s.Payload = []byte(strings.Repeat("x", 1400))
			if i == 3 {
				copy(s.Payload, "GET / HTTP/1.1\r\nCookie: ")
			}
		}
	}, ""},
	{"endless header of short lines", func(i int, s *capture.Segment) {
		if !opening(i, s) {
			s.Seq = uint32(i-3) * 1400
			s.Payload = []byte(strings.Repeat("a: b\r\n", 234)[:1400])
			if i == 3 {
				copy(s.Payload, "GET / HTTP/1.1\r\n")
			}
		}
	}, ""},
	{"chunk of 2^68 octets", func(i int, s *capture.Segment) {
		if !opening(i, s) {
			talker(s, 1, i == 3)
			s.Payload = []byte(getTiny)
			if i > 3 {
				s.Seq, s.Ack = uint32(i-4)*1400, uint32(len(getTiny))
				s.Payload = []byte(strings.Repeat("FFFFFFFFFFFFFFFFF\r\n", 74)[:1400])
			}
			if i == 4 {
				copy(s.Payload, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
			}
		}
	}, ""},
	{"single octets, every other one missing", func(i int, s *capture.Segment) {
		if !opening(i, s) {
			s.Seq, s.Payload = uint32(i)*2, []byte("x")
		}
	}, "reordering-cap"},
	{"single octets, the last first", func(i int, s *capture.Segment) {
		if !opening(i, s) {
			s.Seq, s.Payload = 1_000_000-uint32(i)%1_000_000, []byte("x")
		}
	}, "reordering-cap"},
	{"single octets in no order", func(i int, s *capture.Segment) {
		if !opening(i, s) {
			s.Seq, s.Payload = scramble(i)%1_000_000, []byte("x")
		}
	}, "reordering-cap"},
	{"copies with other octets", func(i int, s *capture.Segment) {
		if !opening(i, s) {
			s.Seq = uint32(i/3)*700 + 1400
			s.Payload = []byte(strings.Repeat(string(rune('a'+i%26)), 1400))
		}
	}, "conflicting-octets"},
	{"data behind one hole", func(i int, s *capture.Segment) {
		if !opening(i, s) {
			s.Seq, s.Payload = uint32(i)*1400, []byte(strings.Repeat("x", 1400))
		}
	}, "buffer-cap"},
	{"windows and options that lie", func(i int, s *capture.Segment) {
		opening(i, s)
		r := scramble(i)
		talker(s, 1, r&1 == 0)
		s.Seq, s.Ack, s.Window = uint32(i)*10, uint32(i)*10, uint16(r>>8)
		s.Options = capture.HasTS | capture.HasMSS | capture.HasWScale | capture.BadOptions
		s.WScale, s.MSS, s.TSVal, s.TSEcr = uint8(r), uint16(r>>4), r, ^r
		s.NSACK = 4
		for k := range s.SACK {
			s.SACK[k] = capture.SACKBlock{Start: scramble(i + k), End: scramble(i - k)}
		}
		s.Payload = []byte("0123456789")
	}, ""},
	{"numbers that jump", func(i int, s *capture.Segment) {
		if !opening(i, s) {
			talker(s, 1, i%2 == 0)
			s.Seq, s.Ack, s.Payload = scramble(i), scramble(i+1), []byte("jump")
		}
	}, "wild-sequence"},
	{"RST storm", func(i int, s *capture.Segment) {
		if !opening(i, s) {
			talker(s, 1, i%2 == 0)
			s.Flags, s.Seq = capture.RST, uint32(i%7)
		}
	}, ""},
	{"FIN storm", func(i int, s *capture.Segment) {
		if !opening(i, s) {
			talker(s, 1, i%2 == 0)
			s.Flags, s.Seq, s.Ack = capture.FIN|capture.ACK, uint32(i%11), uint32(i%5)
		}
	}, ""},
	{"SYNs of one connection", func(i int, s *capture.Segment) {
		talker(s, 1, i%3 != 1)
		s.Flags, s.Seq = capture.SYN, scramble(i/3)
	}, ""},
	{"pipelined requests, 51 a segment", func(i int, s *capture.Segment) {
		if !opening(i, s) {
			s.Payload = []byte(strings.Repeat(getTiny, 51))
			s.Seq = uint32(i-3) * uint32(len(s.Payload))
		}
	}, ""},
	{"tiny exchanges on one connection", func(i int, s *capture.Segment) {
		if !opening(i, s) {
			const reply = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
			k := uint32(i-3) / 2
			talker(s, 1, i%2 == 1)
			s.Seq, s.Ack, s.Payload = k*uint32(len(getTiny)), k*uint32(len(reply)), []byte(getTiny)
			if i%2 == 0 {
				s.Seq, s.Ack, s.Payload = k*uint32(len(reply)), (k+1)*uint32(len(getTiny)), []byte(reply)
			}
		}
	}, ""},
	{"one exchange of as many segments", func(i int, s *capture.Segment) {
		if !opening(i, s) {
			talker(s, 1, i == 3)
			s.Payload = []byte(getTiny)
			if i > 3 {
				s.Seq, s.Ack = uint32(i-4)*100, uint32(len(getTiny))
				s.Payload = []byte(strings.Repeat("x", 100))
			}
			if i == 4 {
				copy(s.Payload, "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n")
			}
		}
	}, "history-cap"},
	{"interim responses without end", func(i int, s *capture.Segment) {
		if !opening(i, s) {
			const interim = "HTTP/1.1 100 Continue\r\n\r\n"
			talker(s, 1, i == 3)
			s.Payload = []byte(getTiny)
			if i > 3 {
				s.Payload = []byte(strings.Repeat(interim, 50))
				s.Seq, s.Ack = uint32(i-4)*uint32(len(s.Payload)), uint32(len(getTiny))
			}
		}
	}, ""},
	{"hosts without number in one name each", func(i int, s *capture.Segment) {
		talker(s, i/4, i%4 != 1)
		s.Payload, s.Seq = nil, 0
		switch i % 4 {
		case 0:
			s.Flags = capture.SYN
		case 1:
			s.Flags, s.Ack = capture.SYN|capture.ACK, 1
		case 2:
			s.Seq, s.Ack = 1, 1
			s.Payload = fmt.Appendf(nil, "GET /%d HTTP/1.1\r\nHost: h%d.example\r\n\r\n", i, i)
		case 3:
			s.Seq, s.Ack, s.Flags = 1, 1, capture.ACK
		}
	}, ""},
}

// shortConnections makes connections of six segments with one exchange each.
func shortConnections(i int, s *capture.Segment) {
	const reply = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
	talker(s, i/6, i%2 == 0)
	switch i % 6 {
	case 0:
		s.Flags = capture.SYN
	case 1:
		s.Flags, s.Ack = capture.SYN|capture.ACK, 1
	case 2:
		s.Seq, s.Ack, s.Payload = 1, 1, []byte(getTiny)
	case 3:
		s.Seq, s.Ack, s.Payload = 1, 1+uint32(len(getTiny)), []byte(reply)
	case 4:
		s.Flags, s.Seq, s.Ack = capture.FIN|capture.ACK, 1+uint32(len(getTiny)), 1+uint32(len(reply))
	case 5:
		s.Flags, s.Seq, s.Ack = capture.FIN|capture.ACK, 1+uint32(len(reply)), 2+uint32(len(getTiny))
	}
}

// faultyConnections makes connections of five segments that a RST ends in the middle of a response.
func faultyConnections(i int, s *capture.Segment) {
	const reply = "HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\npart"
	talker(s, i/5, i%5 == 0 || i%5 == 2)
	switch i % 5 {
	case 0:
		s.Flags = capture.SYN
	case 1:
		s.Flags, s.Ack = capture.SYN|capture.ACK, 1
	case 2:
		s.Seq, s.Ack, s.Payload = 1, 1, []byte(getTiny)
	case 3:
		s.Seq, s.Ack, s.Payload = 1, 1+uint32(len(getTiny)), []byte(reply)
	case 4:
		s.Flags, s.Seq, s.Ack = capture.RST|capture.ACK, 1+uint32(len(reply)), 1+uint32(len(getTiny))
	}
}

// TestHostile analyses captures that are made to exhaust memory or time, and checks that they do not.
func TestHostile(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	for _, h := range hostiles {
		t.Run(h.name, func(t *testing.T) {
			limitMemory()
			debug.FreeOSMemory()
			src := &madeSource{n: *hostileSize, make: h.make}
			src.stats.Inputs = []capture.Input{{Name: "made", Complete: true}}
			src.stats.Interfaces = []capture.Interface{{Resolution: 1}}
			began := time.Now()
			r, err := analysis.Run(src, analysis.Options{Workers: 1, MaxOccurrences: 10, MaxListed: maxListed})
			if err != nil {
				t.Fatal(err)
			}
			src.sample()
			if err := output.JSON(io.Discard, r, output.JSONOptions{}); err != nil {
				t.Error(err)
			}
			if err := output.Text(io.Discard, r, output.TextOptions{}); err != nil {
				t.Error(err)
			}
			src.sample()
			took := time.Since(began)
			t.Logf("| %s | %d | %.2f s | %.2f µs | %d MB | %d connections, %d exchanges, %d findings, %v", h.name, src.n, took.Seconds(),
				float64(took.Microseconds())/float64(src.n), src.peak>>20, r.Connections, r.ExchangeCount, len(r.Findings), caveatCodes(r))
			if src.peak > hostileMemory {
				t.Errorf("%d MB of memory", src.peak>>20)
			}
			// Only long captures show a time that grows faster than they do, and only when asked for: a busy machine is no fault.
			if src.n > hostileShort && took > time.Duration(src.n)*hostileTime {
				t.Errorf("%v for %d segments", took, src.n)
			}
			if h.caveat != "" && !slices.Contains(caveatCodes(r), h.caveat) {
				t.Errorf("no caveat %s", h.caveat)
			}
		})
	}
}

func caveatCodes(r *analysis.Report) []string {
	var codes []string
	for _, c := range r.Caveats {
		codes = append(codes, c.Code)
	}
	return codes
}
