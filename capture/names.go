package capture

import (
	"io"

	"tcpwhy/capture/internal/filter"
	"tcpwhy/capture/internal/pcapio"
	"tcpwhy/capture/internal/ring"
	"tcpwhy/capture/segment"
)

// What the rooms below hand to each other must lie below them; users of this package name it here,
// where they get it from (as os does with io/fs). Segment is filled in place by the decoder, and
// compared and chosen by others, so it cannot be declared beside Open.
type (
	// Segment is one TCP segment, or a datagram, as one frame showed it.
	Segment = segment.Segment
	// Mark is a moment and the frame that shows it.
	Mark = segment.Mark
	// FrameID names one frame: the input it came from and its number there.
	FrameID = segment.FrameID
	// Kind says what a Segment carries.
	Kind = segment.Kind
	// TCPFlags are the flags of a TCP header.
	TCPFlags = segment.TCPFlags
	// Options says which optional fields of a Segment are valid, and what is odd about it.
	Options = segment.Options
	// SACKBlock is one block of a selective acknowledgment.
	SACKBlock = segment.SACKBlock
	// ICMPInfo describes an ICMP error.
	ICMPInfo = segment.ICMPInfo
)

// The kinds of a Segment.
const (
	TCP       = segment.TCP
	ICMPError = segment.ICMPError
	Datagram  = segment.Datagram
)

// The flags of a TCP header.
const (
	FIN = segment.FIN
	SYN = segment.SYN
	RST = segment.RST
	PSH = segment.PSH
	ACK = segment.ACK
	URG = segment.URG
	ECE = segment.ECE
	CWR = segment.CWR
)

// The options of a Segment.
const (
	HasMSS      = segment.HasMSS
	HasWScale   = segment.HasWScale
	HasSACKPerm = segment.HasSACKPerm
	HasTS       = segment.HasTS
	HasIPID     = segment.HasIPID
	Outgoing    = segment.Outgoing
	Incoming    = segment.Incoming
	BadChecksum = segment.BadChecksum
	Snapped     = segment.Snapped
	BadOptions  = segment.BadOptions
	CutOptions  = segment.CutOptions
)

// NewFrameID names frame number of the given input (counted from 0, in the order of the command
// line).
func NewFrameID(input int, number uint64) FrameID { return segment.NewFrameID(input, number) }

// Filter chooses segments by a condition. It is made by ParseFilter, and handed to Open or
// OpenLive.
type Filter = filter.Filter

// ParseFilter reads a condition in the part of pcap-filter(7) that is about segments: host, net,
// port, portrange, src, dst, ip, ip6, tcp, udp, vlan, and, or, not, parentheses. As there, "and"
// and "or" have the same precedence and associate to the left, and a value without a keyword takes
// the keywords of the one before it. An error names the word and its column, counted from 1. An
// empty condition matches everything.
func ParseFilter(expr string) (*Filter, error) { return filter.Parse(expr) }

// What writes captures shares the formats with what reads them.
type (
	// PcapWriter writes a pcap file, frame by frame (WriteFrame).
	PcapWriter = pcapio.PcapWriter
	// PcapngWriter writes a pcapng file of one section, with times in nanoseconds: first its
	// interfaces (AddInterface), then frames, each with a comment or without (WriteFrame), and how
	// many the capturing host dropped (WriteDrops).
	PcapngWriter = pcapio.PcapngWriter
)

// HostName is the name of a host, as a capture shows it: of at most 255 octets.
type HostName = pcapio.HostName

// NewPcapWriter writes the header of a little-endian file with frames of one link type, stamped in
// nanoseconds or microseconds. It writes in small pieces: hand it a buffered writer.
func NewPcapWriter(w io.Writer, linkType uint16, nano bool) (*PcapWriter, error) {
	return pcapio.NewPcapWriter(w, linkType, nano)
}

// NewPcapngWriter writes the header of a little-endian file. It makes one write a block: a buffered
// writer saves system calls, an unbuffered one shows every frame at once.
func NewPcapngWriter(w io.Writer) (*PcapngWriter, error) { return pcapio.NewPcapngWriter(w) }

// AnyInterface is the name that stands for all interfaces together.
const AnyInterface = ring.Any

// The defaults of a LiveConfig, in octets.
const (
	DefaultRing  = ring.DefaultRing
	DefaultBlock = ring.DefaultBlock
)

var (
	// ErrNoPermission is wrapped by the error of OpenLive where the system does not let this user
	// capture.
	ErrNoPermission = ring.ErrNoPermission
	// ErrNoInterface is wrapped by the error of OpenLive where there is no interface of that name.
	ErrNoInterface = ring.ErrNoInterface
)

// What is short enough to be inlined stays so behind an alias only where this package inlines it
// too: the compiler hands on no other bodies of a package that the caller does not import
// (cmd/compile/internal/noder, exportBody). Flags are looked at some ten times for each segment.
var _ = func(f TCPFlags, o Options, id FrameID) bool {
	return f.Has(ACK) || o.Has(HasTS) || id.Input() == 0 || id.Number() == 0
}
