package reassembly

import (
	"fmt"
	"strings"
	"testing"

	"tcpwhy/capture"
	"tcpwhy/reassembly/exchange"
)

// diary notes what a Sink is told, in order, and checks that records are released before they are
// moved.
type diary struct {
	lines    []string
	released int
	t        *testing.T
}

func (d *diary) Began(c *Conn, x *exchange.Exchange) { d.note(c, "began %d", x.Index) }
func (d *diary) Over(c *Conn, x *exchange.Exchange)  { d.note(c, "over %d", x.Index) }
func (d *diary) Exchange(c *Conn, x *exchange.Exchange) {
	d.note(c, "exchange %d from record %d", x.Index, x.FirstRecord)
	if x.Stream == 0 && c.Exchanges[0] != x {
		d.t.Errorf("exchange %d is not the oldest that is not handed on", x.Index)
	}
}
func (d *diary) Release(c *Conn, n int) {
	if c.Released != d.released || n <= 0 || n > len(c.Records) {
		d.t.Errorf("release of %d at %d of %d, want it at %d", n, c.Released, len(c.Records), d.released)
	}
	d.released += n
}
func (d *diary) Closed(c *Conn, ended bool) { d.note(c, "closed %v", ended) }
func (d *diary) note(c *Conn, format string, args ...any) {
	frame := c.Records[len(c.Records)-1].Frame.Number()
	d.lines = append(d.lines, fmt.Sprintf("%d %s", frame, fmt.Sprintf(format, args...)))
}

// tell plays segments with the real application.
func tell(t *testing.T, segs []capture.Segment, limits TrackerLimits) (*diary, *Conn) {
	d := &diary{t: t}
	table, tracker := NewTable(TableLimits{}), NewTracker(d, limits)
	var conn *Conn
	for i := range segs {
		c, dir, _ := table.Assign(&segs[i], segs[i].Time)
		conn = c
		tracker.Add(c, dir, &segs[i])
	}
	table.Finish(segs[len(segs)-1].Time)
	for c, _, _ := table.Over(); c != nil; c, _, _ = table.Over() {
		tracker.Close(c, true)
	}
	return d, conn
}

