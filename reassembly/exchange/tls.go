package exchange

import "tcpwhy/capture"

// TLSInfo is what the handshake tells without keys.
type TLSInfo struct {
	SNI string
	// chosen by the server if visible, else the client's first offer
	ALPN string
	// "TLS 1.2", "TLS 1.3", ...: negotiated, "" if no ServerHello was seen
	Version string
	// the ServerHello shows resumption (TLS 1.3 PSK, or an echoed session ID)
	Resumed bool
	// last handshake record before application data
	Done                                     capture.Mark
	ClientHello, ServerHello, ClientFinished capture.Mark
	// the server asked for another ClientHello (RFC 8446 §4.1.4): one more round trip
	HelloRetry bool
	// the client offered to resume: a session ID (TLS 1.2), a ticket or a PSK
	Offered bool
	// the client offered 0-RTT data (RFC 8446 §4.2.10)
	EarlyData bool
	// a secret of the connection was known when its first encrypted record came
	HasSecret bool
	// octets of the server's records from ServerHello until the client's Finished: certificates,
	// mostly
	ServerFlight  int64
	CloseNotifyAt [2]capture.Mark // valid with CloseNotify
	// by Dir: an alert record came last (TLS 1.2: close_notify in the clear; 1.3: an alert-sized
	// record)
	CloseNotify [2]bool
}

// ServerEnds reports whether the server had the last word of the handshake, as in full ones up to
// TLS 1.2 (RFC 5246 §7.3).
func (t *TLSInfo) ServerEnds() bool {
	return t.Done.Frame != 0 && t.Done.Frame != t.ClientFinished.Frame
}
