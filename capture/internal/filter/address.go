package filter

import (
	"errors"
	"math/bits"
	"net/netip"
	"strconv"
	"strings"
)

var (
	errNoAddress = errors.New("expected an IP address (names are not looked up)")
	errHostBits  = errors.New("the address has bits outside of the mask")
	errMask      = errors.New("expected a mask: a number of bits, or an IPv4 address")
	errNetOnly   = errors.New("a mask can only follow net")
)

// address is the condition of a host or a net. The word is the next one, and is left for the caller
// to take, but for "net A mask M", where M is.
func (p *parser) address(q qualifiers) (func(netip.AddrPort) bool, error) {
	word := p.peek()
	if q.protocol == "tcp" || q.protocol == "udp" {
		return nil, errors.New(q.protocol + " cannot stand before " + q.kind)
	}
	name, length, masked := strings.Cut(word, "/")
	if masked && q.kind != "net" {
		return nil, errNetOnly
	}
	if strings.Contains(name, ":") {
		return q.address6(name, length, masked)
	}
	if q.protocol == "ip6" {
		return nil, errors.New("ip6 cannot stand before an IPv4 address")
	}
	addr, octets, err := shortIPv4(name)
	if err != nil {
		return nil, err
	}
	mask := uint32(1<<32-1) << (32 - 8*octets)
	switch {
	case masked:
		mask, err = prefixMask(length)
	case p.ahead(1) == "mask":
		return p.explicitMask(q, addr)
	case octets == 1 && q.kind == "net":
		mask = shortNetMask(addr)
	case octets == 1:
		addr, mask = addr>>24, 1<<32-1 // a lone number is the whole address
	}
	if err != nil {
		return nil, err
	}
	return maskedIPv4(addr, mask)
}

// shortNetMask is the mask of "net 10": as many octets as are not zero. Zero is the whole address
// 0.0.0.0.
func shortNetMask(addr uint32) uint32 {
	if addr == 0 {
		return 1<<32 - 1
	}
	return 0xff << 24
}

// explicitMask is "net A mask M"; it takes A and leaves M.
func (p *parser) explicitMask(q qualifiers, addr uint32) (func(netip.AddrPort) bool, error) {
	if q.kind != "net" {
		return nil, errNetOnly
	}
	p.next += 2
	mask, octets, err := shortIPv4(p.peek())
	if err != nil || octets != 4 {
		return nil, errMask
	}
	return maskedIPv4(addr, mask)
}

func maskedIPv4(addr, mask uint32) (func(netip.AddrPort) bool, error) {
	if addr&^mask != 0 {
		return nil, errHostBits
	}
	return addr4In(addr, mask), nil
}

// prefixMask is the mask of so many bits.
func prefixMask(length string) (uint32, error) {
	n, err := strconv.ParseUint(length, 10, 8)
	if err != nil || n > 32 {
		return 0, errors.New("expected a prefix length up to 32 after /")
	}
	return bits.Reverse32(uint32(1<<n - 1)), nil
}

// shortIPv4 reads an address of one to four octets, and how many there were; the others are zero.
func shortIPv4(word string) (addr uint32, octets int, err error) {
	for part := range strings.SplitSeq(word, ".") {
		n, err := strconv.ParseUint(part, 10, 8)
		if err != nil || octets == 4 || strings.HasPrefix(part, "+") {
			return 0, 0, errNoAddress
		}
		octets++
		addr |= uint32(n) << (32 - 8*octets)
	}
	return addr, octets, nil
}

// address6 is the condition of an IPv6 address or prefix.
func (q qualifiers) address6(name, length string, masked bool) (func(netip.AddrPort) bool, error) {
	if q.protocol == "ip" {
		return nil, errors.New("ip cannot stand before an IPv6 address")
	}
	addr, err := netip.ParseAddr(name)
	if err != nil || addr.Zone() != "" {
		return nil, errNoAddress
	}
	n := 128
	if masked {
		if n, err = strconv.Atoi(length); err != nil || n < 0 || n > 128 {
			return nil, errors.New("expected a prefix length up to 128 after /")
		}
	}
	prefix := netip.PrefixFrom(addr, n)
	if prefix.Masked() != prefix {
		return nil, errHostBits
	}
	return addr6In(prefix), nil
}
