package reassembly

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"tcpwhy/capture"
)

// BenchmarkAssign looks up the connection of one segment among so many that are open, in an order
// that is not the table's.
func BenchmarkAssign(b *testing.B) {
	for _, open := range []int{10, 1_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprint(open), func(b *testing.B) {
			table := NewTable(TableLimits{})
			seg := capture.Segment{Dst: netip.MustParseAddrPort("192.0.2.1:80"), Flags: capture.ACK, Len: 100}
			n, at := uint32(0), uint32(0)
			step := func() {
				seg.Src = netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(at >> 16), byte(at >> 8), byte(at)}), 40000)
				seg.Time += 10 * time.Microsecond
				seg.Seq += 100
				table.Assign(&seg, seg.Time)
			}
			for at = range uint32(open) {
				step()
			}
			b.ReportAllocs()
			b.ResetTimer()
			for b.Loop() {
				n = n*1664525 + 1013904223
				at = uint32(uint64(n) * uint64(open) >> 32)
				step()
			}
		})
	}
}
