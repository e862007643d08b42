//go:build linux

package world

import (
	"testing"

	"tcpwhy/lab/internal/packet"
)

func TestABoxForgets(t *testing.T) {
	w := &wire{link: Link{Box: Box{Forget: 100}}, boxed: newBoxState()}
	syn := packet.Header{Flow: 1, Flags: packet.SYN}
	data := packet.Header{Flow: 1, Flags: packet.ACK, Length: 5}
	for i, c := range []struct {
		h    packet.Header
		at   int64
		want bool
	}{
		{syn, 0, false}, {data, 90, false}, {data, 180, false}, {data, 300, true},
		{data, 310, true}, {syn, 320, false}, {data, 330, false},
	} {
		if got := w.forgotten(c.h, c.at); got != c.want {
			t.Errorf("step %d: forgotten %v, want %v", i, got, c.want)
		}
	}
}
