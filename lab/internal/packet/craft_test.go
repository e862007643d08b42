package packet

import (
	"bytes"
	"encoding/binary"
	"testing"
)

// segmentFrame is a frame of 10 octets of data from port 1000 to port 8080.
func segmentFrame() []byte {
	f := make([]byte, 14+20+20+10)
	copy(f, []byte{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2})
	f[12], f[13], f[14], f[22], f[23] = 8, 0, 0x45, 64, 6
	binary.BigEndian.PutUint16(f[16:], 50)
	copy(f[26:], []byte{10, 9, 0, 2, 10, 9, 0, 1})
	binary.BigEndian.PutUint16(f[34:], 8080)
	binary.BigEndian.PutUint16(f[36:], 1000)
	binary.BigEndian.PutUint32(f[38:], 7000)
	binary.BigEndian.PutUint32(f[42:], 900)
	f[46], f[47] = 5<<4, ACK|PSH
	return f
}

// sums reports whether both checksums of an IPv4 packet hold.
func sums(f []byte) bool {
	at, length, _ := ipHeader(f)
	if checksum(0, f[14:at]) != 0 {
		return false
	}
	if f[23] == 1 {
		return checksum(0, f[at:]) == 0
	}
	pseudo := append(append([]byte(nil), f[26:34]...), 0, f[23], byte(length>>8), byte(length))
	return checksum(uint32(^checksum(0, pseudo)), f[at:at+length]) == 0
}

func TestABoxAnswersInOrder(t *testing.T) {
	segment := segmentFrame()
	for _, c := range []struct {
		name             string
		frame            []byte
		back             bool // to where the segment came from
		source, dest     byte // last octet of the address
		seq              uint32
		fromPort, toPort uint16
	}{
		{"reset back", ResetFor(segment), true, 1, 2, 900, 1000, 8080},
		{"reset behind", ResetBehind(segment), false, 2, 1, 7010, 8080, 1000},
	} {
		if !sums(c.frame) {
			t.Errorf("%s: a checksum is wrong", c.name)
		}
		if c.back == bytes.Equal(c.frame[:6], segment[:6]) {
			t.Errorf("%s: goes the wrong way", c.name)
		}
		if c.frame[29] != c.source || c.frame[33] != c.dest || c.frame[22] != boxTTL {
			t.Errorf("%s: IP header % x", c.name, c.frame[14:34])
		}
		h, ok := ParseTCP(c.frame, true)
		if !ok || h.Kind() != "rst" || binary.BigEndian.Uint32(c.frame[38:]) != c.seq {
			t.Errorf("%s: TCP header % x", c.name, c.frame[34:])
		}
		from, to := binary.BigEndian.Uint16(c.frame[34:]), binary.BigEndian.Uint16(c.frame[36:])
		if from != c.fromPort || to != c.toPort {
			t.Errorf("%s: ports % x", c.name, c.frame[34:38])
		}
	}
	m := Unreachable(segment, 4, 1400)
	if !sums(m) || m[34] != 3 || m[35] != 4 || binary.BigEndian.Uint16(m[40:]) != 1400 ||
		!bytes.Equal(m[42:62], segment[14:34]) {
		t.Errorf("ICMP is % x", m[14:])
	}
}

func TestDressedFramesStayInOrder(t *testing.T) {
	numbered, hopped := segmentFrame(), segmentFrame()
	SetID(numbered, 0x1234)
	if numbered[18] != 0x12 || numbered[19] != 0x34 || checksum(0, numbered[14:34]) != 0 {
		t.Errorf("identification: % x", numbered[14:34])
	}
	Hop(hopped, []byte{2, 0, 0, 0, 0, 8}, []byte{2, 0, 0, 0, 0, 9})
	if hopped[22] != 63 || hopped[5] != 9 || hopped[11] != 8 || checksum(0, hopped[14:34]) != 0 {
		t.Errorf("a hop: % x", hopped[:34])
	}
	ack := segmentFrame()[:54]
	binary.BigEndian.PutUint16(ack[16:], 40)
	if padded := Padded(ack, 46); len(padded) != 60 || padded[17] != 46 || !sums(padded) {
		t.Errorf("padded: % x", padded)
	}
}
