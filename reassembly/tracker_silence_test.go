package reassembly

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"tcpwhy/reassembly/exchange"
)

// dueSink notes what it is told of exchanges, and when.
type dueSink struct {
	fakeSink
	tracker *Tracker
	lines   []string
}

func (s *dueSink) Exchange(c *Conn, x *exchange.Exchange) {
	s.lines = append(s.lines, fmt.Sprintf("exchange %d with %d records, due at %v", x.Index, len(c.Records), s.tracker.Moment()))
}

// afterSilence has a first exchange, a silence of 2 s, and a second one.
const afterSilence = threeWay + `
0.050 > P. 1 ack 1 win 502 "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n"
0.100 < P. 1 ack 29 win 509 "HTTP/1.1 204 No Content\r\n\r\n"
0.100 > .  29:29(0) ack 28 win 502
2.100 > P. 29 ack 28 win 502 "GET /2 HTTP/1.1\r\nHost: a\r\n\r\n"
2.150 < P. 28 ack 57 win 509 "HTTP/1.1 204 No Content\r\n\r\n"
2.150 > .  57:57(0) ack 55 win 502`

// TestSettleChangesNothing settles after every segment, late, early and never: the exchanges are
// handed on with the same history and the same moment.
func TestSettleChangesNothing(t *testing.T) {
	want := []string{"exchange 0 with 6 records, due at 600ms", "exchange 1 with 6 records, due at 2.65s"}
	for _, lead := range []time.Duration{-1, 0, 100 * time.Millisecond, time.Second, 1900 * time.Millisecond} {
		s := &dueSink{}
		s.tracker = NewTracker(s, TrackerLimits{})
		table := NewTable(TableLimits{})
		segs := parse(t, afterSilence)
		for i := range segs {
			c, dir, _ := table.Assign(&segs[i], segs[i].Time)
			s.tracker.Add(c, dir, &segs[i])
			if lead >= 0 && (i+1 == len(segs) || segs[i+1].Time > segs[i].Time+lead) {
				s.tracker.Settle(segs[i].Time + lead)
			}
		}
		s.tracker.Settle(time.Hour)
		if s.tracker.Moment() >= 0 {
			t.Errorf("lead %v: a moment outside of a call", lead)
		}
		if len(s.lines) != 2 || s.lines[0] != want[0] || !strings.HasSuffix(s.lines[1], "due at 2.65s") {
			t.Errorf("lead %v: got\n%s\nwant\n%s", lead, strings.Join(s.lines, "\n"), strings.Join(want, "\n"))
		}
		if n := len(s.tracker.waits); n != 0 {
			t.Errorf("lead %v: %d still wait", lead, n)
		}
	}
}

func TestWaitHeap(t *testing.T) {
	var h waitHeap
	all := map[int]*track{}
	for _, due := range []int{5, 30, 9, 1, 70, 3, 80, 2, 40} {
		all[due] = &track{awaited: time.Duration(due), c: &Conn{ID: due}}
		h.place(all[due])
	}
	for _, sooner := range []int{30, 70, 80} {
		all[sooner].awaited /= 10
		h.place(all[sooner])
	}
	h.remove(all[1])
	h.remove(all[40])
	var order []int
	for len(h) > 0 {
		k := h[0]
		h.remove(k)
		if k.slot != 0 {
			t.Errorf("%d still has slot %d", k.c.ID, k.slot)
		}
		order = append(order, k.c.ID)
	}
	if want := []int{2, 3, 30, 5, 70, 80, 9}; !slices.Equal(order, want) {
		t.Errorf("got %v, want %v", order, want)
	}
}
