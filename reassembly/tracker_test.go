package reassembly

import (
	"math"
	"strings"
	"testing"
	"time"

	"tcpwhy/capture"
	"tcpwhy/reassembly/exchange"
	"tcpwhy/reassembly/tcptext"
)

// fakeReader keeps what the streams deliver.
type fakeReader struct {
	data   [2]strings.Builder // gaps are shown as [n], what was skipped as {n}
	next   [2]int64
	fin    [2]capture.Mark
	rst    []Dir
	ended  int
	bad    []string
	unread bool // no content is needed
}

func (a *fakeReader) step(dir Dir, off, n int64) {
	if n <= 0 {
		a.bad = append(a.bad, "empty call")
	}
	if a.next[dir] != 0 && off != a.next[dir] {
		a.bad = append(a.bad, "offset "+itoa(off)+" does not follow "+itoa(a.next[dir]))
	}
	a.next[dir] = off + n
}

func (a *fakeReader) Data(dir Dir, off int64, data []byte, _ *exchange.Arrival) {
	a.step(dir, off, int64(len(data)))
	a.data[dir].Write(data)
}

func (a *fakeReader) Skipped(dir Dir, off, n int64, _ *exchange.Arrival) {
	a.step(dir, off, n)
	a.data[dir].WriteString("{" + itoa(n) + "}")
}

func (a *fakeReader) Gap(dir Dir, off, n int64, _ *exchange.Arrival) {
	a.step(dir, off, n)
	a.data[dir].WriteString("[" + itoa(n) + "]")
}

func (a *fakeReader) Fin(dir Dir, at capture.Mark) { a.fin[dir] = at }
func (a *fakeReader) Rst(dir Dir, at capture.Mark) { a.rst = append(a.rst, dir) }
func (a *fakeReader) End(capture.Mark, bool)       { a.ended++ }
func (a *fakeReader) Skip(Dir) int64 {
	if a.unread {
		return math.MaxInt64
	}
	return 0
}

func itoa(n int64) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return itoa(n/10) + string(rune('0'+n%10))
}

// fakeSink counts what it is told, and keeps the records that are released.
type fakeSink struct {
	exchanges []*exchange.Exchange
	records   []Record
	closed    int
}

func (s *fakeSink) Began(*Conn, *exchange.Exchange)        {}
func (s *fakeSink) Over(*Conn, *exchange.Exchange)         {}
func (s *fakeSink) Exchange(c *Conn, x *exchange.Exchange) { s.exchanges = append(s.exchanges, x) }
func (s *fakeSink) Release(c *Conn, n int)                 { s.records = append(s.records, c.Records[:n]...) }
func (s *fakeSink) Closed(c *Conn, ended bool) {
	s.closed++
	s.records = append(s.records, c.Records...)
}

// run is one connection taken through Table and Tracker.
type run struct {
	*Conn
	sink *fakeSink
	app  *fakeReader
	all  []*Conn
}

// play takes segments through a Table and a Tracker whose connections have fake applications; the
// last connection is the one returned.
func play(t testing.TB, segs []capture.Segment, unread bool) run {
	t.Helper()
	sink := &fakeSink{}
	table, tracker := NewTable(TableLimits{}), NewTracker(sink, TrackerLimits{})
	r := run{sink: sink}
	closeOver := func(ended bool) {
		for c, _, _ := table.Over(); c != nil; c, _, _ = table.Over() {
			tracker.Close(c, ended)
		}
	}
	for i := range segs {
		c, dir, fresh := table.Assign(&segs[i], segs[i].Time)
		if c == nil {
			continue
		}
		if fresh {
			r.app = &fakeReader{unread: unread}
			tracker.state(c).reader = r.app
			r.Conn = c
			r.all = append(r.all, c)
		}
		tracker.Add(c, dir, &segs[i])
		closeOver(false)
	}
	end := time.Duration(0)
	if len(segs) > 0 {
		end = segs[len(segs)-1].Time
	}
	table.Finish(end)
	closeOver(true)
	if tracker.held != 0 {
		t.Errorf("%d octets still held after all connections closed", tracker.held)
	}
	if r.app != nil {
		for _, bad := range r.app.bad {
			t.Error(bad)
		}
	}
	return r
}

// parse is tcptext.Parse for tests.
func parse(t testing.TB, text string) []capture.Segment {
	t.Helper()
	segs, err := tcptext.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return segs
}

// kindsOf lists what is special of each record: its kind and the traits given.
func kindsOf(r run, show Trait) string {
	var out []string
	for _, rec := range r.sink.records {
		name := rec.Kind.String()
		for _, t := range []struct {
			t Trait
			s string
		}{{Unseen, "unseen"}, {Hole, "hole"}, {AcksUnseen, "acks-unseen"}, {Overrun, "overrun"}, {Conflict, "conflict"}, {Full, "full"}, {Wild, "wild"}} {
			if rec.Trait.Has(t.t) && show.Has(t.t) {
				name = strings.TrimPrefix(name+"+"+t.s, "+")
			}
		}
		if name != "" {
			out = append(out, itoa(int64(rec.Frame.Number()))+" "+name)
		}
	}
	return strings.Join(out, ", ")
}
