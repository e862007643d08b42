package analysis

import "testing"

// TestWholeFlightLost: when a client gives up whose response never came, it is a matter of size only if small segments came.
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
	deaf.client(0.3, "P. 1 ack 1 win 2048 %q", request) // the acknowledgment of it had not come either
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
			if f != nil && f.Confidence != ConfidenceMedium {
				t.Errorf("confidence %v, want medium: the path may have gone at that moment", f.Confidence)
			}
		})
	}
}
