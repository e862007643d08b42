package filter

import (
	"testing"

	"tcpwhy/capture/internal/frame"
)

// FuzzFilter parses any text and matches with what comes out.
func FuzzFilter(f *testing.F) {
	for _, expr := range bothAccept {
		f.Add(expr)
	}
	for _, expr := range bothRefuse {
		f.Add(expr)
	}
	frames := [][]byte{filterFrames[0].octets(), filterFrames[6].octets(), filterFrame{"1.1.1.1:1", "2.2.2.2:2", []uint16{5}}.octets()}
	f.Fuzz(func(t *testing.T, expr string) {
		filter, err := Parse(expr)
		if (filter == nil) == (err == nil) {
			t.Fatalf("filter %v, error %v", filter, err)
		}
		if err != nil {
			return
		}
		// A negation must take exactly what the expression leaves.
		negated, err := Parse("not (" + expr + ")")
		if err != nil {
			return // empty, or at the limit of depth
		}
		for _, octets := range frames {
			b := newFilterBench(t, "")
			b.filter = filter
			yes := b.passes(frame.LinkEthernet, octets)
			b.filter = negated
			if no := b.passes(frame.LinkEthernet, octets); yes == no {
				t.Fatalf("%q: %v, negated %v", expr, yes, no)
			}
		}
	})
}
