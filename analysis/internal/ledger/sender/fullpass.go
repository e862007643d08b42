package sender

import "tcpwhy/reassembly"

// fullPass looks for a full segment that passed: it was acknowledged, and nothing of it was sent
// again, perhaps in pieces.
type fullPass struct {
	from, to int64 // the one in question; 0: none
	passed   bool
}

// sent takes note of r, of a sender whose effective MSS is mss.
func (l *fullPass) sent(r *reassembly.Record, mss uint32) {
	switch {
	case l.passed || r.Len == 0 || r.Trait.Has(reassembly.Wild):
	case r.Kind.Retransmitted():
		if r.Seq < l.to && r.Seq+int64(r.Len) > l.from {
			l.to = 0
		}
	case l.to == 0 && mss > 0 && (r.Trait.Has(reassembly.Full) || r.Len >= mss):
		l.from, l.to = r.Seq, r.Seq+int64(r.Len)
	}
}

// acked takes note of what r, the peer's, acknowledges.
func (l *fullPass) acked(r *reassembly.Record) {
	if l.to > 0 && r.Ack >= l.to && !r.Trait.Has(reassembly.Wild) {
		l.passed = true
	}
}
