//go:build linux

package world

import (
	"testing"

	"tcpwhy/lab/internal/packet"
)

func TestLosses(t *testing.T) {
	frame := func(flags byte, payload int) []byte {
		f := make([]byte, 14+20+20+payload)
		f[12], f[13], f[14], f[23] = 8, 0, 0x45, 6
		f[16], f[17] = byte((40+payload)>>8), byte(40+payload)
		f[34+12], f[34+13] = 5<<4, flags
		return f
	}
	l := losses{
		rules: []Drop{{ToServer: true, Kind: "data", First: 2, Times: 2}},
		seen:  make(map[lossKey]int),
	}
	for i, c := range []struct {
		frame    []byte
		toServer bool
		want     bool
	}{
		{frame(packet.SYN, 0), true, false},
		{frame(packet.ACK, 0), true, false},
		{frame(packet.ACK|packet.PSH, 10), true, false},
		{frame(packet.ACK|packet.PSH, 10), false, false},
		{frame(packet.ACK|packet.PSH, 10), false, false},
		{frame(packet.ACK|packet.PSH, 10), true, true},
		{frame(packet.ACK|packet.PSH, 10), true, true},
		{frame(packet.ACK|packet.PSH, 10), true, false},
	} {
		if got, _ := l.fate(c.frame, c.toServer); got != c.want {
			t.Errorf("segment %d: lost %v, want %v", i, got, c.want)
		}
	}
}
