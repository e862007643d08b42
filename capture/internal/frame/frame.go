// Package frame is what readers of files and taps of interfaces hand to the decoder: one frame as it
// was captured, and the link types.
package frame

import "strconv"

// LinkType is a link type number of pcap and pcapng files (the LINKTYPE_ values of the pcap
// registry).
type LinkType uint16

// linkNames are the link types that have a name in reports. Whether one can be decoded is for the
// decoder to say.
var linkNames = map[LinkType]string{
	0:   "NULL",
	1:   "Ethernet",
	8:   "SLIP",
	9:   "PPP",
	12:  "RAW",
	14:  "RAW",
	50:  "PPP_HDLC",
	51:  "PPP_ETHER",
	101: "RAW",
	104: "C_HDLC",
	105: "IEEE802_11",
	107: "FRELAY",
	108: "LOOP",
	113: "LINUX_SLL",
	119: "IEEE802_11_PRISM",
	127: "IEEE802_11_RADIOTAP",
	147: "USER0",
	189: "USB_LINUX",
	192: "PPI",
	195: "IEEE802_15_4",
	201: "BLUETOOTH_HCI_H4_WITH_PHDR",
	220: "USB_LINUX_MMAPPED",
	226: "IPNET",
	228: "IPV4",
	229: "IPV6",
	239: "NFLOG",
	247: "INFINIBAND",
	249: "USBPCAP",
	252: "WIRESHARK_UPPER_PDU",
	253: "NETLINK",
	258: "PKTAP",
	276: "LINUX_SLL2",
}

// String is the link type's name in reports: LINKTYPE_ names without the prefix, "Ethernet" for 1,
// and the number for one that has no name here.
func (l LinkType) String() string {
	if name, ok := linkNames[l]; ok {
		return name
	}
	return "link type " + strconv.Itoa(int(l))
}

// The link types that can be decoded, by their numbers in the pcap registry.
const (
	LinkNull       LinkType = 0
	LinkEthernet   LinkType = 1
	LinkPPP        LinkType = 9
	LinkRawBSD     LinkType = 12
	LinkRawOpenBSD LinkType = 14
	LinkPPPSerial  LinkType = 50
	LinkPPPEther   LinkType = 51
	LinkRaw        LinkType = 101
	LinkCiscoHDLC  LinkType = 104
	LinkLoop       LinkType = 108
	LinkCooked     LinkType = 113
	LinkIPv4       LinkType = 228
	LinkIPv6       LinkType = 229
	LinkNFLog      LinkType = 239
	LinkPktap      LinkType = 258
	LinkCooked2    LinkType = 276
)

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
	Input  uint16
	Iface  uint16 // number of its interface, counted over all inputs
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
