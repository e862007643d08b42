package pcapio

import (
	"math"

	"tcpwhy/capture/internal/frame"
)

// How far a scout looks ahead.
const (
	// frames: what a network card with several queues hands over of one at a time (Linux: 64, the
	// weight of NAPI), and as many of another
	scoutFrames = 128
	// the share of a buffer that is read in advance for it
	scoutShare = 8
)

// scout looks at the times of frames that are to come, in place, so that who reads them knows of
// records that are not in the order of time before the first of those concerned was handed out.
type scout struct {
	at    uint64 // where the next record begins that was not looked at, in octets of the stream
	seen  uint64 // frames looked at, or read before they could be
	taken uint64 // frames read
	// the latest frame looked at, counted like these, that is earlier than one before it
	fault  uint64
	latest int64 // of the times of all seen
}

// glance is what a record tells of itself at a look.
type glance struct {
	time    int64
	size    int  // octets of the whole record
	isFrame bool // it holds a frame with a time
}

// took notes that a frame was read.
func (s *scout) took(f *frame.Frame, at uint64) {
	s.taken++
	if s.seen == 0 {
		s.latest = math.MinInt64
	}
	if s.taken > s.seen { // it was not there to be looked at
		s.seen = s.taken
		s.latest = max(s.latest, f.Time)
	}
	s.at = max(s.at, at)
}

// look goes on as far as what was read from the stream tells.
func (s *scout) look(in *feed, at func(record []byte) (glance, bool)) {
	for s.seen < s.taken+scoutFrames {
		from := s.at - in.base
		if from > uint64(len(in.rest)) {
			return
		}
		g, ok := at(in.rest[from:])
		if !ok {
			return
		}
		s.at += uint64(g.size)
		if !g.isFrame {
			continue
		}
		s.seen++
		if g.time < s.latest {
			s.fault = s.seen
		}
		s.latest = max(s.latest, g.time)
	}
}

// glance looks at a pcap record.
func (r *pcapReader) glance(record []byte) (g glance, ok bool) {
	if len(record) < r.header {
		return g, false
	}
	captured := r.order.u32(record[8:])
	return glance{time: r.time(record), size: r.header + int(captured), isFrame: true},
		captured <= r.limit
}

// glance looks at a snoop record.
func (r *snoopReader) glance(record []byte) (g glance, ok bool) {
	if len(record) < snoopRecordHeader {
		return g, false
	}
	length := byteOrder(true).u32(record[8:])
	return glance{time: snoopTime(record), size: int(length), isFrame: true},
		length >= snoopRecordHeader && length <= frameMax
}

// glance looks at a pcapng block. Where a new section begins it stops: what follows is read by
// that.
func (r *pcapngReader) glance(block []byte) (g glance, ok bool) {
	const head, stamped = 8, 20 // up to the time stamp
	if len(block) < head {
		return g, false
	}
	kind, length := r.order.u32(block), r.order.u32(block[4:])
	if kind == blockSection || length < blockLeast || length%4 != 0 || length > blockPacket {
		return g, false
	}
	g.size = int(length)
	switch kind {
	case blockSimple: // it has no time
		return g, false
	case blockEnhanced, blockOldPacket:
	default:
		return g, true
	}
	if len(block) < stamped || length < stamped {
		return g, false
	}
	id := r.order.u32(block[head:])
	if kind == blockOldPacket {
		id = uint32(r.order.u16(block[head:]))
	}
	if uint64(id) >= uint64(len(r.interfaces)) {
		return g, false
	}
	ticks := uint64(r.order.u32(block[head+4:]))<<32 | uint64(r.order.u32(block[head+8:]))
	g.isFrame, g.time = true, r.interfaces[id].unit.time(ticks)
	return g, true
}
