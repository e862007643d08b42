package analysis

import (
	"fmt"
	"math"
	"testing"

	"tcpwhy/analysis/report"
)

// places are where a capture is taken: part of the way from the client to the server.
var places = []struct {
	name string
	part float64
}{{"client", 0}, {"middle", 0.4}, {"server", 1}}

const server0 = 0.0753 // when the server begins to answer

// transfers are conversations with what must be found of them at every place.
var transfers = []struct {
	name  string
	build func(w *wire)
	label report.Label
	time  float64 // of that label, ms
	loud  string  // findings above info
	cost  float64 // of the first of them, ms
}{
	{"slow start: 10, 20 and 12 segments", func(w *wire) {
		w.open(65535 * 4)
		b := w.answer(42 * 1460)
		for i, k := range []int{10, 20, 12} {
			b.burst(server0+float64(i)*.05005, k)
			b.ack(server0+.025+.0001*float64(i)+float64(i)*.05, 65535*4)
		}
	}, report.SlowStart, 100, "slow-start", 50},
	{"the application writes a burst every 60 ms", func(w *wire) {
		w.open(65535 * 4)
		b := w.answer(30*1460 + 90)
		for i := range 6 {
			b.burst(server0+float64(i)*.06, 4)
			b.w.send(server0+float64(i)*.06+.0001, '<', 2, b.segment(b.next, 300))
			b.next += 300
			b.ack(server0+.0252+float64(i)*.06, 65535*4)
		}
		b.burst(server0+.36, 30)
		b.ack(server0+.3852, 65535*4)
	}, report.AppPaced, 360, "", 0},
	{"a receive window of six segments", func(w *wire) {
		w.open(8704)
		b := w.answer(36 * 1450)
		for i := range 6 {
			for range 6 {
				w.send(server0+float64(i)*.05005, '<', 2, b.segment(b.next, 1450))
				b.next += 1450
			}
			b.ack(server0+.02502+float64(i)*.05005, 8704)
		}
	}, report.RWnd, 250, "receive-window/fixed", 150},
	{"the client stops reading for 300 ms", func(w *wire) {
		w.open(8704)
		b := w.answer(24 * 1450)
		for i := range 4 {
			for range 6 {
				w.send(server0+float64(i)*.4, '<', 2, b.segment(b.next, 1450))
				b.next += 1450
			}
			b.ack(server0+.02502+float64(i)*.4, 0)
			b.ack(server0+.37498+float64(i)*.4, 8704)
		}
	}, report.ZeroWindow, 1200, "zero-window/response", 1200},
	{"the middle of a burst is lost on the first half of the way", func(w *wire) { lossy(w, .2) }, report.FastRetx, 50, "packet-loss/upstream", 50},
	{"its last segment is lost at the end of the way", func(w *wire) { tail(w, 1.5) }, report.RTO, 300, "retransmission-timeout/tail", 300},
	{"its last segment is lost at once", func(w *wire) { tail(w, -1) }, report.RTO, 300, "retransmission-timeout/tail", 300},
	{"the whole response is lost, and the server goes on to speak", single, report.RTO, 300, "retransmission-timeout/single", 300},
	{"an acknowledgment is lost, and the server thinks for 300 ms", func(w *wire) {
		w.open(65535 * 4)
		w.lines = w.lines[:len(w.lines)-1]
		b := w.answer(1000)
		b.burst(server0+.3, 1)
		b.ack(server0+.3252, 65535*4)
	}, report.Think, 300, "", 0},
	{"the server thinks for 300 ms", func(w *wire) {
		w.open(65535 * 4)
		b := w.answer(1000)
		b.burst(server0+.3, 1)
		b.ack(server0+.3252, 65535*4)
	}, report.Think, 300, "", 0},
	{"a corked end, three times", corked, report.Cork, 2 * 230, "cork", 2 * 230},
}

