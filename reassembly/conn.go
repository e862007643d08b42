package reassembly

import (
	"net/netip"
	"slices"
	"time"

	"tcpwhy/capture"
	"tcpwhy/reassembly/exchange"
)

// State is how far a connection has come, in the words of the report.
type State uint8

const (
	Connecting  State = iota // SYN seen, no answer yet
	Refused                  // the SYN was answered by RST or ICMP
	Established              // data may flow; also a connection whose start the capture lacks
	HalfClosed               // one side sent FIN
	Closed                   // both sides sent FIN
	Reset                    // a RST ended it
)

var stateNames = [...]string{
	"connecting",
	"refused",
	"established",
	"half-closed",
	"closed",
	"reset",
}

// String is the state's name in reports.
func (s State) String() string { return stateNames[s] }

// ParseState is the state of that name in reports; false if there is none.
func ParseState(name string) (State, bool) {
	i := slices.Index(stateNames[:], name)
	return State(max(i, 0)), i >= 0
}

// Vantage is where the capture was taken, seen from one connection.
type Vantage uint8

const (
	VantageUnknown Vantage = iota
	ClientSide             // on the client's host or next to it
	ServerSide             // on the server's host or next to it
	Middle                 // on the way
	SameHost               // both ends are so near that it makes no difference (loopback, one LAN)
)

var vantageNames = [...]string{"unknown", "client", "server", "middle", "local"}

// String is the vantage's name in reports.
func (v Vantage) String() string { return vantageNames[v] }

// ParseVantage is the vantage of that name in reports; false if there is none.
func ParseVantage(name string) (Vantage, bool) {
	i := slices.Index(vantageNames[:], name)
	return Vantage(max(i, 0)), i >= 0
}

// RTT collects round-trip samples between the capture point and one host (RFC 6298 §3: none from
// octets sent twice). All zero means no sample.
type RTT struct {
	Handshake time.Duration // from the SYN or SYN-ACK; 0 if ambiguous or not seen
	// the least of all samples, handshake included; a lower bound of the path
	Min     time.Duration
	Jitter  time.Duration // median of undelayed samples minus Min; an estimate
	Samples uint32
	// so few undelayed samples that Jitter may be what made one of them late, as the answer to a SYN
	// that had to wait for ARP
	Unsure bool
	// the host answered something; else it only echoed timestamps, with what it sent when it
	// pleased
	Firm bool
}

// Offer is what the SYN of one side said: what it can do, if its peer can.
type Offer struct {
	HasISN bool   // the SYN was seen
	ISN    uint32 // raw sequence number of the SYN
	MSS    uint16 // MSS option it sent: the limit for what its peer sends; 0: none
	WScale uint8
	HasWS  bool
	SACKOK bool
	CutSYN bool // the capture cut the SYN's options: one that is not known may have been there
	TSOK   bool
}

// Ending is how one side closed its direction, or reset the connection.
type Ending struct {
	FinSeq  int64        // offset of the FIN, valid with FinSeen
	Fin     capture.Mark // of the first FIN
	Rst     capture.Mark // of the first RST
	FinSeen bool
	RstSeen bool
	RstTTL  uint8 // TTL of that RST
	// that RST carried ACK: the socket was aborted; else it answers a segment to a closed socket
	RstActive bool
}

// TooBig is an ICMP error that says that the path does not carry segments as large as a side sends
// (RFC 1191, RFC 8201).
type TooBig struct {
	At  capture.Mark // of the first one; no frame: there was none
	MTU uint32       // of the next hop, octets of IP; 0 if the router did not say
	// of data that a segment may carry there, as MTU says; 0 if that is not known
	Payload uint32
	Count   uint32 // errors
}

// Half is what one side sent. Offsets are as in Record.
type Half struct {
	Offer
	Ending
	TooBig TooBig // what routers said of it
	// effective MSS of what this side sends, octets of data in a full wire segment; 0: unknown
	Eff uint32
	// largest payload it sent in one frame; above Eff: offload at or near the capture point
	Largest uint32
	Max     int64 // offset after the highest octet seen
	Una     int64 // highest offset that the peer acknowledged
	// offset up to which everything was seen or is known to be missing from the capture
	Frontier int64
	Bytes    int64  // distinct octets of data that the capture showed
	Missing  int64  // octets that the peer acknowledged and the capture lacks
	Segments uint32 // TCP segments, retransmissions included
	Retrans  uint32 // retransmitted segments
	Bare     uint32 // acknowledgments without anything else
	RTT      RTT    // between the capture point and this host
	// least of its segments; RSTs, which others may send in its name, count only while there is
	// nothing else
	TTLMin   uint8
	TTLMax   uint8
	LastData capture.Mark // latest segment with data
}

