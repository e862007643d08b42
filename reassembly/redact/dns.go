package redact

import (
	"bytes"
	"encoding/binary"
	"net/netip"
)

// The types of records of which something is shown (RFC 1035 §3.2.2, RFC 3596).
const (
	typeA     = 1
	typeNS    = 2
	typeCNAME = 5
	typePTR   = 12
	typeAAAA  = 28
)

// DNS implements anonym.Payload: names are other names, addresses other addresses, and what else
// records hold is not shown.
func (p *Plan) DNS(message, out []byte) {
	const header = 12
	c := &cursor{in: message, out: out}
	if len(message) < header {
		return
	}
	c.keep(header)
	count := func(at int) int { return int(binary.BigEndian.Uint16(message[at:])) }
	for range count(4) {
		if !p.words.domain(c) {
			return
		}
		c.keep(4)
	}
	for range count(6) + count(8) + count(10) {
		if !p.words.domain(c) || !p.words.resource(c) {
			return
		}
	}
}

// domain shows a name (RFC 1035 §4.1.4); false where the message ends.
func (w words) domain(c *cursor) bool {
	const pointer = 0xc0
	for c.at < len(c.in) {
		if c.in[c.at]&pointer == pointer {
			return len(c.keep(2)) == 2
		}
		n := c.number(1)
		if n == 0 {
			return true
		}
		if n >= pointer>>1 {
			return false
		}
		label, out := c.take(n)
		copy(out, w.mapped(bytes.ToLower(label), ""))
	}
	return false
}

// resource shows a record behind its name; false where the message ends.
func (w words) resource(c *cursor) bool {
	kind := c.number(2)
	c.keep(6) // class and time to live
	size := c.number(2)
	if c.at+size > len(c.in) {
		return false
	}
	data := &cursor{in: c.in[c.at : c.at+size], out: c.out[c.at : c.at+size]}
	switch {
	case kind == typeA && size == 4 || kind == typeAAAA && size == 16:
		addr, _ := netip.AddrFromSlice(data.in)
		copy(data.out, w.mapper.Addr(addr).AsSlice())
	case kind == typeCNAME || kind == typeNS || kind == typePTR:
		w.domain(data)
	}
	c.at += size
	return true
}
