// Package header holds the numbers of headers that the decoder, the kernel's filter and the ring
// must agree on: EtherTypes, lengths, ports of tunnels, extension headers.
package header

// EtherType numbers (IEEE 802 Numbers, IANA).
const (
	EtherIPv4    = 0x0800
	EtherTEB     = 0x6558 // transparent Ethernet bridging: a whole Ethernet frame
	EtherVLAN    = 0x8100
	EtherIPv6    = 0x86dd
	EtherPPP     = 0x880b
	EtherMPLS    = 0x8847
	EtherMPLSUp  = 0x8848 // upstream-assigned label
	EtherPPPoE   = 0x8864 // session stage; 0x8863 is discovery
	EtherService = 0x88a8 // 802.1ad service tag
	EtherERSPAN  = 0x88be
	EtherQinQ    = 0x9100 // service tag before 802.1ad
	EtherERSPAN3 = 0x22eb
	EtherCMD     = 0x8909 // Cisco MetaData: the security group tag of TrustSec
	EtherVNTag   = 0x8926 // VN-Tag, before IEEE 802.1BR
	EtherETag    = 0x893f // IEEE 802.1BR
	EtherNSH     = 0x894f // RFC 8300
)

// Lengths of headers without what is optional, in octets (IEEE 802.3, IEEE 802.1Q, RFC 791 §3.1,
// RFC 8200 §3).
const (
	EthernetSize = 14
	TagSize      = 4
	IPv4Size     = 20
	IPv6Size     = 40
)

// PortDNS is where names are looked up.
const PortDNS = 53

// Ports of UDP at which tunnels end.
const (
	PortGTP     = 2152
	PortVXLAN   = 4789
	PortVXLANLx = 8472 // Linux's default from before RFC 7348
	PortGPE     = 4790 // VXLAN with a next protocol (draft-ietf-nvo3-vxlan-gpe)
	PortGeneve  = 6081
	PortGRE     = 4754 // GRE in UDP (RFC 8086)
	PortMPLS    = 6635 // MPLS in UDP (RFC 7510)
)

// Protocol says what an IP datagram carries, or which header of IPv6 comes next (IANA, "Assigned
// Internet Protocol Numbers").
type Protocol uint8

const (
	ProtoICMP4   Protocol = 1
	ProtoIPv4    Protocol = 4
	ProtoTCP     Protocol = 6
	ProtoUDP     Protocol = 17
	ProtoIPv6    Protocol = 41
	ProtoGRE     Protocol = 47
	ProtoAH      Protocol = 51 // RFC 4302
	ProtoICMP6   Protocol = 58
	ProtoEtherIP Protocol = 97  // RFC 3378
	ProtoMPLS    Protocol = 137 // RFC 4023
)

// Extension headers of IPv6 (RFC 8200 §4).
const (
	HopByHop           Protocol = 0
	Routing            Protocol = 43
	Fragment           Protocol = 44
	DestinationOptions Protocol = 60
	Mobility           Protocol = 135 // RFC 6275
	HIP                Protocol = 139 // RFC 7401
	Shim6              Protocol = 140 // RFC 5533
)

// Types of ICMP messages that say why something did not get through (RFC 792).
const (
	ICMP4Unreachable  = 3
	ICMP4TimeExceeded = 11
	ICMP4Parameter    = 12
	// ICMP4TooBig is the code of an unreachable destination that fragmentation would reach.
	ICMP4TooBig = 4
)

// Types of ICMPv6 messages that do (RFC 4443).
const (
	ICMP6Unreachable  = 1
	ICMP6TooBig       = 2
	ICMP6TimeExceeded = 3
	ICMP6Parameter    = 4
)

// ICMPSize is the length of the header of such a message, in octets, of either version.
const ICMPSize = 8
