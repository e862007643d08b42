package tlsrecord

import "tcpwhy/reassembly/exchange"

// Frames of HTTP/2 that nobody asks or answers anything with, known by the sizes of the records that
// carry them (RFC 9113 §4.1, §6): endpoints write them alone, or a few of them at once.
const (
	frameHead    = 9
	emptyFrame   = frameHead     // SETTINGS that acknowledges, or DATA without octets
	windowUpdate = frameHead + 4 // or RST_STREAM
	ping         = frameHead + 8 // or GOAWAY without a word
	setting      = 6             // one of SETTINGS
	mostSettings = 8
)

// isControl reports whether so many octets are one such frame, or the two by which a receiver
// enlarges the windows of a stream and of its connection. What is asked may be as small as others.
func isControl(n int) bool {
	switch n {
	case emptyFrame, windowUpdate, ping, 2 * windowUpdate:
		return true
	}
	return false
}

// isSettings reports whether so many octets may be SETTINGS, and what is said along with them.
func isSettings(n int) bool {
	for _, more := range [...]int{0, emptyFrame, windowUpdate, emptyFrame + windowUpdate} {
		rest := n - frameHead - more
		if rest >= 0 && rest%setting == 0 && rest/setting <= mostSettings {
			return true
		}
	}
	return false
}

// controls reports whether a record of the given size, of a side that has finished its handshake,
// is of HTTP/2 and carries nothing but control frames. From TLS 1.3 on nobody sees which protocol
// was agreed on: a client that offers HTTP/2 first speaks it if it acknowledges settings.
func (t *reader) controls(s *side, size int) bool {
	if t.info.ALPN != "h2" {
		return false
	}
	n := t.contentLength(size)
	if s.dir == exchange.FromServer {
		t.unsettled = t.unsettled || !isSettings(n)
		return t.http2 && isControl(n)
	}
	if !t.http2 && t.acknowledges(n) {
		t.http2 = true
		return true
	}
	return isControl(n)
}

// acknowledges reports whether a record of the client, of n octets of content, acknowledges the
// settings of the server, alone or along with window updates. If they were all that the server had
// said, they answered nothing.
func (t *reader) acknowledges(n int) bool {
	if n != emptyFrame && n != emptyFrame+windowUpdate && n != emptyFrame+2*windowUpdate {
		return false
	}
	if cur := t.turns.Current(); !t.unsettled && cur != nil && cur.Index == 0 {
		t.turns.Unanswer()
	}
	return true
}

// contentLength is how many octets of content a record of the given size has, if it is not padded.
func (t *reader) contentLength(size int) int {
	if n := &t.session; n.suite != nil {
		return size - n.suite.Overhead(n.hellos.Version)
	}
	const usual = 1 + 16
	return size - usual
}
