package reassembly

import (
	"net/netip"

	"tcpwhy/capture"
	"tcpwhy/reassembly/internal/names"
	"tcpwhy/reassembly/internal/quic"
)

// What is known of look-ups is found out in a room below; users of this package name it here.
type (
	// Lookup is what a host asked, from its first query until it had an address to connect to. It
	// never changes.
	Lookup = names.Lookup
	// LookupTry is one query of a Lookup.
	LookupTry = names.Try
	// QUICAttempt is a QUIC connection that a client tried in vain before it opened one of TCP.
	QUICAttempt = quic.Attempt
	// QUICTally counts QUIC connections.
	QUICTally = quic.Tally
	// NamesTally counts what became of look-ups.
	NamesTally = names.Tally
)

// What a LookupTry asks for.
const (
	AskedIPv4 = names.IPv4
	AskedIPv6 = names.IPv6
)

// NamesPort is where names are looked up.
const NamesPort = names.Port

// FoundNames are the addresses that a datagram, or a segment of TCP, from or to NamesPort gives for
// names.
func FoundNames(seg *capture.Segment) []netip.Addr { return names.Found(seg) }
