package analysis

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/reassembly/tcptext"
)

// wire is a conversation as the two hosts had it: each line has the moment at which it was sent. A
// capture at any place between them follows from that, and so what must be found there. Times are
// seconds; the path takes 25 ms each way.
type wire struct {
	lines []wireLine
	ids   [2]int // the next IP identification: client, server
	noID  bool
}

type wireLine struct {
	at   float64
	dir  byte
	lost float64 // how far of the way from its sender it came, if it got lost; 2: it arrived
	text string
}

const oneWay = 0.025

func (w *wire) send(at float64, dir byte, lost float64, text string, args ...any) {
	host := 0
	if dir == '<' {
		host = 1
	}
	w.ids[host]++
	if !w.noID {
		text += fmt.Sprintf(" id %d", 100+w.ids[host])
	}
	w.lines = append(w.lines, wireLine{at, dir, lost, fmt.Sprintf(text, args...)})
}

// client and server send a segment that arrives.
func (w *wire) client(at float64, text string, args ...any) { w.send(at, '>', 2, text, args...) }
func (w *wire) server(at float64, text string, args ...any) { w.send(at, '<', 2, text, args...) }

// open is the handshake from 0 on and the request at 0.0502, which the server acknowledges and has
// at 0.0752.
func (w *wire) open(window int) {
	w.client(0, "S 0:0(0) win %d <mss 1460,sackOK,wscale 7>", window)
	w.lines = append(w.lines, wireLine{0.025, '<', 2, "S. 0:0(0) ack 1 win 65160 <mss 1460,sackOK,wscale 7>"})
	w.client(0.05, ". 1:1(0) ack 1 win %d", window/128)
	w.client(0.0502, "P. 1 ack 1 win %d %q", window/128, request)
	w.server(0.0752, ". 1:1(0) ack %d win 512", 1+len(request))
}

const request = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n"

// at is the capture that a point part of the way from the client to the server sees.
func (w *wire) at(t *testing.T, part float64) *report.Report {
	t.Helper()
	segs, err := tcptext.Parse(strings.Join(w.seen(part, 0), "\n"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := Run(t.Context(), &memorySource{segs: segs}, WithWorkers(1),
		WithLimits(Limits{Occurrences: NoLimit}))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// talk is the conversation as that point sees it, from a port of the client and so much later.
func (w *wire) talk(port int, part, later float64) *talk {
	k := newTalk(port)
	k.lines = append(k.lines, w.seen(part, later)...)
	return k
}

// seen are the lines that the point sees, in the order in which they pass.
func (w *wire) seen(part, later float64) (lines []string) {
	type passing struct {
		at   float64
		text string
	}
	var seen []passing
	for _, l := range w.lines {
		way, sign := part, ">"
		if l.dir == '<' {
			way, sign = 1-part, "<"
		}
		if l.lost < way {
			continue
		}
		when := later + l.at + way*oneWay
		seen = append(seen, passing{when, fmt.Sprintf("%.6f %s %s", when, sign, l.text)})
	}
	slices.SortStableFunc(seen, func(a, b passing) int { return cmp.Compare(a.at, b.at) })
	for _, p := range seen {
		lines = append(lines, p.text)
	}
	return lines
}

// bulk is a response of n octets that the server sends as its text; body counts what has been sent.
type bulk struct {
	w    *wire
	n    int // octets of the whole response
	next int // sequence number of the next octet
}

// answer begins a response of n octets.
func (w *wire) answer(n int) *bulk { return &bulk{w: w, n: n, next: 1} }

// segment is the data line of k octets at sequence number seq; the first has the header.
func (b *bulk) segment(seq, k int) string {
	if seq > 1 {
		return fmt.Sprintf(". %d:%d(%d) ack %d win 512 x*%d", seq, seq+k, k, 1+len(request), k)
	}
	return fmt.Sprintf(". 1:%d(%d) ack %d win 512 %q", 1+k, k, 1+len(request), b.head(k))
}

// head is the first k octets of the response.
func (b *bulk) head(k int) string {
	h := fmt.Sprintf("HTTP/1.1 200 OK\r\nServer: %%s\r\nContent-Length: %06d\r\n\r\n", 0)
	h = fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %06d\r\n\r\n", b.n-len(h)+len("Server: %s\r\n"))
	return h + strings.Repeat("x", k-len(h))
}

// burst sends up to k full segments at at, 10 µs apart.
func (b *bulk) burst(at float64, k int) {
	for i := 0; i < k && b.next <= b.n; i++ {
		n := min(1460, b.n+1-b.next)
		b.w.send(at+float64(i)*1e-5, '<', 2, b.segment(b.next, n))
		b.next += n
	}
}

// ack is the client's acknowledgment of all that had been sent.
func (b *bulk) ack(at float64, window int) {
	b.w.client(at, ". %d:%d(0) ack %d win %d", 1+len(request), 1+len(request), b.next, window/128)
}

// ms is the time of a label, in milliseconds.
func ms(r *report.Report, l report.Label) float64 {
	for _, t := range r.Times {
		if t.Label == l {
			return float64(t.Time) / float64(time.Millisecond)
		}
	}
	return 0
}

// loud are rule/cause of the findings above info, sorted.
func loud(r *report.Report) string {
	var out []string
	for i := range r.Findings {
		if f := &r.Findings[i]; f.Severity > report.Info {
			out = append(out, strings.TrimSuffix(f.Rule+"/"+f.Cause, "/"))
		}
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

// find is the finding of that rule and cause; nil if there is none.
func find(r *report.Report, rule, cause string) *report.Finding {
	for i := range r.Findings {
		if f := &r.Findings[i]; f.Rule == rule && f.Cause == cause {
			return f
		}
	}
	return nil
}
