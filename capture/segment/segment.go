// Package segment is what the rooms of capture hand to each other and to everybody else: a TCP
// segment as one frame showed it, and the names of frames and moments. Other packages know these
// types by their names in capture.
package segment

import (
	"net/netip"
	"time"
)

// FrameID names one frame: the input it came from and its number there, counted from 1 as Wireshark
// counts.
type FrameID uint64

// frameBits is the share of a FrameID that holds the number: 2^40 frames for each of 2^24 inputs. A
// day of rotating captures of a fleet is a million files; a frame takes 30 octets of a file at
// least, so that 2^40 of them are 30 TB.
const frameBits = 40

// InputsMax is how many inputs a FrameID can tell apart.
const InputsMax = 1 << (64 - frameBits)

// NewFrameID names frame number of the given input (counted from 0, in the order of the command
// line).
func NewFrameID(input int, number uint64) FrameID {
	return FrameID(uint64(input)<<frameBits | number&(1<<frameBits-1))
}

// Input is the index of the input that holds the frame, from 0.
func (f FrameID) Input() int { return int(f >> frameBits) }

// Number is the frame's number within its input, from 1. Zero means that there is no frame.
func (f FrameID) Number() uint64 { return uint64(f) & (1<<frameBits - 1) }

// In is the frame where its input stands at another place: at that which places have for it.
func (f FrameID) In(places []int) FrameID {
	if f.Number() == 0 {
		return f
	}
	return NewFrameID(places[f.Input()], f.Number())
}

// Mark is a moment and the frame that shows it.
type Mark struct {
	Time  time.Duration // since the first frame of the whole capture
	Frame FrameID
}

// Kind says what a Segment carries.
type Kind uint8

const (
	// TCP is a TCP segment.
	TCP Kind = iota
	// ICMPError is an ICMP or ICMPv6 error that quotes a TCP segment (RFC 792, RFC 4443). Src and
	// Dst are those of the quoted segment, Seq its sequence number; ICMP tells the rest.
	ICMPError
	// Datagram is a UDP datagram that is read beside connections: a message of DNS (RFC 1035
	// §4.2.1), or QUIC. Src, Dst, Len, Payload, TTL, IPID and Options say what they do of a
	// segment; what else belongs to TCP is zero.
	Datagram
)

// TCPFlags are the flags of a TCP header (RFC 9293 §3.1).
type TCPFlags uint8

// The flag bits, in the order of the header's low octet.
const (
	FIN TCPFlags = 1 << iota
	SYN
	RST
	PSH
	ACK
	URG
	ECE
	CWR
)

// Has reports whether all the given flags are set.
func (f TCPFlags) Has(want TCPFlags) bool { return f&want == want }

// Options says which optional fields of a Segment are valid, and what is odd about it.
type Options uint16

const (
	HasMSS      Options = 1 << iota // MSS option (SYN only)
	HasWScale                       // window scale option (SYN only)
	HasSACKPerm                     // SACK-permitted option (SYN only)
	HasTS                           // timestamps option: TSVal and TSEcr are valid
	HasIPID                         // IPv4: IPID is valid
	// the capture says that this host sent the frame (SLL packet type 4, EPB flags)
	Outgoing
	Incoming // the capture says that this host received the frame
	// the TCP checksum does not match (partial: offload on the sending host)
	BadChecksum
	Snapped // Payload is shorter than Len: the capture cut the frame
	// the option list was malformed; the fields before the fault are valid
	BadOptions
	// the capture cut the frame within the option list: what lies beyond is not known
	CutOptions
)

// Has reports whether all the given options are set.
func (o Options) Has(want Options) bool { return o&want == want }

// SACKBlock is one block of a selective acknowledgment (RFC 2018 §3): [Start, End) in raw sequence
// numbers.
type SACKBlock struct{ Start, End uint32 }

// ICMPInfo describes an ICMP error.
type ICMPInfo struct {
	From       netip.Addr // who sent it
	V6         bool       // the numbers are those of ICMPv6
	Type, Code uint8
	MTU        uint32 // next-hop MTU of fragmentation needed / packet too big; 0 if not given
}

// Segment is one TCP segment, or a datagram, as one frame showed it, in host byte order. The reader
// hands the same Segment out again and again: Payload is valid until the next call to Next.
type Segment struct {
	Mark
	// The latest time of the frames of its input so far, since the first frame of the capture: what
	// inputs are merged by, and later than Time where a clock stepped back. Segments come in the
	// order of Latest and Frame, whatever else is in the capture.
	Latest   time.Duration
	Src, Dst netip.AddrPort
	Seq, Ack uint32 // raw; Ack is valid with the ACK flag
	// octets of data on the wire, from the IP header; may exceed len(Payload) if the frame was cut
	Len     uint32
	Window  uint16 // as in the header, not scaled
	Flags   TCPFlags
	TTL     uint8 // time to live or hop limit
	Kind    Kind
	WScale  uint8 // shift count, valid with HasWScale
	NSACK   uint8 // how many of SACK are valid
	Options Options
	IPID    uint16 // valid with HasIPID
	MSS     uint16 // valid with HasMSS
	Iface   uint32 // index into Stats.Interfaces
	// which of the interfaces behind Iface showed it, by the capturing host's own numbers; 0 if the
	// link layer does not tell (it does in cooked captures, version 2)
	Device  uint32
	TSVal   uint32 // valid with HasTS
	TSEcr   uint32 // valid with HasTS
	SACK    [4]SACKBlock
	Tick    uint32 // ns: one tick of the clock that stamped the frame; 0 if that is not known
	Payload []byte
	ICMP    ICMPInfo // valid if Kind is ICMPError
}
