package sender

import (
	"time"

	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

// growth is what can be told of a sender's congestion window from outside: the window itself is not
// visible, the most that was in flight is a lower bound.
type growth struct {
	slow     bool  // slow start has not ended: no loss, and rounds still grow
	most     int64 // the most octets in flight so far
	peak     int64 // the same since the window last shrank
	cut      bool  // a loss ended slow start, or shrank the window after it
	needless bool  // something was sent again without need, which may have shrunk the window, too
	hasty    bool  // that was no timer's doing, but due to the order in which segments came
	hastyTo  int64 // what was sent by then belongs to the same recovery
	past     int64 // acknowledgments up to here are late because of a loss, not of a queue
	unseen   bool  // what was lost last had not passed the capture point
	idle     Idle
}

// Idle is what an idle period before the message in hand did.
type Idle struct {
	Since  time.Duration // how long nothing was sent; 0: less than a retransmission timeout
	Peak   int64         // the most in flight before
	Cwnd   int64         // the congestion window before, packets; 0: not known
	Before capture.Mark  // the last segment before
	Mark   capture.Mark  // of the first segment after
}

// flew takes note of so many octets in flight, with everything acknowledged up to ack.
func (g *growth) flew(octets, ack int64) {
	g.most = max(g.most, octets)
	if ack >= g.past { // before that, much of it has arrived behind what was lost
		g.peak = max(g.peak, octets)
	}
}

// lose takes note of a loss, with everything sent up to the given offset.
func (g *growth) lose(sent int64) { g.slow, g.cut, g.peak, g.past = false, true, 0, sent }

// rest takes note of an idle period.
func (g *growth) rest(i Idle) { g.idle, g.peak = i, 0 }

// repeat takes note of a needless retransmission, with everything sent up to the given offset. A
// recovery that duplicate acknowledgments began goes on with more such, one for each partial
// acknowledgment (RFC 6582 §3.2).
func (g *growth) repeat(r *reassembly.Record, hasty bool, sent int64) {
	if hasty {
		g.hastyTo = sent
	}
	g.needless, g.hasty = true, hasty || g.needless && g.hasty && r.Seq < g.hastyTo
}

const (
	// A window was cut back for idleness if so many percent of the initial window and more had been
	// in flight before, and fewer than so many percent of that now. Both rest on reasoning: what
	// was in flight is known to the segment, and a sender that keeps its window halves it by no
	// accident.
	hadGrown  = 140
	wasCutTo  = 70
	shrankTo  = 70 // percent of the peak, in a round after a needless retransmission
	firstFull = 75 // percent of the initial window that a first round has that filled it
	firstMost = 125
	// Linux halves the window once for each retransmission timeout without sending, and the window
	// before is only known to lie between what was in flight and a little more than twice that: so
	// many percent of the first is the most that the second can be.
	windowMost = 220
	// The timer lies between its least value and half as much again: it includes four deviations of
	// the round trip (RFC 6298 §2.3), which is at most half of it on a steady path (reasoning).
	timerMost = 150
)

// restarted reports whether the first round of the message, of first octets, shows that the window
// was cut back because nothing had been sent: there had been more in flight than the initial
// window, and now less.
func (g *growth) restarted(first, initial int64) bool {
	i := &g.idle
	return i.Since > 0 && i.Peak*100 > initial*hadGrown && first*100 < i.Peak*wasCutTo
}

// decayed reports whether the first round after an idle period has the size that cutting the window
// back leaves: Linux halves it once for each retransmission timeout without sending, down to the
// initial window (net/ipv4/tcp_output.c, tcp_cwnd_restart); RFC 5681 §4.1 goes there at once. least
// is the least value of the timer.
func (g *growth) decayed(first, initial int64, least time.Duration) bool {
	if first*100 <= initial*firstMost {
		return first*100 >= initial*firstFull
	}
	i := &g.idle
	low := max(initial, i.Peak>>halvings(i.Since, least))
	high := max(initial, (i.Peak*windowMost/100)>>halvings(i.Since, least*timerMost/100))
	return first*100 >= low*firstFull && first*100 <= high*firstMost
}

// halvings is how often a window is halved in a time without sending, with the given timer. Forty
// times leave nothing of any window.
func halvings(idle, timer time.Duration) int64 { return min(int64(idle/timer), 40) }
