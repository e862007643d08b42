package judge

import (
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

// acksMissing is said of connections on which one side acknowledges only with data.
const acksMissing = "acknowledgments are missing from the capture: one side shows none but those " +
	"that data carries"

// connectionCaveat says what a caveat of single connections means, and which rules it weakens.
func connectionCaveat(code string) (text string, weakens rule.Basis) {
	switch code {
	case reassembly.CaveatContinued:
		return "silent for so long that their state had been dropped", 0
	case reassembly.CaveatSetup:
		return "the SYN-ACK is missing from the capture: window scale and first round trip are " +
			"unknown", rule.Beginning
	case reassembly.CaveatAcks:
		return acksMissing, rule.Timing
	case reassembly.CaveatMissing:
		return "octets that the receiver acknowledged are missing from the capture", rule.Anything
	case reassembly.CaveatGivenUp:
		return "too many holes at once: the oldest were counted as missing", rule.Anything
	case reassembly.CaveatBuffer:
		return "too much data waited behind a hole: its content was not read", rule.Content
	case reassembly.CaveatConflict:
		return "two copies of the same octets differ; the first " +
			"was believed, as a receiver would", rule.Content
	case reassembly.CaveatWild:
		return "segments with numbers far outside any window were ignored", 0
	case reassembly.CaveatHistory:
		return "an exchange had more segments than are kept: " +
			"its oldest were judged before its end", rule.Timing
	case reassembly.CaveatCrossed:
		return "octets were captured after their acknowledgment: the " +
			"clock or the queue of one direction is late", rule.Anything
	case reassembly.CaveatBadOptions:
		return "a TCP option list was malformed", rule.Timing
	case exchange.CaveatHTTPGap:
		return "octets that frame HTTP messages are missing", rule.Content
	case exchange.CaveatHTTPResync:
		return "the start of an HTTP message was guessed after a gap", rule.Content
	case exchange.CaveatHTTPMessage:
		return "something that is no HTTP message stood where one should begin", rule.Content
	case exchange.CaveatInterim:
		return "interim responses were not all kept", 0
	case exchange.CaveatOutstanding:
		return "more unanswered requests than are followed: " +
			"exchanges are turns from there on", rule.Content
	case exchange.CaveatPayloadCut:
		return "HTTP headers were cut by the capture: exchanges are turns", rule.Content
	case exchange.CaveatFramesGap:
		return "octets that frame HTTP/2 are missing", rule.Content
	case exchange.CaveatFramesLost:
		return "something that is no frame of HTTP/2 stood where one should begin", rule.Content
	case exchange.CaveatFieldsGap:
		return "header fields of HTTP/2 refer to some that the capture lacks, and are not known",
			rule.Content
	case exchange.CaveatManyStreams:
		return "more streams of HTTP/2 were open at a time than are followed", rule.Content
	case exchange.CaveatSocketGap:
		return "octets that frame WebSocket messages are missing", rule.Content
	case exchange.CaveatSocketLost:
		return "something that is no frame of a WebSocket stood where one should begin", rule.Content
	case exchange.CaveatTLSGap:
		return "octets that frame TLS records are missing", 0
	case exchange.CaveatTLSMalformed:
		return "a TLS handshake message could not be read", 0
	case exchange.CaveatTLSNoKey:
		return "not decrypted, as no key log has the secrets of the connection", rule.Messages
	case exchange.CaveatTLSNoHello:
		return "not decrypted, as the capture lacks the hellos by which secrets are found",
			rule.Messages
	case exchange.CaveatTLSSuite:
		return "not decrypted, as the version or cipher suite of TLS is not supported",
			rule.Messages
	case exchange.CaveatTLSSequence:
		return "not decrypted any further, as too much is missing to count records",
			rule.Messages
	case exchange.CaveatTLSBadKey:
		return "not decrypted, as the secrets that the key log has of the connection open nothing",
			rule.Messages
	case report.CaveatKernelDiffers:
		return "this machine's kernel sent segments again that the capture does not show, or the " +
			"capture shows some that it did not send again: frames are missing, or were captured " +
			"more than once", rule.Timing
	case report.CaveatSentOnce:
		return "this machine's kernel sent nothing again, so that what is missing was lost by the " +
			"capture, and not on the way", 0
	}
	return unknownProcess(code), 0
}

// unknownProcess says why nobody can say whose a connection is.
func unknownProcess(code string) string {
	switch code {
	case report.CaveatElsewhere:
		return "no end has an address of this network namespace, so whose they are is not known here"
	case report.CaveatOf(report.SocketEnded):
		return "ended before it was asked whose they are: of this machine's end no process is known"
	case report.CaveatOf(report.SocketHidden):
		return "no process that this user may look at holds this machine's end, or holds it still"
	case report.CaveatOf(report.SocketMissing):
		return "this network namespace has no socket for this machine's end: it is another one's, " +
			"or ended unheard"
	case report.CaveatOf(report.SocketUnasked):
		return "not asked in time whose they are, as there were too many at once"
	}
	return code
}
