package analysis

import "tcpwhy/reassembly"

// connectionCaveat says what a caveat of single connections means, and which rules it weakens.
func connectionCaveat(code string) (text string, weakens []string) {
	switch code {
	case reassembly.CaveatContinued:
		return "silent for so long that their state had been dropped", nil
	case reassembly.CaveatMissing:
		return "octets that the receiver acknowledged are missing from the capture", allRules
	case reassembly.CaveatGivenUp:
		return "too many holes at once: the oldest were counted as missing", allRules
	case reassembly.CaveatBuffer:
		return "too much data waited behind a hole: its content was not read", contentRules
	case reassembly.CaveatConflict:
		return "two copies of the same octets differ; the first was believed, as a receiver would", contentRules
	case reassembly.CaveatWild:
		return "segments with numbers far outside any window were ignored", nil
	case reassembly.CaveatHistory:
		return "an exchange had more segments than are kept: its oldest were judged before its end", timingRules
	case reassembly.CaveatCrossed:
		return "octets were captured after their acknowledgment: the clock or the queue of one direction is late", allRules
	case reassembly.CaveatBadOptions:
		return "a TCP option list was malformed", timingRules
	case reassembly.CaveatHTTPGap:
		return "octets that frame HTTP messages are missing", contentRules
	case reassembly.CaveatHTTPResync:
		return "the start of an HTTP message was guessed after a gap", contentRules
	case reassembly.CaveatHTTPMessage:
		return "something that is no HTTP message stood where one should begin", contentRules
	case reassembly.CaveatInterim:
		return "interim responses were not all kept", nil
	case reassembly.CaveatOutstanding:
		return "more unanswered requests than are followed: exchanges are turns from there on", contentRules
	case reassembly.CaveatPayloadCut:
		return "HTTP headers were cut by the capture: exchanges are turns", contentRules
	case reassembly.CaveatTLSGap:
		return "octets that frame TLS records are missing", nil
	case reassembly.CaveatTLSMalformed:
		return "a TLS handshake message could not be read", nil
	}
	return code, nil
}
