package sender

import "testing"

func TestFixedWindow(t *testing.T) {
	for _, tt := range []struct {
		name    string
		windows []int64 // that kept the sender back
		offered int64   // the largest in the meantime
		want    bool
	}{
		{"the same each time", []int64{8688, 8688, 8688}, 8688, true},
		{"once larger, when less was outstanding", []int64{8688, 8688, 8688}, 14_480, true},
		{"the same while slow start lasted, then it grew", []int64{84_992, 84_992, 84_992}, 760_000, false},
		{"growing", []int64{20_000, 40_000, 80_000}, 80_000, false},
		{"too few", []int64{8688, 8688}, 8688, false},
	} {
		b := ReceiveWindow{Offered: tt.offered, moved: tt.offered}
		for _, w := range tt.windows {
			b.hold(w)
		}
		if got := b.Fixed(); got != tt.want {
			t.Errorf("%s: Fixed() = %v, want %v", tt.name, got, tt.want)
		}
	}
}

// TestPartlyFilled has windows that a slow reader leaves of a buffer that holds twice as much, and
// those of a buffer that holds no more.
func TestPartlyFilled(t *testing.T) {
	const left = 66_000
	for _, test := range []struct {
		holds int64
		want  bool
	}{{2 * left, true}, {left, false}} {
		var b ReceiveWindow
		b.offer(test.holds, true)
		for range timesToRank {
			b.offer(left, true)
			b.hold(left)
		}
		if got := b.PartlyFilled(); got != test.want {
			t.Errorf("a buffer that holds %d: partly filled %v, want %v", test.holds, got, test.want)
		}
		if got := b.Fixed(); got == test.want {
			t.Errorf("a buffer that holds %d: fixed %v, want %v", test.holds, got, !test.want)
		}
	}
}
