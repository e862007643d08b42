package exchange

import "tcpwhy/capture"

// Attempt is what became of a connection on which nobody came to ask anything: its set-up, or its
// TLS handshake, is an exchange that failed, or that the capture cut.
type Attempt struct {
	// Start is the first segment of the connection.
	Start capture.Mark
	// Ended is the segment that ended the attempt: the refusal, the close or the alert; where
	// nobody ended it, the latest one.
	Ended capture.Mark
	// Secure says that TCP's handshake was done, and TLS's had begun.
	Secure bool
}
