package capture

import "strconv"

// linkType is a link type number of pcap and pcapng files (the LINKTYPE_ values of the pcap
// registry).
type linkType uint16

// linkNames are the link types that have a name in reports. Whether one can be decoded is for the
// decoder to say.
var linkNames = map[linkType]string{
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
func (l linkType) String() string {
	if name, ok := linkNames[l]; ok {
		return name
	}
	return "link type " + strconv.Itoa(int(l))
}

// The values of rawFrame.Direction, as in the flags word of a pcapng Enhanced Packet Block.
const (
	directionUnknown  = 0
	directionIncoming = 1
	directionOutgoing = 2
)

// rawFrame is one frame as the file holds it.
type rawFrame struct {
	Number uint64 // within its input, from 1
	Input  uint16
	Iface  uint16 // index into Stats.Interfaces
	Link   linkType
	// ns since the Unix epoch; the time since the first frame is computed after merging
	Time      int64
	OrigLen   uint32 // on the wire; never less than len(Data)
	Data      []byte // captured octets, valid until the next frame is read from this input
	Direction uint8  // 0 unknown, 1 incoming, 2 outgoing (pcapng EPB flags)
	bad       bool   // the record contradicts itself: it has a number, but nothing to decode
}

// Longest is the longest frame that is taken live or written to a file, in octets: what tcpdump
// takes, and the longest that Wireshark reads.
const Longest = 256 << 10
