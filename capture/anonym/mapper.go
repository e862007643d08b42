// Package anonym takes out of frames what tells whose they are: addresses and names get others in
// their place, the same ones each time; what is not known to be needed becomes zeros. What is left
// in is what was decided to be, header by header: never what was not understood.
package anonym

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"net/netip"
	"strings"
)

// Key chooses the addresses and names that stand for others. Who has it can find those again by
// trying, so that it is made anew for each copy, and kept nowhere.
type Key [32]byte

// NewKey makes a key that nobody knows.
func NewKey() (k Key, err error) {
	_, err = rand.Read(k[:])
	return k, err
}

// keptMost is how many addresses and words are remembered, each: of more, words may get the same
// one in their place.
const keptMost = 1 << 18

// Mapper gives addresses and words others in their place. It is for one goroutine.
type Mapper struct {
	key   Key
	addrs map[netip.Addr]netip.Addr
	words map[string]string
	taken map[string]bool // words that stand for others
	// what the addresses that are written out begin with, up to each of their parts, and which of
	// several choices was made of what stands for the next
	written map[netip.Prefix]uint8
}

// New makes a mapper.
func New(key Key) *Mapper {
	return &Mapper{
		key: key, addrs: map[netip.Addr]netip.Addr{}, words: map[string]string{},
		taken: map[string]bool{}, written: map[netip.Prefix]uint8{},
	}
}

// uses of the key: the same octets give something else for each.
const (
	useAddr = iota
	useMAC
	useWord
)

// random is 32 octets that the key, a use of it and some octets decide.
func (m *Mapper) random(use byte, n int, octets []byte) [32]byte {
	b := make([]byte, 0, 128)
	b = append(append(b, m.key[:]...), use)
	b = binary.BigEndian.AppendUint32(b, uint32(n))
	return sha256.Sum256(append(b, octets...))
}

// kind is a range of addresses that mean something: what stands for one of them is of the same.
type kind struct {
	prefix netip.Prefix
	keep   int // leading bits that stay
}

// kinds are the ranges (IANA, "IPv4/IPv6 Special-Purpose Address Registry").
var kinds = [...]kind{
	{netip.MustParsePrefix("0.0.0.0/8"), 32},
	{netip.MustParsePrefix("10.0.0.0/8"), 8},
	{netip.MustParsePrefix("100.64.0.0/10"), 10},
	{netip.MustParsePrefix("127.0.0.0/8"), 32},
	{netip.MustParsePrefix("169.254.0.0/16"), 16},
	{netip.MustParsePrefix("172.16.0.0/12"), 12},
	{netip.MustParsePrefix("192.168.0.0/16"), 16},
	{netip.MustParsePrefix("224.0.0.0/24"), 32},
	{netip.MustParsePrefix("224.0.0.0/4"), 4},
	{netip.MustParsePrefix("255.255.255.255/32"), 32},
	{netip.MustParsePrefix("::/127"), 128},
	{netip.MustParsePrefix("::ffff:0:0/96"), 96},
	{netip.MustParsePrefix("64:ff9b::/96"), 96},
	{netip.MustParsePrefix("2000::/3"), 3},
	{netip.MustParsePrefix("fc00::/7"), 8},
	{netip.MustParsePrefix("fe80::/10"), 64},
	{netip.MustParsePrefix("ff00::/8"), 16},
}

// Addr gives the address that stands for another. Two that have their first bits in common have as
// many in common afterwards, and no more (as Crypto-PAn does it); private addresses, and those of
// other special ranges, stand for such. A loopback address stands for itself. One that is written
// out somewhere stands for one with as many digits in each part (Text).
func (m *Mapper) Addr(a netip.Addr) netip.Addr {
	if to, known := m.addrs[a]; known || !a.IsValid() {
		return to
	}
	out := m.mapped(a)
	if len(m.addrs) < keptMost {
		m.addrs[a] = out
	}
	return out
}

