package sender

import (
	"time"

	"tcpwhy/reassembly"
)

// streamGap is a pause that may have a meaning: what comes further apart is taken for a program
// that streams (reasoning: a write takes microseconds, and nobody waits 10 ms by chance).
const streamGap = 10 * time.Millisecond

// SegmentCounts are the new segments of one message, in numbers.
type SegmentCounts struct {
	Small  int               // smaller than a full segment
	Near   int               // of those, sent within streamGap of the segment before
	Octets int64             // of all of them
	First  reassembly.Record // the first of all; valid if Octets is not 0
}

// count takes note of a segment that came gap after the one before; 0 for the first.
func (p *SegmentCounts) count(r *reassembly.Record, gap time.Duration, full bool) {
	if p.Octets == 0 {
		p.First = *r
	}
	p.Octets += int64(r.Len)
	if full {
		return
	}
	p.Small++
	if gap < streamGap {
		p.Near++
	}
}
