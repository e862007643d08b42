package analysis

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly/tcptext"
)

// oncePerConnection is n connections with one request each in two pieces: no piece ends with the
// headers, so that no connection alone proves anything. second tells when the second piece leaves,
// counted from the ACK of the first.
func oncePerConnection(n int, second func(i int) float64) []*talk {
	var talks []*talk
	for i := range n {
		at := float64(i)
		k := newTalk(40000+i).open(at, 0.010)
		k.ask(at+0.1, "POST /x HTTP/1.1\r\nHost: a.example\r\n")
		acked := k.c
		k.ask(at+0.1+0.050+second(i), "Content-Length: 4\r\n\r\nbody")
		ack := fmt.Sprintf("%.6f < . %d:%d(0) ack %d", at+0.150, k.s, k.s, acked)
		if at := len(k.lines) - 1; second(i) >= 0 {
			k.lines = slices.Insert(k.lines, at, ack)
		} else {
			k.line("%s", ack)
		}
		talks = append(talks, k.answer(at+0.2151, "HTTP/1.1 204 No Content\r\n\r\n").
			ack(at+0.21511).bye(at+0.3, 0.010))
	}
	return talks
}

func TestHeldOnceEach(t *testing.T) {
	with := func(_ int) float64 { return 0.0001 }
	tests := []struct {
		name  string
		n     int
		late  func(i int) float64
		count int
	}{
		{"one connection proves nothing", 1, with, 0},
		{"four neither", 4, with, 0},
		{"five do", 5, with, 5},
		{"twelve do", 12, with, 12},
		{"one piece that left early speaks against all", 12, func(i int) float64 {
			if i == 7 {
				return -0.030
			}
			return 0.0001
		}, 0},
		{"most left later: the application decides", 12, func(i int) float64 {
			if i%2 == 0 {
				return 0.0001
			}
			return 0.012
		}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := connReport(t, oncePerConnection(tt.n, tt.late)...)
			f := find(r, "nagle-delayed-ack", "request")
			if tt.count == 0 {
				if f != nil {
					t.Errorf("found %d times", f.Count)
				}
				return
			}
			// as sure as may be of what the program's own delay may be part of
			if f == nil || f.Count != tt.count || f.Affected != tt.count ||
				f.Confidence < report.ConfidenceMedium {
				t.Fatalf("found %+v, want it %d times", f, tt.count)
			}
			want := float64(tt.count) * 50.1
			if got := float64(f.Cost.Expected) / 1e6; got < want-2 || got > want+2 ||
				r.Lost < f.Cost.Expected {
				t.Errorf("costs %.1f ms, want %.1f; %v lost", got, want, r.Lost)
			}
			if ms(r, report.NagleDelack) < want*0.7 || ms(r, report.ReqApp) > 1 {
				t.Errorf("%.1f ms of holds and %.1f ms of the application",
					ms(r, report.NagleDelack), ms(r, report.ReqApp))
			}
			checkSums(t, r)
		})
	}
}

// checkSums checks that times still add up after some were given another label.
func checkSums(t *testing.T, r *report.Report) {
	t.Helper()
	var all time.Duration
	for _, lt := range r.Times {
		all += lt.Time
	}
	if all != r.ExchangeTime {
		t.Errorf("labels add up to %v of %v", all, r.ExchangeTime)
	}
	for i := range r.Exchanges {
		var sum time.Duration
		for _, lt := range r.Exchanges[i].Times {
			sum += lt.Time
			if lt.Time < 0 {
				t.Errorf("exchange %d has %v of %s", i, lt.Time, lt.Label)
			}
		}
		if sum != r.Exchanges[i].Duration {
			t.Errorf("exchange %d: labels add up to %v of %v", i, sum, r.Exchanges[i].Duration)
		}
		if !slices.ContainsFunc(r.Exchanges[i].Pieces,
			func(p report.Piece) bool { return p.Label == report.NagleDelack }) &&
			len(r.Exchanges) <= 8 {
			t.Errorf("exchange %d is drawn without its hold: %v", i, r.Exchanges[i].Pieces)
		}
	}
	for i := range r.Conns {
		var sum time.Duration
		for _, lt := range r.Conns[i].Times {
			sum += lt.Time
		}
		if sum != r.Conns[i].Duration {
			t.Errorf("connection %d: labels add up to %v of %v", i, sum, r.Conns[i].Duration)
		}
	}
}

