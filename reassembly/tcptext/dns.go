package tcptext

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"golang.org/x/net/dns/dnsmessage"

	"tcpwhy/capture"
)

// dnsPort is where queries go to, and answers come from.
const dnsPort = 53

// rcodes are the words for response codes other than 0.
var rcodes = [...]struct {
	word string
	code dnsmessage.RCode
}{
	{"servfail", dnsmessage.RCodeServerFailure},
	{"nxdomain", dnsmessage.RCodeNameError},
	{"refused", dnsmessage.RCodeRefused},
}

// dns is a message of DNS in a datagram: FROM TO ID A|AAAA NAME, and of an answer, which comes from
// port 53, a response code, tc, snap N, and addresses.
func (p *parser) dns(words []string) error {
	if len(words) < 5 {
		return fmt.Errorf("a message of DNS needs two ends, a number, a type and a name")
	}
	seg := capture.Segment{Kind: capture.Datagram, TTL: 64}
	seg.Time, seg.Frame = p.now, capture.NewFrameID(0, uint64(len(p.segs)+1))
	var err error
	if seg.Src, err = netip.ParseAddrPort(words[0]); err != nil {
		return err
	}
	if seg.Dst, err = netip.ParseAddrPort(words[1]); err != nil {
		return err
	}
	id, err := strconv.ParseUint(words[2], 10, 16)
	if err != nil {
		return err
	}
	q := dnsmessage.Question{Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET}
	if words[3] == "AAAA" {
		q.Type = dnsmessage.TypeAAAA
	}
	if q.Name, err = dnsmessage.NewName(strings.TrimSuffix(words[4], ".") + "."); err != nil {
		return err
	}
	h := dnsmessage.Header{ID: uint16(id), RecursionDesired: true,
		Response: seg.Src.Port() == dnsPort}
	snap, addrs, err := dnsRest(&h, words[5:])
	if err != nil {
		return err
	}
	if seg.Payload, err = pack(h, q, addrs); err != nil {
		return err
	}
	seg.Len = uint32(len(seg.Payload))
	if snap >= 0 && snap < len(seg.Payload) {
		seg.Payload, seg.Options = seg.Payload[:snap], capture.Snapped
	}
	p.segs = append(p.segs, seg)
	return nil
}

// dnsRest is what follows the name. snap is -1 if the capture kept all.
func dnsRest(h *dnsmessage.Header, words []string) (snap int, addrs []netip.Addr, err error) {
	snap = -1
next:
	for i := 0; i < len(words); i++ {
		for _, r := range rcodes {
			if words[i] == r.word {
				h.RCode = r.code
				continue next
			}
		}
		switch {
		case words[i] == "tc":
			h.Truncated = true
		case words[i] == "snap" && i+1 < len(words):
			i++
			if snap, err = strconv.Atoi(words[i]); err != nil {
				return 0, nil, err
			}
		default:
			a, err := netip.ParseAddr(words[i])
			if err != nil {
				return 0, nil, err
			}
			addrs = append(addrs, a)
		}
	}
	return snap, addrs, nil
}

// pack is the message.
func pack(h dnsmessage.Header, q dnsmessage.Question, addrs []netip.Addr) ([]byte, error) {
	m := dnsmessage.Message{Header: h, Questions: []dnsmessage.Question{q}}
	for _, a := range addrs {
		h := dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class, TTL: 30}
		r := dnsmessage.Resource{Header: h}
		if r.Body = dnsmessage.ResourceBody(&dnsmessage.AAAAResource{AAAA: a.As16()}); a.Is4() {
			r.Body = &dnsmessage.AResource{A: a.As4()}
		}
		m.Answers = append(m.Answers, r)
	}
	return m.Pack()
}
