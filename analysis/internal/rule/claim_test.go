package rule

import (
	"slices"
	"testing"
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

// TestStateKey: what a rule keeps of a connection is its own, by its key and by the connection.
func TestStateKey(t *testing.T) {
	var mine, other StateKey[int]
	p, q := &Pass{State: &Followed{}}, &Pass{State: &Followed{}}
	if mine.Has(p) != nil {
		t.Error("something is kept that nobody made")
	}
	*mine.Of(p) = 3
	*other.Of(p) = 4
	if got := mine.Has(p); got == nil || *got != 3 || mine.Of(p) != got {
		t.Errorf("kept %v", got)
	}
	if mine.Has(q) != nil {
		t.Error("it is kept of another connection, too")
	}
}

// TestReport: a claim goes with the exchange in hand, or with the connection if there is none.
func TestReport(t *testing.T) {
	conn := &reassembly.Conn{ID: 7}
	whole := &Pass{State: &Followed{}, Conn: conn}
	whole.Report(Claim{Rule: "a", Index: -1})
	if c := whole.State.Claims; len(c) != 1 || c[0].Occ.Connection != 7 || c[0].Index != -1 {
		t.Errorf("of the connection: %+v", c)
	}
	one := &Pass{State: &Followed{}, Conn: conn, Draft: &Draft{},
		Exchange: &exchange.Exchange{Index: 3}}
	one.Report(Claim{Rule: "a", Kind: Repair})
	one.Report(Claim{Rule: "b", Kind: UsedPorts})
	c := one.Draft.Claims
	if len(c) != 2 || c[0].Occ.Connection != 7 || c[0].Index != 3 || len(one.State.Claims) > 0 {
		t.Errorf("of the exchange: %+v", c)
	}
	one.Draft.Parsed = &exchange.Exchange{}
	judged := one.Draft.Judge()
	kinds := judged.Kinds()
	if kinds != Repair|UsedPorts || !kinds.Has(Repair) || kinds.Has(Repair|ColdSetup) {
		t.Errorf("kinds %b", kinds)
	}
}

// TestEmpty: a draft is used again with the room of its lists, and nothing else.
func TestEmpty(t *testing.T) {
	x := Draft{Info: &report.ExchangeInfo{}, Claims: make([]Claim, 1),
		Exchange: ledger.Exchange{
			Account:   ledger.Account{Index: 5, Start: ledger.Start{Critical: true}},
			LongWaits: ledger.LongWaits{Waits: make([]ledger.Wait, 3, 8)},
		}}
	x.Empty()
	if x.Info != nil || len(x.Claims) > 0 || x.Index != 0 || x.Critical ||
		len(x.Waits) > 0 || cap(x.Waits) != 8 {
		t.Errorf("emptied: %+v", x)
	}
}

// TestGrade: no limit is none, and the least limit is one.
func TestGrade(t *testing.T) {
	if got := Grade(0).Severity(); got != report.Critical {
		t.Errorf("no limit is %v", got)
	}
	for s := report.Info; s <= report.Critical; s++ {
		if got := AtMost(s).Severity(); got != s {
			t.Errorf("at most %v is %v", s, got)
		}
	}
}

// TestOccurrencesInOrder: the costliest first, then the earliest, then by their numbers.
func TestOccurrencesInOrder(t *testing.T) {
	of := func(cost, most, start time.Duration, conn, exchange int) (o Occurrence) {
		o.Cost.Expected, o.Cost.High, o.Start = cost, most, start
		o.Connection, o.Exchange = conn, exchange
		return o
	}
	want := []Occurrence{of(9, 9, 5, 1, 1), of(8, 10, 5, 1, 1), of(8, 9, 4, 2, 2),
		of(8, 9, 5, 0, 9),
		of(8, 9, 5, 1, 0), of(8, 9, 5, 1, 1), of(0, 50, 0, 0, 0)}
	got := slices.Clone(want)
	slices.Reverse(got)
	slices.SortFunc(got, CompareOccurrences)
	for i := range want {
		if CompareOccurrences(got[i], want[i]) != 0 {
			t.Errorf("number %d is %+v, want %+v", i, got[i], want[i])
		}
	}
}

// TestEventsInOrder: by time, then by connection; events of one connection keep their order.
func TestEventsInOrder(t *testing.T) {
	events := []Event{{At: 2, Conn: 1, Index: 1}, {At: 2, Conn: 0, Kind: ConnOver},
		{At: 1, Conn: 9}, {At: 2, Conn: 1, Index: 0}, {At: 2, Conn: 0, Kind: ExchangeOver}}
	b := Batch{Events: events}
	b.Sort()
	var got []int
	for _, e := range events {
		got = append(got, int(e.At)*100+int(e.Conn)*10+int(e.Kind)+int(e.Index))
	}
	want := []int{190, 200 + int(ConnOver), 200 + int(ExchangeOver), 211, 210}
	if !slices.Equal(got, want) {
		t.Errorf("order %v, want %v", got, want)
	}
	wants := Wants(ExchangeJudged, ConnOver)
	for k := ExchangeBegan; k <= ConnOver; k++ {
		if wants.Has(k) != (k == ExchangeJudged || k == ConnOver) {
			t.Errorf("kind %d is wanted: %v", k, wants.Has(k))
		}
	}
}
