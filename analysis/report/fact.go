package report

// Fact is one thing that a sentence asserts, of a kind that anybody can look up in the packets.
// Some have a number.
type Fact uint8

const (
	// Told is a number that no single frame shows, such as what a simulation gives.
	Told Fact = iota

	// Of the frame alone.
	CarriesOctets     // so many octets of data
	CarriesData       // some
	CarriesNone       // none, and no SYN, FIN or RST
	BeginsConnection  // SYN without ACK
	AcceptsConnection // SYN and ACK
	Closes            // FIN
	Resets            // RST
	Ends              // FIN or RST
	ShutsWindow       // the window that it offers is 0
	OpensWindow       // it is not
	HasTTL            // time to live, or hop limit
	HasID             // identification of IP
	ReportsError      // an ICMP error
	ErrorType         // an ICMP error of that type
	ErrorCode         // an ICMP error with that code
	NextHop           // an ICMP error that says how long a packet may be, in octets of IP
	AlertIs           // a TLS alert in clear with that description

	// Of the frame beside other frames of its connection.
	Acknowledges  // all that the latest frame of the proof before it carries that its peer sent
	Lacks         // acknowledges nothing of what the latest frame of the proof carries that its peer sent
	Advances      // acknowledges more than its sender ever had
	Misses        // acknowledges another number than that behind the latest frame of the proof of its peer
	SentBefore    // an octet of it had been sent before
	BehindHole    // the octet before its first had not been captured, nor acknowledged
	Unheeded      // nothing acknowledged the end of it, up to its sender's last frame in the proof
	SinceBefore   // ns after the frame of the proof before it
	SinceFirst    // ns after the first frame of the proof
	SincePeer     // ns after the latest frame of the proof before it that its peer sent
	PeerSilent    // its sender's peer sent no data since the frame of the proof before it
	OwnSilent     // its sender sent no data since the frame of the proof before it
	RestsAfter    // nobody sent new data until the next frame of the proof
	NoneBefore    // its sender had sent no data, nor had its peer, since the last SYN
	NeverAnswered // its sender's peer sent nothing on this connection that was captured
	Unheard       // no octet of data that its sender had sent had been acknowledged
	FollowedNone  // no segment of its sender with later data had been captured before it
	FollowedBy    // so many segments of its sender with later data had been captured before it
	// so many octets of the server's, at least, were not acknowledged as far as its sender could
	// know
	Outstanding
	ClosesFirst // FIN, before which there was none, and no RST
	HadClosed   // its sender had sent FIN before
	PeerClosed  // its sender's peer sent FIN
	GoesOn      // its sender sent more behind it
	HeardAll    // its sender had acknowledged all data that its peer had sent by then, or soon before
	SenderTTL   // other segments of its sender have that time to live, or hop limit
	SenderID    // another segment of its sender has that identification of IP
	SYNCount    // so many copies of the SYN were captured until then
	SYNsApart   // two of the SYNs that follow each other are so many ns apart
	SYNACKs     // two of the SYN-ACKs that follow each other are so many ns apart
	PortsRested // ns from the last frame of an older connection on the same ports to the first SYN
	KeptAlive   // a keep-alive was sent
	NoKeepAlive // none was

	// Of what is said on the frame's connection, where HTTP/1 or TLS is in clear.
	SaysLength     // its sender named a Content-Length
	SaysLengthOf   // its sender named a Content-Length of so many octets
	SaysCoding     // its sender named a Transfer-Encoding
	SaysClose      // its sender named Connection, and close
	SaysConnection // its sender named Connection
	SaysKeepAlive  // its sender named Keep-Alive
	SaysUpgrade    // its sender named Upgrade
	SaysProxy      // its sender named a field that begins with Proxy
	BodyIs         // so many octets of its sender's had come behind its last header
	HeaderOpen     // its sender's last header has no end
	RecordOpen     // its sender's last TLS record has no end

	// Of other connections.
	NamesSYN     // the number of a frame that begins a connection
	AskedBeside  // the capture has a SYN to another address or port
	OtherAnswers // another address, or another port, accepted a connection
	OpenBeside   // so many connections of the two hosts had begun, and not ended
	// Of the connection of the first frame of the proof, which may be another one.
	FirstEnds    // ns after that frame it was closed
	FirstAsks10  // its client spoke HTTP/1.0
	FirstSpeak10 // its server spoke HTTP/1.0
	FirstServed  // its client had sent so many requests by then
)

// Numbered reports whether the fact has a number.
func (f Fact) Numbered() bool {
	switch f {
	case Told, CarriesOctets, HasTTL, HasID, ErrorType, ErrorCode, NextHop, AlertIs:
		return true
	case SinceBefore, SinceFirst, SincePeer, FollowedBy, Outstanding, SenderTTL, SenderID:
		return true
	case SYNCount, SYNsApart, SYNACKs, PortsRested, SaysLengthOf, BodyIs:
		return true
	case NamesSYN, OpenBeside, FirstEnds, FirstServed:
		return true
	}
	return false
}

// Asserted is a fact with its number. What a finding's message asserts is of the last frame of the
// proof of its first occurrence.
type Asserted struct {
	Fact
	N int64 // octets, ns or the value itself; valid if the fact has a number
}
