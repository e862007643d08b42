package analysis

import (
	"fmt"
	"testing"
	"time"

	"tcpwhy/analysis/report"
)

// blackHoled is a response whose full segments vanish: the small end arrives, is acknowledged
// selectively, and the full ones are sent three times before the server cuts them in pieces, if it
// ever does.
func blackHoled(w *wire, solved bool) {
	w.open(65535 * 4)
	b := w.answer(2*1460 + 300)
	ack := 1 + len(request)
	at := server0
	for i, wait := range []float64{0, .3, .6, 1.2} {
		at += wait
		w.send(at, '<', .1, "%s", b.segment(1, 1460))
		if i == 0 {
			w.send(at+1e-5, '<', .1, "%s", b.segment(1461, 1460))
			w.send(at+2e-5, '<', 2, "%s", b.segment(2921, 300))
			w.client(at+.0251, ". %d:%d(0) ack %d win 2048 <sack 2921:3221>", ack, ack, 1)
		}
	}
	if !solved {
		return
	}
	for i := range 3 {
		w.send(at+.1+float64(i)*1e-5, '<', 2, "%s", b.segment(1+i*974, min(974, 2920-i*974)))
	}
	w.client(at+.1252, ". %d:%d(0) ack %d win 2048", ack, ack, 3221)
}

func TestPathMTU(t *testing.T) {
	for _, tt := range []struct {
		name     string
		solved   bool
		severity report.Severity
	}{{"the server cuts the segments at last", true, report.High}, {"it never does", false, report.Critical}} {
		t.Run(tt.name, func(t *testing.T) {
			w := &wire{}
			blackHoled(w, tt.solved)
			f := find(w.at(t, 1), "path-mtu", "")
			if f == nil {
				t.Fatalf("no finding; %+v", w.at(t, 1).Exchanges)
			}
			if f.Severity != tt.severity || f.Confidence != report.ConfidenceHigh || len(f.Occurrences[0].Evidence) != 3 {
				t.Errorf("severity %s, confidence %s, evidence %v", f.Severity, f.Confidence, f.Occurrences[0].Evidence)
			}
			if tt.solved && (f.Cost.Expected < 2*time.Second || f.Cost.Expected > 2300*time.Millisecond) {
				t.Errorf("costs %v, want the 2.2 s of retransmissions", f.Cost)
			}
		})
	}
	t.Run("a full segment that gets through at last is no matter of size", func(t *testing.T) {
		w := &wire{}
		tail(w, 1.5)
		if f := find(w.at(t, 1), "path-mtu", ""); f != nil {
			t.Errorf("found %v", f.Occurrences)
		}
	})
}

// twice is a large response, a pause, and another: the first has its window open at the end, the
// second begins with again segments and doubles.
func twice(w *wire, pause float64, again int) {
	w.open(65535 * 8)
	b := w.answer(150 * 1460)
	for i, k := range []int{10, 20, 40, 80} {
		b.burst(server0+float64(i)*.0511, k)
		b.ack(server0+.026+float64(i)*.0511, 65535*8)
	}
	t, ack := server0+.21+pause, 1+len(request)
	w.client(t, "P. %d ack %d win 4096 %q", ack, b.next, request)
	second := w.answer(150 * 1460)
	base := b.next - 1
	for i, k := 0, again; second.next <= second.n; i, k = i+1, k*2 {
		at := t + .0251 + float64(i)*.0511
		for range k {
			if n := min(1460, second.n+1-second.next); n > 0 {
				line := fmt.Sprintf(". %d:%d(%d) ack %d win 512 ", base+second.next, base+second.next+n, n, ack+len(request))
				if second.next == 1 {
					line += fmt.Sprintf("%q", second.head(n))
				} else {
					line += fmt.Sprintf("x*%d", n)
				}
				w.send(at, '<', 2, "%s", line)
				second.next += n
				at += 1e-5
			}
		}
		w.client(t+.0511+float64(i)*.0511, ". %d:%d(0) ack %d win 4096", ack+len(request), ack+len(request), base+second.next)
	}
}

func TestSlowStartAfterIdle(t *testing.T) {
	for _, tt := range []struct {
		name  string
		pause float64
		again int
		want  bool
	}{
		{"3 s later the window is the initial one", 3, 10, true},
		{"0.6 s later it has been halved twice", .6, 30, true},
		{"0.1 s later nothing may have shrunk it: something else did", .1, 10, false},
		{"3 s later it is as it was", 3, 80, false},
	} {
		for _, p := range places {
			t.Run(tt.name+", at the "+p.name, func(t *testing.T) {
				w := &wire{}
				twice(w, tt.pause, tt.again)
				r := w.at(t, p.part)
				f := find(r, "slow-start-after-idle", "")
				if (f != nil) != tt.want {
					t.Fatalf("found: %v, want %v; %v", f != nil, tt.want, r.Times)
				}
				if f != nil && (f.Side != report.SideServer || f.Cost.Expected < 40*time.Millisecond || f.Cost.Low > f.Cost.Expected) {
					t.Errorf("side %s, cost %v", f.Side, f.Cost)
				}
			})
		}
	}
}

