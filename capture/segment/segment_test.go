package segment

import "testing"

func TestFrameID(t *testing.T) {
	for _, want := range []struct {
		input  int
		number uint64
	}{{0, 0}, {0, 1}, {1, 1}, {1<<16 - 1, 1<<frameBits - 1}} {
		id := NewFrameID(want.input, want.number)
		if id.Input() != want.input || id.Number() != want.number {
			t.Errorf("frame %d of input %d, want %d of %d", id.Number(), id.Input(), want.number, want.input)
		}
	}
	if NewFrameID(0, 1<<frameBits-1) >= NewFrameID(1, 1) {
		t.Error("frames of the second input come before those of the first")
	}
}
