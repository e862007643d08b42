package decode

import "tcpwhy/capture/internal/header"

// PPP protocol numbers (IANA), and the all-stations address with its control octet (RFC 1662 §3.1).
const (
	pppIPv4     = 0x0021
	pppIPv6     = 0x0057
	pppMPLS     = 0x0281
	pppAddress  = 0xff
	pppControl  = 0x03
	hdlcUnicast = 0x0f
	hdlcToAll   = 0x8f
)

// ppp decodes a PPP frame, with or without address and control field, with a protocol field of one
// octet or two (RFC 1661 §2 and §6.5).
func (d *Decoder) ppp(p []byte, wire int) Outcome {
	whole := p
	if len(p) >= 2 && p[0] == pppAddress && p[1] == pppControl {
		p, wire = p[2:], wire-2
	}
	if len(p) < 2 {
		return cut(p, wire)
	}
	protocol, size := be16(p), 2
	if p[0]&1 == 1 { // the last octet of the field is the first odd one
		protocol, size = uint16(p[0]), 1
	}
	d.note(PartFixed, whole, len(whole)-len(p)+size)
	p, wire = p[size:], wire-size
	switch protocol {
	case pppIPv4:
		return d.ipv4(p, wire)
	case pppIPv6:
		return d.ipv6(p, wire)
	case pppMPLS:
		return d.mpls(p, wire)
	}
	return NotIP
}

// pppSerial decodes a line that carries PPP or Cisco's HDLC; the address field tells which.
func (d *Decoder) pppSerial(p []byte, wire int) Outcome {
	if len(p) > 0 && (p[0] == hdlcUnicast || p[0] == hdlcToAll) {
		return d.hdlc(p, wire)
	}
	return d.ppp(p, wire)
}

// hdlc decodes Cisco's HDLC: address, control, EtherType.
func (d *Decoder) hdlc(p []byte, wire int) Outcome {
	const header = 4
	if len(p) < header {
		return cut(p, wire)
	}
	d.note(PartFixed, p, header)
	protocol := be16(p[2:])
	if protocol <= etherMaxLen {
		return NotIP
	}
	return d.etherType(protocol, p[header:], wire-header)
}

// pppoe decodes a PPPoE session frame (RFC 2516 §4).
func (d *Decoder) pppoe(p []byte, wire int) Outcome {
	const header, versionAndType, session = 6, 0x11, 0
	if len(p) < header {
		return cut(p, wire)
	}
	if p[0] != versionAndType {
		return Malformed
	}
	if p[1] != session {
		return NotIP
	}
	if !d.enter(inPPPoE) {
		return Malformed
	}
	d.note(PartFixed, p, header)
	length := int(be16(p[4:]))
	p, wire = p[header:], wire-header
	if length > 0 && length < wire {
		wire = length // the rest is padding
		p = p[:min(len(p), length)]
	}
	d.at.measured = d.at.measured || length == wire
	return d.ppp(p, wire)
}

// mpls decodes a label stack (RFC 3032) and guesses what it encloses, which no field tells: IP by
// its version, a pseudowire by the control word that exists to tell it from IP (RFC 4385 §3).
func (d *Decoder) mpls(p []byte, wire int) Outcome {
	const label = 4
	for bottom := false; !bottom; {
		if len(p) < label {
			return cut(p, wire)
		}
		if !d.enter(inMPLS) {
			return Malformed
		}
		d.note(PartFixed, p, label)
		bottom = p[2]&1 == 1
		p, wire = p[label:], wire-label
	}
	if len(p) == 0 {
		return cut(p, wire)
	}
	switch p[0] >> 4 {
	case 4:
		return d.ipv4(p, wire)
	case 6:
		return d.ipv6(p, wire)
	case 0:
		return d.pseudowire(p, wire)
	}
	return NotIP
}

// pseudowire decodes Ethernet over MPLS (RFC 4448 §4.4) after its control word. Without a control
// word an address that starts with a zero digit is where the word would be; then the EtherType
// stands 4 octets earlier.
func (d *Decoder) pseudowire(p []byte, wire int) Outcome {
	const word = 4
	if len(p) >= word+header.EthernetSize &&
		!carriesIP(be16(p[word+12:])) && carriesIP(be16(p[12:])) {
		return d.ethernet(p, wire)
	}
	if len(p) < word {
		return cut(p, wire)
	}
	d.note(PartFixed, p, word)
	return d.ethernet(p[word:], wire-word)
}

// carriesIP reports whether an EtherType is one under which IP is found.
func carriesIP(t uint16) bool {
	switch t {
	case header.EtherIPv4, header.EtherIPv6,
		header.EtherVLAN, header.EtherService, header.EtherQinQ:
		return true
	}
	return false
}
