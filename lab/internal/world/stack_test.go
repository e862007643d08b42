//go:build linux

package world

import (
	"encoding/binary"
	"testing"
	"time"

	"tcpwhy/lab/internal/packet"
)

// ackAt is an ACK of the server without options, with the kernel's identification.
func ackAt(ms int, id uint16) packet.Frame {
	f := make([]byte, 54)
	copy(f[6:], serverStation().MAC)
	f[12], f[14], f[22], f[23], f[46], f[47] = 8, 0x45, 64, 6, 5<<4, packet.ACK
	binary.BigEndian.PutUint16(f[16:], 40)
	binary.BigEndian.PutUint16(f[18:], id)
	return packet.Frame{At: int64(ms) * 1e6, Data: f, Wire: 54}
}

func TestAStackCountsAndPads(t *testing.T) {
	sent := []packet.Frame{ackAt(1000, 7), ackAt(1001, 900), ackAt(1600, 8)}
	c := Captures{Server: sent, Client: []packet.Frame{sent[0], sent[2]}}
	stack := Stack{FirstID: 100, Stride: 10, Elsewhere: 250 * time.Millisecond, Pad: true}
	c.dress([2]Stack{{}, stack}, [2]Station{ClientStation(), serverStation()})
	for i, want := range []uint16{100, 140} {
		f := c.Client[i]
		if got := binary.BigEndian.Uint16(f.Data[18:]); got != want || f.Wire != 60 {
			t.Errorf("frame %d: identification %d, %d octets, want %d and 60", i, got, f.Wire, want)
		}
	}
	if h, _ := packet.ParseTCP(c.Server[1].Data, false); h.Length != 6 {
		t.Errorf("padding counts as %d octets of data, want 6", h.Length)
	}
}
