package ring

import (
	"time"

	"tcpwhy/capture/internal/frame"
)

// leastStep is from how much on a change of the system's clock is a step, to be taken out of the
// times of frames; what is less, as a clock that runs a little fast, is left in. It is above the
// time that a frame can wait in the kernel.
const leastStep = 500 * time.Millisecond

// calmFor is for how long after a frame at which there was no step others need not be looked at: a
// step would have to make up for the time between two frames, to within so much. Looking takes
// several system calls, and who is behind by more than leastStep has no time for those.
const calmFor = time.Millisecond

// Clock knows how far the system's clock, which stamps frames, has been set forward or back since
// the capture began. It reads another clock beside it that nobody can set. All values are in ns.
type Clock struct {
	read  func() (wall, steady int64)
	base  int64 // wall less steady, without steps
	ahead int64 // steps of the wall clock so far
	shift int64 // the same of the latest frame: what was captured before a step is read after it
	seen  int64 // now, when last looked
	calm  int64 // time of the latest frame at which looking found no step
}

// NewClock makes a clock that reads the system's by the given function.
func NewClock(read func() (wall, steady int64)) *Clock {
	c := &Clock{read: read}
	wall, steady := read()
	c.base, c.seen = wall-steady, wall
	return c
}

// Now is the time that the wall clock would show had nobody set it.
func (c *Clock) Now() int64 {
	_, steady := c.read()
	return c.base + steady
}

// Look notes a step of the wall clock, and follows its drift.
func (c *Clock) Look() {
	for range 3 {
		wall, before := c.read()
		_, after := c.read()
		c.seen = c.base + after
		if after-before > int64(Disorder) {
			continue // interrupted between the two clocks, which looks like a step
		}
		drift := wall - c.base - before - c.ahead
		if less(drift, leastStep) {
			c.base += drift
		} else {
			c.ahead += drift
		}
		return
	}
}

// Straighten takes steps of the wall clock out of the time of a frame. latest is the time of the
// frame before; idle tells that nothing else was waiting. If the frame is the first after a step,
// the step is what is returned.
func (c *Clock) Straighten(f *frame.Frame, latest int64, idle bool) (step time.Duration) {
	stamp := f.Time
	f.Time = stamp - c.shift
	if less(f.Time-c.seen, leastStep) {
		return 0
	}
	if since := f.Time - c.calm; c.ahead == c.shift && since >= 0 && less(since, calmFor) {
		return 0
	}
	c.Look()
	if c.ahead == c.shift {
		c.calm = f.Time
		return 0
	}
	if less(f.Time-c.seen, leastStep) {
		return 0
	}
	// A frame that was captured just now is of about now; one that has waited, of about the time of
	// the one before.
	expected := latest
	if idle {
		expected = c.seen
	}
	if other := stamp - c.ahead; distance(other, expected) < distance(f.Time, expected) {
		step = time.Duration(c.ahead - c.shift)
		c.shift, f.Time = c.ahead, other
	}
	return step
}

func less(d int64, limit time.Duration) bool { return -int64(limit) < d && d < int64(limit) }

func distance(a, b int64) int64 { return max(a-b, b-a) }
