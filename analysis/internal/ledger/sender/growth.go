package sender

import (
	"time"

	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

// growth is what can be told of a sender's congestion window from outside: the window itself is not
// visible, the most that was in flight is a lower bound.
type growth struct {
	slow      bool  // slow start has not ended: no loss, and rounds still grow
	most      int64 // the most octets in flight so far
	peak      int64 // the same since the window last shrank
	cut       bool  // a loss ended slow start, or shrank the window after it
	needless  bool  // something was sent again without need, which may have shrunk the window, too
	byOrder   bool  // that was no timer's doing, but due to the order in which segments came
	byOrderTo int64 // what was sent by then belongs to the same recovery
	past      int64 // acknowledgments up to here are late because of a loss, not of a queue
	unseen    bool  // what was lost last had not passed the capture point
	idle      Idle
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

// repeat takes note of a needless retransmission, with everything sent up to the given offset.
// byOrder tells that the order in which segments came made its sender repeat it. A recovery that
// duplicate acknowledgments began goes on with more such, one for each partial acknowledgment (RFC
// 6582 §3.2).
func (g *growth) repeat(r *reassembly.Record, byOrder bool, sent int64) {
	if byOrder {
		g.byOrderTo = sent
	}
	g.needless, g.byOrder = true, byOrder || g.needless && g.byOrder && r.Seq < g.byOrderTo
}

// All of these are percent, and rest on reasoning where nothing else is said.
const (
	// A window was cut back for idleness if more than hadGrown of the initial window had been in
	// flight before, and less than wasCutTo of that now: what was in flight is known to the
	// segment, and a sender that keeps its window does not halve it by accident.
	hadGrown = 140
	wasCutTo = 70
	// shrankTo is below what part of the peak a round shows that a needless retransmission has
	// shrunk the window: by three tenths or by half (RFC 9438 §4.6, RFC 5681 §3.1).
	shrankTo = 70
	// A first round fills a window if it has from firstLeast to firstMost of it: senders end a
	// round a segment or two early, and acknowledgments let one or two more into it.
	firstLeast = 75
	firstMost  = 125
	// windowMost is how large a window can be beside the most that was in flight: a sender that has
	// not used its window lets it grow to twice what it uses (net/ipv4/tcp_input.c,
	// tcp_is_cwnd_limited), and a tenth is room for what was counted.
	windowMost = 220
	// timerMost is how long a retransmission timer can be beside its least value: it includes four
	// deviations of the round trip (RFC 6298 §2.3).
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
		return first*100 >= initial*firstLeast
	}
	i := &g.idle
	low := max(initial, i.Peak>>halvings(i.Since, least))
	high := max(initial, (i.Peak*windowMost/100)>>halvings(i.Since, least*timerMost/100))
	return first*100 >= low*firstLeast && first*100 <= high*firstMost
}

// halvings is how often a window is halved in a time without sending, with the given timer. Forty
// times leave nothing of any window.
func halvings(idle, timer time.Duration) int64 { return min(int64(idle/timer), 40) }
