package sender

import (
	"time"

	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

// Hold is one segment that Nagle's algorithm seems to have held: a small segment that left as soon
// as the ACK of the small segment before was known.
type Hold struct {
	Dir     reassembly.Dir
	First   capture.Mark // the unacknowledged small segment
	Ack     capture.Mark // what ended the hold
	Second  capture.Mark // the one that was held
	Size    [2]uint32    // octets of first and second
	Headers bool         // first ends with the header section
	Pure    bool         // Ack carried no data
	// second is the end of a message behind full segments, and first the last of those
	Tail      bool
	Opens     bool // second begins a response, and first is no part of it
	From, To  time.Duration
	RoundTrip time.Duration // the part that a prompt ACK would have taken
	Delayed   time.Duration // the part by which a timer made the ACK late
	// how long the ACK took from the segment that was waited for, what is known of the way between
	// the capture point and the host that sent it, and whether it tells of a timer
	took  time.Duration
	near  reassembly.RTT
	tells bool
}

// Length is the whole hold.
func (h *Hold) Length() time.Duration { return h.To - h.From }

// divide divides the hold into what a prompt ACK would have taken, and the part by which the ACK
// was late, of which a timer made it so.
func (h *Hold) divide(late time.Duration) {
	h.Delayed = min(h.Length(), late)
	h.RoundTrip = h.Length() - h.Delayed
}
