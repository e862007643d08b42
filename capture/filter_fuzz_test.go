package capture

import "testing"

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
		filter, err := ParseFilter(expr)
		if (filter == nil) == (err == nil) {
			t.Fatalf("filter %v, error %v", filter, err)
		}
		if err != nil {
			return
		}
		// A negation must take exactly what the expression leaves.
		negated, err := ParseFilter("not (" + expr + ")")
		if err != nil {
			return // empty, or at the limit of depth
		}
		for _, frame := range frames {
			yes, no := &bench{sorter: newSorter(&Stats{}, filter)}, &bench{sorter: newSorter(&Stats{}, negated)}
			a, b := yes.feed(linkEthernet, frame), no.feed(linkEthernet, frame)
			if (a == OutcomeSegment) == (b == OutcomeSegment) {
				t.Fatalf("%q: %v, negated %v", expr, a, b)
			}
		}
	})
}
