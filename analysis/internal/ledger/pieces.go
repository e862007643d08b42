package ledger

import (
	"time"

	"tcpwhy/reassembly"
)

// StreamGap is a pause that may have a meaning: what comes further apart is taken for a program
// that streams.
const StreamGap = 10 * time.Millisecond

// pieces counts the segments of the message in hand.
type pieces struct {
	Small  int // smaller than a full segment
	Near   int // of those, sent within streamGap of the segment before
	Octets int64
	First  reassembly.Record
}

// count takes note of a segment of the message in hand.
func (p *pieces) count(r *reassembly.Record, gap time.Duration, full bool) {
	if p.Octets == 0 {
		p.First = *r
	}
	p.Octets += int64(r.Len)
	if full {
		return
	}
	p.Small++
	if gap < StreamGap {
		p.Near++
	}
}
