package flow

import "testing"

// TestKey looks at a flow and its opposite, and at one with another port.
func TestKey(t *testing.T) {
	ends := Ends{Src: Address4([]byte{10, 0, 0, 1}), Dst: Address4([]byte{10, 0, 0, 2})}
	back := Ends{Src: ends.Dst, Dst: ends.Src}
	there, again := ends.Key(40000, 80), back.Key(80, 40000)
	if there.Conn != again.Conn || there.Path == again.Path || there.Dir == again.Dir {
		t.Errorf("one direction %+v, the other %+v", there, again)
	}
	if other := ends.Key(40001, 80); other.Conn == there.Conn || other.Path == there.Path {
		t.Errorf("another port: %+v and %+v", other, there)
	}
}
