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

	// Of the frame beside other frames of its connection.
	Acknowledges  // all that the latest frame of the proof before it carries that its peer sent
	SentBefore    // an octet of it had been sent before
	Unheeded      // nothing acknowledged the end of it, up to its sender's last frame in the proof
	SinceBefore   // ns after the frame of the proof before it
	SinceFirst    // ns after the first frame of the proof
	PeerSilent    // its sender's peer sent no data since the frame of the proof before it
	OwnSilent     // its sender sent no data since the frame of the proof before it
	NeverAnswered // its sender's peer sent nothing on this connection that was captured
	Unheard       // no octet of data that its sender had sent had been acknowledged
	FollowedNone  // no segment of its sender with later data had been captured before it
	FollowedBy    // so many segments of its sender with later data had been captured before it
	// so many octets of the server's, at least, were not acknowledged as far as its sender could
	// know
	Outstanding
)

// Numbered reports whether the fact has a number.
func (f Fact) Numbered() bool {
	switch f {
	case Told, CarriesOctets, HasTTL, SinceBefore, SinceFirst, FollowedBy, Outstanding:
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
