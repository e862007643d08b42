package packet

import "encoding/binary"

// A Header is what the lab needs to know of a segment to lose the right one.
type Header struct {
	Flow   uint32 // both ports, client's first
	Flags  byte
	Length int // octets of data
}

// The flags of TCP (RFC 9293 section 3.1).
const (
	FIN = 1
	SYN = 2
	RST = 4
	PSH = 8
	ACK = 16
)

// ipHeader finds the TCP header in an Ethernet frame: its offset and the octets of the segment.
func ipHeader(data []byte) (offset, length int, ok bool) {
	if len(data) < 14+20 {
		return 0, 0, false
	}
	switch binary.BigEndian.Uint16(data[12:]) {
	case 0x0800:
		head := int(data[14]&15) * 4
		return 14 + head, int(binary.BigEndian.Uint16(data[16:])) - head, data[23] == 6
	case 0x86dd:
		if len(data) < 14+40 {
			return 0, 0, false
		}
		return 54, int(binary.BigEndian.Uint16(data[18:])), data[20] == 6
	}
	return 0, 0, false
}

// IsTCP is true of TCP over IPv4 or IPv6.
func IsTCP(data []byte) bool {
	_, _, ok := ipHeader(data)
	return ok
}

// IsICMP is true of ICMP over IPv4.
func IsICMP(data []byte) bool {
	return len(data) >= 34 && binary.BigEndian.Uint16(data[12:]) == 0x0800 && data[23] == 1
}

// IsUDP is true of UDP over IPv4.
func IsUDP(data []byte) bool {
	return len(data) >= 34 && binary.BigEndian.Uint16(data[12:]) == 0x0800 && data[23] == 17
}

// ParseTCP reads a frame on its way in the given direction.
func ParseTCP(data []byte, toServer bool) (Header, bool) {
	at, length, ok := ipHeader(data)
	if !ok || len(data) < at+20 {
		return Header{}, false
	}
	b := data[at:]
	src, dst := uint32(binary.BigEndian.Uint16(b)), uint32(binary.BigEndian.Uint16(b[2:]))
	if !toServer {
		src, dst = dst, src
	}
	return Header{src<<16 | dst, b[13], length - int(b[12]>>4)*4}, true
}

// Kind is a segment in the words of loss rules.
func (h Header) Kind() string {
	switch {
	case h.Flags&RST != 0:
		return "rst"
	case h.Flags&SYN != 0 && h.Flags&ACK != 0:
		return "synack"
	case h.Flags&SYN != 0:
		return "syn"
	case h.Flags&FIN != 0:
		return "fin"
	case h.Length > 0:
		return "data"
	}
	return "ack"
}
