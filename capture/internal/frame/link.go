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
