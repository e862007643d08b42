package exchange

import "tcpwhy/capture"

// TLSInfo is what the handshake tells without keys.
type TLSInfo struct {
	TLSOffer
	TLSSteps
	SNI string
	// chosen by the server if visible, else the client's first offer
	ALPN string
	// "TLS 1.2", "TLS 1.3", ...: negotiated, "" if no ServerHello was seen
	Version string
	// number of the cipher suite that the server chose; 0 if that was not seen
	Suite uint16
	// the ServerHello shows resumption (TLS 1.3 PSK, or an echoed session ID)
	Resumed bool
	// Resumable says that the server gave a session that the client may resume: a session ID or a
	// ticket, as far as that can be read.
	Resumable bool
	// GivenID stands for the session ID that the server gave, as OfferedID does; 0: none.
	GivenID uint32
	Alert   [2]Alert // by Dir: the first of each
	// Unread says that octets of the handshake were not read: how far it came is not known.
	Unread bool
	// ServerSpoke says that the server sent anything but an alert after the client's Finished: it
	// had accepted that. Session tickets count.
	ServerSpoke bool
	// Foreign says that the server's first octets are none of TLS.
	Foreign bool
	// the server asked for another ClientHello (RFC 8446 §4.1.4): one more round trip
	HelloRetry bool
	// Early is what became of 0-RTT data (RFC 8446 §4.2.10).
	Early EarlyData
	// a secret of the connection was known when its first encrypted record came
	HasSecret bool
	// Decrypted says that what is inside was read.
	Decrypted bool
	// PostHandshake is where messages are that say nothing of what is inside, by Dir: session
	// tickets and key updates (RFC 8446 §4.6), as far as keys show them. All are NoExchange's. nil
	// if there were none.
	PostHandshake *[2]Owners
	// octets of the server's records from ServerHello until the client's Finished: certificates,
	// mostly
	ServerFlight  int64
	CloseNotifyAt [2]capture.Mark // valid with CloseNotify
	// by Dir: an alert record came last (TLS 1.2: close_notify in the clear; 1.3: an alert-sized
	// record)
	CloseNotify [2]bool
}

// TLSOffer is what the client offers in its hello, beside a name.
type TLSOffer struct {
	// Offered says that it offered to resume a session by a ticket or a PSK.
	Offered bool
	// OfferedID stands for the session ID that a client of TLS 1.2 sends, a hash; 0: it sends none.
	// It may be that of a session, or made up to tell whether a ticket is accepted (RFC 5077 §3.4).
	OfferedID uint32
	// OffersEarly says that it offered 0-RTT data (RFC 8446 §4.2.10).
	OffersEarly bool
	// Modern says that TLS 1.3 is among its versions.
	Modern bool
	// Program tells one TLS library and its settings from another: a hash over the suites and the
	// kinds of extensions in the hello. 0: no hello was seen.
	Program uint32
}

// TLSSteps are the moments of the handshake; no frame where the capture does not show one.
type TLSSteps struct {
	// last handshake record before application data
	Done                                     capture.Mark
	ClientHello, ServerHello, ClientFinished capture.Mark
	ServerFinished                           capture.Mark // up to TLS 1.2; later it is disguised
	// ServerDone is the end of the server's first flight, as far as that can be told: up to TLS 1.2
	// its ServerHelloDone, or its Finished if it resumes; later a record that may hold its
	// Finished, with none begun behind it.
	ServerDone capture.Mark
	// RetryAt is the server's wish for another ClientHello.
	RetryAt capture.Mark
	// EarlyAt is the first record of 0-RTT data.
	EarlyAt capture.Mark
	// CertificateRequest is the server's wish for a certificate of the client, and NoCertificate
	// the client's answer that it has none: an empty list (RFC 5246 §7.4.6, RFC 8446 §4.4.2).
	CertificateRequest, NoCertificate capture.Mark
}

// EarlyData is what became of 0-RTT data.
type EarlyData uint8

const (
	EarlyUnknown  EarlyData = iota // none was sent, or nothing tells
	EarlyAccepted                  // the server took it
	EarlyRejected                  // the client had to say it again
)

// ServerEnds reports whether the server had the last word of the handshake, as in full ones up to
// TLS 1.2 (RFC 5246 §7.3).
func (t *TLSInfo) ServerEnds() bool {
	return t.Done.Frame != 0 && t.Done.Frame != t.ClientFinished.Frame
}

// AfterHandshake is PostHandshake; nil if there is no TLS.
func (t *TLSInfo) AfterHandshake() *[2]Owners {
	if t == nil {
		return nil
	}
	return t.PostHandshake
}

// Established reports whether both sides have finished the handshake. From TLS 1.3 on the client's
// Finished answers the server's (RFC 8446 §4.4.4).
func (t *TLSInfo) Established() bool {
	return t.ClientFinished.Frame != 0 &&
		(t.Version == "TLS 1.3" || t.ServerFinished.Frame != 0 || t.Resumed)
}

// Alert is an alert (RFC 8446 §6): a side says that it ends the connection, and why.
type Alert struct {
	At capture.Mark // the segment that completes it; no frame if there was none
	// Hidden says that it is encrypted, so that what it says cannot be read: it is known by its
	// record type, or from TLS 1.3 on by its size.
	Hidden bool
	// Description is the reason, valid unless hidden.
	Description uint8
}

// The alerts that end nothing early (RFC 8446 §6.1).
const (
	CloseNotifyAlert  = 0
	UserCanceledAlert = 90
)

// Fatal reports whether it is known to end the connection for an error.
func (a *Alert) Fatal() bool {
	return a.At.Frame != 0 && !a.Hidden && a.Description != CloseNotifyAlert &&
		a.Description != UserCanceledAlert
}