// Handshake is how a connection was set up.
type Handshake struct {
	SYNs        []capture.Mark // each SYN of the client, at most 16
	SYNACKs     []capture.Mark // each SYN-ACK, at most 16
	AckOfSYNACK capture.Mark   // the client's segment that completed the handshake
	// the capture did not show a SYN or SYN-ACK: MSS, window scale and first round trip are unknown
	MidStream bool
	Refusal   capture.ICMPInfo // valid if Refused by ICMP
	// the look-up of the server's name that ended just before it began, in the time of the capture:
	// whether the client waited for it is for others to say; nil: there was none
	Lookup *Lookup
	// the QUIC connection to the same address and port that the client had tried just before, in
	// vain so far; nil: there was none
	Tried *QUICAttempt
}

// Teardown is how a connection began to end: who sent the first FIN or RST.
type Teardown struct {
	FirstCloseAt capture.Mark // of the segment
	FirstClose   Dir          // valid if FirstCloseAt.Frame is set
	ClosedByRST  bool         // it was a RST
}

// Reuse is the connection before on the same four-tuple.
type Reuse struct {
	Reuses    int           // its ID, -1 if there was none
	ReusesEnd time.Duration // when it last moved; valid if Reuses >= 0
}

// Conn is one TCP connection: one incarnation of a four-tuple. While it is open, a single worker
// owns it.
type Conn struct {
	ID             int // Wireshark's tcp.stream
	Client, Server netip.AddrPort
	Start, End     capture.Mark // first and latest segment
	Half           [2]Half      // by the Dir of the sender
	State          State
	Vantage        Vantage
	// another one, seen behind a translation of addresses: not to be analysed
	View    bool
	History string // Zeek's letters, upper case for the client
	Reuse
	Handshake
	Teardown
	// the longest that octets were captured after their acknowledgment; 0: never
	Crossed time.Duration
	Caveats exchange.Caveats // what the capture lacks of this connection

	// Records is the history that is still held, in order of arrival. Records[0] is the record with
	// absolute number Released; it reaches back to the start of the oldest exchange that has not
	// been settled.
	Records  []Record
	Released int
	// Transcript is what was said, as far as it was made out.
	exchange.Transcript

	// User belongs to the Sink: its state about this connection.
	User any

	track any // the tracker's own state; nil once the connection is over
	room  connRoom
}

// connRoom is where the lists of nearly every connection begin, so that they need no memory of
// their own.
type connRoom struct {
	syn, synACK [1]capture.Mark
	exchange    [1]*exchange.Exchange
}

// Far is the round trip between the capture point and the sender of dir: how long ago that sender,
// when a segment of its passes the capture point, saw what passes in the other direction.
func (c *Conn) Far(dir Dir) time.Duration { return c.Half[dir].RTT.Min }

// RTTMin is the least round trip between client and server, as far as the capture shows it.
func (c *Conn) RTTMin() time.Duration { return c.Half[0].RTT.Min + c.Half[1].RTT.Min }

// Accepted reports whether the capture shows both SYNs, and data of the server.
func (c *Conn) Accepted() bool {
	return len(c.SYNs) > 0 && len(c.SYNACKs) > 0 && c.Half[FromServer].Bytes > 0
}

// Mute reports whether the client of such a connection acknowledges nothing alone: not even the
// SYN-ACK, which few clients acknowledge together with data.
func (c *Conn) Mute() bool { return c.Accepted() && c.Half[FromClient].Bare == 0 }

// Scaled reports whether both SYNs were seen, so that windows are known in octets (RFC 7323 §2.2).
func (c *Conn) Scaled() bool { return c.Half[0].scaled() && c.Half[1].scaled() }

// scaled reports whether it is known by how much h's windows are shifted.
func (h *Half) scaled() bool { return h.HasISN && (h.HasWS || !h.CutSYN) }
