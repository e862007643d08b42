package analysis

import (
	"testing"
	"time"

	"tcpwhy/analysis/report"
)

// coldBursts is a response that comes in bursts with a round trip between them, the first of so
// many segments, the others of twice as many as the one before.
func coldBursts(first int) *wire {
	w := &wire{}
	w.open(65535 * 8)
	b := w.answer((first*7 - 1) * 1460)
	for i := range 3 {
		b.burst(server0+float64(i)*.0501, first<<i)
		b.ack(server0+.0252+float64(i)*.0501, 65535*8)
	}
	return w
}

// TestInitialWindows: a kernel begins with the same window each time, an application does not.
func TestInitialWindows(t *testing.T) {
	for _, tt := range []struct {
		name  string
		first []int
		want  report.Confidence
	}{
		{"a kernel's", []int{10, 10, 10, 10, 10}, report.ConfidenceHigh},
		{"an application's", []int{4, 12, 20, 28, 7}, report.ConfidenceMedium},
	} {
		var talks []*talk
		for i, n := range tt.first {
			// all at once, so that none could have used the connection of another
			talks = append(talks, coldBursts(n).talk(40001+i, 0, float64(i)/1000))
		}
		f := find(connReport(t, talks...), "slow-start", "")
		if f == nil || f.Confidence != tt.want {
			t.Errorf("%s window: found %+v, want it with %s confidence", tt.name, f, tt.want)
		}
	}
}

// TestIdleRestarts: a host that keeps the window of an idle connection elsewhere makes it less
// likely that its kernel forgot it.
func TestIdleRestarts(t *testing.T) {
	for _, tt := range []struct {
		name         string
		forgot, kept int
		want         report.Confidence
	}{
		{"always", 3, 0, report.ConfidenceHigh},
		{"mostly", 3, 1, report.ConfidenceHigh},
		{"seldom", 1, 4, report.ConfidenceMedium},
	} {
		var talks []*talk
		for i := range tt.forgot + tt.kept {
			w, again := &wire{}, 80
			if i < tt.forgot {
				again = 10
			}
			twice(w, 3, again)
			talks = append(talks, w.talk(40001+i, 1, 10*float64(i)))
		}
		f := find(connReport(t, talks...), "slow-start-after-idle", "")
		if f == nil || f.Confidence != tt.want || f.Count != tt.forgot {
			t.Errorf("a host that %s forgets: found %+v, want it with %s confidence",
				tt.name, f, tt.want)
		}
	}
}

// TestContradictedHolds: where most connections of a client never waited, the holds of one are less
// sure.
func TestContradictedHolds(t *testing.T) {
	// nine requests in two pieces, of which the second never waits for the first
	prompt := func(port int, at float64) *talk {
		k := newTalk(port).open(at, 0.010)
		for i := range 9 {
			at := at + 0.1 + float64(i)/10
			k.ask(at, "POST /x HTTP/1.1\r\nHost: a.example\r\nContent-Length: 4\r\n\r\n")
			k.ask(at+0.0001, "body")
			k.answer(at+0.0101, "HTTP/1.1 204 No Content\r\n\r\n").ack(at + 0.01011)
		}
		return k.bye(at+2, 0.010)
	}
	for _, tt := range []struct {
		name  string
		talks []*talk
		want  report.Confidence
	}{
		{"alone", nil, report.Proven},
		{"beside one that never waited", []*talk{prompt(50000, 20)}, report.ConfidenceHigh},
	} {
		held := heldTalk(40000, 0, 4).bye(9, 0.010)
		f := find(connReport(t, append(tt.talks, held)...), "nagle-delayed-ack", "request")
		if f == nil || f.Confidence != tt.want || f.Cost.Expected < 100*time.Millisecond {
			t.Errorf("%s: found %+v, want it with %s confidence", tt.name, f, tt.want)
		}
	}
}
