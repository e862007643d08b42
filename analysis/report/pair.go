package report

import "net/netip"

// Pair is a client's address and a service: one fix cures what happens between them.
type Pair struct {
	Client netip.Addr
	Server netip.AddrPort
}
