package rule

import (
	"net/netip"
	"testing"

	"tcpwhy/analysis/report"
)

func TestPairTableForgets(t *testing.T) {
	var table PairTable[int]
	p := report.Pair{}
	for i := range maxPairs {
		p.Server = netipPort(i)
		*table.Of(p, 0) = i
	}
	p.Server = netipPort(maxPairs)
	if table.Of(p, PairSilence) != nil {
		t.Error("a full table took another pair before the others had been silent")
	}
	if table.Of(p, 2*PairSilence+1) == nil || len(table.Entries) != 1 {
		t.Errorf("%d entries after all had been silent, want the new one alone", len(table.Entries))
	}
}

func netipPort(n int) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(n >> 16), 1}), uint16(n))
}
