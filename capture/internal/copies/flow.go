package copies

import "tcpwhy/capture/segment"

// flowState is what is known about how the capture shows one connection.
type flowState struct {
	conn uint64
	home uint32 // the hop at which it was seen first; 0: none was told yet
	// by direction: since when other views were dropped and the canonical one showed nothing
	waiting [2]int64
	print   [2]uint32
	id      [2]uint16
	idPoint [2]uint8
	fixedID [2]bool // the identification does not change, so it identifies nothing
	first   uint8   // segments with proof that were handed out, and
	more    uint8   // their copies at the same point
	views   [4]view
	canon   uint8 // which of them is the canonical one, counted from 1; 0: none yet
}

// flow is the state of a connection, made anew if another one was in its place.
func (t *Table) flow(conn uint64) *flowState {
	f := &t.flows[conn>>(64-flowBits)]
	if f.conn != conn {
		*f = flowState{conn: conn}
	}
	return f
}

// proof says how well the segment's fingerprint identifies it, and learns whether identifications
// do.
func (f *flowState) proof(dir, point uint8, seg *segment.Segment, print uint64) evidence {
	if seg.IPID != 0 {
		// Other content under the same identification: this host does not count them.
		if f.id[dir] == seg.IPID && f.idPoint[dir] == point && f.print[dir] != uint32(print) {
			f.fixedID[dir] = true
		}
		f.id[dir], f.idPoint[dir], f.print[dir] = seg.IPID, point, uint32(print)
		if !f.fixedID[dir] {
			return identified
		}
	}
	switch {
	case seg.Flags&segment.RST != 0:
		return weak
	case seg.Flags&segment.SYN != 0:
		return handshake
	case seg.Options.Has(segment.HasTS) && (seg.Len > 0 || seg.Flags&segment.FIN != 0):
		return stampedTS
	}
	return weak
}

// fresh counts a segment that was handed out.
func (f *flowState) fresh(proof evidence) {
	if proof == weak {
		return
	}
	if f.first++; f.first == 1<<8-1 {
		f.first /= 2
		f.more /= 2
	}
}

// copied counts a copy at the same point.
func (f *flowState) copied(proof evidence) {
	if proof == weak {
		return
	}
	if f.more++; f.more == 1<<8-1 {
		f.first /= 2
		f.more /= 2
	}
}

// multiplicity is how often the same point shows each segment of the connection, judged by segments
// whose copies can be told: 1 until two have been seen twice.
func (f *flowState) multiplicity() int {
	if f.more < 2 {
		return 1
	}
	first := max(int(f.first), 1)
	return 1 + (int(f.more)+first/2)/first
}

// isAway reports whether the connection was seen first at another hop than this: the same interface
// shows it before a router and behind it.
func (f *flowState) isAway(hop uint32) bool {
	if f.home == 0 {
		f.home = hop
	}
	return hop != 0 && hop != f.home
}

// sameCopy judges a segment that this point has shown before, copies times.
func (f *flowState) sameCopy(
	s *sighting,
	proof evidence,
	seg *segment.Segment,
	copies uint8,
	now int64,
) bool {
	last := s.time
	switch proof {
	case identified, handshake:
		switch {
		case proof == identified && seg.TTL != s.ttl:
			return within(last, now, queueWindow) // it was routed in between
		case seg.Options.Has(segment.HasTS):
			// what is sent again has another identification, or at least a later timestamp
			return within(last, now, crossWindow)
		}
		return within(last, now, copyWindow)
	case stampedTS:
		if f.multiplicity() > 1 {
			return within(last, now, copyWindow)
		}
		return within(last, now, closeWindow)
	}
	// Two equal acknowledgments may be two. Where each frame is seen n times, so is each of them:
	// of every n, the first is handed out.
	n := f.multiplicity()
	return n > 1 && within(last, now, closeWindow) && int(copies)%n != 0
}
