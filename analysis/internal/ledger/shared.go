package ledger

import (
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

// Exchanges that go on beside each other on one connection (HTTP/2). A segment has octets of some
// of them, or of none: control frames. What an exchange waited for while others' octets passed is
// not known: it may have been the server, its window, or its turn.

// Company is how an exchange had its connection with others.
type Company struct {
	// Shared says that others went on at the same time.
	Shared bool
	// Credited says that flow control of HTTP/2 may have held up one of its messages: its sender went
	// on when it could know that its peer let it send more.
	Credited bool
}

// Alone reports whether TCP alone explains how the messages of the exchange were sent: no other was
// on its connection, and flow control above TCP did not hold them up.
func (c *Company) Alone() bool { return !c.Shared && !c.Credited }

// WasShared reports whether several exchanges went on at a time on the connection.
func WasShared(c *reassembly.Conn) bool { return c.HTTP2 != nil && c.HTTP2.MostOpen > 1 }

// owned are the runs of octets that a segment has; none if the connection is not shared, or if it
// has no octets.
type owned []exchange.Run

// ownersOf are those of r.
func ownersOf(c *reassembly.Conn, r *reassembly.Record) owned {
	if c.HTTP2 == nil || r.Len == 0 {
		return nil
	}
	octets := exchange.Range{From: r.Seq, To: r.Seq + int64(r.Len)}
	return c.HTTP2.Owners[r.Dir].Within(octets)
}

// has reports whether octets of the exchange with that index are among them, or may be.
func (o owned) has(index int) bool {
	for i := range o {
		if o[i].Owner == index {
			return true
		}
	}
	return len(o) == 0
}

// controls reports whether all octets are of frames that direct the connection.
func (o owned) controls() bool {
	for i := range o {
		if owner := o[i].Owner; owner != exchange.NoExchange && owner != exchange.Credit {
			return false
		}
	}
	return len(o) > 0
}

// credits reports whether some of the octets let the peer send more.
func (o owned) credits() bool {
	for i := range o {
		if o[i].Owner == exchange.Credit {
			return true
		}
	}
	return false
}

// carries reports whether r has octets of x, or may have.
func carries(c *reassembly.Conn, r *reassembly.Record, x *exchange.Exchange) bool {
	return x.Stream == 0 || ownersOf(c, r).has(x.Index)
}

// ofSetup reports whether a label is one of the time before a connection can carry anything.
func ofSetup(l report.Label) bool { return l > report.CaptureGap && l <= report.ProxyConnect }

// ofTransport reports whether a label says what TCP or the path did to a segment: that holds
// whatever else is on the connection.
func ofTransport(l report.Label) bool {
	return l == report.CaptureGap || l >= report.Queue && l <= report.Cork
}
