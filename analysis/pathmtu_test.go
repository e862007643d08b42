package analysis

import (
	"testing"

	"tcpwhy/analysis/report"
)

// TestWholeFlightLost: when a client gives up whose response never came, it is a matter of size
// only if small segments came.
func TestWholeFlightLost(t *testing.T) {
	lose := func(copies int) *wire {
		w := &wire{}
		w.open(65535 * 4)
		b := w.answer(4 * 1460)
		at := server0
		for i, wait := range []float64{0, .3, .6, 1.2}[:copies] {
			at += wait
			w.send(at, '<', .5, "%s", b.segment(1, 1460))
			for k := 1; i == 0 && k < 4; k++ {
				w.send(at+float64(k)*1e-5, '<', .5, "%s", b.segment(1+k*1460, 1460))
			}
		}
		return w
	}
	giveUp := func(w *wire) *wire {
		end := 1 + len(request)
		w.client(5, "F. %d:%d(0) ack 1 win 2048", end, end)
		return w
	}
	deaf := lose(4)
	// the acknowledgment of it had not come either
	deaf.client(0.3, "P. 1 ack 1 win 2048 %q", request)
	early := &wire{}
	early.open(65535 * 4)
	for i, wait := range []float64{2, 2.3, 2.9, 4.1} {
		if i == 0 {
			early.server(1.9, ". 1:1(0) ack %d win 512", 1+len(request))
		}
		early.send(wait, '<', .5, "%s", early.answer(4*1460).segment(1, 1460))
	}
	for _, tt := range []struct {
		name string
		wire *wire
		want bool
	}{
		{"given up, and the request was not sent again", giveUp(lose(4)), true},
		{"two copies may be lost by chance", giveUp(lose(2)), false},
		{"the client is not heard of any more", lose(4), false},
		{"small segments did not arrive either", giveUp(deaf), false},
		{"what arrived had been sent long before", giveUp(early), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := find(tt.wire.at(t, 1), "path-mtu", "")
			if f == nil != !tt.want {
				t.Fatalf("found %v, want %v", f, tt.want)
			}
			if f != nil && f.Confidence != report.ConfidenceMedium {
				t.Errorf("confidence %v, want medium: the path may have gone at that moment", f.Confidence)
			}
		})
	}
}

// TestSmallPiecesPassed: that a large message arrived says nothing of full segments if it came in
// small ones.
func TestSmallPiecesPassed(t *testing.T) {
	for _, tt := range []struct {
		size int
		want bool
	}{{500, true}, {1460, false}} {
		w := &wire{}
		w.open(65535 * 4)
		b := w.answer(2920)
		for b.next <= b.n {
			n := min(tt.size, b.n+1-b.next)
			w.send(server0+float64(b.next)*1e-6, '<', 2, "%s", b.segment(b.next, n))
			b.next += n
		}
		b.ack(server0+.03, 65535*4)
		ack, base := 1+2*len(request), b.next
		w.client(.4, "P. %d ack %d win 2048 %q", 1+len(request), base, request)
		second := w.answer(1460 + 300)
		for i, at := range []float64{.4251, .7251, 1.3251, 2.5251, 4.9251} {
			w.send(at, '<', .1, ". %d:%d(1460) ack %d win 512 %q", base, base+1460, ack, second.head(1460))
			if i == 0 {
				w.send(at+1e-5, '<', 2, ". %d:%d(300) ack %d win 512 x*300", base+1460, base+1760, ack)
				w.client(at+.0251, ". %d:%d(0) ack %d win 2048 <sack %d:%d>", ack, ack, base, base+1460, base+1760)
			}
		}
		w.client(6, "F. %d:%d(0) ack %d win 2048", ack, ack, base)
		if f := find(w.at(t, 1), "path-mtu", ""); (f != nil) != tt.want {
			t.Errorf("after a response in segments of %d octets: found %v, want %v", tt.size, f != nil, tt.want)
		}
	}
}
