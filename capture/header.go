package capture

import "github.com/google/gopacket/layers"

// EtherType numbers (IEEE 802 Numbers, IANA).
const (
	etherIPv4    = 0x0800
	etherTEB     = 0x6558 // transparent Ethernet bridging: a whole Ethernet frame
	etherVLAN    = 0x8100
	etherIPv6    = 0x86dd
	etherPPP     = 0x880b
	etherMPLS    = 0x8847
	etherMPLSUp  = 0x8848 // upstream-assigned label
	etherPPPoE   = 0x8864 // session stage; 0x8863 is discovery
	etherService = 0x88a8 // 802.1ad service tag
	etherERSPAN  = 0x88be
	etherQinQ    = 0x9100 // service tag before 802.1ad
	etherERSPAN3 = 0x22eb
)

// Lengths of headers without what is optional, in octets (IEEE 802.3, IEEE 802.1Q, RFC 791 §3.1,
// RFC 8200 §3).
const (
	etherHeader   = 14
	etherTagBytes = 4
	ipv4Header    = 20
	ipv6Header    = 40
)

// Ports of UDP at which tunnels end.
const (
	portGTP     = 2152
	portVXLAN   = 4789
	portVXLANLx = 8472 // Linux's default from before RFC 7348
	portGeneve  = 6081
)

// Extension headers of IPv6 that gopacket has no name for.
const (
	ipv6HIP      layers.IPProtocol = 139 // RFC 7401
	ipv6Shim6    layers.IPProtocol = 140 // RFC 5533
	ipv6Mobility layers.IPProtocol = 135 // RFC 6275
)