// TestHeldOnceOrder: the order of the connections, and the number of workers, change nothing.
func TestHeldOnceOrder(t *testing.T) {
	var want string
	for _, workers := range []int{1, 2, 5} {
		var all []capture.Segment
		for _, k := range oncePerConnection(9, func(int) float64 { return 0.0001 }) {
			segs, err := tcptext.Parse(strings.Join(k.lines, "\n"))
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, segs...)
		}
		slices.SortStableFunc(all, func(a, b capture.Segment) int { return int(a.Time - b.Time) })
		r, err := Run(t.Context(), &memorySource{segs: all}, WithWorkers(workers),
			WithLimits(Limits{Occurrences: NoLimit}))
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprintf("%+v %+v %v", r.Findings, r.Exchanges[0].Times, r.Lost); want == "" {
			want = got
		} else if got != want {
			t.Errorf("%d workers: %s, want %s", workers, got, want)
		}
	}
}

// TestTimerGivesCertainty: a single hold is surer if its ACK was as late as the server's others,
// and doubtful if not.
func TestTimerGivesCertainty(t *testing.T) {
	// others are connections of another client whose small requests the server acknowledges that
	// late.
	others := func(late float64) []*talk {
		var talks []*talk
		for i := range 5 {
			at := 20 + float64(i)
			k := newTalk(50000 + i)
			k.lines[0] = fmt.Sprintf("client 10.0.0.77:%d isn 7", 50000+i)
			k.open(at, 0.010).ask(at+0.1, "GET / HTTP/1.1\r\nHost: b.example\r\n\r\n")
			k.line("%.6f < . %d:%d(0) ack %d", at+0.110+late, k.s, k.s, k.c)
			talks = append(talks, k.answer(at+0.7, "HTTP/1.1 204 No Content\r\n\r\n").
				ack(at+0.70001).bye(at+0.8, 0.010))
		}
		return talks
	}
	for _, tt := range []struct {
		name string
		late float64
		want report.Confidence
	}{{"as late", 0.042, report.ConfidenceHigh}, {"much later", 0.200, report.ConfidenceLow},
		{"never late", 0, report.ConfidenceMedium}} {
		t.Run(tt.name, func(t *testing.T) {
			r := connReport(t, append(others(tt.late), heldTalk(40000, 0, 1).bye(2, 0.010))...)
			if f := find(r, "nagle-delayed-ack", "request"); f == nil || f.Confidence != tt.want {
				t.Errorf("found %+v, want it with %s confidence", f, tt.want)
			}
		})
	}
}

// TestHoldsOfOneResponse holds a thousand pieces of one response. All of them count, though few are
// kept.
func TestHoldsOfOneResponse(t *testing.T) {
	const pieces, rtt = 1000, 0.01
	k := newTalk(40001).open(0, rtt).ask(0.02, getA)
	at := 0.02 + rtt
	k.answer(at, "HTTP/1.1 200 OK\r\nContent-Length: "+strconv.Itoa(pieces)+"\r\n\r\n")
	for range pieces {
		k.ack(at + 0.04) // delayed
		at += 0.04 + rtt
		k.answer(at, "x")
	}
	k.ack(at+0.0001).bye(at+0.1, rtt)
	f := find(connReport(t, k), "nagle-delayed-ack", "response")
	if f == nil || f.Count < pieces-5 || f.Count > pieces || f.Affected != 1 {
		t.Fatalf("found %+v, want about %d", f, pieces)
	}
	if want := pieces * 50 * time.Millisecond; f.Cost.High < want*98/100 || f.Cost.High > want {
		t.Errorf("cost %v, want about %v", f.Cost, want)
	}
}
