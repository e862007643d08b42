package transfer

import (
	"testing"

	"tcpwhy/analysis/internal/ledger"
)

func TestGrew(t *testing.T) {
	tests := []struct {
		name   string
		octets []int64
		want   bool
	}{
		{"doubling", []int64{14480, 28960, 57920, 4000}, true},
		{"by half, as with delayed ACKs", []int64{14480, 21720, 32580, 4000}, true},
		{"two rounds: the second is the rest", []int64{14480, 3000}, true},
		{"one size, as a small send buffer makes it", []int64{5873, 5792, 5792, 5792}, false},
		{"one size, then more", []int64{14480, 14480, 28960, 100}, true},
		{"the last is the rest, however large", []int64{5792, 5792, 8000}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var rounds []ledger.Round
			for _, n := range tt.octets {
				rounds = append(rounds, ledger.Round{Bytes: n})
			}
			if got := grew(rounds); got != tt.want {
				t.Errorf("grew() = %v, want %v", got, tt.want)
			}
		})
	}
}
