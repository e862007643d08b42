package analysis

import (
	"net/netip"
	"slices"
	"testing"

	"tcpwhy/analysis/report"
)

// TestPairsInOrder makes entries in an order that is not theirs.
func TestPairsInOrder(t *testing.T) {
	var table pairTable[int]
	for i := range 100 {
		host := netip.AddrFrom4([4]byte{10, 0, 0, byte(i * 37 % 100)})
		*table.of(report.Pair{Client: host, Server: netipPort(i % 7)}, 0) = int(host.As4()[3])
	}
	var seen []int
	table.each(func(_ report.Pair, v *int) { seen = append(seen, *v) })
	if len(seen) != 100 || !slices.IsSorted(seen) {
		t.Errorf("visited %v", seen)
	}
}

// TestForgottenIsNotOpen ends connections that never were closed, as those that age out.
func TestForgottenIsNotOpen(t *testing.T) {
	p := report.Pair{Client: netip.MustParseAddr("10.0.0.1"), Server: netip.MustParseAddrPort("10.0.0.2:80")}
	var crowded crowds
	var pools poolWaits
	var ports portLoads
	for id := range 5 {
		m := &member{id: id, pair: p}
		for _, data := range []any{&beganExchange{pair: p, first: true}, &overConn{pair: p, info: &report.ConnInfo{}}} {
			for _, r := range []crossRule{&crowded, &pools, &ports} {
				r.event(nil, m, &event{conn: id, data: data})
			}
		}
	}
	if a, b, c := crowded.pairs.has(p).open, pools.pairs.has(p).open, ports.pairs.has(p).open; a != 0 || b != 0 || c != 0 {
		t.Errorf("%d, %d and %d are open though all are over", a, b, c)
	}
}
