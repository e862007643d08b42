package rule

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"tcpwhy/analysis/report"
)

func TestPairTableForgets(t *testing.T) {
	gone := 0
	table := PairTable[int]{Gone: func(v *int) { gone += *v }}
	p := report.Pair{}
	for i := range MaxPairs {
		p.Server = netipPort(i)
		*table.Of(p, 0) = 1
	}
	p.Server = netipPort(MaxPairs)
	if table.Of(p, PairSilence) != nil || gone > 0 {
		t.Error("a full table took another pair before the others had been silent")
	}
	if table.Of(p, 2*PairSilence+1) == nil || table.Len() != 1 {
		t.Errorf("%d entries after all had been silent, want the new one alone", table.Len())
	}
	if gone != MaxPairs {
		t.Errorf("of %d that were forgotten it is told", gone)
	}
}

// TestPairTableKeepsWhoSpeaks: silence counts from when a pair was last asked for, and looking at
// it is no asking.
func TestPairTableKeepsWhoSpeaks(t *testing.T) {
	var table PairTable[int]
	fill := func(from int, now time.Duration) {
		for i := from; table.Len() < MaxPairs; i++ {
			table.Of(report.Pair{Server: netipPort(i)}, now)
		}
	}
	fill(0, 0)
	speaks, looked := report.Pair{Server: netipPort(7)}, report.Pair{Server: netipPort(8)}
	*table.Of(speaks, PairSilence) = 5
	if table.Has(looked) == nil {
		t.Fatal("it is not there")
	}
	late := report.Pair{Server: netipPort(MaxPairs)}
	if table.Of(late, 2*PairSilence) == nil || table.Len() != 2 {
		t.Errorf("%d entries, want the one that spoke and the new one", table.Len())
	}
	if v := table.Has(speaks); v == nil || *v != 5 || table.Has(looked) != nil {
		t.Error("who spoke was forgotten, or who was looked at was not")
	}
	// a table that was swept a moment ago is not swept again for each new pair
	fill(2*MaxPairs, 2*PairSilence)
	another := report.Pair{Client: netip.MustParseAddr("10.9.9.9")}
	if table.Of(another, 5*PairSilence/2) != nil {
		t.Error("a full table took another pair right after it had been swept")
	}
	if table.Of(another, 3*PairSilence) == nil {
		t.Error("a full table took no other pair though one is silent")
	}
}

// TestPairTableUsesRoomAgain: a pair that comes in place of one that was forgotten begins with nothing,
// and no two pairs have one entry, however often the table is swept.
func TestPairTableUsesRoomAgain(t *testing.T) {
	var table PairTable[[]int]
	stays := report.Pair{Client: netip.MustParseAddr("2001:db8::1")}
	for round := range 4 {
		now := time.Duration(round) * 2 * PairSilence
		*table.Of(stays, now) = append(*table.Of(stays, now), round)
		for i := 0; table.Len() < MaxPairs || i == 0; i++ {
			p := report.Pair{Server: netipPort(round*MaxPairs + i)}
			v := table.Of(p, now+PairSilence)
			if len(*v) != 0 {
				t.Fatalf("round %d: pair %d begins with %v", round, i, *v)
			}
			*v = []int{-round, i}
		}
		table.Of(stays, now+PairSilence)
		for i := range MaxPairs - 1 {
			p := report.Pair{Server: netipPort(round*MaxPairs + i)}
			if v := table.Has(p); v == nil || !slices.Equal(*v, []int{-round, i}) {
				t.Fatalf("round %d: pair %d has %v", round, i, v)
			}
		}
	}
	if v := table.Has(stays); len(*v) != 4 {
		t.Errorf("the pair that stays has %v", *v)
	}
	if all := len(table.entries) + len(table.spare); all > MaxPairs+pairPage {
		t.Errorf("there is room for %d entries", all)
	}
}

// TestPairIndexFindsAll: whatever hashes are, each place is found by its own.
func TestPairIndexFindsAll(t *testing.T) {
	for _, few := range []uint32{1, 3, 1 << 20} {
		var x pairIndex
		x.hash(&report.Pair{})
		for place := range 1000 {
			x.add(uint32(place)%few*2654435761, place)
		}
		for place := range 1000 {
			found := false
			for s, ok := x.first(uint32(place) % few * 2654435761); ok && !found; s, ok = x.next(s) {
				found = x.slots[s].place == uint32(place+1)
			}
			if !found {
				t.Errorf("of %d hashes: place %d is not found", few, place)
			}
		}
	}
}

// TestPairsInOrder makes entries in an order that is not theirs.
func TestPairsInOrder(t *testing.T) {
	var table PairTable[int]
	for i := range 100 {
		host := netip.AddrFrom4([4]byte{10, 0, 0, byte(i * 37 % 100)})
		*table.Of(report.Pair{Client: host, Server: netipPort(i % 7)}, 0) = int(host.As4()[3])
	}
	var seen []int
	table.Each(func(_ report.Pair, v *int) { seen = append(seen, *v) })
	if len(seen) != 100 || !slices.IsSorted(seen) {
		t.Errorf("visited %v", seen)
	}
}

// TestPairTableOfHosts: a host is a pair without a service, and no pair is taken for it.
func TestPairTableOfHosts(t *testing.T) {
	var table PairTable[int]
	if table.Has(report.Pair{}) != nil {
		t.Error("an empty table has something")
	}
	host := netip.MustParseAddr("10.0.0.1")
	*table.Of(Alone(host), 0) = 1
	*table.Of(report.Pair{Client: host, Server: netipPort(80)}, 0) = 2
	if v := table.Has(Alone(host)); *v != 1 {
		t.Errorf("the host has %d", *v)
	}
}

func netipPort(n int) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(n >> 16), 1}), uint16(n))
}