func TestDelayedAck(t *testing.T) {
	for _, p := range places {
		t.Run("an initial window of one segment, at the "+p.name, func(t *testing.T) {
			w := &wire{}
			w.open(65535 * 4)
			b := w.answer(4 * 1460)
			b.burst(server0, 1)
			b.ack(server0+.0252+.04, 65535*4)
			b.burst(server0+.0903+.0001, 2)
			b.ack(server0+.1156, 65535*4)
			b.burst(server0+.1407, 1)
			b.ack(server0+.166, 65535*4)
			f := find(w.at(t, p.part), "delayed-ack", "")
			if f == nil || f.Count != 1 || f.Cost.Expected < 38*time.Millisecond || f.Cost.Expected > 42*time.Millisecond {
				t.Errorf("found %+v", f)
			}
		})
	}
}

func TestSmallSegments(t *testing.T) {
	for _, tt := range []struct {
		name string
		gap  float64
		want bool
	}{{"written at once in pieces", 1e-4, true}, {"streamed every 15 ms", .015, false}} {
		t.Run(tt.name, func(t *testing.T) {
			w := &wire{}
			w.open(65535 * 4)
			b := w.answer(2000)
			for i := range 20 {
				w.server(server0+float64(i)*tt.gap, "%s", b.segment(b.next, 100))
				b.next += 100
			}
			b.ack(server0+20*tt.gap+.03, 65535*4)
			f := find(w.at(t, 0), "small-segments", "response")
			if (f != nil) != tt.want {
				t.Fatalf("found: %v, want %v", f != nil, tt.want)
			}
			if f != nil && (f.Severity != report.Info || f.Cost != report.Cost{}) {
				t.Errorf("severity %s, cost %v: packets cost no waiting here", f.Severity, f.Cost)
			}
		})
	}
}

func TestReorderingIsSilent(t *testing.T) {
	w := &wire{}
	w.open(65535 * 4)
	b := w.answer(10 * 1460)
	b.burst(server0, 10)
	w.lines[len(w.lines)-6].at += .003
	b.ack(server0+.0285, 65535*4)
	for _, p := range places {
		if got := loud(w.at(t, p.part)); got != "" {
			t.Errorf("at the %s: findings %q, want none", p.name, got)
		}
	}
}

// The message that opens the window gets lost; only the answer to the server's probe tells.
func TestZeroWindowOpeningLost(t *testing.T) {
	for _, p := range places {
		w := &wire{}
		w.open(8704)
		b := w.answer(12 * 1450)
		ack := 1 + len(request)
		for range 6 {
			w.server(server0, "%s", b.segment(b.next, 1450))
			b.next += 1450
		}
		b.ack(server0+.0251, 0)
		w.send(server0+.2, '>', .5, ". %d:%d(0) ack %d win 68", ack, ack, b.next)
		w.server(server0+.4, ". %d:%d(0) ack %d win 512", b.next-1, b.next-1, ack)
		w.client(server0+.4251, ". %d:%d(0) ack %d win 68", ack, ack, b.next)
		for range 6 {
			w.server(server0+.4503, "%s", b.segment(b.next, 1450))
			b.next += 1450
		}
		b.ack(server0+.4756, 8704)
		f := find(w.at(t, p.part), "zero-window", "response")
		if f == nil || f.Cost.Expected < 440*time.Millisecond || f.Cost.Expected > 455*time.Millisecond {
			t.Errorf("at the %s: found %+v", p.name, f)
		}
	}
}

// Everything arrives, but the acknowledgment takes 300 ms; the server sends the first segment again
// for nothing.
func TestSpuriousRetransmission(t *testing.T) {
	for _, p := range places {
		w := &wire{}
		w.open(65535 * 4)
		b := w.answer(30 * 1460)
		ack := 1 + len(request)
		b.burst(server0, 10)
		w.server(server0+.26, "%s", b.segment(1, 1460))
		b.ack(server0+.28, 65535*4)
		w.client(server0+.2851, ". %d:%d(0) ack %d win 2048 <sack 1:1461>", ack, ack, b.next)
		b.burst(server0+.3051, 20)
		b.ack(server0+.3305, 65535*4)
		r := w.at(t, p.part)
		if got := ms(r, report.Queue); got < 240 || got > 260 {
			t.Errorf("at the %s: queue %.1f ms, want 255; all: %v", p.name, got, r.Times)
		}
		f := find(r, "retransmission-timeout", "spurious")
		if f == nil || f.Cost.Expected < 240*time.Millisecond || f.Cost.Expected > 260*time.Millisecond {
			t.Errorf("at the %s: found %+v, want what the acknowledgment was late", p.name, f)
		}
	}
}
