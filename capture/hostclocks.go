package capture

import (
	"math"
	"slices"
	"time"

	"tcpwhy/capture/internal/flow"
	"tcpwhy/capture/internal/frame"
)

// The clock that stamps frames may be set while a file is written: by NTP, by hand, or when a
// virtual machine goes on that had been stopped. Hosts stamp their segments by clocks that nobody
// sets (RFC 7323 §5.4). If those of both ends went on by milliseconds where the capture's went on
// by hours, it was set, and the step is taken out of the times.

const (
	// leastForward is from how much time between two frames on it is looked whether the clock was
	// set forward: less could be the path's, and need not be told from it.
	leastForward = time.Second
	// leastBack is the same of frames that are earlier than the one before: NTP steps a clock that
	// is off by 128 ms, and slews it otherwise (RFC 5905 §10).
	leastBack = 100 * time.Millisecond
	// framesAhead is how many frames behind a step are asked: more than a window of a fast path, as
	// a host with a hole in what it received echoes old timestamps until that is filled.
	framesAhead = 256
	// stampsKept is how many segments before it are.
	stampsKept = 256
	// leastUnheard is from how long on data cannot have waited for its acknowledgment without being
	// sent again: five times the longest timer in use (Linux: TCP_RTO_MAX, 120 s).
	leastUnheard = 10 * time.Minute
	// leastTicks is by how many ticks a host's clock must have gone on before the step for its pace
	// to be known.
	leastTicks = 10
	// A tick is between slowestTick and, as some kernels count microseconds, fastestTick
	// (RFC 7323 §5.4: between 1 ms and a second).
	slowestTick = time.Second
	fastestTick = time.Microsecond
)

// hostClocks remembers what the latest segments tell of the hosts' clocks.
type hostClocks struct {
	ring [stampsKept]hostStamp
	n    int // segments so far
	past pastClock
}

// pastClock is how the clock of a file stood when its latest frame was read.
type pastClock struct {
	time, set int64 // of the frame, as it stands in the file, and the steps until then
	iface     uint32
}

// inherited is by how much the clock of a file was set before its first frame: as much as that of
// the one before, if it goes on with that.
func (h *hostClocks) inherited(stats *Stats, first *frame.Frame) int64 {
	if h.past.set == 0 || first.Time < h.past.time || !stats.continues(first.Iface, h.past.iface) {
		return 0
	}
	return h.past.set
}

// hostStamp is a segment of a host, its timestamp, and when it passed by the clock of the capture.
type hostStamp struct {
	ends     flow.Ends
	time     int64  // ns since the Unix epoch, without the steps before
	val      uint32 // valid if stamped
	end, ack uint32 // of its data; ack is valid with the ACK flag, of which RSTs have none here
	src, dst uint16
	iface    uint32
	stamped  bool
	carries  bool // data
}

// note remembers a segment.
func (h *hostClocks) note(seg *Segment, ends *flow.Ends, at int64) {
	h.ring[h.n%stampsKept] = hostStamp{
		*ends, at, seg.TSVal, seg.Seq + seg.Len, seg.Ack, seg.Src.Port(), seg.Dst.Port(),
		seg.Iface, seg.Options.Has(HasTS), seg.Len > 0,
	}
	h.n++
}

// sendingHost is one end of a connection, as an interface showed it.
type sendingHost struct {
	key   flow.Key
	iface uint32
}

// hostPace is how the clock of a sending host went on.
type hostPace struct{ first, last hostStamp }

// paces are those of all sending hosts that are remembered.
func (h *hostClocks) paces() map[sendingHost]hostPace {
	all := map[sendingHost]hostPace{}
	for i := max(0, h.n-stampsKept); i < h.n; i++ {
		s := h.ring[i%stampsKept]
		if !s.stamped {
			continue
		}
		of := sendingHost{s.ends.Key(s.src, s.dst), s.iface}
		p, known := all[of]
		if !known {
			p.first = s
		}
		p.last = s
		all[of] = p
	}
	return all
}

// went is how long the host's clock went on from the last that is remembered to the timestamp
// given; false if its pace is not known, or it went back.
func (p *hostPace) went(val uint32) (took int64, ok bool) {
	ticks, span := int64(int32(p.last.val-p.first.val)), p.last.time-p.first.time
	since := int64(int32(val - p.last.val))
	if ticks < leastTicks || since < 0 || span < ticks*int64(fastestTick)*9/10 ||
		span > ticks*int64(slowestTick)*11/10 {
		return 0, false
	}
	return int64(float64(since) * float64(usualTick(span/ticks))), true
}

