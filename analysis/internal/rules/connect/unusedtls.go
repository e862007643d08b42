package connect

import (
	"time"

	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
)

const (
	unusedCause = "unused"
	// unusedTogether is how many connections with TLS that were opened along with one that was
	// used, and never asked anything, are worth a note: browsers connect in advance, to one or two.
	unusedTogether = 3
	// openedTogether is how near to each other connections begin that one moment led to (reasoning:
	// a program dials for each of its requests as it is given them).
	openedTogether = 100 * time.Millisecond
	keptStarts     = 256
)

// unusedTLS are the connections with TLS of one client to one service, by whether anything was
// asked on them.
type unusedTLS struct {
	used   []named      // when those began that were used, the latest
	unused []named      // likewise those that were not
	closed capture.Mark // the end of the latest of these
	conn   int
}

// named is a moment, and a hash of the name that was asked for then.
type named struct {
	at   time.Duration
	name int64
}

// uses takes note of a connection's first request.
func (u *unusedTLS) uses(e *rule.Began) {
	if e.First && e.Session.Seen {
		u.used = appendLatest(u.used, named{e.ConnStart.Time, hashed(e.Name)}, keptStarts)
	}
}

// over takes note of a connection that is over, if its handshake was completed and nothing asked.
func (u *unusedTLS) over(c *rule.Conn, e *rule.Gone) {
	t := e.Info.TLS
	if t == nil || !t.Established() || e.MidStream || e.Ended || e.Missing > 0 ||
		len(e.Info.Exchanges) > 0 || e.At.Frame == 0 {
		return
	}
	u.unused = appendLatest(u.unused, named{e.Info.Start, hashed(t.SNI)}, keptStarts)
	u.closed, u.conn = e.At, c.Id
}

// together is how many of the unused began along with one that was used.
func (u *unusedTLS) together() (n int) {
	for _, o := range u.unused {
		for _, used := range u.used {
			if o.name == used.name && max(o.at-used.at, used.at-o.at) <= openedTogether {
				n++
				break
			}
		}
	}
	return n
}

// bookUnused books connections for which a race was lost.
func (k *connectionCount) bookUnused(d rule.Desk) {
	n := k.tls.together()
	if n < unusedTogether {
		return
	}
	proof := rule.Shows(k.tls.closed, report.SideUnknown, closedUnasked)
	k.book(d, unusedCause, k.tls.conn, proof, rule.Say(unaskedOf, int64(n),
		int64(len(k.tls.unused)+len(k.tls.used))))
}
