package ledger

import (
	"time"

	"tcpwhy/capture"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

// Whether an answer waited behind others' octets, or was not ready yet, what its server answered
// meanwhile tells. Octets leave in the order in which they were written, and programs write the
// header of an answer before more octets of others: an answer to a later request, which came
// before, was ready first. How long that can have waited, at most, the other had to wait, too.

// answers are those that began while others were on their connection, the latest maxAnswers.
type answers []answer

// answer is one.
type answer struct {
	due  time.Duration // when it could have passed, had it been ready at once
	came time.Duration // when its first octets passed
	from int64         // where those are: a loss may have kept back what was written before
}

// maxAnswers is how many of them are remembered.
const maxAnswers = 32

// note remembers an answer.
func (a *answers) note(this answer) {
	if len(*a) == maxAnswers {
		*a = append((*a)[:0], (*a)[1:]...)
	}
	*a = append(*a, this)
}

// notReady is until when an answer was not ready, by those that were asked for later and written
// before it; 0 if none was. How long that can have waited at most those tell that came before it by
// no longer than they had waited themselves: what was being sent may have become more since others
// came.
func (a answers) notReady(this answer) (until time.Duration) {
	var longest time.Duration
	for _, o := range a {
		if o.due <= this.due || o.from >= this.from {
			continue
		}
		until = max(until, o.due)
		if waited := o.came - o.due; this.came-o.came <= waited {
			longest = max(longest, waited)
		}
	}
	if longest > 0 {
		until = max(until, this.came-longest)
	}
	return until
}

// sendBuffers: a kernel takes so many times what was in flight of a program, at most (Linux,
// net/ipv4/tcp_input.c, tcp_sndbuf_expand: twice the congestion window, in units that are up to
// twice as large as what they hold; and the window is up to twice what was in flight, RFC 7661).
const sendBuffers = 8

// unheldUntil is when the server knew of so many acknowledgments that all that went before m, an
// answer, had room in its kernel, of which at most so many octets were in flight; 0: before the
// answer was due. Until then it was not written, or its program held octets of others that it had
// not handed on.
func unheldUntil(c *reassembly.Conn, m *exchange.Message, inFlight int64,
	due, came time.Duration) time.Duration {
	if m == nil || inFlight == 0 {
		return 0
	}
	written := m.From - sendBuffers*inFlight
	far := c.Far(reassembly.FromServer)
	for r := range Segments(c, due-far, came) {
		if r.Dir == reassembly.FromClient && r.Flags&capture.ACK != 0 && r.Ack >= written {
			if at := r.Time + far; at > due+far {
				return min(at, came)
			}
			return 0
		}
	}
	return 0
}

// arrivedLate is until when q, a request, cannot have come to the server, as what the client had
// sent before it was still on the way: acknowledgments of that came later than a round trip after
// the request had left, and then that of the request. 0 if none did, or if it came in time, or if
// the queue may be in the other direction, as there was something to carry there. The answer is due
// at the one moment, and came by the other.
func arrivedLate(c *reassembly.Conn, q *exchange.Message, due, came time.Duration) time.Duration {
	if q == nil || !q.Complete || q.End.Time > due {
		return 0
	}
	ahead, acked, back := false, ackedBy(c, due), int64(0)
	mss := int64(c.Half[reassembly.FromServer].Eff)
	for r := range Segments(c, due, came) {
		switch {
		case r.Dir != reassembly.FromServer || r.Flags&capture.ACK == 0:
			continue
		case r.Ack >= q.To && ahead && back <= mss && r.Time-due >= QueueShows:
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

// ackedBy is up to where the server had acknowledged what the client sent, by the given moment.
func ackedBy(c *reassembly.Conn, by time.Duration) int64 {
	for r := range SegmentsBack(c, 0, by) {
		if r.Dir == reassembly.FromServer && r.Flags&capture.ACK != 0 {
			return r.Ack
		}
	}
	return 0
}
