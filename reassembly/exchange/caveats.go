package exchange

// Caveats are codes for what the capture lacks of a connection, or what is odd about it.
type Caveats []string

// Add adds a code once. There are few codes, so that the list needs no other bound.
func (c *Caveats) Add(code string) {
	for _, have := range *c {
		if have == code {
			return
		}
	}
	*c = append(*c, code)
}

// The codes that come from what the connection carries.
const (
	CaveatHTTPGap    = "http-gap"    // the capture lacks octets that frame messages
	CaveatHTTPResync = "http-resync" // after such a gap the start of a message was guessed
	// something that is no message stood where one should begin
	CaveatHTTPMessage = "http-bad-message"
	// interim responses were not kept: too many, or without a request
	CaveatInterim = "http-interim"
	// more unanswered requests than are kept: exchanges are turns from there on
	CaveatOutstanding  = "http-outstanding"
	CaveatPayloadCut   = "payload-cut"      // the capture cut message headers: exchanges are turns
	CaveatFramesGap    = "h2-gap"           // the capture lacks octets that frame HTTP/2
	CaveatFramesLost   = "h2-resync"        // something that is no frame stood where one should begin
	CaveatFieldsGap    = "h2-fields"        // header fields were not known: their block, or others before
	CaveatManyStreams  = "h2-streams"       // more streams were open at a time than are followed
	CaveatSocketGap    = "websocket-gap"    // the capture lacks octets that frame WebSocket messages
	CaveatSocketLost   = "websocket-resync" // something stood there that is no frame
	CaveatTLSGap       = "tls-gap"          // the capture lacks octets that frame TLS records
	CaveatTLSMalformed = "tls-malformed"    // a TLS handshake message could not be read
	// Why records of TLS were not opened although secrets are known:
	CaveatTLSNoKey    = "tls-no-key"   // none is the connection's
	CaveatTLSNoHello  = "tls-no-hello" // its hellos were not seen, by which secrets are found
	CaveatTLSSuite    = "tls-suite"    // its cipher suite, or its version, cannot be opened
	CaveatTLSSequence = "tls-sequence" // too many records are missing to count them
	CaveatTLSBadKey   = "tls-bad-key"  // the secrets that are said to be its own open nothing
)
