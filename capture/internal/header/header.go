// Package header holds the numbers of headers that the decoder, the kernel's filter and the ring
// must agree on: EtherTypes, lengths, ports of tunnels, extension headers.
package header

import "github.com/google/gopacket/layers"

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

// Extension headers of IPv6 that gopacket has no name for.
const (
	HIP      layers.IPProtocol = 139 // RFC 7401
	Shim6    layers.IPProtocol = 140 // RFC 5533
	Mobility layers.IPProtocol = 135 // RFC 6275
)
