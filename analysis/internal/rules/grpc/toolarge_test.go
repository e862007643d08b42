package grpc

import (
	"testing"
	"time"

	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/internal/rule/ruletest"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly/exchange"
)

// call is one of a method: how large its messages are, and how it ended.
type call struct {
	asked, answered int64
	after           time.Duration // from the prefix of the large message until it was refused
	status          int
	cancelled       bool
}

// tell tells a comparison of a call over a round trip of 40 ms.
func (k *call) tell(d *ruletest.Desk, s *statuses) {
	const begins = time.Second
	mark := func(at time.Duration) capture.Mark { return capture.Mark{Time: at, Frame: 1} }
	r := &exchange.RPC{Service: "shop.Cart", Method: "Add", Status: k.status}
	x := &exchange.Exchange{
		Request:  &exchange.Message{Start: mark(begins), End: mark(begins), Complete: true},
		Response: &exchange.Message{Start: mark(begins + k.after), End: mark(begins + k.after)},
	}
	r.Messages[exchange.FromClient] = exchange.RPCMessages{
		Count: 1, First: mark(begins), Largest: k.asked,
	}
	if k.answered > 0 {
		r.Messages[exchange.FromServer] = exchange.RPCMessages{
			Count: 1, First: mark(begins), Largest: k.answered,
		}
	}
	info := &report.ExchangeInfo{}
	info.OnStream.RPC = r
	if k.cancelled {
		r.Messages[exchange.FromServer].Owed = k.answered - 1000
		info.OnStream.Reset = &exchange.StreamReset{
			Code: exchange.Cancel, By: exchange.FromClient, At: mark(begins + k.after),
		}
	}
	draft := &rule.Draft{Info: info}
	draft.Parsed = x
	draft.Flow.RTT = 40 * time.Millisecond
	d.Judged(s, &rule.Conn{Pair: ruletest.Pair()}, draft, begins+k.after)
}

// TestTooLarge: a message was too large if it was refused as soon as its prefix was read, and none
// as large was taken.
func TestTooLarge(t *testing.T) {
	const (
		mega = 1_000_000
		soon = 60 * time.Millisecond
		late = 131 * time.Millisecond
	)
	refused := call{asked: 5 * mega, after: soon, status: resourceExhausted}
	cancelled := call{
		answered: 5 * mega, after: soon, status: exchange.NoRPCStatus, cancelled: true,
	}
	later := func(c call) call { c.after = late; return c }
	for _, tt := range []struct {
		name  string
		calls []call
		want  string
	}{
		{"refused", []call{refused}, askedTooMuchCause},
		{"refused late", []call{later(refused)}, exhaustedCause},
		{"none as large taken", []call{refused, {asked: 4_900_000}}, askedTooMuchCause},
		{"one as large taken", []call{refused, {asked: 5 * mega}}, exhaustedCause},
		{"a small one refused", []call{refused, {asked: 40, status: resourceExhausted}},
			exhaustedCause},
		{"cancelled", []call{cancelled}, tooLargeCause},
		{"cancelled late", []call{later(cancelled)}, ""},
		{"none as large answered", []call{cancelled, {answered: 4_900_000}}, tooLargeCause},
		{"one as large answered", []call{{answered: 6 * mega}, cancelled}, ""},
	} {
		d, s := &ruletest.Desk{}, Status.Across.Start().(*statuses)
		for _, c := range tt.calls {
			c.tell(d, s)
		}
		s.Finish(d)
		got := ""
		for k := range d.Booked {
			got += k.Cause
		}
		if got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}
