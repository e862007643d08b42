package sender

import "time"

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
