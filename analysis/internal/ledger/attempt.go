package ledger

import (
	"time"

	"tcpwhy/capture"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

// FirstAlert is the first alert on a TLS connection, and who sent it; nil if there was none.
func FirstAlert(c *reassembly.Conn) (reassembly.Dir, *exchange.Alert) {
	if c.TLS == nil {
		return reassembly.FromClient, nil
	}
	up, down := &c.TLS.Alert[reassembly.FromClient], &c.TLS.Alert[reassembly.FromServer]
	switch {
	case Seen(down.At) && (!Seen(up.At) || down.At.Time < up.At.Time):
		return reassembly.FromServer, down
	case Seen(up.At):
		return reassembly.FromClient, up
	}
	return reassembly.FromClient, nil
}

// AlertEnded is the alert that ended x, and who sent it; nil if none did. One in clear says so
// itself: of the server's also what came behind it, as nothing is answered then (RFC 8446 §6.2). Of
// one that is encrypted it shows in what came of it: the handshake does not go on, or
// the server sends it in place of an answer to what it had received.
func AlertEnded(c *reassembly.Conn, x *exchange.Exchange) (reassembly.Dir, *exchange.Alert) {
	dir, a := FirstAlert(c)
	switch {
	case a == nil, c.TLS.Foreign: // only the client's word on what is no TLS
	case x.Attempt != nil:
		// the farewell of a client that has waited in vain refuses nothing
		if a.Fatal() || a.Hidden && (dir == reassembly.FromServer ||
			silentFor(c, reassembly.FromServer, a.At.Time) < Silence(c)) {
			return dir, a
		}
	case a.Fatal() && x.Response == nil && x.Request != nil &&
		(dir == reassembly.FromServer || a.At.Time >= x.Start().Time),
		a.Hidden && dir == reassembly.FromServer && inPlaceOfAnswer(c, x, a):
		return dir, a
	}
	return dir, nil
}

// WantsCertificate reports whether the server answers with handshake_failure, in a, the client that
// has sent no certificate, though it was asked for one (RFC 5246 §7.4.6).
func WantsCertificate(c *reassembly.Conn, dir reassembly.Dir, a *exchange.Alert) bool {
	const handshakeFailure = 40
	t := c.TLS
	return dir == reassembly.FromServer && !a.Hidden && a.Description == handshakeFailure &&
		Seen(t.CertificateRequest) && Seen(t.NoCertificate) && t.NoCertificate.Time <= a.At.Time
}

// Agreed reports whether a is the server's, and came after other octets of its: it had chosen a
// cipher suite and a group by then (RFC 8446 §4.1.3, RFC 5246 §7.4.1.3), and lacks something else.
func Agreed(c *reassembly.Conn, dir reassembly.Dir, a *exchange.Alert) bool {
	if dir != reassembly.FromServer {
		return false
	}
	for r := range SegmentsBack(c, 0, a.At.Time) {
		if r.Dir == dir && r.Len > 0 && r.Frame != a.At.Frame {
			return true
		}
	}
	return false
}

// finishedRefused is how soon behind the client's Finished, and a round trip, the alert comes that
// refuses it: a program's reaction (reasoning). A close_notify as soon, in place of any answer,
// would refuse as much.
const finishedRefused = 50 * time.Millisecond

// HandshakeRefused reports whether an encrypted alert was all that the server said behind the
// client's Finished, and at once: whatever the client sends behind that is in vain.
func HandshakeRefused(c *reassembly.Conn) bool {
	dir, a := FirstAlert(c)
	if a == nil || dir != reassembly.FromServer || !a.Hidden || c.TLS.ServerSpoke ||
		!Seen(c.TLS.ClientFinished) ||
		Seen(c.TLS.EarlyAt) && c.TLS.Early != exchange.EarlyRejected {
		return false
	}
	after := a.At.Time - c.TLS.ClientFinished.Time
	return after >= 0 && after <= finishedRefused+c.RTTMin()
}

// inPlaceOfAnswer reports whether the server sent an alert when it had received some of the
// request, and no answer. Before the first answer of a connection nothing else can have made it
// close: it waits for no request that long. What answers early data comes before the client's
// Finished, among records of the handshake that look the same (RFC 8446 §2.3): no answer seen is
// none missed then.
func inPlaceOfAnswer(c *reassembly.Conn, x *exchange.Exchange, a *exchange.Alert) bool {
	if x.Request == nil || x.Response != nil || !failed(x) || a.At.Time <= x.Request.Start.Time {
		return false
	}
	if Seen(c.TLS.EarlyAt) && c.TLS.Early != exchange.EarlyRejected {
		return false
	}
	r := RecordOf(c, a.At)
	return r != nil && r.Flags.Has(capture.ACK) && (x.Index == 0 || r.Ack > x.Request.From)
}

// ttlSlack is by how many hops a RST may differ from the other segments of its sender before it
// counts as another host's: routes change by a hop or two.
const ttlSlack = 2

// OtherHostReset reports whether the TTL of a side's RST does not fit its other segments.
func OtherHostReset(c *reassembly.Conn, dir reassembly.Dir) bool {
	h := &c.Half[dir]
	ttl := int(h.RstTTL)
	return ttl > 0 && h.TTLMax > 0 &&
		(ttl > int(h.TTLMax)+ttlSlack || ttl < int(h.TTLMin)-ttlSlack)
}

// DataEnd is where the octets that a side was seen to send end, its FIN left out.
func DataEnd(h *reassembly.Half) int64 {
	if h.FinSeen {
		return min(h.Frontier, h.FinSeq)
	}
	return h.Frontier
}

// Outstanding reports whether octets that a side was seen to send were never acknowledged.
func Outstanding(h *reassembly.Half) bool { return h.Una < DataEnd(h) }

// loopbackMark stands for the host itself, whatever its SYNs show; no other mark has all bits.
const loopbackMark = 1<<32 - 1

// HostMark is what a client's SYN shows of its host, the same for all its addresses: the TTL, the
// window's scale, the options, and the MTU behind its MSS; zero if the capture lacks them. It tells
// hosts of different systems, or at different places, apart, and no more.
func HostMark(c *reassembly.Conn) uint32 {
	h := &c.Half[reassembly.FromClient]
	if c.Client.Addr().IsLoopback() {
		return loopbackMark
	}
	if !h.HasISN || h.CutSYN {
		return 0
	}
	headers := uint32(40)
	if c.Client.Addr().Is6() {
		headers = 60
	}
	mark := min(uint32(h.MSS)+headers, 1<<16-1)<<16 | uint32(h.TTLMax)<<8 | uint32(
		h.WScale,
	)<<3 | 1<<2
	if h.SACKOK {
		mark |= 1 << 1
	}
	if h.TSOK {
		mark |= 1
	}
	return mark
}