// usualTick is the tick of a clock in use that is near the one measured, or that itself. A queue
// that grows or drains meanwhile makes it another by a part; those in use are twice as long as
// others.
func usualTick(tick int64) int64 {
	for _, hz := range [...]int64{1_000_000, 1000, 250, 100, 10, 2, 1} {
		if usual := int64(time.Second) / hz; tick*7 >= usual*5 && tick*5 <= usual*7 {
			return usual
		}
	}
	return tick
}

// aheadStamp is a timestamp behind a step.
type aheadStamp struct {
	of  sendingHost
	val uint32
}

// stepRange is by how much the capture's clock was set, by each of a host's segments behind the
// step: what its path adds makes it more.
type stepRange struct{ least, most int64 }

// step is by how much the capture's clock was set between the frames that are remembered and those
// ahead, whose times are moved by set, and between which there is a gap; false if it was not, or
// that is not known. Every host whose clock is known must agree, so that none of them stood still,
// and one must answer what the other sent behind the step: what was only held up on the way has old
// timestamps, too.
func (h *hostClocks) step(ahead []heldFrame, set, gap int64) (int64, bool) {
	paces, ranges := h.paces(), map[sendingHost]stepRange{}
	var seen []aheadStamp
	confirmed := false
	for i := range ahead {
		f := &ahead[i]
		of := sendingHost{f.sign.key, f.Iface}
		p, known := paces[of]
		if !f.sign.stamped || !known {
			continue
		}
		took, ok := p.went(f.sign.stamp)
		if !ok {
			continue
		}
		by := f.Time - set - p.last.time - took
		if gap > 0 && by < gap/2 || gap < 0 && by > -int64(leastBack) {
			return 0, false
		}
		r, any := ranges[of]
		if !any {
			r = stepRange{by, by}
		}
		ranges[of] = stepRange{min(r.least, by), max(r.most, by)}
		confirmed = confirmed || answers(seen, of, f.sign.echo)
		if f.sign.stamp != p.last.val {
			seen = append(seen, aheadStamp{of, f.sign.stamp})
		}
	}
	if len(ranges) == 0 && gap >= int64(leastUnheard) {
		trip, ok := h.unheard(ahead)
		return gap - trip, ok
	}
	return steadiest(ranges), confirmed
}

// inFlight is what a host has sent, and had acknowledged.
type inFlight struct {
	end, acked uint32
	any        bool  // acked is valid
	sent, trip int64 // when it sent last, and the latest round trip to its peer, ns
}

// unheard reports whether data was outstanding when the gap began, and behind it some of that was
// acknowledged, or more was sent, before any of it had been sent again: without timestamps, that
// tells as much where the gap is longer than any timer (RFC 6298 §2.5). trip is what it took at
// other times.
func (h *hostClocks) unheard(ahead []heldFrame) (trip int64, ok bool) {
	sent := map[flow.Key]inFlight{}
	for i := max(0, h.n-stampsKept); i < h.n; i++ {
		s := h.ring[i%stampsKept]
		key := s.ends.Key(s.src, s.dst)
		peer := flow.Key{Conn: key.Conn, Dir: key.Dir ^ 1}
		key.Path = 0 // the two directions' differ
		if f := sent[key]; s.carries {
			f.end, f.sent = s.end, s.time
			sent[key] = f
		}
		f := sent[peer]
		if s.ack == f.end && s.ack != f.acked {
			f.trip = s.time - f.sent
		}
		f.acked, f.any = s.ack, true
		sent[peer] = f
	}
	for i := range ahead {
		f := &ahead[i].sign
		key := flow.Key{Conn: f.key.Conn, Dir: f.key.Dir}
		own := sent[key]
		key.Dir ^= 1
		peers := sent[key]
		switch {
		case !f.known:
		case own.outstanding() && f.carries: // its timer would have repeated it first
			return own.trip, f.seq == own.end
		case peers.outstanding() && f.acks && int32(f.ack-peers.acked) > 0:
			return peers.trip, int32(peers.end-f.ack) >= 0 // else frames are missing
		}
	}
	return 0, false
}

// outstanding reports whether something had not been acknowledged.
func (f inFlight) outstanding() bool { return f.any && int32(f.end-f.acked) > 0 }

// answers reports whether a host echoes a timestamp that its peer sent behind the step.
func answers(seen []aheadStamp, of sendingHost, echo uint32) bool {
	return slices.ContainsFunc(seen, func(s aheadStamp) bool {
		return s.of.key.Conn == of.key.Conn && s.of.key.Dir != of.key.Dir && s.val == echo
	})
}

// steadiest is the step by the host whose path varies the least.
func steadiest(ranges map[sendingHost]stepRange) (step int64) {
	best := int64(math.MaxInt64)
	for _, r := range ranges {
		if spread := r.most - r.least; spread < best || spread == best && r.least < step {
			best, step = spread, r.least
		}
	}
	return step
}
