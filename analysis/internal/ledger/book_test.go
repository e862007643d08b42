package ledger

import (
	"math/rand/v2"
	"testing"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

// TestBookTiles: whatever exchanges go on, every nanosecond of the connection is booked once with
// it, and with each exchange once between its beginning and its end.
func TestBookTiles(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	at := func(most int) time.Duration { return time.Duration(1 + rng.IntN(most)) }
	for range 300 {
		b := book{conn: &reassembly.Conn{}}
		b.conn.Half[reassembly.FromServer].RTT.Min = at(80)
		for i := range rng.IntN(4) {
			from := at(800)
			j := &Exchange{Account: Account{Index: i, From: from}, Parsed: &exchange.Exchange{}}
			if rng.IntN(2) == 0 {
				j.over, j.Until = true, from+at(300)
			}
			if rng.IntN(2) == 0 {
				j.Parsed.Stream = uint32(2*i + 1)
				asked := from + at(100)
				j.Parsed.Request = &exchange.Message{
					Complete: true, End: capture.Mark{Time: asked},
				}
				if rng.IntN(2) == 0 {
					j.Parsed.Response = &exchange.Message{
						Start: capture.Mark{Time: asked + at(100)},
					}
				}
			} else if rng.IntN(3) == 0 {
				j.Behind = report.Interval{From: from, To: from + at(100)}
			}
			b.open(j)
		}
		b.Last, b.reusable = &exchange.Exchange{}, rng.IntN(2) == 0
		if rng.IntN(2) == 0 {
			b.conn.FirstCloseAt = capture.Mark{Time: at(1000), Frame: 1}
		}
		end := time.Duration(0)
		for end < 1000 {
			to := end + at(90)
			b.by = nil
			if rng.IntN(2) == 0 {
				b.by = owned{{Owner: rng.IntN(4)}}
			}
			b.tile(&report.Tile{Label: report.Think, From: end, To: to}, false)
			end = to
		}
		if sum := total(&b.Times); sum != end {
			t.Fatalf("the connection has %v, want %v", sum, end)
		}
		for _, j := range b.exchanges {
			from, until := j.Span()
			if sum := total(&j.Times); sum != min(until, end)-from {
				t.Fatalf("exchange %d has %v, want %v", j.Index, sum, min(until, end)-from)
			}
		}
	}
}

// total is the sum of all labels.
func total(times *[report.LabelCount]time.Duration) (sum time.Duration) {
	for _, t := range times {
		sum += t
	}
	return sum
}

// TestLongWaits: however many waits an exchange has, the longest are kept, in order of time.
func TestLongWaits(t *testing.T) {
	var l LongWaits
	at := time.Duration(0)
	for i := range 1000 {
		length := time.Duration(1+i*7919%1000) * time.Millisecond
		l.keep(Wait{From: at, To: at + length})
		at += length
	}
	if len(l.Waits) >= 2*maxWaits {
		t.Fatalf("%d waits are kept", len(l.Waits))
	}
	long := 0
	for i := range l.Waits {
		if i > 0 && l.Waits[i].From < l.Waits[i-1].To {
			t.Fatalf("wait %d begins at %v, before the end of the one before", i, l.Waits[i].From)
		}
		if l.Waits[i].Length() > (1000-maxWaits)*time.Millisecond {
			long++
		}
	}
	if long != maxWaits {
		t.Errorf("%d of the longest %d waits are left", long, maxWaits)
	}
	l.keep(Wait{From: at, To: at + minWait - 1})
	if k := &l.Waits[len(l.Waits)-1]; k.Length() < minWait {
		t.Errorf("a wait of %v is kept", k.Length())
	}
}