func TestExchangesAreJudgedOnceSettled(t *testing.T) {
	d, _ := tell(t, parse(t, threeWay+`
0.050 > P. 1 ack 1 win 502 "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n"
0.100 < P. 1 ack 29 win 509 "HTTP/1.1 204 No Content\r\n\r\n"
0.100 > .  29:29(0) ack 28 win 502
0.150 > P. 29 ack 28 win 502 "GET /2 HTTP/1.1\r\nHost: a\r\n\r\n"
0.199 < P. 28 ack 57 win 509 "HTTP/1.1 204 No Content\r\n\r\n"
0.199 > .  57:57(0) ack 55 win 502
0.310 > F. 57:57(0) ack 55 win 502
0.360 < R. 55:55(0) ack 58 win 509`), TrackerLimits{})
	got := strings.Join(d.lines, "\n")
	want := `4 began 0
5 over 0
7 began 1
8 over 1
8 exchange 0 from record 3
10 exchange 1 from record 6
11 closed true`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestHistoryIsBounded(t *testing.T) {
	segs := parse(t, threeWay+"0.05 > P. 1 ack 1 win 502 \"GET / HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n\"\n0.1 < P. 1 ack 28 \"HTTP/1.1 200 OK\\r\\nContent-Length: 100000000\\r\\n\\r\\n\"")
	data := segs[4]
	next := data.Seq + data.Len
	for i := range 5000 {
		s := data
		s.Seq, s.Len, s.Payload = next+uint32(i)*100, 100, make([]byte, 100)
		s.Frame = capture.NewFrameID(0, uint64(i+6))
		segs = append(segs, s)
	}
	d, c := tell(t, segs, TrackerLimits{Records: 1000})
	if d.released < 4000 || d.released != c.Released {
		t.Errorf("%d records released, the connection says %d, want more than 4000", d.released, c.Released)
	}
	if !strings.Contains(strings.Join(c.Caveats, " "), CaveatHistory) {
		t.Errorf("caveats %q lack %s", c.Caveats, CaveatHistory)
	}
}

func TestLongLivedConnectionKeepsLittle(t *testing.T) {
	segs := parse(t, threeWay)
	ack, seq := segs[2].Ack, segs[2].Seq
	q, a := "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 204 No Content\r\n\r\n"
	for i := range 2000 {
		one := parse(t, "0.1 > P. 1 ack 1 \""+strings.ReplaceAll(q, "\r\n", "\\r\\n")+"\"\n0.15 < P. 1 ack 1 \""+strings.ReplaceAll(a, "\r\n", "\\r\\n")+"\"")
		for j := range one {
			one[j].Time = segs[len(segs)-1].Time + 50e6
			one[j].Frame = capture.NewFrameID(0, uint64(4+2*i+j))
			segs = append(segs, one[j])
		}
		k := len(segs) - 2
		segs[k].Seq, segs[k].Ack = seq, ack
		seq += uint32(len(q))
		segs[k+1].Seq, segs[k+1].Ack = ack, seq
		ack += uint32(len(a))
	}
	table, tracker := NewTable(TableLimits{}), NewTracker(&countSink{}, TrackerLimits{})
	for i := range segs {
		c, dir, _ := table.Assign(&segs[i], segs[i].Time)
		tracker.Add(c, dir, &segs[i])
		if len(c.Records) > 2*releaseBatch || len(c.Exchanges) > 3 {
			t.Fatalf("%d records and %d exchanges held at segment %d", len(c.Records), len(c.Exchanges), i)
		}
	}
}

// TestUndelivered: a response that passed the capture is complete only if the client can have had
// it.
func TestUndelivered(t *testing.T) {
	const asked = threeWay + `
0.050 > P. 1 ack 1 win 502 "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n"
0.100 < P. 1 ack 29 win 509 "HTTP/1.1 204 No Content\r\n\r\n"
`
	for name, c := range map[string]struct {
		rest string
		want exchange.Outcome
	}{
		"acknowledged":                 {"0.110 > . 29 ack 28\n0.200 > R. 29 ack 28\n", exchange.Complete},
		"the capture ends":             {"", exchange.Complete},
		"sent again and again":         {"0.400 < P. 1 ack 29 x*27\n0.900 < P. 1 ack 29 x*27\n", exchange.Incomplete},
		"sent again, acknowledged":     {"0.400 < P. 1 ack 29 x*27\n0.420 > . 29 ack 28\n", exchange.Complete},
		"sent again, the client left":  {"0.400 < P. 1 ack 29 x*27\n0.900 > F. 29 ack 1\n", exchange.Aborted},
		"reset by who lacked it":       {"0.110 > R. 29 ack 1\n", exchange.Aborted},
		"reset by who says nothing":    {"0.110 > R 29\n", exchange.Complete},
		"reset by who had all of it":   {"0.110 > R. 29 ack 28\n", exchange.Complete},
		"sent again, the server reset": {"0.400 < P. 1 ack 29 x*27\n0.900 < R. 28 ack 29\n", exchange.ResetByPeer},
	} {
		var got exchange.Outcome
		sink := &outcomes{diary: diary{t: t}, last: &got}
		table, tracker := NewTable(TableLimits{}), NewTracker(sink, TrackerLimits{})
		segs := parse(t, asked+c.rest)
		for i := range segs {
			conn, dir, _ := table.Assign(&segs[i], segs[i].Time)
			tracker.Add(conn, dir, &segs[i])
		}
		table.Finish(segs[len(segs)-1].Time)
		for conn, _, _ := table.Over(); conn != nil; conn, _, _ = table.Over() {
			tracker.Close(conn, true)
		}
		if got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// outcomes is a diary of how the last exchange ended.
type outcomes struct {
	diary
	last *exchange.Outcome
}

func (o *outcomes) Exchange(_ *Conn, x *exchange.Exchange) { *o.last = x.Outcome }
