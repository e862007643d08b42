package sender

import (
	"time"

	"tcpwhy/reassembly"
)

// maxOutstanding is how many outstanding segments of one direction are remembered with their times.
const maxOutstanding = 256

// outstanding is which segments have not been acknowledged, and when they passed. Beyond
// maxOutstanding the later ones are not noted.
type outstanding struct {
	list        []sentSegment // in order of offset and time
	sent, acked int64         // packets, offload unfolded
}

// sentSegment is a segment that has passed.
type sentSegment struct {
	end     int64 // the offset after it
	at      time.Duration
	packets int64 // sent up to here
}

// add notes segment r, of a sender whose effective MSS is mss.
func (t *outstanding) add(r *reassembly.Record, mss uint32) {
	t.sent++
	if mss > 0 && r.Len > mss {
		t.sent += int64((r.Len - 1) / mss)
	}
	end := r.Seq + int64(r.Len)
	if n := len(t.list); n < maxOutstanding && (n == 0 || t.list[n-1].end < end) {
		t.list = append(t.list, sentSegment{end, r.Time, t.sent})
	}
}

// upTo is how many of the noted segments end at or before off.
func (t *outstanding) upTo(off int64) int {
	lo, hi := 0, len(t.list)
	for lo < hi {
		if mid := (lo + hi) / 2; t.list[mid].end <= off {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// oldest is when the first of them passed; false if none is noted.
func (t *outstanding) oldest() (time.Duration, bool) {
	if len(t.list) == 0 {
		return 0, false
	}
	return t.list[0].at, true
}

// sentAt is when the last segment that ends at or before ack passed; false if that is not known.
func (t *outstanding) sentAt(ack int64) (time.Duration, bool) {
	n := t.upTo(ack)
	if n == 0 {
		return 0, false
	}
	return t.list[n-1].at, true
}

// passed reports whether a segment that ends behind ack had passed by then.
func (t *outstanding) passed(ack int64, by time.Duration) bool {
	n := t.upTo(ack)
	return n < len(t.list) && t.list[n].at < by
}

// drop forgets what is acknowledged. sent is the offset after everything that was sent, mss the
// effective MSS.
func (t *outstanding) drop(ack, sent int64, mss uint32) {
	n := t.upTo(ack)
	if n == len(t.list) {
		// What is outstanding was not noted, and is no more than full segments.
		t.acked = max(t.acked, t.sent-(max(0, sent-ack)+int64(mss)-1)/max(int64(mss), 1))
	}
	if n == 0 {
		return
	}
	t.acked = max(t.acked, t.list[n-1].packets)
	t.list = append(t.list[:0], t.list[n:]...)
	if len(t.list) == 0 && cap(t.list) > maxOutstanding/4 {
		t.list = nil // a connection that has been busy once does not keep the room
	}
}
