package names

import (
	"net/netip"
	"strings"

	"golang.org/x/net/dns/dnsmessage"
)

// maxAddresses is how many addresses of one answer are kept: more do not fit a datagram of 512
// octets (RFC 1035 §4.2.1) together with a name.
const maxAddresses = 28

// message is what was read of a question for an address, or of its answer.
type message struct {
	id        uint16
	kind      Kind
	code      uint8 // RCODE
	answer    bool
	truncated bool   // TC: the rest is to be asked for over TCP
	cut       bool   // the capture, or whoever sent it, left something out
	name      string // lower case, without the dot at its end
	addrs     []netip.Addr
}

// parse reads one message, as far as it goes; false if it is none that asks for an address of one
// name, or answers that.
func parse(p []byte) (m message, ok bool) {
	var r dnsmessage.Parser
	h, err := r.Start(p)
	if err != nil || h.OpCode != 0 {
		return m, false
	}
	q, err := r.Question()
	if err != nil || q.Class != dnsmessage.ClassINET {
		return m, false
	}
	switch q.Type {
	case dnsmessage.TypeA:
		m.kind = IPv4
	case dnsmessage.TypeAAAA:
		m.kind = IPv6
	default:
		return m, false
	}
	if _, err := r.Question(); err != dnsmessage.ErrSectionDone {
		return m, false // nobody asks two questions at once (RFC 9619)
	}
	m.id, m.answer, m.truncated, m.code = h.ID, h.Response, h.Truncated, uint8(h.RCode)
	m.name = strings.ToLower(strings.TrimSuffix(q.Name.String(), "."))
	if strings.ContainsFunc(m.name, func(c rune) bool { return c <= ' ' || c > '~' }) {
		return m, false // no name of a host (RFC 1123 §2.1)
	}
	if m.answer {
		m.readAddresses(&r)
	}
	return m, true
}

// readAddresses reads the addresses of an answer, whatever aliases lead to them (CNAME).
func (m *message) readAddresses(r *dnsmessage.Parser) {
	for len(m.addrs) < maxAddresses {
		h, err := r.AnswerHeader()
		if err == dnsmessage.ErrSectionDone {
			return
		}
		if err != nil {
			m.cut = true
			return
		}
		switch h.Type {
		case dnsmessage.TypeA:
			var a dnsmessage.AResource
			if a, err = r.AResource(); err == nil {
				m.addrs = append(m.addrs, netip.AddrFrom4(a.A))
			}
		case dnsmessage.TypeAAAA:
			var a dnsmessage.AAAAResource
			if a, err = r.AAAAResource(); err == nil {
				m.addrs = append(m.addrs, netip.AddrFrom16(a.AAAA).Unmap())
			}
		default:
			err = r.SkipAnswer()
		}
		if err != nil {
			m.cut = true
			return
		}
	}
}
