package decode

import "math/bits"

// Tunnels is a set of encapsulations, one bit each.
type Tunnels uint32

// The encapsulations, in the order of tunnelNames.
const (
	inVLAN Tunnels = 1 << iota
	inMPLS
	inPPPoE
	inGRE
	inERSPAN
	inIPIP
	in6in4
	in4in6
	inVXLAN
	inGeneve
	inGTP
	inEtherIP
	inNSH
	inCMD
	inVNTag
	inETag
	inAH
)

// tunnelNames are what reports call them.
var tunnelNames = [...]string{
	"vlan", "mpls", "pppoe", "gre", "erspan", "ipip", "6in4", "4in6",
	"vxlan", "geneve", "gtp", "etherip",
	"nsh", "cisco-metadata", "vn-tag", "e-tag", "ah",
}

// Count adds one to each encapsulation of the set.
func (t Tunnels) Count(to map[string]uint64) {
	for ; t != 0; t &= t - 1 {
		to[tunnelNames[bits.TrailingZeros32(uint32(t))]]++
	}
}
