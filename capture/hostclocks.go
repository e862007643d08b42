package capture

import (
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
	// framesAhead is how many frames behind a step are asked.
	framesAhead = 64
	// stampsKept is how many segments before it are.
	stampsKept = 256
	// leastTicks is by how many ticks a host's clock must have gone on before the step for its pace
	// to be known.
	leastTicks = 10
	// A tick is between slowestTick and, as some kernels count microseconds, fastestTick
	// (RFC 7323 §5.4: between 1 ms and a second).
	slowestTick = time.Second
	fastestTick = time.Microsecond
)

// hostClocks remembers the timestamps of the latest segments.
type hostClocks struct {
	ring [stampsKept]hostStamp
	n    int // segments so far
	past pastClock
}

// pastClock is how the clock of a file stood when its latest frame was read.
type pastClock struct {
	time, set int64 // of the frame, as it stands in the file, and the steps until then
	iface     uint16
}

// inherited is by how much the clock of a file was set before its first frame: as much as that of
// the one before, if it goes on with that.
func (h *hostClocks) inherited(stats *Stats, first *frame.Frame) int64 {
	if h.past.set == 0 || first.Time < h.past.time || !stats.continues(first.Iface, h.past.iface) {
		return 0
	}
	return h.past.set
}

// hostStamp is a timestamp of a host, and when it passed by the clock of the capture.
type hostStamp struct {
	ends     flow.Ends
	time     int64 // ns since the Unix epoch, without the steps before
	val      uint32
	src, dst uint16
	iface    uint16
}

// note remembers a segment's timestamp.
func (h *hostClocks) note(seg *Segment, ends *flow.Ends, at int64) {
	if !seg.Options.Has(HasTS) {
		return
	}
	h.ring[h.n%stampsKept] = hostStamp{
		*ends, at, seg.TSVal, seg.Src.Port(), seg.Dst.Port(), seg.Iface,
	}
	h.n++
}

// sendingHost is one end of a connection, as an interface showed it.
type sendingHost struct {
	key   flow.Key
	iface uint16
}

// hostPace is how the clock of a sending host went on.
type hostPace struct{ first, last hostStamp }

// paces are those of all sending hosts that are remembered.
func (h *hostClocks) paces() map[sendingHost]hostPace {
	all := map[sendingHost]hostPace{}
	for i := max(0, h.n-stampsKept); i < h.n; i++ {
		s := h.ring[i%stampsKept]
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

// usualTick is the tick of a clock in use that is near the one measured, or that itself.
func usualTick(tick int64) int64 {
	for _, hz := range [...]int64{1_000_000, 1000, 250, 100, 10, 2, 1} {
		if usual := int64(time.Second) / hz; tick*10 >= usual*9 && tick*10 <= usual*11 {
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

// step is by how much the capture's clock was set between the frames that are remembered and those
// ahead, whose times are moved by set; false if it was not, or that is not known. Every host whose
// clock is known must agree, so that none of them stood still, and one must answer what the other
// sent behind the step: what was only held up on the way has old timestamps, too.
func (h *hostClocks) step(ahead []heldFrame, set, gap int64) (step int64, ok bool) {
	paces := h.paces()
	var seen []aheadStamp
	any, confirmed := false, false
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
		less := f.Time - set - p.last.time - took
		if gap > 0 && less < gap/2 || gap < 0 && less > -int64(leastBack) {
			return 0, false
		}
		if !any || less < step {
			any, step = true, less
		}
		for _, s := range seen {
			confirmed = confirmed || s.of.key.Conn == of.key.Conn &&
				s.of.key.Dir != of.key.Dir && s.val == f.sign.echo
		}
		if f.sign.stamp != p.last.val {
			seen = append(seen, aheadStamp{of, f.sign.stamp})
		}
	}
	return step, confirmed
}
