package segment

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"time"
)

// ErrWire says that octets hold no segment.
var ErrWire = errors.New("the octets hold no segment")

// What a segment on the wire has beside what every segment has.
const (
	wireTS = 1 << iota
	wireICMP
	wireRare // MSS, window scale, device
)

// Append appends the segment, with its payload, in octets that Decode reads.
func (s *Segment) Append(b []byte) []byte {
	var has byte
	if s.TSVal|s.TSEcr != 0 {
		has |= wireTS
	}
	if s.ICMP != (ICMPInfo{}) {
		has |= wireICMP
	}
	if s.MSS != 0 || s.WScale != 0 || s.Device != 0 {
		has |= wireRare
	}
	b = append(b, has, byte(s.Flags), s.TTL, byte(s.Kind), s.NSACK)
	b = binary.AppendVarint(b, int64(s.Time))
	b = binary.AppendVarint(b, int64(s.Latest-s.Time))
	b = binary.AppendUvarint(b, uint64(s.Frame))
	b = appendEnd(appendEnd(b, s.Src), s.Dst)
	b = binary.BigEndian.AppendUint32(b, s.Seq)
	b = binary.BigEndian.AppendUint32(b, s.Ack)
	b = binary.AppendUvarint(b, uint64(s.Len))
	b = binary.BigEndian.AppendUint16(b, s.Window)
	b = binary.BigEndian.AppendUint16(b, uint16(s.Options))
	b = binary.BigEndian.AppendUint16(b, s.IPID)
	b = binary.AppendUvarint(b, uint64(s.Iface))
	b = binary.AppendUvarint(b, uint64(s.Tick))
	if has&wireTS != 0 {
		b = binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(b, s.TSVal), s.TSEcr)
	}
	if has&wireRare != 0 {
		b = append(binary.BigEndian.AppendUint16(b, s.MSS), s.WScale)
		b = binary.BigEndian.AppendUint32(b, s.Device)
	}
	for _, block := range s.SACK[:min(int(s.NSACK), len(s.SACK))] {
		b = binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(b, block.Start), block.End)
	}
	if has&wireICMP != 0 {
		v6 := byte(0)
		if s.ICMP.V6 {
			v6 = 1
		}
		b = appendAddr(b, s.ICMP.From)
		b = append(b, v6, s.ICMP.Type, s.ICMP.Code)
		b = binary.BigEndian.AppendUint32(b, s.ICMP.MTU)
	}
	return append(binary.AppendUvarint(b, uint64(len(s.Payload))), s.Payload...)
}

// appendEnd appends an address and a port.
func appendEnd(b []byte, e netip.AddrPort) []byte {
	return binary.BigEndian.AppendUint16(appendAddr(b, e.Addr()), e.Port())
}

// appendAddr appends an address behind its length.
func appendAddr(b []byte, a netip.Addr) []byte {
	octets := a.AsSlice()
	return append(append(b, byte(len(octets))), octets...)
}

// Decode reads a segment that Append wrote, and gives the octets behind it. The payload is a part
// of the octets.
func (s *Segment) Decode(octets []byte) (rest []byte, err error) {
	w := wire{octets: octets}
	head := w.take(5)
	if w.bad {
		return nil, ErrWire
	}
	has := head[0]
	*s = Segment{Flags: TCPFlags(head[1]), TTL: head[2], Kind: Kind(head[3]), NSACK: head[4]}
	s.Time = time.Duration(w.signed())
	s.Latest = s.Time + time.Duration(w.signed())
	s.Frame = FrameID(w.unsigned())
	s.Src, s.Dst = w.end(), w.end()
	s.Seq, s.Ack, s.Len = w.four(), w.four(), uint32(w.unsigned())
	s.Window, s.Options, s.IPID = w.two(), Options(w.two()), w.two()
	s.Iface, s.Tick = uint32(w.unsigned()), uint32(w.unsigned())
	if has&wireTS != 0 {
		s.TSVal, s.TSEcr = w.four(), w.four()
	}
	if has&wireRare != 0 {
		s.MSS, s.WScale, s.Device = w.two(), w.one(), w.four()
	}
	for i := range min(int(s.NSACK), len(s.SACK)) {
		s.SACK[i] = SACKBlock{w.four(), w.four()}
	}
	if has&wireICMP != 0 {
		s.ICMP.From = w.addr()
		s.ICMP.V6, s.ICMP.Type, s.ICMP.Code, s.ICMP.MTU = w.one() == 1, w.one(), w.one(), w.four()
	}
	if n := w.unsigned(); n > 0 {
		s.Payload = w.take(n)
	}
	if w.bad {
		return nil, ErrWire
	}
	return w.octets, nil
}

// wire reads octets; after a fault all is zero.
type wire struct {
	octets []byte
	bad    bool
}

func (w *wire) take(n uint64) []byte {
	if w.bad || n > uint64(len(w.octets)) {
		w.bad = true
		return make([]byte, min(n, 16))
	}
	some := w.octets[:n:n]
	w.octets = w.octets[n:]
	return some
}

func (w *wire) one() byte    { return w.take(1)[0] }
func (w *wire) two() uint16  { return binary.BigEndian.Uint16(w.take(2)) }
func (w *wire) four() uint32 { return binary.BigEndian.Uint32(w.take(4)) }

func (w *wire) unsigned() uint64 {
	n, used := binary.Uvarint(w.octets)
	w.pass(used)
	return n
}

func (w *wire) signed() int64 {
	n, used := binary.Varint(w.octets)
	w.pass(used)
	return n
}

func (w *wire) pass(used int) {
	if w.bad = w.bad || used <= 0; !w.bad {
		w.octets = w.octets[used:]
	}
}

func (w *wire) addr() netip.Addr {
	n := w.one()
	if n != 0 && n != 4 && n != 16 {
		w.bad = true
	}
	a, _ := netip.AddrFromSlice(w.take(uint64(n)))
	return a
}

func (w *wire) end() netip.AddrPort { return netip.AddrPortFrom(w.addr(), w.two()) }
