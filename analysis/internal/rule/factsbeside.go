package rule

import (
	"slices"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

// shown reports whether the records show a fact of the connection as a whole, or of what was
// acknowledged; true where they cannot tell. What has been released refutes nothing.
func (l *lookUp) shown(at int, r *reassembly.Record, a report.Asserted) bool {
	switch a.Fact {
	case report.Lacks:
		b := l.answered(at, r.Dir.Peer())
		return b == nil || r.Ack < b.End()
	case report.SincePeer:
		b := l.answered(at, r.Dir.Peer())
		return b == nil || int64(r.Time-b.Time) == a.N
	case report.RestsAfter:
		next, begun := l.next(at)
		return !begun || l.conn.TLS != nil ||
			!l.any(r.Mark(), next, func(b *reassembly.Record) bool {
				return b.Dir == reassembly.FromClient && b.Kind == reassembly.Plain && b.Len > 0
			})
	case report.ClosesFirst:
		return r.Flags&capture.FIN != 0 && !l.any(capture.Mark{Time: -1}, r.Mark(),
			func(b *reassembly.Record) bool {
				return b.Flags&(capture.FIN|capture.RST) != 0 && (b.Dir != r.Dir || b.Seq != r.Seq)
			})
	case report.SYNCount:
		return int64(len(l.conn.SYNs)) == a.N
	case report.SYNsApart:
		return apart(l.conn.SYNs, a.N)
	case report.SYNACKs:
		return apart(l.conn.SYNACKs, a.N)
	}
	return l.conn.Released > 0 || l.whole(r, a)
}

// whole is shown for what takes all records.
func (l *lookUp) whole(r *reassembly.Record, a report.Asserted) bool {
	start, end := capture.Mark{Time: -1}, capture.Mark{Time: 1<<63 - 1}
	own := func(b *reassembly.Record) bool { return b.Dir == r.Dir }
	switch a.Fact {
	case report.BehindHole:
		return !l.any(start, r.Mark(), func(b *reassembly.Record) bool {
			return own(b) && b.Seq < r.Seq && b.End() >= r.Seq
		})
	case report.NoneBefore:
		return !l.any(start, r.Mark(), func(b *reassembly.Record) bool { return b.Len > 0 })
	case report.HadClosed:
		return l.any(start, r.Mark(), func(b *reassembly.Record) bool {
			return own(b) && b.Flags&capture.FIN != 0
		})
	case report.PeerClosed:
		return l.any(start, end, func(b *reassembly.Record) bool {
			return !own(b) && b.Flags&(capture.FIN|capture.RST) != 0
		})
	case report.GoesOn:
		return l.any(r.Mark(), end, own)
	case report.SenderTTL:
		return l.any(start, end, func(b *reassembly.Record) bool {
			return own(b) && int64(b.TTL) == a.N
		})
	case report.SenderID:
		return l.any(start, end, func(b *reassembly.Record) bool {
			return own(b) && int64(b.IPID) == a.N
		})
	case report.KeptAlive, report.NoKeepAlive:
		return (a.Fact == report.KeptAlive) == l.any(start, end, func(b *reassembly.Record) bool {
			return b.Kind == reassembly.KeepAlive
		})
	}
	return true
}

// any reports whether a record between two moments, without them, is such.
func (l *lookUp) any(from, to capture.Mark, is func(*reassembly.Record) bool) bool {
	return slices.ContainsFunc(l.conn.Records, func(b reassembly.Record) bool {
		return before(from, b.Mark()) && before(b.Mark(), to) && is(&b)
	})
}

// next is the first frame of the proof that was captured behind number at.
func (l *lookUp) next(at int) (next capture.Mark, ok bool) {
	for i := range l.proof {
		m := l.proof[i].Mark
		if before(l.proof[at].Mark, m) && (!ok || before(m, next)) {
			next, ok = m, true
		}
	}
	return next, ok
}

// apart reports whether two moments that follow each other are n ns apart.
func apart(all []capture.Mark, n int64) bool {
	for i := range len(all) - 1 {
		if all[i+1].Time-all[i].Time == time.Duration(n) {
			return true
		}
	}
	return false
}
