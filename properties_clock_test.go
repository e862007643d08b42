package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"tcpwhy/capture"
	"tcpwhy/reassembly/tcptext"
)

// TestClockOfEachInput: how coarse a clock is belongs to the interface that stamped a segment. A
// capture of milliseconds tells the same beside one of nanoseconds.
func TestClockOfEachInput(t *testing.T) {
	for i, n := range neighbours(t) {
		if i%8 != 0 {
			continue
		}
		t.Run(n.name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "coarse.pcapng")
			if err := os.WriteFile(file, n.coarse(t), 0o600); err != nil {
				t.Fatal(err)
			}
			s := newSubject(t, []string{file})
			s.inputs = s.inputs[:1]
			alone := s.part(analyseWith(t, capture.Config{Inputs: s.inputs}, 1), 0)
			s.end -= int64(quietAfter)
			last := s.lastWord(t)
			behind := analyseWith(t, capture.Config{Inputs: []string{file, last}}, 2)
			same(t, "beside a fine clock", s.part(behind, 0), alone)
			before := analyseWith(t, capture.Config{Inputs: []string{last, file}}, 2)
			same(t, "behind a fine clock", s.part(before, 1), alone)
		})
	}
}

// TestCoarseClockIsKnown: next to a clock of milliseconds what looks late is at once, as its file
// says how coarse it is.
func TestCoarseClockIsKnown(t *testing.T) {
	file, err := os.ReadFile("testdata/pcaps/nagle-delayed-ack-request-rtt50/capture.pcap")
	if err != nil {
		t.Fatal(err)
	}
	tr := parseTrace(t, file)
	const rule = "nagle-delayed-ack/request"
	want := faults(analyseData(t, file))[rule]
	for _, files := range [][][]byte{{tr.coarse(t)}, {tr.coarse(t), file[:24]}} {
		if got := faults(analyseData(t, files...))[rule]; got.confidence != want.confidence {
			t.Errorf("%d files: %+v, by a fine clock %+v", len(files), got, want)
		}
	}
}

// coarse is the trace as a pcapng file of an interface whose clock counts milliseconds.
func (tr trace) coarse(t tester) []byte {
	t.Helper()
	const ms, exponent, option = 1_000_000, 3, "\x09\x00\x01\x00"
	file := tr.pcapng(t)
	order := binary.LittleEndian
	for b := file; len(b) >= 12; b = b[order.Uint32(b[4:]):] {
		switch order.Uint32(b) {
		case 1: // interface description: if_tsresol follows its code and length
			for i := 16; i+8 <= int(order.Uint32(b[4:])); i++ {
				if string(b[i:i+4]) == option {
					b[i+4] = exponent
				}
			}
		case 6: // enhanced packet
			at := (uint64(order.Uint32(b[12:]))<<32 | uint64(order.Uint32(b[16:]))) / ms
			order.PutUint32(b[12:], uint32(at>>32))
			order.PutUint32(b[16:], uint32(at))
		}
	}
	return file
}

// TestSilenceIsOfTheWholeCapture: a connection that was silent for hours is over if others were
// seen meanwhile, whether or not a filter leaves those out; and goes on if nothing was seen at all.
func TestSilenceIsOfTheWholeCapture(t *testing.T) {
	const own = "client 10.0.0.1:40000 isn 1\n"
	const begin, end = own + "0 > S 0:0(0)\n0.1 < S. 0:0(0) ack 1\n0.2 > . 1:1(0) ack 1\n",
		own + "9000 > P. 1 ack 1 \"GET / HTTP/1.1\\r\\nHost: h\\r\\n\\r\\n\"\n"
	others := "client 10.9.0.1:50000 isn 7\n"
	for at := 1200; at < 9000; at += 1200 {
		others += fmt.Sprintf("%d > . 1:1(0) ack 1\n", at)
	}
	filter, err := capture.ParseFilter("host 10.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, text string
		want       int // connections of the host's own
	}{{"others were seen", begin + others + end, 2}, {"nothing was seen", begin + end, 1}} {
		segments, err := tcptext.Parse(tt.text)
		if err != nil {
			t.Fatal(err)
		}
		file := writeCapture(t, segments)
		for _, f := range []*capture.Filter{nil, filter} {
			c := capture.Config{Inputs: []string{"-"}, Stdin: bytes.NewReader(file), Filter: f}
			got := 0
			for _, conn := range analyseConfig(t, c).Conns {
				if conn.Client.Port() == 40000 {
					got++
				}
			}
			if got != tt.want {
				t.Errorf("%s, filter %v: %d connections, want %d", tt.name, f != nil, got, tt.want)
			}
		}
	}
}
