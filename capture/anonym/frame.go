package anonym

import (
	"net/netip"

	"tcpwhy/capture/internal/decode"
	"tcpwhy/capture/internal/frame"
	"tcpwhy/capture/internal/header"
	"tcpwhy/capture/segment"
)

// Payload decides what is shown of what datagrams carry. What it does not write is zero.
type Payload interface {
	// TCP writes what is shown of a segment's data to out, which is as long.
	TCP(src, dst netip.AddrPort, seq uint32, data, out []byte)
	// DNS writes what is shown of a message to out, which is as long.
	DNS(message, out []byte)
}

// Anonymiser makes anonymous frames. It is for one goroutine, and for the frames of one capture in
// their order.
type Anonymiser struct {
	mapper  *Mapper
	payload Payload
	decoder *decode.Decoder
	trail   decode.Trail
	seg     segment.Segment
	in, out []byte
}

// NewAnonymiser makes an anonymiser.
func NewAnonymiser(m *Mapper, p Payload) *Anonymiser {
	a := &Anonymiser{mapper: m, payload: p, decoder: decode.New(new(uint64))}
	a.decoder.Follow(&a.trail)
	return a
}

// Frame replaces the data of a frame by what may be shown of it: as many octets, valid until the
// next call.
func (a *Anonymiser) Frame(f *frame.Frame) {
	a.in = f.Data
	a.out = append(a.out[:0], make([]byte, len(f.Data))...)
	parts := a.parts(f)
	for i := range parts {
		a.show(&parts[i])
	}
	for i := len(parts) - 1; i >= 0; i-- {
		a.check(parts, i)
	}
	f.Data = a.out
}

// parts are those of a frame of which something is shown. Where in the end nothing was understood,
// what seemed to be a tunnel may be something else: then nothing is behind the outermost datagram's
// own header, or behind that of the link.
func (a *Anonymiser) parts(f *frame.Frame) []decode.Part {
	a.trail.Parts = a.trail.Parts[:0]
	if f.Bad {
		return nil
	}
	switch a.decoder.Decode(f, &a.seg) {
	case decode.Segment, decode.ICMPError, decode.DNS, decode.QUIC, decode.Fragment:
		return a.firstFragment(a.trail.Parts)
	}
	parts := a.trail.Parts
	for i := range parts {
		if kind := parts[i].Kind; kind != decode.PartIPv4 && kind != decode.PartIPv6 {
			continue
		}
		if i+1 < len(parts) && parts[i+1].Kind >= decode.PartUDP {
			i++
		}
		return parts[:i+1]
	}
	return parts[:min(len(parts), 1)]
}

// firstFragment adds the TCP header of the first fragment of a datagram, which is decoded when all
// are there.
func (a *Anonymiser) firstFragment(parts []decode.Part) []decode.Part {
	if len(parts) == 0 {
		return parts
	}
	const offset, flags6 = 0x1fff, 0xfff8
	last := &parts[len(parts)-1]
	p, carries, first := a.in[last.At:last.At+last.Len], uint8(0), false
	switch {
	case last.Kind == decode.PartIPv4 && len(p) >= header.IPv4Size:
		carries, first = p[9], be16(p[6:])&offset == 0
	case last.Kind == decode.PartFragment && len(p) >= 8:
		carries, first = p[0], be16(p[2:])&flags6 == 0
	}
	at := last.At + last.Len
	if !first || header.Protocol(carries) != header.ProtoTCP || len(a.in) < at+tcpHeader {
		return parts
	}
	size := int(a.in[at+12]>>4) * 4
	if size < tcpHeader || at+size > len(a.in) {
		return parts
	}
	return append(parts, decode.Part{Kind: decode.PartTCP, At: at, Len: size})
}

// tcpHeader is the length of a TCP header without options.
const tcpHeader = 20

func be16(p []byte) uint16 { return uint16(p[0])<<8 | uint16(p[1]) }

// show writes what is shown of a part.
func (a *Anonymiser) show(part *decode.Part) {
	in, out := a.in[part.At:part.At+part.Len], a.out[part.At:part.At+part.Len]
	switch part.Kind {
	case decode.PartFixed, decode.PartFragment:
		copy(out, in)
	case decode.PartUDP:
		copy(out, in[:min(len(in), 8)])
	case decode.PartEthernet:
		copy(out, in)
		a.mapper.MAC(out[:6])
		a.mapper.MAC(out[6:12])
	case decode.PartCooked:
		a.cooked(in, out, 5, 6)
	case decode.PartCooked2:
		a.cooked(in, out, 11, 12)
	case decode.PartIPv4:
		a.ipv4(in, out)
	case decode.PartIPv6:
		copy(out, in)
		a.address(in[8:24], out[8:])
		a.address(in[24:40], out[24:])
	case decode.PartExtension:
		extension(in, out)
	case decode.PartTCP:
		copy(out, in[:min(len(in), tcpHeader)])
		tcpOptions(in, out)
	case decode.PartQuoted:
		copy(out, in[:min(len(in), tcpHeader)])
	case decode.PartICMP4, decode.PartICMP6:
		icmp(part.Kind == decode.PartICMP6, in, out)
	case decode.PartData:
		a.data(in, out)
	case decode.PartDNS:
		a.payload.DNS(in, out)
	case decode.PartQUIC:
		quic(in, out)
	}
}

