package analysis

import (
	"testing"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly/exchange"
)

// part is the report on a part of a capture.
func part(t *testing.T, file string, s Span) *report.Report {
	t.Helper()
	src, err := capture.Open(capture.Config{Inputs: []string{file}})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	r, err := Run(t.Context(), src, WithSpan(s), WithLimits(Limits{Listed: NoLimit}))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// whole is how many exchanges came to their end.
func whole(r *report.Report) (n int) {
	for i := range r.Exchanges {
		if r.Exchanges[i].Outcome == exchange.Complete {
			n++
		}
	}
	return n
}

// TestSpan: each exchange is counted in the part in which it ends, and what is known of it is what
// the whole capture tells.
func TestSpan(t *testing.T) {
	const file = "../testdata/pcaps/nagle-delayed-ack-request-rtt10/capture.pcap"
	all := part(t, file, Span{})
	lost := time.Duration(0)
	n := 0
	for cut := 50 * time.Millisecond; cut < all.Capture.End; cut += 50 * time.Millisecond {
		before := part(t, file, Span{To: Moment{After: cut}})
		after := part(t, file, Span{From: Moment{After: cut}})
		if got := whole(before) + whole(after); got != whole(all) {
			t.Errorf("at %v: %d and %d of %d", cut, whole(before), whole(after), whole(all))
		}
		for i := range before.Capture.Inputs {
			if !before.Capture.Inputs[i].Complete {
				t.Errorf("at %v: what was not to be read is missing", cut)
			}
		}
		for i := range after.Exchanges {
			x := &after.Exchanges[i]
			if x.Start+x.Duration <= cut {
				t.Errorf("at %v: exchange %d is listed", cut, x.ID)
			}
			if of := &all.Exchanges[x.ID]; of.Duration != x.Duration {
				t.Errorf("exchange %d takes %v, %v of the whole", x.ID, x.Duration, of.Duration)
			}
		}
		lost, n = lost+before.Lost+after.Lost, n+1
	}
	// an exchange that is cut has a part of what it lost on both sides
	if most := time.Duration(n) * all.Lost; 10*lost > 11*most || 2*lost < most {
		t.Errorf("%v were lost in parts, %v in the whole", lost/time.Duration(n), all.Lost)
	}
}

// TestSpanBehindFault: what an exchange lost before the part that counts is not lost in it.
func TestSpanBehindFault(t *testing.T) {
	const file = "../testdata/pcaps/outage-to-server-of-acks-rtt20/capture.pcap"
	to := Moment{After: 3 * time.Second}
	if r := part(t, file, Span{To: to}); r.Lost == 0 || len(r.Findings) == 0 {
		t.Fatal("slow start was to cost something in the first second")
	}
	r := part(t, file, Span{From: Moment{After: time.Second}, To: to})
	if len(r.Exchanges) == 0 || r.Lost != 0 || len(r.Findings) != 0 {
		t.Errorf("%d exchanges, %v lost, findings %v", len(r.Exchanges), r.Lost, r.Findings)
	}
}

func TestMoment(t *testing.T) {
	start := time.Date(2026, 3, 14, 23, 59, 0, 0, time.UTC)
	for _, tt := range []struct {
		m    Moment
		want time.Duration
	}{
		{Moment{}, 0},
		{Moment{After: time.Minute}, time.Minute},
		{Moment{At: start.Add(5 * time.Second)}, 5 * time.Second},
		{Moment{OfDay: true, After: 24*time.Hour - 30*time.Second}, 30 * time.Second},
		{Moment{OfDay: true, After: 5 * time.Minute}, 6 * time.Minute},
	} {
		if got := tt.m.since(start); got != tt.want {
			t.Errorf("%+v: %v, want %v", tt.m, got, tt.want)
		}
	}
}
