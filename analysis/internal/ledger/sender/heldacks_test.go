package sender

import (
	"testing"
	"time"

	"tcpwhy/reassembly"
)

func TestHeldAcksDelayed(t *testing.T) {
	tests := []struct {
		name            string
		least, jitter   int // ms
		unsure          bool
		took            []int // ms
		delayed, surely int
	}{
		{"next to the capture: a heartbeat's ticks", 0, 0, true, []int{3, 20, 90, 180}, 3, 3},
		{"a path that varies: no gap", 21, 9, true,
			[]int{27, 29, 30, 31, 31, 32, 34, 34, 34, 36}, 0, 0},
		{
			"alike, but the prompt ones vary as much",
			20,
			5,
			true,
			[]int{27, 38, 50, 51, 51, 52},
			0,
			0,
		},
		{"a timer of 40 ms on such a path", 22, 8, true,
			[]int{32, 67, 68, 69, 75, 75, 77, 77, 78, 84}, 9, 0},
		{"a timer, and a steady path", 10, 0, true, []int{10, 50, 50, 51, 51, 52}, 5, 5},
		{"a SYN that was late made the jitter too much", 41, 13, true,
			[]int{41, 84, 85, 85, 86, 91, 93, 101}, 7, 7},
		{"few say little against that", 41, 13, true, []int{41, 84, 85, 85}, 0, 0},
		{"a few on a steady path", 10, 1, true, []int{10, 50, 51}, 2, 0},
		{"many samples told the jitter", 20, 12, false, []int{21, 60, 61, 62, 63}, 0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var h heldAcks
			for _, took := range tt.took {
				h.add(time.Duration(took)*time.Millisecond, reassembly.RTT{
					Min:    time.Duration(tt.least) * time.Millisecond,
					Jitter: time.Duration(tt.jitter) * time.Millisecond,
					Unsure: tt.unsure,
				}, tt.least == 0)
			}
			if n, sure := h.delayed(); n != tt.delayed || sure != tt.surely {
				t.Errorf("delayed() = %d, %d, want %d, %d", n, sure, tt.delayed, tt.surely)
			}
		})
	}
}
