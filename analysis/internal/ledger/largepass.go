package ledger

import "tcpwhy/reassembly"

// largePass looks for a full segment that passed: it was acknowledged, and nothing of it was sent
// again, perhaps in pieces.
type largePass struct {
	from, to int64 // the one in question; 0: none
	Passed   bool
}

// sent takes note of r.
func (l *largePass) sent(r *reassembly.Record, eff uint32) {
	switch {
	case l.Passed || r.Len == 0 || r.Trait.Has(reassembly.Wild):
	case r.Kind.Retransmitted():
		if r.Seq < l.to && r.Seq+int64(r.Len) > l.from {
			l.to = 0
		}
	case l.to == 0 && eff > 0 && (r.Trait.Has(reassembly.Full) || r.Len >= eff):
		l.from, l.to = r.Seq, r.Seq+int64(r.Len)
	}
}

// acked takes note of what r acknowledges.
func (l *largePass) acked(r *reassembly.Record) {
	if l.to > 0 && r.Ack >= l.to && !r.Trait.Has(reassembly.Wild) {
		l.Passed = true
	}
}
