package redact

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"strings"

	"golang.org/x/net/http2/hpack"
)

// host is a host with another name, or with the address that stands for it everywhere if it is one.
// A port stays.
func (w words) host(text []byte) []byte {
	if out, ok := w.hostAddress(text, nil); ok {
		return out
	}
	name, port := text, []byte(nil)
	if i := bytes.LastIndexByte(text, ':'); bytes.IndexByte(text, ':') == i {
		name, port = cutPort(text)
	}
	return append(w.mapped(bytes.ToLower(name), ".[]:"), port...)
}

// cutPort cuts a port with its colon off a host.
func cutPort(text []byte) (name, port []byte) {
	i := bytes.LastIndexByte(text, ':')
	if i < 0 || len(bytes.Trim(text[i+1:], "0123456789")) > 0 || len(text)-i > len(":65535") {
		return text, nil
	}
	return text[:i], text[i:]
}

// hostAddress is an address of IPv4, or one of IPv6 which may be in brackets, with another one in
// its place, as long; false if the text is none. A port behind it stays. fits is a property that
// the other one should have beside its length, nil if none.
func (w words) hostAddress(text []byte, fits func(from, to string) bool) ([]byte, bool) {
	name, port := text, []byte(nil)
	if bytes.HasPrefix(text, []byte("[")) || bytes.Count(text, []byte(":")) <= 1 {
		name, port = cutPort(text)
	}
	bare := string(bytes.TrimSuffix(bytes.TrimPrefix(name, []byte("[")), []byte("]")))
	if _, err := netip.ParseAddr(bare); err != nil {
		return nil, false
	}
	to, ok := w.mapper.Text(bare, func(to string) bool { return fits == nil || fits(bare, to) })
	if !ok {
		return w.letters(append(bytes.Clone(name), port...)), true
	}
	at := bytes.Index(name, []byte(bare))
	out := append(bytes.Clone(name[:at]), to...)
	return append(append(out, name[at+len(bare):]...), port...), true
}

// letters is a word for an address in whose place no other can be written: nobody takes it for one.
func (w words) letters(text []byte) []byte {
	out := make([]byte, len(text))
	for i, c := range text {
		out[i] = 'a' + c%26
	}
	return []byte(w.mapper.Word(string(out)))
}

// authority is where an absolute target leads: a host, and who asks before that.
func (w words) authority(text []byte) []byte {
	at := bytes.LastIndexByte(text, '@') + 1
	return append(w.mapped(text[:at], ":@"), w.host(text[at:])...)
}

// addresses are the addresses in a value, with others in their place, and what is between them.
func (w words) addresses(value []byte, fits func(from, to string) bool) []byte {
	const between, shown = " ,;=\"\t", " for by unknown "
	out := bytes.Repeat([]byte{'x'}, len(value))
	for at := 0; at < len(value); {
		if strings.IndexByte(between, value[at]) >= 0 {
			out[at] = value[at]
			at++
			continue
		}
		n := bytes.IndexAny(value[at:], between)
		if n < 0 {
			n = len(value) - at
		}
		word := value[at : at+n]
		if to, ok := w.hostAddress(word, fits); ok {
			copy(out[at:], to)
		} else if strings.Contains(shown, " "+strings.ToLower(string(word))+" ") {
			copy(out[at:], word)
		}
		at += n
	}
	return out
}

// asLong reports whether two texts are as long when they are coded (RFC 7541 §5.2).
func asLong(a, b string) bool {
	const bits = 8
	return hpack.HuffmanEncodeLength(strings.Repeat(a, bits)) ==
		hpack.HuffmanEncodeLength(strings.Repeat(b, bits))
}

// alike is what an address that stands for another should have in common with it, where a value is
// written in n octets.
func alike(value string, n int) func(from, to string) bool {
	if len(value) == n {
		return nil
	}
	return asLong
}

// coded is a value with addresses that stand for those in it, which has n octets as it is or when
// it is coded. Where none is as long it is a word.
func (w words) coded(shown []byte, n int) string {
	if len(shown) == n || hpack.HuffmanEncodeLength(string(shown)) == uint64(n) {
		return string(shown)
	}
	return fit(w.letters(shown), n)
}

// The PROXY protocol of HAProxy (proxy-protocol.txt): who a proxy connects for, in front of
// everything else that it says.
const (
	introducer1 = "PROXY "
	introducer2 = "\r\n\r\n\x00\r\nQUIT\n"
	introHead   = 16 // octets of version 2 before the addresses
)

// introduction is what is shown of what introduces a client of a proxy at the beginning of data:
// other addresses. It is empty if nothing does.
func (w words) introduction(data []byte) []byte {
	switch {
	case bytes.HasPrefix(data, []byte(introducer1)):
		line, _, found := bytes.Cut(data, []byte("\r\n"))
		if !found {
			return nil
		}
		return append(w.introduction1(line), '\r', '\n')
	case bytes.HasPrefix(data, []byte(introducer2)) && len(data) >= introHead:
		size := introHead + int(binary.BigEndian.Uint16(data[introHead-2:]))
		if size <= len(data) {
			return w.introduction2(data[:size])
		}
	}
	return nil
}

// introduction1 shows a line of version 1: PROXY TCP4, two addresses and two ports.
func (w words) introduction1(line []byte) []byte {
	const parts = 6
	out := masked(line)
	all := bytes.Split(line, []byte(" "))
	copy(out, introducer1)
	if len(all) != parts || string(all[1]) != "TCP4" && string(all[1]) != "TCP6" ||
		!allOf(string(all[4])+string(all[5]), "0123456789") {
		return out
	}
	copy(out, w.addresses(line, nil))
	copy(out, line[:len(introducer1)+len("TCP4")])
	ports := len(all[4]) + len(" ") + len(all[5])
	copy(out[len(out)-ports:], line[len(line)-ports:])
	return out
}

// introduction2 shows an introduction of version 2. What else it may tell is not shown.
func (w words) introduction2(in []byte) []byte {
	const ports, family, v4, v6 = 4, 13, 1, 2
	c := &cursor{in: in, out: make([]byte, len(in))}
	c.keep(introHead)
	size := map[byte]int{v4: 4, v6: 16}[in[family]>>4]
	if size == 0 || introHead+2*size+ports > len(in) {
		return c.out
	}
	for range 2 {
		octets, out := c.take(size)
		addr, _ := netip.AddrFromSlice(octets)
		w.mapper.Text(addr.String(), nil) // as where the same is written out
		copy(out, w.mapper.Addr(addr).AsSlice())
	}
	c.keep(ports)
	return c.out
}
