// Package frame is what readers of files and taps of interfaces hand to the decoder: one frame as
// it was captured, and the link types.
package frame

// Direction says whether the capturing host received or sent a frame, as in the flags word of a
// pcapng Enhanced Packet Block.
type Direction uint8

// The directions.
const (
	Unknown Direction = iota
	Incoming
	Outgoing
)

// Frame is one frame as a file holds it, or as an interface gave it.
type Frame struct {
	Number uint64 // within its input, from 1
	Input  uint32
	Iface  uint32 // number of its interface, counted over all inputs
	Link   LinkType
	// ns since the Unix epoch; the time since the first frame is computed after merging
	Time      int64
	OrigLen   uint32 // on the wire; never less than len(Data)
	Data      []byte // captured octets, valid until the next frame is read from this input
	Direction Direction
	Bad       bool // the record contradicts itself: it has a number, but nothing to decode
}

// Longest is the longest frame that is taken live or written to a file, in octets: what tcpdump
// takes, and the longest that Wireshark reads.
const Longest = 256 << 10
