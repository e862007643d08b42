package ledger

import (
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

// Whether an answer waited behind others' octets, or was not ready yet, what its server answered
// meanwhile tells. Octets leave in the order in which they were written, and programs write the
// header of an answer before more octets of others: an answer to a later request, which came
// before, was ready first. How long that can have waited, at most, the other had to wait, too.

// answer is one that began while others were on its connection.
type answer struct {
	due  time.Duration // when it could have passed, had it been ready at once
	came time.Duration // when its first octets passed
}

// maxAnswers is how many of them are remembered, the latest.
const maxAnswers = 32

// reads reports whether j waits for the first octets of its answer.
func (b *book) reads(j *Exchange, own report.Label) bool {
	return own == report.Think && !j.line.Answered
}

// mayHaveBeenReady is until when the answer of j was not ready, by others that were asked for later
// and came first, and until when it was not held up by what was being sent; it was due at the one
// moment and came at the other. What is not known is 0. It remembers the answer.
func (b *book) mayHaveBeenReady(j *Exchange, due, came time.Duration) (notReady,
	unheld time.Duration) {
	var longest time.Duration
	for _, a := range b.answers {
		if a.due > due {
			notReady, longest = max(notReady, a.due), max(longest, a.came-a.due)
		}
	}
	if longest > 0 {
		notReady = max(notReady, came-longest)
	}
	if len(b.answers) == maxAnswers {
		b.answers = append(b.answers[:0], b.answers[1:]...)
	}
	b.answers = append(b.answers, answer{due, came})
	return notReady, b.unheldUntil(j, due, came)
}

// sendBuffers: a kernel takes so many times what was in flight of a program, at most (Linux,
// net/ipv4/tcp_input.c, tcp_sndbuf_expand: twice the congestion window, in units that are up to
// twice as large as what they hold; and the window is up to twice what was in flight, RFC 7661).
const sendBuffers = 8

// unheldUntil is when the server knew of so many acknowledgments that all that went before the
// answer of j had room in its kernel; 0: before the answer was due. Until then the answer was not
// written, or its program held octets of others that it had not handed on.
func (b *book) unheldUntil(j *Exchange, due, came time.Duration) time.Duration {
	m := j.Parsed.Response
	if m == nil || b.inFlight == 0 {
		return 0
	}
	written := m.From - sendBuffers*b.inFlight
	far := b.conn.Far(reassembly.FromServer)
	for r := range Segments(b.conn, due-far, came) {
		if r.Dir == reassembly.FromClient && r.Flags&capture.ACK != 0 && r.Ack >= written {
			if at := r.Time + far; at > due+far {
				return min(at, came)
			}
			return 0
		}
	}
	return 0
}

// arrivedLate is until when the request of j cannot have come to the server, as what the client had
// sent before it was still on the way: acknowledgments of that came later than a round trip after
// the request had left, and then that of the request. 0 if none did, or if it came in time, or if
// the queue may be in the other direction, as there was something to carry there. The answer is due
// at the one moment, and came by the other.
func (b *book) arrivedLate(j *Exchange, due, came time.Duration) time.Duration {
	q, ahead := j.Parsed.Request, false
	if q == nil || !q.Complete || q.End.Time > due {
		return 0
	}
	acked, back := b.acked(due), int64(0)
	mss := int64(b.conn.Half[reassembly.FromServer].Eff)
	for r := range Segments(b.conn, due, came) {
		switch {
		case r.Dir != reassembly.FromServer || r.Flags&capture.ACK == 0:
			continue
		case r.Ack >= q.To && ahead && back <= mss && r.Time-due >= heldUpLeast:
			return r.Time
		case r.Ack >= q.To:
			return 0 // it may be a delayed acknowledgment
		default:
			ahead = ahead || r.Ack > acked
		}
		back += int64(r.Len)
	}
	return 0
}

// acked is up to where the server had acknowledged what the client sent, by the given moment.
func (b *book) acked(by time.Duration) int64 {
	for r := range SegmentsBack(b.conn, 0, by) {
		if r.Dir == reassembly.FromServer && r.Flags&capture.ACK != 0 {
			return r.Ack
		}
	}
	return 0
}
