package ledger

import (
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

// setup tiles the time from the connection's first segment to until, in which no data was sent: the
// handshake, what repeated SYNs cost, and a client that waited before it spoke.
func (w *walk) setup(until time.Duration) {
	w.set = true
	c := w.path.Conn
	if len(c.SYNs) == 0 {
		w.setupFromSYNACK(until)
		return
	}
	answer := until
	switch {
	case len(c.SYNACKs) > 0:
		answer = min(until, c.SYNACKs[0].Time)
	case Seen(c.AckOfSYNACK):
		w.setupUnseen(min(until, c.AckOfSYNACK.Time), until)
		return
	}
	answered := w.answeredSYN(answer)
	trip := tripPart(c, reassembly.FromServer, answer-answered)
	w.emit(min(answered, until), report.SYNRetx, why{})
	w.emit(min(answer, answered+trip), report.TCPHandshake, why{})
	w.emit(answer, w.lateAnswer(), why{})
	w.setupFromSYNACK(until)
}

// answeredSYN is when the latest SYN before an answer was sent.
func (w *walk) answeredSYN(answer time.Duration) time.Duration {
	c := w.path.Conn
	answered := c.SYNs[0].Time
	for _, syn := range c.SYNs {
		if syn.Time < answer {
			answered = syn.Time
		}
	}
	return answered
}

// setupUnseen tiles a set-up whose SYN-ACK the capture lacks: the client's acknowledgment tells
// when it was done.
func (w *walk) setupUnseen(done, until time.Duration) {
	w.emit(min(w.answeredSYN(done), until), report.SYNRetx, why{})
	w.emit(done, report.TCPHandshake, why{})
	w.emit(until, w.beforeSpeaking(until-w.at), why{})
}

// setupFromSYNACK tiles from the SYN-ACK to until.
func (w *walk) setupFromSYNACK(until time.Duration) {
	c := w.path.Conn
	if len(c.SYNACKs) == 0 {
		w.emit(until, report.Unknown, why{})
		return
	}
	far := c.Far(reassembly.FromClient)
	if n := len(c.SYNACKs); n > 1 {
		w.emit(min(until, c.SYNACKs[n-1].Time), report.SYNACKRetx, why{})
	}
	w.emit(min(until, w.at+far), report.TCPHandshake, why{})
	w.emit(until, w.beforeSpeaking(until-w.at), why{})
}

// helloTime is the longest that a client may take between the end of the TCP handshake and its
// ClientHello for that to be work: a key share takes milliseconds, starting a TLS library or asking
// a key store some hundred. Later, it had connected in advance.
const helloTime = time.Second

// beforeSpeaking is the label of the time that the client took between the handshake and its first
// data.
func (w *walk) beforeSpeaking(took time.Duration) report.Label {
	if w.path.Conn.TLS != nil && took <= helloTime {
		return report.TLSClient
	}
	return report.ClientThink
}

const (
	// A round trip of the handshake may hold the host's scheduling: it is up to so many times the
	// least one, and setupTrip at least (reasoning: a kernel under load takes no longer to answer).
	setupTrips = 2
	setupTrip  = time.Millisecond
)

// tripPart is how much of took a round trip to the sender of dir may have been.
func tripPart(c *reassembly.Conn, dir reassembly.Dir, took time.Duration) time.Duration {
	return min(took, max(setupTrips*c.Far(dir), setupTrip))
}

// lateAnswer is the label of the time by which the SYN-ACK came later than a round trip.
func (w *walk) lateAnswer() report.Label {
	if len(w.path.Conn.SYNACKs) > 1 {
		return report.SYNACKRetx
	}
	return report.Unknown
}

// inTLS reports whether the TLS handshake was still going on at the given moment.
func (w *walk) inTLS(at time.Duration) bool {
	t := w.path.Conn.TLS
	return t != nil && Seen(t.Done) && at <= t.Done.Time && at >= t.ClientHello.Time
}

// tls tiles the time before r, up to until, a segment of the TLS handshake: each change of
// direction costs a round trip, the rest is the host's own time. Within a flight, what released r
// decides, as in any transfer: a certificate may be larger than the window. held is the hold by
// which Nagle's algorithm seems to have kept it back, nil if it did not.
func (w *walk) tls(r *reassembly.Record, held *Hold, until time.Duration) {
	if w.any && w.prev == r.Dir {
		w.book.flight = true
		w.transfer(r, held, until)
		w.book.flight = false
		return
	}
	if w.any {
		w.emit(min(until, w.at+w.path.Conn.Far(r.Dir)), report.TLSRTT, why{ended: r})
	}
	w.emit(until, ownTLS(r.Dir), why{ended: r})
}

// ownTLS is the label of the time that dir takes for itself in the TLS handshake.
func ownTLS(dir reassembly.Dir) report.Label {
	if dir == reassembly.FromClient {
		return report.TLSClient
	}
	return report.TLSServer
}

// ownInTLS reports whether a wait with the label, between segments of one flight of the handshake,
// is its sender's own time: it signs, or looks for a key. A flight is too short for a pace.
func ownInTLS(l report.Label) bool {
	switch l {
	case report.AppPaced, report.ReqApp, report.Paced, report.SendLimit, report.Cork,
		report.Unknown:
		return true
	}
	return false
}

// breaksOff reports whether r is what came of a TLS handshake that did not go on: an alert, or a
// close.
func (w *walk) breaksOff(r *reassembly.Record) bool {
	x := w.book.active(r.Time)
	return x != nil && x.Attempt != nil && x.Attempt.Secure && w.any &&
		(w.prev != r.Dir || r.Flags&(capture.FIN|capture.RST) != 0)
}

// brokenOff tiles the time before r, up to until: who spoke last waited for the other side, or for
// what it had sent to arrive.
func (w *walk) brokenOff(r *reassembly.Record, until time.Duration) {
	y := why{ended: r}
	waitedFor, h := w.prev.Peer(), &w.path.Conn.Half[w.prev]
	if w.prev == r.Dir && Outstanding(h) {
		label := report.LostRetx
		if h.Retrans == 0 { // had it been lost, it would have been sent again
			label = report.Unknown
		}
		w.emit(until, label, y)
		return
	}
	if next, last := NextInTLS(w.path.Conn); last != nil && last.Dir == w.prev {
		waitedFor = next // the server may have stopped in the middle of what it says
	}
	w.emit(min(until, w.at+w.path.Conn.Far(waitedFor)), report.TLSRTT, y)
	w.emit(until, ownTLS(waitedFor), y)
}

// strayReset reports whether r is a RST within the set-up that does not end it: the client's word
// to an ACK of an older connection on the same ports, after which it repeats its SYN.
func (w *walk) strayReset(r *reassembly.Record) bool {
	c := w.path.Conn
	n := len(c.SYNs)
	return r.Flags&capture.RST != 0 && r.Dir == reassembly.FromClient && n > 0 &&
		r.Time < c.SYNs[n-1].Time
}
