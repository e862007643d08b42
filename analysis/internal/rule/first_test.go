package rule

import (
	"net/netip"
	"reflect"
	"testing"
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

// between is a client and a service.
func between() report.Pair {
	return report.Pair{
		Client: netip.MustParseAddr("10.0.0.1"),
		Server: netip.MustParseAddrPort("10.0.0.2:80"),
	}
}

// oneExchange is a connection with one exchange, closed by its server before all of it was known to
// be over.
func oneExchange() *Batch {
	mark := func(ms, frame int) capture.Mark {
		return capture.Mark{
			Time: time.Duration(ms) * time.Millisecond, Frame: capture.FrameID(frame),
		}
	}
	at := func(ms int) Event { return Event{At: mark(ms, 0).Time, Conn: 7} }
	b := &Batch{}
	b.TellBegan(at(10), Began{
		Pair: between(), First: true, ConnStart: mark(1, 1), Start: mark(9, 4),
		Need: mark(1, 0).Time, Critical: true, Handshake: true, Secure: true, Name: "a.example",
		Agent: "x/1", Port: 40000, Far: time.Millisecond, Facts: ledger.UnreadFacts,
		Session: Session{Seen: true, Program: 3},
	})
	b.TellClosing(at(20), Closing{
		At: mark(19, 8), By: reassembly.FromServer, Fin: reassembly.FromServer, Reset: true,
	})
	b.TellOver(at(21), Over{
		End: mark(18, 7), Reusable: true, Turn: true, Foreign: true, Bytes: 5,
		IdleLimit: 3 * time.Second, Products: report.Products{Client: 1, Server: 2, Proxy: 4},
	})
	x := &Judged{Info: &report.ExchangeInfo{}}
	x.Until, x.Flow.RTT, x.Flow.MSS, x.Flow.Bytes = mark(18, 0).Time, 8*time.Millisecond, 1460, 5
	x.Flow.MostInFlight = 50000
	b.TellJudged(at(30), x)
	b.TellGone(at(40), Gone{
		Pair: between(), At: mark(25, 9), By: reassembly.FromServer, Reset: true, Ended: true,
		Established: true, MidStream: true, Products: report.Products{Client: 9},
		Info: &report.ConnInfo{ID: 7, Start: time.Millisecond, Bytes: [2]int64{1, 5}},
	})
	return b
}

// heldOf is what is held of the first n events, which must be all there is to them.
func heldOf(t *testing.T, b *Batch, n int) *First {
	t.Helper()
	e := b.At(0)
	f, ok := FirstOf(&e, true)
	if !ok {
		return nil
	}
	for i := 1; i < n; i++ {
		if e := b.At(i); !f.Take(&e) {
			t.Fatalf("event %d of kind %d is not taken", i, e.Kind)
		}
	}
	return &f
}

// TestFirst: what is held of a connection is told as it came, as far as it had come.
func TestFirst(t *testing.T) {
	was := oneExchange()
	for n := 1; n <= len(was.Events); n++ {
		var again Batch
		heldOf(t, was, n).Tell(between(), &again)
		if len(again.Events) != n {
			t.Fatalf("%d events of %d", len(again.Events), n)
		}
		for i := range n {
			a, b := was.At(i), again.At(i)
			if a.At != b.At || a.Kind != b.Kind || a.Conn != b.Conn {
				t.Errorf("event %d: %+v, want %+v", i, b.Event, a.Event)
			}
			sameEvent(t, &b, &a)
		}
	}
}

// sameEvent compares what an event told late says with what it said.
func sameEvent(t *testing.T, got, want *Told) {
	t.Helper()
	equal := func(what string, a, b any) {
		if !reflect.DeepEqual(a, b) {
			t.Errorf("%s %+v, want %+v", what, a, b)
		}
	}
	switch want.Kind {
	case ExchangeBegan:
		equal("began", *got.Began(), *want.Began())
	case ConnClosing:
		equal("closing", got.Closing(), want.Closing())
	case ExchangeOver:
		equal("over", got.Over(), want.Over())
	case ExchangeJudged:
		x, was := got.Judged(), want.Judged()
		equal("until", x.Until, was.Until)
		equal("rtt", x.Late.Rtt, was.Flow.RTT)
		equal("windows", x.Late.Windows, was.Windows())
		if was.Windows() == (&Judged{}).Windows() {
			t.Error("the windows are those of any exchange")
		}
	case ConnOver:
		x, was := *got.Gone(), *want.Gone()
		equal("start", x.Info.Start, was.Info.Start)
		x.Info, was.Info = nil, nil
		equal("gone", x, was)
	}
}

// TestFirstConn: the connection is what it was when it was over.
func TestFirstConn(t *testing.T) {
	c := heldOf(t, oneExchange(), 5).Of(between())
	end := capture.Mark{Time: 18 * time.Millisecond, Frame: 7}
	want := &Conn{
		Id: 7, Pair: between(), Port: 40000,
		Start: capture.Mark{Time: time.Millisecond, Frame: 1},
		Far:   time.Millisecond, Rtt: 8 * time.Millisecond, Served: 1, IdleSince: end,
		AnsweredAt: end.Time, Repeats: true, Seen: report.Products{Client: 9}, Foreign: true,
	}
	if !reflect.DeepEqual(c, want) {
		t.Errorf("connection %+v, want %+v", c, want)
	}
}

// TestFirstTakes: what it could not tell again as it was is not taken.
func TestFirstTakes(t *testing.T) {
	began := func(change func(*Began)) *Batch {
		b := oneExchange()
		change(&b.began[0])
		return b
	}
	for name, b := range map[string]*Batch{
		"another exchange": began(func(b *Began) { b.First = false }),
		"an answer only":   began(func(b *Began) { b.Unasked = true }),
		"several at once":  began(func(b *Began) { b.Multiplexed = true }),
	} {
		if heldOf(t, b, 1) != nil {
			t.Errorf("%s: it is taken", name)
		}
	}
	for name, tell := range map[string]func(*Batch){
		"a second request": func(b *Batch) { b.TellBegan(Event{Index: 1}, Began{}) },
		"a failure":        func(b *Batch) { b.TellOver(Event{}, Over{Failure: &Failure{}}) },
		"a farewell":       func(b *Batch) { b.TellOver(Event{}, Over{Unasked: true}) },
		"a stream":         func(b *Batch) { b.TellOver(Event{}, Over{Multiplexed: true}) },
		"GOAWAY":           func(b *Batch) { b.TellDirected(Event{}, Directed{}) },
		"what is missing":  func(b *Batch) { b.Tell(Event{Kind: ConnLacks}) },
		"harm":             func(b *Batch) { b.Tell(Event{Kind: ConnHarmed}) },
		"an end too soon":  func(b *Batch) { b.TellGone(Event{}, Gone{Info: &report.ConnInfo{}}) },
		"a wait": func(b *Batch) {
			x := &Judged{Info: &report.ExchangeInfo{}}
			x.Waits = []ledger.Wait{{}}
			b.TellJudged(Event{}, x)
		},
		"an attempt": func(b *Batch) {
			b.TellJudged(Event{}, &Judged{
				Info: &report.ExchangeInfo{Attempt: &report.AttemptInfo{}},
			})
		},
		"a period": func(b *Batch) { b.TellPeriod(Event{}, &Judged{}) },
	} {
		f, b := heldOf(t, oneExchange(), 1), &Batch{}
		tell(b)
		if e := b.At(0); f.Take(&e) {
			t.Errorf("%s: it is taken", name)
		}
	}
	if f, b := heldOf(t, oneExchange(), 3), oneExchange(); true {
		if e := b.At(2); f.Take(&e) {
			t.Error("a second end of the exchange is taken")
		}
	}
}
