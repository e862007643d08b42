package sender

import (
	"time"

	"tcpwhy/reassembly"
)

// maxUnread is how many acknowledgments are kept to tell how old unread octets are: a window's
// worth has more, and then every second is left out.
const maxUnread = 16

// unread are acknowledgments of the peer, and when they passed: how long ago it had received what
// its program has not read yet. Where some are left out, octets seem younger.
type unread struct {
	list [maxUnread]struct {
		ack int64
		at  time.Duration
	}
	n int
}

// add takes note of an acknowledgment of something new.
func (u *unread) add(ack int64, at time.Duration) {
	if u.n == maxUnread {
		u.n /= 2
		for i := range u.n {
			u.list[i] = u.list[2*i+1]
		}
	}
	u.list[u.n].ack, u.list[u.n].at = ack, at
	u.n++
}

// since is when the octet behind the given offset had been acknowledged; false if that is not
// known.
func (u *unread) since(offset int64) (time.Duration, bool) {
	for _, a := range u.list[:u.n] {
		if a.ack > offset {
			return a.at, true
		}
	}
	return 0, false
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
// receive buffer holds, and what is missing is not what has just come: its host's program reads
// more slowly than data comes, so that a larger buffer would only have more in it.
func (s *State) leftUnread(a *reassembly.Record) bool {
	most := max(s.offered.begun, s.offered.Offered)
	kept := max(ackEvery*int64(s.mss()), most/unreadParts)
	at, ok := s.known.acks.since(a.Ack + int64(a.Window) - most + kept)
	return ok && a.Time-at >= unreadLeast
}
