package reassembly

import (
	"slices"
	"time"

	"tcpwhy/capture"
)

// Kind classifies a segment, with Wireshark's names where Wireshark has one (tcp.analysis.*). A
// segment has exactly one kind.
type Kind uint8

const (
	Plain              Kind = iota // new data in order, or a plain acknowledgment
	DuplicateAck                   // duplicate_ack: nothing new, while data is outstanding
	WindowUpdate                   // window_update: only the window changed
	KeepAlive                      // keep_alive: a probe of an idle connection
	KeepAliveAck                   // keep_alive_ack
	ZeroWindowProbe                // zero_window_probe
	ZeroWindowProbeAck             // zero_window_probe_ack
	OutOfOrder                     // out_of_order: first copy of its data, overtaken on the way
	Retransmission                 // retransmission that is none of the finer kinds
	// fast_retransmission: after duplicate acknowledgments or SACK (RFC 5681 §3.2, RFC 8985)
	FastRetransmission
	TimeoutRetransmission  // after a retransmission timeout (RFC 6298)
	TailLossProbe          // RFC 8985 §7
	SpuriousRetransmission // spurious_retransmission: the data had arrived already
	ChallengeAck           // RFC 5961 §5
	kinds
)

// kindNames are the names in reports.
var kindNames = [kinds]string{
	"", "duplicate-ack", "window-update", "keep-alive", "keep-alive-ack", "zero-window-probe",
	"zero-window-probe-ack", "out-of-order", "retransmission", "fast-retransmission",
	"timeout-retransmission", "tail-loss-probe", "spurious-retransmission", "challenge-ack",
}

// String is the kind's name; "" for Plain.
func (k Kind) String() string { return kindNames[k] }

// ParseKind is the kind of that name in reports; false if there is none.
func ParseKind(name string) (Kind, bool) {
	i := slices.Index(kindNames[:], name)
	return Kind(max(i, 0)), i >= 0
}

// Retransmitted reports whether the segment carries data or a SYN or FIN that was sent before.
func (k Kind) Retransmitted() bool {
	return k >= Retransmission && k <= SpuriousRetransmission
}

// Trait is a fact about a segment beside its kind.
type Trait uint16

const (
	// a retransmission whose first copy the capture never showed: lost before the capture point, or
	// missed by it
	Unseen Trait = 1 << iota
	// the segment starts beyond the highest octet seen: something before it is missing or late
	Hole
	// carries at least the effective MSS in its last wire segment (offload is unfolded)
	Full
	// acknowledges octets that the capture never showed: the capture lost them
	AcksUnseen
	Advances // moves the receiver's in-order frontier: a progress event
	Overrun  // reaches beyond the window that the peer offered
	// carries other octets than an earlier copy of the same sequence range
	Conflict
	HasTS // TSVal and TSEcr are valid
	// sequence or acknowledgment number far outside any window: Seq or Ack mean nothing, and moved
	// no state
	Wild
	// came after a copy of it that had left later, by what its sender wrote on both: the original
	// was not lost, but slower
	Outrun
)

// Has reports whether all the given traits are set.
func (t Trait) Has(want Trait) bool { return t&want == want }

// Record is one segment in a connection's history. It is kept small (64 bytes): a connection may
// hold many. Offsets are octets of the sender's stream: 0 is the first octet of data, so a SYN has
// Seq -1. Without a SYN in the capture, 0 is the first octet seen.
type Record struct {
	Time  time.Duration   // since the first frame; never less than that of the record before
	Frame capture.FrameID // the frame that showed it
	Seq   int64           // offset of the first octet (of data, SYN or FIN)
	// offset of the acknowledged edge in the peer's stream; valid with the ACK flag
	Ack    int64
	Len    uint32 // octets of data on the wire
	Window uint32 // octets, scaled (RFC 7323 §2.3); 2^32-1 if larger
	TSVal  uint32 // valid with HasTS
	TSEcr  uint32 // valid with HasTS
	// highest octet selectively acknowledged, as the distance above Ack; 0: no SACK
	SACK  uint32
	IPID  uint16 // 0 on IPv6
	Dir   Dir
	Kind  Kind
	Flags capture.TCPFlags
	Trait Trait
	TTL   uint8
}

// End is the offset just after the record's data, SYN and FIN.
func (r *Record) End() int64 {
	end := r.Seq + int64(r.Len)
	if r.Flags&capture.SYN != 0 {
		end++
	}
	if r.Flags&capture.FIN != 0 {
		end++
	}
	return end
}

// Mark is the moment of the record and its frame.
func (r *Record) Mark() capture.Mark { return capture.Mark{Time: r.Time, Frame: r.Frame} }

// PureAck reports whether the record only acknowledges: no data, no SYN, FIN or RST.
func (r *Record) PureAck() bool {
	return r.Len == 0 && r.Flags&(capture.SYN|capture.FIN|capture.RST|capture.ACK) == capture.ACK
}
