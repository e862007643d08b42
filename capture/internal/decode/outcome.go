package decode

// Outcome is what decoding made of a frame.
type Outcome uint8

// What a frame may turn out to be.
const (
	Segment     Outcome = iota // a TCP segment
	ICMPError                  // an ICMP error about a TCP segment
	Fragment                   // an IP fragment that waits for, or was used in, a whole packet
	UDP                        // UDP that is none of the finer kinds
	QUIC                       // UDP that looks like QUIC (RFC 9000 §17)
	DNS                        // a datagram from or to port 53
	OtherIP                    // IP of another protocol
	NotIP                      // ARP, LLDP, ...
	UnknownLink                // a link type that cannot be decoded
	Malformed                  // headers that contradict themselves
	Short                      // cut before the end of the TCP header
)

// cut is the outcome of a header that needs more octets than p has, of a layer that had wire
// octets.
func cut(p []byte, wire int) Outcome {
	if len(p) < wire {
		return Short
	}
	return Malformed
}
