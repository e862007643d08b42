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

// TestControls tells control frames from those of exchanges.
func TestControls(t *testing.T) {
	control := owned{{Owner: exchange.NoExchange}, {Owner: exchange.Credit}}
	mixed := owned{{Owner: exchange.NoExchange}, {Owner: 3}}
	if !control.controls() || mixed.controls() || owned(nil).controls() ||
		!mixed.has(3) || mixed.has(2) || !owned(nil).has(2) || owned(nil).surely(2) {
		t.Error("owners are mixed up")
	}
}

// stream is an exchange that asked at a moment and was answered at another.
func stream(index int, asked, answered time.Duration) *Exchange {
	return &Exchange{
		Account: Account{Index: index, From: asked},
		Parsed: &exchange.Exchange{
			OnStream: exchange.OnStream{Stream: uint32(2*index + 1)},
			Request:  &exchange.Message{Complete: true, End: capture.Mark{Time: asked}},
			Response: &exchange.Message{Start: capture.Mark{Time: answered}},
		},
	}
}

// event is what ends a tile of the server's half in the tests.
type event struct {
	label report.Label
	to    time.Duration
	owner int // whose octets ended it
}

// play books tiles of the server's half from the given moment on.
func (b *book) play(from time.Duration, events []event) {
	b.at = from
	for _, e := range events {
		b.by = owned{{Owner: e.owner}}
		r := &reassembly.Record{Time: e.to, Dir: reassembly.FromServer, Len: 1, Frame: 1}
		b.beside(&report.Tile{Label: e.label, From: from, To: e.to, End: r.Mark()}, r.Dir)
		for _, j := range b.exchanges {
			if b.by.surely(j.Index) {
				b.follow(j)
				b.bringOn(j, r, nil)
			}
		}
		from, b.by = e.to, nil
	}
}

// TestLineLabels: what a stream waited for while others' octets passed, its own next octets tell.
func TestLineLabels(t *testing.T) {
	two := func(mux, think, trip, own time.Duration) map[report.Label]time.Duration {
		return map[report.Label]time.Duration{report.H2Mux: mux, report.Think: think,
			report.RoundTrip: trip, report.AppPaced: own}
	}
	for name, c := range map[string]struct {
		events []event
		want   map[report.Label]time.Duration
	}{
		"behind the other without a pause": {[]event{
			{report.SlowStart, 150, 0}, {report.Serialize, 160, 0}, {report.Serialize, 170, 1},
		}, two(60, 0, 10, 0)},
		"the server had nothing to send before": {[]event{
			{report.SlowStart, 150, 0}, {report.AppPaced, 200, 1},
		}, two(0, 90, 10, 0)},
		"it had nothing to send, then others came first": {[]event{
			{report.AppPaced, 150, 0}, {report.Serialize, 160, 0}, {report.Serialize, 161, 1},
		}, two(11, 40, 10, 0)},
		"within the response": {[]event{
			{report.AppPaced, 150, 1}, {report.SlowStart, 180, 0}, {report.Serialize, 190, 0},
			{report.AppPaced, 300, 1},
		}, two(0, 40, 10, 150)},
	} {
		b := book{conn: &reassembly.Conn{}}
		b.conn.Half[reassembly.FromServer].RTT.Min = 10
		one, x := stream(0, 90, 150), stream(1, 100, c.events[len(c.events)-1].to)
		x.Parsed.Response.Start.Time = firstOf(c.events, 1)
		b.open(one)
		b.open(x)
		b.play(100, c.events)
		for l, want := range c.want {
			if got := x.Times[l]; got != want {
				t.Errorf("%s: %v of %v, want %v", name, got, l, want)
			}
		}
	}
}

// firstOf is when the first octets of an exchange came.
func firstOf(events []event, owner int) time.Duration {
	for _, e := range events {
		if e.owner == owner {
			return e.to
		}
	}
	return 0
}

// TestLinesTile: whatever happens to streams, each nanosecond of each gets one label, and each of
// the connection.
func TestLinesTile(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for range 500 {
		b := book{conn: &reassembly.Conn{}}
		b.conn.Half[reassembly.FromServer].RTT.Min = time.Duration(rng.IntN(50))
		for i := range 1 + rng.IntN(5) {
			asked := time.Duration(100 + rng.IntN(100))
			b.open(stream(i, asked, asked+time.Duration(rng.IntN(300))))
		}
		var events []event
		at := time.Duration(100)
		for range rng.IntN(60) {
			at += time.Duration(rng.IntN(40))
			l := report.Label(rng.IntN(int(report.LabelCount)))
			events = append(events, event{l, at, rng.IntN(7) - 1})
		}
		for i := range events { // nothing comes before it was asked for
			if k := events[i].owner; k >= 0 && k < len(b.exchanges) &&
				events[i].to < b.exchanges[k].From {
				events[i].owner = exchange.NoExchange
			}
		}
		b.play(100, events)
		if sum := total(&b.Times); sum != b.at-100 {
			t.Fatalf("the connection has %v, want %v", sum, b.at-100)
		}
		for _, j := range b.exchanges {
			j.over, j.Until = true, max(at, j.From)+time.Duration(rng.IntN(50))
			b.follow(j)
			b.endLine(j)
			if sum := total(&j.Times); sum != j.Until-j.From {
				t.Fatalf("exchange %d has %v, want %v", j.Index, sum, j.Until-j.From)
			}
		}
	}
}

// TestBehindLoss: from when its octets came until those of another were repaired, a stream waits
// for that loss.
func TestBehindLoss(t *testing.T) {
	b := book{conn: &reassembly.Conn{}, at: 100}
	one, x := stream(0, 90, 95), stream(1, 100, 120)
	b.open(one)
	b.open(x)
	b.follow(x)
	b.by = owned{{Owner: 1}}
	b.arrive(&reassembly.Record{Time: 130, Dir: reassembly.FromServer, Len: 1, Frame: 2}, false)
	b.by = owned{{Owner: 0}}
	repair := &reassembly.Record{Time: 170, Dir: reassembly.FromServer, Len: 1, Frame: 1}
	b.beside(
		&report.Tile{Label: report.FastRetx, From: 110, To: 170, End: repair.Mark()},
		repair.Dir,
	)
	b.bringOn(x, repair, nil)
	if x.Times[report.H2HOL] != 40 || x.Times[report.H2Mux] != 30 || total(&x.Times) != 70 {
		t.Errorf("got %v behind the loss and %v behind others of %v", x.Times[report.H2HOL],
			x.Times[report.H2Mux], total(&x.Times))
	}
}
