package ledger

import (
	"testing"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

// TestSharedLabels books time while two streams are on a connection: what TCP did is the time of
// whose octets came, a round trip is everybody's own, and only where the server sent nothing though
// it could have, it is the server's.
func TestSharedLabels(t *testing.T) {
	b := book{conn: &reassembly.Conn{}}
	b.conn.Half[reassembly.FromServer].RTT.Min = 10
	one := stream(0, 100, 300)
	two := stream(1, 105, 200)
	b.open(one)
	b.open(two)
	for _, s := range []struct {
		label    report.Label
		to       time.Duration
		owner    int
		idle     bool
		one, two report.Label
	}{
		{report.ReqApp, 105, 1, false, report.RoundTrip, report.LabelCount},
		{report.RoundTrip, 115, 1, true, report.LabelCount, report.RoundTrip}, // one: 5 of each
		{report.Think, 200, 1, true, report.Think, report.Think},
		{report.Serialize, 250, 1, false, report.Unknown, report.Serialize},
		{report.AppPaced, 260, 0, false, report.Unknown, report.Unknown},
	} {
		before := [2][report.LabelCount]time.Duration{one.Times, two.Times}
		from := max(b.until(), 100)
		b.serverIdle, b.by = s.idle, owned{{Owner: s.owner}}
		b.tile(&report.Tile{Label: s.label, From: from, To: s.to}, false)
		for i, j := range []*Exchange{one, two} {
			want := [2]report.Label{s.one, s.two}[i]
			if want < report.LabelCount && j.Times[want]-before[i][want] != s.to-from {
				t.Errorf("until %v: exchange %d has %v more of %v, want %v", s.to, i,
					j.Times[want]-before[i][want], want, s.to-from)
			}
		}
	}
}

// until is the time that has been booked with the connection, as this one began at 0.
func (b *book) until() time.Duration {
	const began = 100
	sum := time.Duration(began)
	for _, t := range b.Times {
		sum += t
	}
	return sum
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

// TestControls tells control frames from those of exchanges.
func TestControls(t *testing.T) {
	control := owned{{Owner: exchange.NoExchange}, {Owner: exchange.Credit}}
	mixed := owned{{Owner: exchange.NoExchange}, {Owner: 3}}
	if !control.controls() || mixed.controls() || owned(nil).controls() ||
		!control.credits() || mixed.credits() || !mixed.has(3) || mixed.has(2) ||
		!owned(nil).has(2) {
		t.Error("owners are mixed up")
	}
}
