package reassembly

import (
	"strings"
	"testing"
	"time"

	"tcpwhy/capture"
	"tcpwhy/reassembly/exchange"
	"tcpwhy/reassembly/tcptext"
)

// frailReaders make readers that fail at a word.
type frailReaders struct{ exchange.Readers }

type frailReader struct{ exchange.Reader }

func (r frailReaders) Recognise(c *exchange.Context) exchange.Reader {
	return frailReader{r.Readers.Recognise(c)}
}

func (r frailReader) Data(dir Dir, off int64, data []byte, a *exchange.Arrival) {
	if strings.Contains(string(data), "FAIL") {
		panic("wanted")
	}
	r.Reader.Data(dir, off, data, a)
}

// TestDropped: after a reader has failed on a connection, nothing is left of it that waits or
// counts, and the tracker goes on with others.
func TestDropped(t *testing.T) {
	const text = threeWay + `
0.050 > P. 1 ack 1 win 502 "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n"
0.060 < P. 1 ack 30 win 502 "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
0.061 < P. 1000 ack 30 win 502 "beyond a hole"
0.070 > P. 30 ack 39 win 502 "FAIL"
`
	segs, err := tcptext.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	sink := &fakeSink{}
	tracker := NewTracker(sink, TrackerLimits{})
	tracker.shared.Readers = frailReaders{knownReaders()}
	for round := range 2 {
		table := NewTable(TableLimits{})
		var conn *Conn
		failed := false
		for i := range segs {
			segs[i].Frame = capture.NewFrameID(0, uint64(i+1))
			c, dir, _ := table.Assign(&segs[i], segs[i].Time)
			conn = c
			func() {
				defer func() { failed = recover() != nil || failed }()
				tracker.Add(c, dir, &segs[i])
			}()
		}
		if !failed || tracker.held == 0 {
			t.Fatalf("round %d: failed %v, %d octets held, %d wait", round, failed, tracker.held, len(tracker.waits))
		}
		tracker.Drop(conn)
		tracker.Drop(conn)
		tracker.Settle(time.Hour)
		if tracker.held != 0 || len(tracker.waits) != 0 || conn.track != nil || tracker.Moment() >= 0 {
			t.Errorf("round %d: %d octets held, %d wait", round, tracker.held, len(tracker.waits))
		}
	}
}
