package sender

import (
	"time"

	"tcpwhy/reassembly"
)

// ReceiveWindow is what the receive window was when it kept the sender back during the message in
// hand. Windows are octets.
type ReceiveWindow struct {
	Times       int // how often it did
	first, last int64
	Most        int64 // the largest that did
	early, late int64 // the largest of the first earlyTimes, and of the later ones
	begun       int64 // what there was room for when the message began
	room        int64 // the most that was offered after the first earlyTimes
	steady      int   // how many of the latest were about as large as the first of them
	level       int64 // that first one
	// the largest during the message, whether it kept the sender back or not
	Offered int64
	// the largest of those by which the edge moved on by a segment and more: what the buffer holds.
	// One that only keeps an earlier promise says nothing of that, as a window is not taken back
	// (RFC 9293 §3.8.6), however little room a kernel finds to be left of it.
	moved  int64
	parts  int           // how often one kept the sender back that was clearly less than that
	at     time.Duration // when it did last
	spread int           // in how many round trips shorter waits did
}

// earlyTimes is how many of the first times tell how large a window is that then goes up and down,
// as one of two or three segments does with every acknowledgment.
const earlyTimes = 6

// Windows about as large as each other are so many percent of each other. All of these rest on
// reasoning: a receiver's buffer that grows doubles (Linux, tcp_rcv_space_adjust), and one that
// does not differs by a segment or two of what its program has yet to read.
const (
	levelLeast = 75  // percent of the level that a window has at least
	levelMost  = 125 // and at most
	backTo     = 80  // percent of what it was in the beginning
	// a window that was so many times as large when nothing waited for it was not fixed
	offeredTimes = 2
	// how many times it must have held the sender back: for the last to be compared with the first,
	// and for most to be compared with each other, of which so many percent must agree
	timesToCompare = 3
	timesToRank    = 8
	steadyPercent  = 75
)

// Fixed reports whether the window stayed about the same: from the first to the last, or for all
// but a few at the start, before the receiver's buffer was known to it; or whether it came back to
// what it was in the beginning, and to no more. Where the receiver's program is slow it does not
// come back.
func (b *ReceiveWindow) Fixed() bool {
	if b.moved > offeredTimes*b.Most || b.PartlyFilled() {
		return false
	}
	return b.cameBack() ||
		b.Times >= timesToCompare && b.last*100 <= b.first*levelMost ||
		b.Times >= timesToRank && b.steady*100 >= b.Times*steadyPercent
}

// PartlyFilled reports whether nearly all of the windows that kept the sender back were clearly
// less than what the receiver's buffer had been seen to hold: the rest of it was full of octets
// that its program had not read. The window of a buffer that is too small comes back to what that
// holds.
func (b *ReceiveWindow) PartlyFilled() bool {
	return b.Times >= timesToRank && b.parts*100 >= b.Times*steadyPercent
}

// growsBy is by how many percent a window grows that its kernel makes larger, not only more exact.
const growsBy = 150

// Grew is the window that was offered when the message began, in octets, and whether larger ones
// were offered afterwards.
func (b *ReceiveWindow) Grew() (begun int64, grew bool) {
	return b.begun, b.begun > 0 && b.Offered*100 > b.begun*growsBy && !b.Fixed()
}

// Whole is the window of which now is in force at the moment: the one that kept the sender back, if
// that stayed the same, and they differ by no more than a kernel keeps of it, or a program is about
// to read.
func (b *ReceiveWindow) Whole(now int64) int64 {
	if b.Fixed() && max(b.Most-now, now-b.Most)*unreadParts <= b.Most {
		return b.Most
	}
	return now
}

// cameBack reports whether the window went up and down, to what it was in the beginning and to no
// more.
func (b *ReceiveWindow) cameBack() bool {
	return b.Times >= 2*earlyTimes && b.late*100 <= b.early*levelMost &&
		b.room*100 >= max(b.early, b.begun)*backTo
}