// mapped makes the address that stands for another.
func (m *Mapper) mapped(a netip.Addr) netip.Addr {
	octets := a.AsSlice()
	to := append([]byte(nil), octets...)
	if a.Is6() && embeds(a) {
		v4 := m.mapped(netip.AddrFrom4([4]byte(octets[12:])))
		copy(to[12:], v4.AsSlice())
		out, _ := netip.AddrFromSlice(to)
		return out
	}
	size := partBits(a)
	for i := 0; i < a.BitLen(); i++ {
		if stays(a, i) {
			continue
		}
		before, _ := a.Prefix(i - i%size)
		salt, written := m.written[before]
		if !written || sameDigits(a, i) {
			to[i/8] ^= m.flip(octets, i, salt) << (7 - i%8)
		}
	}
	out, _ := netip.AddrFromSlice(to)
	return out
}

// embeds reports whether an address of IPv6 ends with one of IPv4.
func embeds(a netip.Addr) bool {
	return a.Is4In6() || netip.MustParsePrefix("64:ff9b::/96").Contains(a)
}

// stays reports whether bit i of an address stays as it is: within those that make it one of a
// kind, and where a bit that changed would make it one.
func stays(a netip.Addr, i int) bool {
	for _, k := range kinds {
		if k.prefix.Addr().Is4() != a.Is4() {
			continue
		}
		if k.prefix.Contains(a) && i < k.keep {
			return true
		}
		if i >= k.prefix.Bits() {
			continue
		}
		if head, err := a.Prefix(i); err == nil && head.Contains(k.prefix.Addr()) {
			return true
		}
	}
	return false
}

// flip is whether bit i changes behind the bits before it: 0 or 1, by one of several choices.
func (m *Mapper) flip(octets []byte, i int, choice uint8) byte {
	var head [16]byte
	copy(head[:], octets[:i/8])
	if i%8 > 0 {
		head[i/8] = octets[i/8] &^ (0xff >> (i % 8))
	}
	of := m.random(useAddr, int(choice)<<16|len(octets)<<8|i, head[:])
	return of[0] & 1
}

// MAC puts another address in the place of one of Ethernet: a group's for a group's, and of hosts
// one that no maker has given (IEEE 802c: locally administered).
func (m *Mapper) MAC(mac []byte) {
	const group, bridges, ip6, ip4 = 0x01, "\x01\x80\xc2", "\x33\x33", "\x01\x00\x5e"
	of := m.random(useMAC, 0, mac)
	keep := 0
	switch {
	case string(mac[:3]) == bridges || string(mac) == "\xff\xff\xff\xff\xff\xff" ||
		string(mac) == "\x00\x00\x00\x00\x00\x00":
		return
	case string(mac[:2]) == ip6:
		keep = 2
	case string(mac[:3]) == ip4:
		keep = 3
	}
	first := 2 | mac[0]&group
	copy(mac[keep:], of[:])
	if keep == 0 {
		mac[0] = first
	}
}

// Word gives the word that stands for another: as long, with digits, letters and hyphens in the
// same places, so that a number stands for a number. Different words get different ones, as far as
// there are as many.
func (m *Mapper) Word(w string) string {
	if to, known := m.words[w]; known || w == "" {
		return to
	}
	letters := byte(26)
	if isHex(w) {
		letters = 6
	}
	to := ""
	for try := range 64 {
		to = m.spell(w, try, letters)
		if !m.taken[to] {
			break
		}
	}
	if len(m.words) < keptMost {
		m.words[w] = to
		m.taken[to] = true
	}
	return to
}

// spell makes the n-th word that may stand for another, of so many different letters.
func (m *Mapper) spell(w string, n int, letters byte) string {
	to := make([]byte, len(w))
	var of [32]byte
	for i := range to {
		if i%len(of) == 0 {
			of = m.random(useWord, n<<16|i, []byte(w))
		}
		switch {
		case w[i] >= '0' && w[i] <= '9':
			to[i] = '0' + of[i%len(of)]%10
		case w[i] == '-' || w[i] == '_':
			to[i] = w[i]
		default:
			to[i] = 'a' + of[i%len(of)]%letters
		}
	}
	return string(to)
}

// isHex reports whether a word is a hexadecimal number, as identifiers are: with a digit in it.
func isHex(w string) bool {
	return strings.Trim(w, "0123456789abcdefABCDEF-") == "" && strings.ContainsAny(w, "0123456789")
}
