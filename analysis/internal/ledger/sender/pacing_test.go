package sender

import (
	"testing"
	"time"
)

func TestPacing(t *testing.T) {
	const ms = time.Millisecond
	tests := []struct {
		name  string
		gaps  []time.Duration
		alone bool
		next  time.Duration
		want  bool
	}{
		{"the same pause again and again", []time.Duration{3 * ms, 3 * ms, 4 * ms, 3 * ms, 3 * ms, 3 * ms}, true, 3 * ms, true},
		{"each after an acknowledgment", []time.Duration{3 * ms, 3 * ms, 4 * ms, 3 * ms, 3 * ms, 3 * ms}, false, 3 * ms, false},
		{"a longer pause", []time.Duration{3 * ms, 3 * ms, 4 * ms, 3 * ms, 3 * ms, 3 * ms}, true, 20 * ms, false},
		{"pauses of many lengths", []time.Duration{1 * ms, 9 * ms, 4 * ms, 30 * ms, 2 * ms, 3 * ms}, true, 3 * ms, false},
		{"too few", []time.Duration{3 * ms, 3 * ms, 3 * ms}, true, 3 * ms, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var p pacing
			for _, g := range tt.gaps {
				p.add(g, tt.alone)
			}
			if got := p.explains(tt.next); got != tt.want {
				t.Errorf("explains(%v) = %v, want %v", tt.next, got, tt.want)
			}
		})
	}
}
