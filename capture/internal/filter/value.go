package filter

import (
	"errors"
	"net/netip"
	"strconv"
	"strings"
)

// qualifiers are the keywords before a value. The zero value means that there are none to take
// over.
type qualifiers struct {
	protocol string // ip, ip6, tcp, udp or ""
	end      direction
	kind     string // host, net, port, portrange; "" is none
}

// isKeyword reports whether a word has a meaning of its own, so that it cannot be a value.
func isKeyword(word string) bool {
	switch word {
	case "host",
		"net",
		"port",
		"portrange",
		"src",
		"dst",
		"ip",
		"ip6",
		"tcp",
		"udp",
		"vlan",
		"and",
		"or",
		"not",
		"mask":
		return true
	}
	return isForeignKeyword(word)
}

// isForeignKeyword reports whether a word is of pcap-filter(7) but not of the part that is
// supported.
func isForeignKeyword(word string) bool {
	if strings.ContainsAny(word, "[<>=+*") {
		return true // arithmetic on octets of the packet
	}
	switch word {
	case "ether",
		"arp",
		"rarp",
		"icmp",
		"icmp6",
		"igmp",
		"igrp",
		"pim",
		"vrrp",
		"carp",
		"sctp",
		"ah",
		"esp",
		"proto",
		"protochain",
		"gateway",
		"broadcast",
		"multicast",
		"less",
		"greater",
		"len",
		"inbound",
		"outbound",
		"ifname",
		"on",
		"link",
		"fddi",
		"tr",
		"wlan",
		"ppp",
		"slip",
		"radio",
		"iso",
		"stp",
		"mpls",
		"pppoed",
		"pppoes",
		"geneve",
		"vxlan",
		"gre",
		"llc",
		"type",
		"subtype",
		"dir",
		"addr1",
		"addr2",
		"addr3",
		"addr4",
		"ra",
		"ta",
		"lat",
		"decnet",
		"aarp",
		"atalk",
		"ipx",
		"netbeui",
		"byte":
		return true
	}
	return false
}

// condition is a keyword that stands alone, or qualifiers and a value.
func (p *parser) condition() (predicate, error) {
	word := p.peek()
	switch {
	case word == "vlan":
		return p.vlan()
	case word == "":
		return nil, p.unexpected("expected a condition")
	case isForeignKeyword(word):
		return nil, p.unexpected(
			"not supported: conditions are host, net, port, portrange, src, dst, ip, ip6, " +
				"tcp, udp, vlan",
		)
	case !isKeyword(word):
		return nil, p.unexpected("expected a keyword before it, such as host or port")
	}
	q := qualifiers{protocol: p.protocol()}
	directed := p.direction(&q)
	if kind := p.peek(); kind == "host" || kind == "net" || kind == "port" || kind == "portrange" {
		q.kind = kind
		p.next++
	} else if directed {
		q.kind = "host" // pcap-filter(7): assumed if no type is given
	} else if q.protocol != "" {
		p.last = qualifiers{}
		return protocolTest(q.protocol), nil
	} else {
		return nil, p.unexpected("expected a condition")
	}
	p.last = q
	if !p.atValue() {
		return nil, p.unexpected("expected a value of " + q.kind)
	}
	return p.value()
}

// protocol takes a protocol keyword.
func (p *parser) protocol() string {
	switch word := p.peek(); word {
	case "ip", "ip6", "tcp", "udp":
		p.next++
		return word
	}
	return ""
}

// direction takes "src", "dst", or both joined by "or" or "and". It is false if there is none.
func (p *parser) direction(q *qualifiers) bool {
	first := p.peek()
	if first != "src" && first != "dst" {
		return false
	}
	p.next++
	q.end = fromEnd
	other := "dst"
	if first == "dst" {
		q.end, other = toEnd, "src"
	}
	joint := p.peek()
	if joint != "or" && joint != "and" || p.ahead(1) != other {
		return true
	}
	p.next += 2
	q.end = eitherEnd
	if joint == "and" {
		q.end = bothEnds
	}
	return true
}

// protocolTest is the condition that a protocol keyword alone is. Only TCP is ever asked about.
func protocolTest(protocol string) predicate {
	switch protocol {
	case "ip":
		return overIPv4
	case "ip6":
		return overIPv6
	case "udp":
		return never
	}
	return always
}

// vlan is "vlan" with or without a number.
func (p *parser) vlan() (predicate, error) {
	p.next++
	p.last = qualifiers{}
	if !p.atValue() || p.peek() == "(" || p.peek() == "not" {
		return inAnyVLAN, nil
	}
	number, err := parseNumber(p.peek(), 0x0fff)
	if err != nil {
		return nil, p.unexpected("expected a VLAN number up to 4095")
	}
	p.next++
	return inVLANNumber(number), nil
}

// literal is one value under the latest qualifiers.
func (p *parser) literal() (predicate, error) {
	if p.peek() == "" || p.peek() == ")" || isKeyword(p.peek()) {
		return nil, p.unexpected("expected a value")
	}
	q := p.last
	var one func(netip.AddrPort) bool
	var err error
	switch q.kind {
	case "":
		return nil, p.unexpected("expected a keyword before it, such as host or port")
	case "port", "portrange":
		one, err = q.ports(p.peek())
	default:
		one, err = p.address(q)
	}
	if err != nil {
		return nil, p.unexpected(err.Error())
	}
	p.next++
	if q.protocol == "udp" {
		return never, nil
	}
	return q.end.ends(one), nil
}

// ports is the condition of a port or of a range of them.
func (q qualifiers) ports(word string) (func(netip.AddrPort) bool, error) {
	if q.protocol == "ip" || q.protocol == "ip6" {
		return nil, errors.New(q.protocol + " cannot stand before " + q.kind)
	}
	low, high, ranged := word, word, false
	if q.kind == "portrange" {
		if low, high, ranged = strings.Cut(word, "-"); !ranged {
			high = low
		}
	}
	from, err := parsePort(low)
	if err != nil {
		return nil, err
	}
	to, err := parsePort(high)
	if err != nil {
		return nil, err
	}
	return portBetween(min(from, to), max(from, to)), nil
}

// parsePort reads a port: a number, or the name of a service that has to do with HTTP.
func parsePort(word string) (uint16, error) {
	switch word {
	case "http":
		return 80, nil
	case "https":
		return 443, nil
	case "http-alt":
		return 8080, nil
	}
	port, err := parseNumber(word, 1<<16-1)
	if err != nil {
		return 0, errors.New("expected a port up to 65535")
	}
	return port, nil
}

// parseNumber reads a number: decimal, octal with a leading 0, hexadecimal with 0x.
func parseNumber(word string, limit uint64) (uint16, error) {
	if strings.ContainsAny(word, "_bBoO") && !strings.HasPrefix(word, "0x") {
		return 0, strconv.ErrSyntax // Go's other ways to write numbers
	}
	n, err := strconv.ParseUint(word, 0, 16)
	if err != nil || n > limit {
		return 0, strconv.ErrRange
	}
	return uint16(n), nil
}
