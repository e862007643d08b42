package rule

import (
	"slices"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

// lookUp looks up in the records of the connection what the proof of a claim asserts of its frames,
// and takes out those that do not show it. Frames of other connections, and those that were
// released, cannot be looked up here.
func (p *Pass) lookUp(c *Claim) {
	l := lookUp{conn: p.Conn, proof: c.Occ.Proof}
	for i := range l.proof {
		e := &l.proof[i]
		if e.Words == 0 || int(e.Words) >= len(p.Words) {
			continue
		}
		r := l.record(e.Mark)
		if r == nil {
			continue
		}
		w := &p.Words[e.Words]
		for _, a := range w.Asserted(e.N[:]) {
			if !l.holds(i, r, a) {
				e.Words = 0
				c.Occ.Taken++
				break
			}
		}
	}
	p.lookUpSaid(c, &l)
	if c.Occ.Taken > 0 {
		c.Occ.Proof = slices.DeleteFunc(slices.Clone(c.Occ.Proof),
			func(e Evidence) bool { return e.Words == 0 })
	}
}

// lookUpSaid looks up what is said of the occurrence, which is asserted of the last frame of the
// proof.
func (p *Pass) lookUpSaid(c *Claim, l *lookUp) {
	last := len(l.proof) - 1
	if last < 0 || len(c.Says) == 0 {
		return
	}
	r := l.record(l.proof[last].Mark)
	if r == nil {
		return
	}
	for i := range c.Says {
		s := &c.Says[i]
		if s.Words == 0 || int(s.Words) >= len(p.Words) {
			continue
		}
		for _, a := range p.Words[s.Words].Asserted(s.N[:]) {
			if s.Words > 0 && !l.holds(last, r, a) {
				s.Words = 0
				c.Occ.Taken++
			}
		}
	}
}

// lookUp is a look at the records of one connection, for one proof.
type lookUp struct {
	conn  *reassembly.Conn
	proof []Evidence
}

// record is the record of a frame; nil if there is none, or no longer.
func (l *lookUp) record(m capture.Mark) *reassembly.Record {
	all := l.conn.Records
	i, _ := slices.BinarySearchFunc(all, m.Time,
		func(r reassembly.Record, t time.Duration) int { return int(r.Time - t) })
	for ; i < len(all) && all[i].Time == m.Time; i++ {
		if all[i].Frame == m.Frame {
			return &all[i]
		}
	}
	return nil
}

// holds reports whether the record shows the fact, as far as records tell.
func (l *lookUp) holds(at int, r *reassembly.Record, a report.Asserted) bool {
	const kinds = capture.SYN | capture.FIN | capture.RST
	switch a.Fact {
	case report.CarriesOctets:
		return int64(r.Len) == a.N
	case report.CarriesData:
		return r.Len > 0
	case report.CarriesNone:
		return r.Len == 0 && r.Flags&kinds == 0
	case report.BeginsConnection:
		return r.Flags&(capture.SYN|capture.ACK) == capture.SYN
	case report.AcceptsConnection:
		return r.Flags&(capture.SYN|capture.ACK) == capture.SYN|capture.ACK
	case report.Closes:
		return r.Flags&capture.FIN != 0
	case report.Resets:
		return r.Flags&capture.RST != 0
	case report.Ends:
		return r.Flags&(capture.FIN|capture.RST) != 0
	case report.ShutsWindow, report.OpensWindow:
		return (r.Window == 0) == (a.Fact == report.ShutsWindow)
	case report.HasTTL:
		return int64(r.TTL) == a.N
	case report.HasID:
		return int64(r.IPID) == a.N
	case report.SinceFirst:
		return int64(r.Time-l.proof[0].Mark.Time) == a.N
	case report.SinceBefore:
		return at > 0 && int64(r.Time-l.proof[at-1].Mark.Time) == a.N
	case report.Outstanding:
		return a.N > 0 && a.N <= l.outstanding(r)
	case report.FollowedNone:
		return Followers(l.conn, r) == 0
	case report.FollowedBy:
		return int64(Followers(l.conn, r)) == a.N
	}
	return l.beside(at, r, a)
}

// beside is holds for what other records decide.
func (l *lookUp) beside(at int, r *reassembly.Record, a report.Asserted) bool {
	own := func(dir reassembly.Dir, from, to capture.Mark, is func(*reassembly.Record) bool) bool {
		return slices.ContainsFunc(l.conn.Records, func(b reassembly.Record) bool {
			return b.Dir == dir && before(from, b.Mark()) && before(b.Mark(), to) && is(&b)
		})
	}
	data := func(b *reassembly.Record) bool { return b.Len > 0 }
	since := capture.Mark{}
	if at > 0 {
		since = l.proof[at-1].Mark
	}
	switch a.Fact {
	case report.Acknowledges:
		b := l.answered(at, r.Dir.Peer())
		return b == nil || r.Flags&capture.ACK != 0 && r.Ack >= b.End()
	case report.SentBefore:
		return own(r.Dir, capture.Mark{Time: -1}, r.Mark(), func(b *reassembly.Record) bool {
			return b.End() > b.Seq && b.Seq < r.End() && r.Seq < b.End()
		})
	case report.Unheeded:
		last := r.Mark()
		for i := range l.proof {
			if l.proof[i].Side == SideOf(r.Dir) && before(last, l.proof[i].Mark) {
				last = l.proof[i].Mark
			}
		}
		return !own(r.Dir.Peer(), r.Mark(), last, func(b *reassembly.Record) bool {
			return b.Flags&capture.ACK != 0 && b.Ack >= r.End()
		})
	case report.PeerSilent:
		return !own(r.Dir.Peer(), since, r.Mark(), data)
	case report.OwnSilent:
		return !own(r.Dir, since, r.Mark(), data)
	case report.Unheard:
		return !own(
			r.Dir.Peer(),
			capture.Mark{Time: -1},
			r.Mark(),
			func(b *reassembly.Record) bool {
				return b.Flags&capture.ACK != 0 && (b.Ack > 0 || b.SACK > 0)
			},
		)
	case report.NeverAnswered:
		return l.conn.Half[r.Dir.Peer()].Segments == 0
	}
	return l.shown(at, r, a)
}

// Followers is how many segments with data that lies behind r's had been captured of its sender
// before r, as far as records are kept.
func Followers(c *reassembly.Conn, r *reassembly.Record) int {
	n := 0
	for i := range c.Records {
		b := &c.Records[i]
		if !before(b.Mark(), r.Mark()) {
			break
		}
		if b.Dir == r.Dir && b.Len > 0 && b.Seq > r.Seq {
			n++
		}
	}
	return n
}

// outstanding is how many octets of data the server had sent that were not acknowledged when r
// left, as far as its sender could know.
func (l *lookUp) outstanding(r *reassembly.Record) int64 {
	var sent, acked int64
	until := r.Time
	if r.Dir == reassembly.FromServer {
		until -= l.conn.Far(r.Dir)
	}
	for i := range l.conn.Records {
		b := &l.conn.Records[i]
		switch {
		case !before(b.Mark(), r.Mark()):
		case b.Dir == reassembly.FromServer:
			sent = max(sent, b.Seq+int64(b.Len))
		case b.Flags&capture.ACK != 0 && b.Time <= until:
			acked = max(acked, b.Ack)
		}
	}
	return sent - acked
}

// answered is the latest frame of the proof before number at that dir sent; nil if there is none.
func (l *lookUp) answered(at int, dir reassembly.Dir) *reassembly.Record {
	for i := at - 1; i >= 0; i-- {
		r := l.record(l.proof[i].Mark)
		if r != nil && r.Dir == dir && before(l.proof[i].Mark, l.proof[at].Mark) {
			return r
		}
	}
	return nil
}

// before reports whether frame m was captured before frame n.
func before(m, n capture.Mark) bool {
	return m.Time < n.Time || m.Time == n.Time && m.Frame < n.Frame
}
