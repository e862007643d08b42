// Package quic reads the first packets of QUIC connections, as far as everybody can: Initial
// packets are encrypted with keys that follow from what they show (RFC 9001 section 5.2). It
// follows which hosts tried QUIC, whether anybody answered, and which connections of TCP came after
// that.
package quic
