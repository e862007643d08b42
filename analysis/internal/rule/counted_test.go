package rule

import (
	"reflect"
	"testing"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
)

// TestAttest: claims of one finding are added up; a kernel agrees if it counted as much, or as much
// time as its ticks and a fifth leave open, and denies only by its last account.
func TestAttest(t *testing.T) {
	const ms = time.Millisecond
	for name, tt := range map[string]struct {
		counted []Counted
		account report.SocketAccount
		want    []bool // agrees; none: it says nothing
	}{
		"as many":      {[]Counted{{N: 2}, {N: 3}}, report.SocketAccount{Retransmissions: 5, Final: true}, []bool{true}},
		"more":         {[]Counted{{N: 1}}, report.SocketAccount{Retransmissions: 5}, []bool{true}},
		"fewer":        {[]Counted{{N: 2}, {N: 3}}, report.SocketAccount{Retransmissions: 4, Final: true}, []bool{false}},
		"fewer so far": {[]Counted{{N: 5}}, report.SocketAccount{Retransmissions: 4}, nil},
		"as long": {
			[]Counted{{What: HeldByWindow, N: int64(500 * ms)}},
			report.SocketAccount{RwndLimited: 391 * ms, Counted: true, Final: true}, []bool{true},
		},
		"shorter": {
			[]Counted{{What: HeldByWindow, N: int64(500 * ms)}},
			report.SocketAccount{RwndLimited: 389 * ms, Counted: true, Final: true}, []bool{false},
		},
		"too short to be counted": {
			[]Counted{{What: HeldByWindow, N: int64(39 * ms)}},
			report.SocketAccount{Counted: true, Final: true}, nil,
		},
		"an old kernel": {
			[]Counted{{What: HeldByBuffer, N: int64(500 * ms)}}, report.SocketAccount{Final: true}, nil,
		},
		"the other end": {
			[]Counted{{Dir: reassembly.FromServer, N: 5}}, report.SocketAccount{Final: true}, nil,
		},
		"two figures": {
			[]Counted{{N: 5}, {What: HeldByBuffer, N: int64(500 * ms)}},
			report.SocketAccount{SndbufLimited: 500 * ms, Counted: true, Final: true}, []bool{false, true},
		},
	} {
		p := &Pass{State: &Followed{}}
		for _, k := range tt.counted {
			p.Expect(&Claim{Rule: "r", Cause: "c"}, k)
		}
		var got []bool
		for _, a := range p.State.Attest(&[2]*report.SocketEnd{{Account: &tt.account}}) {
			if a.Rule != "r" || a.Cause != "c" {
				t.Errorf("%s: %+v", name, a)
			}
			got = append(got, a.Agrees)
		}
		if !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: agrees %v, want %v", name, got, tt.want)
		}
		if got := p.State.Attest(&[2]*report.SocketEnd{}); got != nil {
			t.Errorf("%s: nobody was asked, and says %v", name, got)
		}
		if p.State.Begin(&reassembly.Conn{}); len(p.State.expected) > 0 {
			t.Errorf("%s: what is expected of one connection is expected of the next", name)
		}
	}
}
