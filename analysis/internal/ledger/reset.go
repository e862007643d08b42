package ledger

import (
	"time"

	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

// mostFarewell is the largest that a client sends to a server that has closed without asking for
// anything: a close_notify in a record of its own (RFC 8446 §6.1) has 24 octets in TLS 1.3 and 31
// and more before. No HTTP request of use is as short.
const mostFarewell = 64

// resetBehind is how long behind data a RST belongs to it, beside a round trip: what a program may
// take to close what it has written to (reasoning).
const resetBehind = 50 * time.Millisecond

// Unheard is how many octets the client sent beyond what the server had received when it closed, by
// the server's own word: nobody read them.
func Unheard(c *reassembly.Conn) int64 {
	h := &c.Half[reassembly.FromServer]
	closed := h.Rst
	if h.FinSeen && (!h.RstSeen || h.Fin.Time <= h.Rst.Time) {
		closed = h.Fin
	}
	r := RecordOf(c, closed)
	if r == nil || r.Flags&capture.ACK == 0 {
		return 0
	}
	return max(0, c.Half[reassembly.FromClient].Max-r.Ack)
}

// RoomAtReset reports whether the RST of dir offers a larger window than the segment of dir before
// it: what had come may have been read meanwhile. It need not have been, as Linux throws away what
// is unread before it sends the RST.
func RoomAtReset(c *reassembly.Conn, dir reassembly.Dir) bool {
	rst := RecordOf(c, c.Half[dir].Rst)
	if rst == nil {
		return false
	}
	for r := range SegmentsBack(c, 0, rst.Time) {
		if r.Dir == dir && r.Frame != rst.Frame {
			return r.Flags&capture.SYN == 0 && rst.Window > r.Window
		}
	}
	return false
}

// ResetHarmed reports whether the server's reset, which has just been seen, met data: octets of its
// own that it could not know to have arrived, or octets of the client's that nobody read.
func ResetHarmed(c *reassembly.Conn) bool {
	h := &c.Half[reassembly.FromServer]
	if !h.RstSeen || h.Bytes == 0 {
		return false
	}
	if Unheard(c) > mostFarewell {
		return true
	}
	if !h.RstActive {
		// Without a close before it, it answers what followed one that the capture does not show.
		return !h.FinSeen && h.Rst.Time-h.LastData.Time <= c.RTTMin()+resetBehind
	}
	return h.Una < h.Max || h.LastData.Time > h.Rst.Time-c.Far(reassembly.FromServer)
}