// cooked shows the header of a cooked capture: where the length of the address stands, and the
// address itself.
func (a *Anonymiser) cooked(in, out []byte, lengthAt, at int) {
	const room, mac = 8, 6
	copy(out, in)
	clear(out[at : at+room])
	if in[lengthAt] == mac {
		copy(out[at:], in[at:at+mac])
		a.mapper.MAC(out[at : at+mac])
	}
}

// ipv4 shows a header of IPv4. Of its options, which may hold addresses, nothing is.
func (a *Anonymiser) ipv4(in, out []byte) {
	const noOperation = 1
	copy(out, in[:header.IPv4Size])
	a.address(in[12:16], out[12:])
	a.address(in[16:20], out[16:])
	for i := header.IPv4Size; i < len(out); i++ {
		out[i] = noOperation
	}
}

// address shows the address that stands for one.
func (a *Anonymiser) address(in, out []byte) {
	addr, _ := netip.AddrFromSlice(in)
	copy(out, a.mapper.Addr(addr).AsSlice())
}

// extension shows which header of IPv6 follows and how long this one is, of a routing header what
// kind it is and whether its route is done, and the length of a jumbogram (RFC 2675).
func extension(in, out []byte) {
	const shown, jumbo, jumboSize = 4, 0xc2, 8
	copy(out, in[:min(len(in), 2)])
	switch {
	case len(in) < jumboSize:
	case in[2] == jumbo && in[3] == shown:
		copy(out, in[:jumboSize])
	case in[2] <= 4: // the types of routing headers; of options, padding and its length
		copy(out, in[:shown])
	}
}

// tcpOptions shows the options of TCP that a diagnosis reads. Of others (cookies, keys, digests)
// their kind and length.
func tcpOptions(in, out []byte) {
	const end, none = 0, 1
	for at := tcpHeader; at < len(in); {
		kind := in[at]
		if kind == end {
			return
		}
		if kind == none {
			out[at] = none
			at++
			continue
		}
		if at+2 > len(in) || in[at+1] < 2 || at+int(in[at+1]) > len(in) {
			return
		}
		next := at + int(in[at+1])
		copy(out[at:], in[at:at+2])
		switch kind {
		case 2, 3, 4, 5, 8: // MSS, window scale, SACK permitted, SACK, timestamps
			copy(out[at:], in[at:next])
		}
		at = next
	}
}

// icmp shows the header of a message: all of an error's, else its type and code.
func icmp(v6 bool, in, out []byte) {
	copy(out, in[:min(len(in), 4)])
	isError := in[0] == header.ICMP4Unreachable || in[0] == header.ICMP4TimeExceeded ||
		in[0] == header.ICMP4Parameter
	if v6 {
		isError = in[0] >= header.ICMP6Unreachable && in[0] <= header.ICMP6Parameter
	}
	if isError {
		copy(out, in)
	}
}

// shortest is how many octets of data in a frame of the least length may look like its filling, if
// they are zeros.
const shortest = 6

// data shows what is shown of a segment's data. Where it is short it is not shown as zeros, unless
// it is zeros: those would be taken for the filling of a frame.
func (a *Anonymiser) data(in, out []byte) {
	if len(in) <= shortest {
		if allZero(in) { // filling, perhaps, and not what the connection carries there
			return
		}
		fill(out)
	}
	a.payload.TCP(a.seg.Src, a.seg.Dst, a.seg.Seq, in, out)
}

func allZero(p []byte) bool {
	for _, octet := range p {
		if octet != 0 {
			return false
		}
	}
	return true
}

// fill writes what stands for octets that are not shown and must not be zero.
func fill(out []byte) {
	for i := range out {
		out[i] = 'x'
	}
}

// quic shows that a datagram with a long header is QUIC, and of which version: its first packets
// can be opened by anybody, names included.
func quic(in, out []byte) {
	const long, version = 0x80, 5
	if len(in) >= version && in[0]&long != 0 {
		copy(out, in[:version])
	}
}