// lossy is a burst of ten whose fifth segment is lost.
func lossy(w *wire, lost float64) {
	w.open(65535 * 4)
	b := w.answer(10 * 1460)
	b.burst(server0, 10)
	w.lines[len(w.lines)-6].lost = lost
	missing, end := 1+4*1460, 1+10*1460
	ack := 1 + len(request)
	w.client(server0+.0251, ". %d:%d(0) ack %d win 2048", ack, ack, missing)
	for i := range 5 {
		w.client(server0+.02512+float64(i)*1e-5, ". %d:%d(0) ack %d win 2048 <sack %d:%d>", ack, ack, missing, missing+1460,
			missing+(i+2)*1460)
	}
	w.server(server0+.0502, "%s", b.segment(missing, 1460))
	w.client(server0+.0753, ". %d:%d(0) ack %d win 2048", ack, ack, end)
}

// tail is a burst of four whose last segment is lost; the server has acknowledged the request, and
// numbers its packets.
func tail(w *wire, lost float64) {
	w.open(65535 * 4)
	b := w.answer(4 * 1460)
	b.burst(server0, 4)
	w.lines[len(w.lines)-1].lost = min(lost, 1) - 1e-9
	if lost < 0 {
		w.lines[len(w.lines)-1].lost = -1
	}
	last := 1 + 3*1460
	ack := 1 + len(request)
	w.client(server0+.0251, ". %d:%d(0) ack %d win 2048", ack, ack, last)
	w.server(server0+.3, "%s", b.segment(last, 1460))
	w.client(server0+.3251, ". %d:%d(0) ack %d win 2048", ack, ack, last+1460)
}

// single is a response of one segment that is lost. An acknowledgment by the server has the number
// after it.
func single(w *wire) {
	w.noID = true
	w.open(65535 * 4)
	b := w.answer(1000)
	w.send(server0, '<', -1, "%s", b.segment(1, 1000))
	ack := 1 + len(request)
	w.server(server0+.1, ". 1001:1001(0) ack %d win 512", ack)
	w.server(server0+.3, "%s", b.segment(1, 1000))
	w.client(server0+.3251, ". %d:%d(0) ack 1001 win 2048", ack, ack)
}

// corked is three responses whose end a cork keeps until the timer ends it: a full segment, then
// the rest.
func corked(w *wire) {
	w.open(65535 * 4)
	w.lines = w.lines[:len(w.lines)-2] // the requests come below
	seq, ack := 1, 1
	for i := range 3 {
		t := .0502 + float64(i)*.5
		w.client(t, "P. %d ack %d win 2048 %q", ack, seq, request)
		ack += len(request)
		head := (&bulk{n: 2000}).head(1460)
		w.server(t+.0251, ". %d:%d(1460) ack %d win 512 %q", seq, seq+1460, ack, head)
		w.client(t+.0502, ". %d:%d(0) ack %d win 2048", ack, ack, seq+1460)
		held := t + .0752 + .228 + float64(i)*.004
		w.server(held, "P. %d:%d(540) ack %d win 512 x*540", seq+1460, seq+2000, ack)
		w.client(held+.0251, ". %d:%d(0) ack %d win 2048", ack, ack, seq+2000)
		seq += 2000
	}
}

func TestTransfers(t *testing.T) {
	for _, tt := range transfers {
		for _, p := range places {
			t.Run(fmt.Sprintf("%s, at the %s", tt.name, p.name), func(t *testing.T) {
				w := &wire{}
				tt.build(w)
				r := w.at(t, p.part)
				want := tt.loud
				if want == "packet-loss/upstream" && p.name == "server" {
					want = "packet-loss/downstream"
				}
				if got := loud(r); got != want {
					t.Errorf("findings %q, want %q", got, want)
				}
				if got := ms(r, tt.label); math.Abs(got-tt.time) > 2+tt.time*.25 {
					t.Errorf("%s took %.1f ms, want %.1f; all: %v", tt.label, got, tt.time, r.Times)
				}
				if want == "" || len(r.Findings) == 0 {
					return
				}
				if got := float64(r.Findings[0].Cost.Expected) / 1e6; math.Abs(got-tt.cost) > 2+tt.cost*.25 {
					t.Errorf("costs %.1f ms, want %.1f", got, tt.cost)
				}
			})
		}
	}
}