// emptied reports whether a window that its peer's program made by reading late is all that there
// ever is: what kept the sender back again and again before, while data was read as it came, and no
// more. Then the buffer was empty, however much had been promised before data came (Linux rates its
// overhead higher then, tcp_win_from_space). Where a program was slow before, windows differed.
func (b *ReceiveWindow) emptied(window int64) bool {
	return b.Times >= timesToCompare && b.steady*100 >= b.Times*steadyPercent &&
		window*unreadParts >= b.moved*(unreadParts-1)
}

// hold takes note of a window that kept the sender back.
func (b *ReceiveWindow) hold(window int64) {
	if b.Times == 0 {
		b.first = window
	}
	if window*100 < b.level*levelLeast || window*100 > b.level*levelMost {
		b.level, b.steady = window, 0
	}
	if window*100 < b.moved*levelLeast {
		b.parts++
	}
	b.steady++
	b.Times++
	b.last = window
	b.Most = max(b.Most, window)
	if b.Times <= earlyTimes {
		b.early = b.Most
	} else {
		b.late = max(b.late, window)
	}
}

// offer takes note of a window that the peer offered, and whether its edge moved by it.
func (b *ReceiveWindow) offer(window int64, moved bool) {
	b.Offered = max(b.Offered, window)
	if moved {
		b.moved = max(b.moved, window)
	}
	if b.Times > earlyTimes {
		b.room = max(b.room, window)
	}
}

// halfWindow: a sender sends as soon as there is room for one of so many parts of the largest
// window that it was offered, as where segments are as large as windows (loopback interfaces) there
// is never room for one behind another (RFC 9293 §3.8.6.2.1; tcp_bound_to_half_wnd of Linux).
const halfWindow = 2

// fullWindow reports whether the receive window, as far as the sender knows, has no room for
// another full segment behind what was sent.
func (s *State) fullWindow() bool {
	return s.path.Conn.Scaled() && s.known.edge > 0 &&
		s.known.edge-s.stream.sent < s.leastRoom()
}

// leastRoom is how many octets of room in the receive window let its sender go on.
func (s *State) leastRoom() int64 {
	mss := int64(s.mss())
	if most := max(s.offered.begun, s.offered.Offered); most > 0 {
		return min(mss, max(1, most/halfWindow))
	}
	return mss
}

// NoteProbe takes note of r, a probe of its sender. Kernels probe a window that is closed, or too
// small for what they have to send; a sender that keeps an idle connection alive has nothing to
// send.
func (s *State) NoteProbe(r *reassembly.Record) {
	s.since.probed = s.since.probed || r.Kind == reassembly.ZeroWindowProbe
}

// windowSetsRate reports whether a rate, in octets a second, is what the receive window lets
// through, a window for each round trip: then it says nothing of the path. Where the path is the
// limit, the window holds a queue besides.
func (s *State) windowSetsRate(rate float64) bool {
	b, held := &s.offered, rate*s.path.Conn.RTTMin().Seconds()
	return b.Times >= timesToCompare && held*100 >= float64(b.Most*levelLeast)
}

const (
	// unreadParts: a kernel may keep one of so many parts of a buffer for itself, and two segments:
	// so much may lack in the window without having been left unread (reasoning).
	unreadParts = 8
	// unreadLeast is how long what was left must have been there: a program that reads as data
	// comes is waked within far less, on a busy host, too.
	unreadLeast = 5 * time.Millisecond
)

// leftUnread reports whether a, which moved the receive window's edge, offers clearly less than the
// receive buffer holds, by what it had offered of it when that was empty, and what is missing is
// not what has just come: its host's program reads more slowly than data comes, so that a larger
// buffer would only have more in it.
func (s *State) leftUnread(a *reassembly.Record) bool {
	most := s.offered.moved
	if s.known.readLate {
		most = max(s.offered.begun, s.offered.Offered)
	}
	kept := max(ackEvery*int64(s.mss()), most/unreadParts)
	at, ok := s.known.acks.since(a.Ack + int64(a.Window) - most + kept)
	return ok && a.Time-at >= unreadLeast
}
