package main

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/reassembly/tcptext"
)

// dialogue is a connection on paper, captured next to its client, 40 ms from the server.
type dialogue struct {
	lines []string
	said  [2]int // octets so far: by the client, and by the server
}

func newDialogue() *dialogue {
	return &dialogue{lines: []string{
		"client 10.0.0.1:40000 isn 1000", "server 10.0.0.2:80 isn 5000",
		"0.000000 > S 0:0(0) win 64240 <mss 1460,sackOK,wscale 7>",
		"0.040000 < S. 0:0(0) ack 1 win 65160 <mss 1460,sackOK,wscale 7>",
		"0.040050 > . 1:1(0) ack 1 win 502",
	}}
}

// say is one segment, which the client acknowledges at once.
func (d *dialogue) say(at time.Duration, byServer bool, payload string) {
	from, to, arrow := 0, 1, ">"
	if byServer {
		from, to, arrow = 1, 0, "<"
	}
	d.lines = append(d.lines, fmt.Sprintf("%.6f %s P. %d ack %d win 502 %q", at.Seconds(), arrow,
		1+d.said[from], 1+d.said[to], payload))
	d.said[from] += len(payload)
	if byServer {
		d.lines = append(d.lines, fmt.Sprintf("%.6f > . %d:%d(0) ack %d win 502",
			(at+50*time.Microsecond).Seconds(), 1+d.said[0], 1+d.said[0], 1+d.said[1]))
	}
}

// exchanges are those that are read of the dialogue.
func (d *dialogue) exchanges(t *testing.T) []report.ExchangeInfo {
	t.Helper()
	segments, err := tcptext.Parse(strings.Join(d.lines, "\n") + "\n")
	if err != nil {
		t.Fatal(err)
	}
	r := analyseData(t, writeCapture(t, segments))
	out := slices.Clone(r.Exchanges)
	slices.SortFunc(out, func(a, b report.ExchangeInfo) int { return a.Index - b.Index })
	return out
}

// h2Frame is a frame of HTTP/2.
func h2Frame(kind, flags byte, stream int, payload string) string {
	n := len(payload)
	head := []byte{byte(n >> 16), byte(n >> 8), byte(n), kind, flags}
	return string(binary.BigEndian.AppendUint32(head, uint32(stream))) + payload
}

// Frames of a request for /n, and of its answer.
const helloHTTP2 = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"

func asks(n, stream int) string {
	return h2Frame(1, 5, stream, fmt.Sprintf("\x82\x86\x01\x01h\x04\x02/%d", n%10))
}

func answers(stream int) string { return h2Frame(1, 4, stream, "\x88") }

func dataFrame(stream, octets int, last bool) string {
	flags := byte(0)
	if last {
		flags = 1
	}
	return h2Frame(0, flags, stream, strings.Repeat("x", octets))
}

// sameExchanges compares what two dialogues tell of an exchange.
func sameExchanges(t *testing.T, what string, a, b []report.ExchangeInfo) {
	t.Helper()
	if len(a) != len(b) {
		t.Fatalf("%s: %d exchanges and %d", what, len(a), len(b))
	}
	for i := range a {
		x, y := &a[i], &b[i]
		if x.Method != y.Method || x.Target != y.Target || x.Status != y.Status ||
			x.Outcome != y.Outcome || x.Start != y.Start || x.Duration != y.Duration ||
			!slices.Equal(x.Times, y.Times) {
			t.Fatalf("%s: exchange %d is %s %s %d %v %v %v, and %s %s %d %v %v %v", what, i,
				x.Method, x.Target, x.Status, x.Start, x.Duration, x.Times,
				y.Method, y.Target, y.Status, y.Start, y.Duration, y.Times)
		}
	}
}

// TestHTTP1AsHTTP2: requests one after the other are the same exchanges, with the same times,
// whether they are said in HTTP/1 or in HTTP/2.
func TestHTTP1AsHTTP2(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 10))
	ms := func(most int) time.Duration { return time.Duration(rng.IntN(most)) * time.Millisecond }
	for range 25 {
		one, two := newDialogue(), newDialogue()
		at := 41 * time.Millisecond
		for n := range 1 + rng.IntN(4) {
			hello, settings := "", ""
			if n == 0 {
				hello, settings = helloHTTP2, "\x00\x00\x00\x04\x00\x00\x00\x00\x00"
			}
			stream, parts := 2*n+1, 1+rng.IntN(5)
			one.say(at, false, fmt.Sprintf("GET /%d HTTP/1.1\r\nHost: h\r\n\r\n", n))
			two.say(at, false, hello+asks(n, stream))
			at += 40*time.Millisecond + ms(50)
			for k := range parts {
				h1, h2 := "", ""
				if k == 0 {
					h1 = fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", 700*parts)
					h2 = settings + answers(stream)
				}
				one.say(at, true, h1+strings.Repeat("x", 700))
				two.say(at, true, h2+dataFrame(stream, 700, k == parts-1))
				at += time.Millisecond + ms(90)
			}
			at += ms(300)
		}
		sameExchanges(t, "HTTP/1 and HTTP/2", one.exchanges(t), two.exchanges(t))
	}
}

// TestInterleaving: in which order frames of different streams stand in a segment changes no
// exchange.
func TestInterleaving(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 12))
	for range 25 {
		streams := 2 + rng.IntN(4)
		hello := helloHTTP2
		for n := range streams {
			hello += asks(n, 2*n+1)
		}
		one, two := newDialogue(), newDialogue()
		one.say(41*time.Millisecond, false, hello)
		two.say(41*time.Millisecond, false, hello)
		left := make([]int, streams)
		for n := range left {
			left[n] = 1 + rng.IntN(5)
		}
		begun := make([]bool, streams)
		at, first := 81*time.Millisecond, "\x00\x00\x00\x04\x00\x00\x00\x00\x00"
		for slices.Max(left) > 0 {
			var frames []string
			for n := range left {
				if left[n] == 0 || rng.IntN(2) == 0 {
					continue
				}
				f := ""
				if !begun[n] {
					f, begun[n] = answers(2*n+1), true
				}
				left[n]--
				frames = append(frames, f+dataFrame(2*n+1, 100, left[n] == 0))
			}
			if len(frames) == 0 {
				continue
			}
			one.say(at, true, first+strings.Join(frames, ""))
			rng.Shuffle(len(frames), func(i, k int) { frames[i], frames[k] = frames[k], frames[i] })
			two.say(at, true, first+strings.Join(frames, ""))
			first = ""
			at += time.Millisecond + time.Duration(rng.IntN(60))*time.Millisecond
		}
		sameExchanges(t, "frames in another order", one.exchanges(t), two.exchanges(t))
	}
}
