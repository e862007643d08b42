package anonym

import (
	"net/netip"
	"strconv"
	"strings"
)

// Text gives what stands for an address that is written out, as long: the address that stands for
// it everywhere, with as many digits in each of its parts. False if the text is no address, or if
// that cannot be.
//
// So much freedom as that leaves is used: what others that begin alike stand for follows. fits may
// say what else a text must be, nil if nothing; where no text is so, one is given that is not. What
// stands for an address does not change, so an address must be asked for as text before it is
// asked for as a number (Addr) for the first time.
func (m *Mapper) Text(text string, fits func(to string) bool) (string, bool) {
	a, err := netip.ParseAddr(text)
	if err != nil || a.Zone() != "" {
		return "", false
	}
	inner := a
	if a.Is6() && embeds(a) {
		octets := a.As16()
		inner = netip.AddrFrom4([4]byte(octets[12:]))
	}
	fresh := m.unwritten(inner)
	for salt := range tries {
		for _, p := range fresh {
			m.written[p] = uint8(salt)
		}
		to, ok := inPlace(text, m.mapped(a))
		if enough := ok && to != text && (fits == nil || fits(to)); enough || len(fresh) == 0 {
			return to, ok
		}
	}
	return inPlace(text, m.mapped(a))
}

// tries is how many addresses are looked at to stand for one that is written out.
const tries = 256

// unwritten are the beginnings of an address, up to each of its parts, with which none began that
// was written out before.
func (m *Mapper) unwritten(a netip.Addr) (all []netip.Prefix) {
	for i := 0; i < a.BitLen(); i += partBits(a) {
		p, _ := a.Prefix(i)
		if _, known := m.written[p]; !known && len(m.written) < keptMost {
			all = append(all, p)
		}
	}
	return all
}

// partBits is how many bits of an address are written as one number.
func partBits(a netip.Addr) int {
	if a.Is4() {
		return 8
	}
	return 16
}

// digits is how many digits a part of an address has as text; none where it is the 0 of IPv6, which
// may be left out.
func digits(part uint, v4 bool) int {
	switch {
	case v4:
		return len(strconv.Itoa(int(part)))
	case part == 0:
		return 0
	}
	return len(strconv.FormatUint(uint64(part), 16))
}

// sameDigits reports whether bit i of an address, and those behind it in its part, may be any
// without another number of digits.
func sameDigits(a netip.Addr, i int) bool {
	size := partBits(a)
	part := partOf(a, i/size)
	behind := uint(1)<<(size-i%size) - 1
	return digits(part&^behind, a.Is4()) == digits(part|behind, a.Is4())
}

// partOf is the n-th number of which an address as text is made.
func partOf(a netip.Addr, n int) uint {
	octets := a.AsSlice()
	if a.Is4() {
		return uint(octets[n])
	}
	return uint(octets[2*n])<<8 | uint(octets[2*n+1])
}

// inPlace writes an address in the place of another that is written out, part by part; false if a
// part has no room.
func inPlace(text string, to netip.Addr) (string, bool) {
	if to.Is4() {
		return numbers(text, ".", 0, func(n int) string { return strconv.Itoa(int(partOf(to, n))) })
	}
	tail := ""
	if dot := strings.IndexByte(text, '.'); dot >= 0 {
		octets := to.As16()
		at := strings.LastIndexByte(text, ':') + 1
		last, ok := inPlace(text[at:], netip.AddrFrom4([4]byte(octets[12:])))
		if !ok {
			return "", false
		}
		text, tail = text[:at], last
	}
	hex := func(n int) string { return strconv.FormatUint(uint64(partOf(to, n)), 16) }
	left, right, short := strings.Cut(text, "::")
	out, ok := numbers(left, ":", 0, hex)
	if !short {
		return out + tail, ok
	}
	const parts = 8
	from := parts - strings.Count(right, ":") - 1
	if tail != "" {
		from--
	}
	back, ok2 := numbers(right, ":", from, hex)
	return out + "::" + back + tail, ok && ok2
}

// numbers writes others in the place of the numbers of a text, the first of which is number from.
// A shorter one gets zeros before it where the text had some.
func numbers(text, between string, from int, number func(n int) string) (string, bool) {
	if text == "" {
		return "", true
	}
	all := strings.Split(text, between)
	for i, was := range all {
		if was == "" { // behind the last, where a part of another kind follows
			continue
		}
		to := number(from + i)
		if len(to) > len(was) || len(to) < len(was) && (between == "." || was[0] != '0') {
			return "", false
		}
		all[i] = strings.Repeat("0", len(was)-len(to)) + to
	}
	return strings.Join(all, between), true
}
