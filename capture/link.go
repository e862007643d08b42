package capture

// The link types that can be decoded, by their numbers in the pcap registry.
const (
	linkNull       linkType = 0
	linkEthernet   linkType = 1
	linkPPP        linkType = 9
	linkRawBSD     linkType = 12
	linkRawOpenBSD linkType = 14
	linkPPPSerial  linkType = 50
	linkPPPEther   linkType = 51
	linkRaw        linkType = 101
	linkCiscoHDLC  linkType = 104
	linkLoop       linkType = 108
	linkCooked     linkType = 113
	linkIPv4       linkType = 228
	linkIPv6       linkType = 229
	linkNFLog      linkType = 239
	linkPktap      linkType = 258
	linkCooked2    linkType = 276
)

// link decodes a frame of any link type.
func (d *decoder) link(link linkType, p []byte, wire int) decoded {
	switch link {
	case linkEthernet:
		return d.ethernet(p, wire)
	case linkCooked:
		return d.cooked(p, wire)
	case linkCooked2:
		return d.cooked2(p, wire)
	case linkRaw, linkRawBSD, linkRawOpenBSD:
		return d.ip(p, wire)
	case linkIPv4:
		return d.ipv4(p, wire)
	case linkIPv6:
		return d.ipv6(p, wire)
	case linkNull, linkLoop:
		return d.null(p, wire)
	}
	return d.rareLink(link, p, wire)
}

// rareLink decodes the link types of serial lines and of special capture devices.
func (d *decoder) rareLink(link linkType, p []byte, wire int) decoded {
	switch link {
	case linkPPP:
		return d.ppp(p, wire)
	case linkPPPSerial:
		return d.pppSerial(p, wire)
	case linkPPPEther:
		return d.pppoe(p, wire)
	case linkCiscoHDLC:
		return d.hdlc(p, wire)
	case linkNFLog:
		return d.nflog(p, wire)
	case linkPktap:
		return d.pktap(p, wire)
	}
	return gotUnknownLink
}

// etherMaxLen is up to where the field of an EtherType is a length (IEEE 802.3 §3.2.6).
const etherMaxLen = 1500

// ethernet decodes a frame from its destination address on.
func (d *decoder) ethernet(p []byte, wire int) decoded {
	if len(p) < etherHeader {
		return cut(p, wire)
	}
	return d.etherType(be16(p[12:]), p[etherHeader:], wire-etherHeader)
}

// etherType decodes what follows an EtherType.
func (d *decoder) etherType(t uint16, p []byte, wire int) decoded {
	switch t {
	case etherIPv4:
		return d.ipv4(p, wire)
	case etherIPv6:
		return d.ipv6(p, wire)
	case etherVLAN, etherService, etherQinQ:
		return d.vlan(p, wire)
	case etherMPLS, etherMPLSUp:
		return d.mpls(p, wire)
	case etherPPPoE:
		return d.pppoe(p, wire)
	case etherTEB:
		if !d.enter(0) {
			return gotMalformed
		}
		return d.ethernet(p, wire)
	case etherPPP:
		return d.ppp(p, wire)
	}
	if t <= etherMaxLen {
		return d.llc(p, wire, int(t))
	}
	return gotNotIP
}

// vlan decodes a tag (IEEE 802.1Q) and what it encloses, which may be another tag.
func (d *decoder) vlan(p []byte, wire int) decoded {
	if len(p) < etherTagBytes {
		return cut(p, wire)
	}
	if !d.enter(inVLAN) {
		return gotMalformed
	}
	at := &d.at
	if int(at.vlanCount) < len(at.vlans) {
		at.vlans[at.vlanCount] = be16(p) & 0x0fff
		at.vlanCount++
	}
	return d.etherType(be16(p[2:]), p[etherTagBytes:], wire-etherTagBytes)
}

// llc decodes an IEEE 802.2 header: only SNAP (RFC 1042) and the rare IP service access point carry
// IP.
func (d *decoder) llc(p []byte, wire, length int) decoded {
	if length < wire {
		wire = length // the rest is padding
		p = p[:min(len(p), length)]
	}
	if len(p) < 3 {
		return cut(p, wire)
	}
	const snap, ipSAP, unnumbered = 0xaa, 0x06, 0x03
	if p[0] == ipSAP && p[1] == ipSAP && p[2] == unnumbered {
		return d.ipv4(p[3:], wire-3)
	}
	if p[0] != snap || p[1] != snap || p[2] != unnumbered {
		return gotNotIP
	}
	if len(p) < 8 {
		return cut(p, wire)
	}
	// 00-00-00 is RFC 1042, 00-00-f8 is IEEE 802.1H; other organizations number their own
	// protocols.
	if p[3] != 0 || p[4] != 0 || p[5] != 0 && p[5] != 0xf8 {
		return gotNotIP
	}
	if t := be16(p[6:]); t > etherMaxLen && d.enter(0) {
		return d.etherType(t, p[8:], wire-8)
	}
	return gotNotIP
}
