package decode

import (
	"math/bits"

	"tcpwhy/capture/internal/header"
)

// greHeader is what the first four octets of a GRE header say.
type greHeader struct {
	flags    uint16
	protocol uint16
	size     int // of the whole header
}

// Flags of a GRE header (RFC 2784 §2.1, RFC 2890 §2, RFC 2637 §4.1).
const (
	greChecksum = 0x8000
	greRouting  = 0x4000
	greKey      = 0x2000
	greSequence = 0x1000
	greAck      = 0x0080
	greVersion  = 0x0007
)

// newGREHeader measures a header of version 0 or 1; ok is false for one that nobody sends any more.
func newGREHeader(p []byte) (h greHeader, ok bool) {
	h = greHeader{flags: be16(p), protocol: be16(p[2:]), size: 4}
	if h.flags&greRouting != 0 || h.flags&greVersion > 1 {
		return h, false
	}
	optional := h.flags & (greChecksum | greKey | greSequence)
	if h.flags&greVersion == 1 {
		optional = h.flags & (greKey | greSequence | greAck)
	}
	h.size += 4 * bits.OnesCount16(optional)
	return h, true
}

// gre decodes GRE and what it encloses: IP, a whole Ethernet frame, or PPP (version 1, PPTP).
func (d *Decoder) gre(p []byte, wire int) Outcome {
	if len(p) < 4 {
		return cut(p, wire)
	}
	h, ok := newGREHeader(p)
	if !ok {
		return OtherIP
	}
	if len(p) < h.size {
		return cut(p, wire)
	}
	if !d.enter(inGRE) {
		return Malformed
	}
	d.note(PartFixed, p, h.size)
	p, wire = p[h.size:], wire-h.size
	switch h.protocol {
	case header.EtherERSPAN, header.EtherERSPAN3:
		return d.erspan(h, p, wire)
	}
	if h.protocol <= etherMaxLen {
		return NotIP
	}
	return d.etherType(h.protocol, p, wire)
}

// erspan decodes a mirrored Ethernet frame (draft-foschiano-erspan-03 §4). Type I has no header of
// its own and is known by a GRE header without sequence number.
func (d *Decoder) erspan(h greHeader, p []byte, wire int) Outcome {
	size := 0
	switch {
	case h.protocol == header.EtherERSPAN3:
		size = 12
		if len(p) >= size && p[11]&1 != 0 { // O: a platform-specific header follows
			size += 8
		}
	case h.flags&greSequence != 0:
		size = 8
	}
	if len(p) < size {
		return cut(p, wire)
	}
	if !d.enter(inERSPAN) {
		return Malformed
	}
	d.note(PartFixed, p, size)
	return d.ethernet(p[size:], wire-size)
}

// etherIP decodes Ethernet in IP (RFC 3378).
func (d *Decoder) etherIP(p []byte, wire int) Outcome {
	if len(p) < 2 {
		return cut(p, wire)
	}
	if p[0]>>4 != 3 || !d.enter(inEtherIP) {
		return Malformed
	}
	d.note(PartFixed, p, 2)
	return d.ethernet(p[2:], wire-2)
}

// Flags of the first octet of a VXLAN header. What others mean (a group policy, 0x80) says nothing
// about the frame inside: reserved flags are ignored (RFC 7348 §5).
const (
	vxlanValid = 0x08 // I: the network identifier is valid
	// P, of the generic protocol extension alone (draft-ietf-nvo3-vxlan-gpe §3.1): the fourth octet
	// tells what follows
	vxlanNext = 0x04
)

// vxlan decodes a VXLAN header (RFC 7348 §5) and what follows it. Anything without the flag of a
// valid network identifier, or of a next protocol, is some other use of the port.
func (d *Decoder) vxlan(p []byte, wire int) Outcome {
	const header = 8
	if len(p) < header || p[0]&(vxlanValid|vxlanNext) == 0 {
		return UDP
	}
	if !d.enter(inVXLAN) {
		return Malformed
	}
	d.note(PartFixed, p, header)
	next := uint8(nextEthernet)
	if p[0]&vxlanNext != 0 {
		next = p[3]
	}
	outcome := d.nextProtocol(next, p[header:], wire-header)
	if p[0] != vxlanValid && (outcome == NotIP || outcome == Malformed) {
		return UDP // flags that hardly anybody sets, and behind them nothing that makes sense
	}
	return outcome
}

// What follows a header of VXLAN-GPE or NSH (RFC 8300 §2.2); the former has no MPLS.
const (
	nextIPv4     = 1
	nextIPv6     = 2
	nextEthernet = 3
	nextNSH      = 4
	nextMPLS     = 5
)

// nextProtocol decodes what follows such a header.
func (d *Decoder) nextProtocol(next uint8, p []byte, wire int) Outcome {
	switch next {
	case nextIPv4:
		return d.ipv4(p, wire)
	case nextIPv6:
		return d.ipv6(p, wire)
	case nextEthernet:
		return d.ethernet(p, wire)
	case nextNSH:
		return d.nsh(p, wire)
	case nextMPLS:
		return d.mpls(p, wire)
	}
	return NotIP
}

// nsh decodes the header of a service function chain (RFC 8300 §2.2), whose length is in words of 4
// octets.
func (d *Decoder) nsh(p []byte, wire int) Outcome {
	const base, lengthBits, word = 8, 0x3f, 4
	if len(p) < base {
		return cut(p, wire)
	}
	size := word * int(p[1]&lengthBits)
	if size < base || !d.enter(inNSH) {
		return Malformed
	}
	if len(p) < size {
		return cut(p, wire)
	}
	d.note(PartFixed, p, base)
	return d.nextProtocol(p[3], p[size:], wire-size)
}

// geneve decodes a Geneve packet (RFC 8926 §3.4) of version 0; its options say nothing about TCP.
func (d *Decoder) geneve(p []byte, wire int) Outcome {
	const header = 8
	if len(p) < header || p[0]>>6 != 0 {
		return UDP
	}
	size := header + 4*int(p[0]&0x3f)
	protocol := be16(p[2:])
	if protocol <= etherMaxLen {
		return UDP
	}
	if len(p) < size {
		return cut(p, wire)
	}
	if !d.enter(inGeneve) {
		return Malformed
	}
	d.note(PartFixed, p, header)
	return d.etherType(protocol, p[size:], wire-size)
}

// gtp decodes user data of mobile networks (3GPP TS 29.281 §5.1): GTP version 1, message 255.
func (d *Decoder) gtp(p []byte, wire int) Outcome {
	const header, optional, userData = 8, 4, 255
	if len(p) < header || p[0]>>4 != 3 || p[1] != userData {
		return UDP
	}
	size := header
	if p[0]&0x07 != 0 { // sequence number, N-PDU number or extension headers: all fields are there
		size += optional
	}
	if p[0]&0x04 != 0 {
		size = gtpExtensions(p, size)
	}
	if size == 0 {
		return Malformed
	}
	if len(p) < size {
		return cut(p, wire)
	}
	if !d.enter(inGTP) {
		return Malformed
	}
	d.note(PartFixed, p, size)
	return d.ip(p[size:], wire-size)
}

// gtpExtensions is where the extension headers end that start at size; the octet before each is its
// type, and zero ends the list. It is 0 if an extension is empty, and beyond p if the frame was
// cut.
func gtpExtensions(p []byte, size int) int {
	for size <= len(p) && p[size-1] != 0 {
		if size == len(p) {
			return size + 1
		}
		if p[size] == 0 {
			return 0
		}
		size += 4 * int(p[size])
	}
	return size
}
