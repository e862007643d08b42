package reassembly

import (
	"slices"
	"testing"
	"time"

	"tcpwhy/capture"
	"tcpwhy/reassembly/exchange"
	"tcpwhy/reassembly/internal/dialogue"
)

// letters is a protocol with streams: a capital letter of the client is a request, the small one of
// the server its response. Digits of the client do the same without a stream, answered by the signs
// below them.
type letters struct{}

func (letters) Protocol() exchange.Protocol                   { return exchange.ProtoHTTP2 }
func (letters) Opening(exchange.Dir, []byte) exchange.Verdict { return exchange.Certain }
func (letters) Resumes(exchange.Dir, []byte) bool             { return false }
func (letters) Reader(c *exchange.Context, _ *exchange.Takeover) exchange.Reader {
	return &letterReader{c: c, open: map[byte]*exchange.Parts{}}
}

type letterReader struct {
	countReader
	c    *exchange.Context
	open map[byte]*exchange.Parts
}

func (r *letterReader) Data(dir Dir, off int64, data []byte, a *exchange.Arrival) {
	for i, octet := range data {
		at := off + int64(i)
		m := exchange.Message{Start: a.Start, End: a.At, From: at, To: at + 1}
		if dir == FromServer {
			x := r.open[octet]
			x.Answer(m)
			r.c.Finish(x, exchange.Complete)
			continue
		}
		stream, answer := uint32(octet), octet|0x20
		if octet <= '9' {
			stream, answer = 0, octet-0x10
		}
		r.open[answer] = r.c.BeginStream(a.Record, stream)
		r.open[answer].Ask(m)
	}
}

func (r *letterReader) End(capture.Mark, bool) {
	for _, x := range r.open {
		r.c.Finish(x, exchange.Incomplete)
	}
}

// tellLetters plays segments of that protocol. released is how many records were, before the end.
func tellLetters(t *testing.T, text string) (d *diary, released int) {
	d = &diary{t: t}
	table, tracker := NewTable(TableLimits{}), NewTracker(d, TrackerLimits{})
	tracker.shared.Readers = dialogue.New(letters{})
	var conn *Conn
	segs := parse(t, text)
	for i := range segs {
		c, dir, _ := table.Assign(&segs[i], segs[i].Time)
		conn = c
		tracker.Add(c, dir, &segs[i])
	}
	tracker.Settle(segs[len(segs)-1].Time + time.Second)
	d.lines = append(d.lines, "silence")
	released = conn.Released
	tracker.Close(conn, true)
	return d, released
}

// TestStreamsAreSettledEachByItself has a request that is never answered before all others: they
// are over, and handed on, without it. Its records stay.
func TestStreamsAreSettledEachByItself(t *testing.T) {
	d, released := tellLetters(t, threeWay+`
0.100 > P. 1 ack 1 win 502 "ABC"
0.150 < P. 1 ack 4 win 509 "c"
0.150 > .  4:4(0) ack 2 win 502
0.400 < P. 2 ack 4 win 509 "b"
0.400 > P. 4 ack 3 win 502 "D"`)
	want := []string{
		"4 began 0", "4 began 1", "4 began 2", "5 over 2", "7 over 1",
		"7 exchange 2 from record 3", "8 began 3", "8 exchange 1 from record 3", "silence",
		"8 over 0", "8 over 3", "8 exchange 0 from record 3", "8 exchange 3 from record 7",
		"8 closed true",
	}
	slices.Sort(want[9:11]) // the reader ends them in any order
	slices.Sort(d.lines[9:11])
	slices.Sort(d.lines[11:13])
	if !slices.Equal(d.lines, want) {
		t.Errorf("got  %q\nwant %q", d.lines, want)
	}
	if released > 3 {
		t.Errorf("%d records released, but an exchange that began at number 3 goes on", released)
	}
}

// TestWithoutStreamsInOrder has the same without streams: none is over before those before it.
func TestWithoutStreamsInOrder(t *testing.T) {
	d, _ := tellLetters(t, threeWay+`
0.100 > P. 1 ack 1 win 502 "12A"
0.150 < P. 1 ack 4 win 509 "\""
0.150 > .  4:4(0) ack 2 win 502
0.300 < P. 2 ack 4 win 509 "a"
0.300 > .  4:4(0) ack 3 win 502
0.500 < P. 3 ack 4 win 509 "!"
0.500 > .  4:4(0) ack 4 win 502`)
	want := []string{
		"4 began 0", "4 began 1", "4 began 2", "7 over 2", "9 over 0", "9 over 1",
		"9 exchange 2 from record 3",
		"9 exchange 0 from record 3", "9 exchange 1 from record 3", "silence", "10 closed true",
	}
	if !slices.Equal(d.lines, want) {
		t.Errorf("got  %q\nwant %q", d.lines, want)
	}
}
