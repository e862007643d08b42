package tlsrecord_test

import (
	"testing"

	"tcpwhy/reassembly/exchange"
	"tcpwhy/reassembly/internal/readertest"
)

// TestRecordWithinSegment has a hole that ends in the middle of a record: the next one, somewhere
// in the segment behind it, is found.
func TestRecordWithinSegment(t *testing.T) {
	const from, hole, segment = 8000, 3000, 1448
	for _, config := range everySuite()[:1] {
		log, keys := record(t, config, dialogueOf())
		p := readertest.New()
		p.Learn(keys)
		for _, w := range joined(log) {
			rest := w.Data
			if w.Dir == exchange.FromServer && len(rest) > 40000 {
				p.Octets(w.Dir, rest[:from], p.Next())
				p.Gap(w.Dir, hole, p.Next())
				rest = rest[from+hole:]
			}
			for rest != "" {
				n := min(segment, len(rest))
				p.Octets(w.Dir, rest[:n], p.Next())
				rest = rest[n:]
			}
		}
		p.Reader.End(p.Next(), false)
		if x := p.Exchanges; len(x) < 3 || x[2].Status != 200 || x[1].Response.BodyBytes != 50000 {
			t.Errorf("%s%v", said(p), p.Caveats)
		}
	}
}

// joined are the writes, those of one side behind each other as one.
func joined(log []readertest.Write) (all []readertest.Write) {
	for _, w := range log {
		if n := len(all); n > 0 && all[n-1].Dir == w.Dir {
			all[n-1].Data += w.Data
		} else {
			all = append(all, w)
		}
	}
	return all
}
