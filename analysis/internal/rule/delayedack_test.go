package rule

import (
	"testing"
	"time"
)

func TestDelackTimer(t *testing.T) {
	of := func(n ...int) (out []time.Duration) {
		for _, v := range n {
			out = append(out, time.Duration(v)*time.Millisecond)
		}
		return out
	}
	tests := []struct {
		name   string
		delays []time.Duration
		want   int
		known  bool
	}{
		{"too few", of(40, 41, 42), 0, false},
		{"they agree", of(40, 44, 41, 42), 42, true},
		{"one does not", of(40, 200, 41, 42), 42, true},
		{"all over the place", of(10, 60, 110, 160, 210), 110, false},
	}
	for _, tt := range tests {
		if got, known := DelackTimer(tt.delays); known != tt.known || known &&
			got != time.Duration(tt.want)*time.Millisecond {
			t.Errorf("%s: %v, %v", tt.name, got, known)
		}
	}
}
