package transfer

import (
	"slices"
	"testing"
	"time"

	"tcpwhy/analysis/internal/ledger"
)

// TestUsually: parts that took as long as others, or a whole number of times as long, show a clock.
func TestUsually(t *testing.T) {
	for _, tt := range []struct {
		took    []time.Duration
		least   time.Duration
		regular bool
	}{
		{nil, 0, false},
		{[]time.Duration{500, 505}, 500, false},
		{[]time.Duration{749, 500, 501, 505}, 500, true},
		{[]time.Duration{700, 500, 501, 1008}, 500, true},
		{[]time.Duration{500, 1000, 1500}, 500, false},
		{[]time.Duration{500, 620, 740, 860}, 500, false},
	} {
		least, regular := usually(tt.took)
		if least != tt.least || regular != tt.regular {
			t.Errorf("%d: %d, %t, want %d, %t", tt.took, least, regular, tt.least, tt.regular)
		}
	}
}

// TestPartsByClock: what makes a part late costs something only if all that follow are late, too.
func TestPartsByClock(t *testing.T) {
	pauses := func(length time.Duration, ends []time.Duration) (all []ledger.Wait) {
		for _, e := range ends {
			all = append(all, ledger.Wait{From: e - length, To: e})
		}
		return all
	}
	for _, tt := range []struct {
		name  string
		pause time.Duration // 200 and more are pauses whenever they end
		ends  []time.Duration
		want  []time.Duration // left of each part but the last
	}{
		{"on time", 10, []time.Duration{500, 1000, 1500}, []time.Duration{0, 0, 0}},
		{"late once", 200, []time.Duration{500, 1080, 1500, 2000}, []time.Duration{0, 0, 0, 0}},
		{"late for good", 200, []time.Duration{500, 1080, 1580, 2080}, []time.Duration{0, 80, 0, 0}},
		{"late from the first", 200, []time.Duration{650, 1150, 1650}, []time.Duration{150, 0, 0}},
		{"a part without a pause", 10, []time.Duration{500, 1500, 2000}, []time.Duration{0, 0, 0}},
	} {
		var s schedule
		s.byClock(pauses(tt.pause, tt.ends), 0, 2500, 500, 200)
		if got := s.left[:len(s.left)-1]; !slices.Equal(got, tt.want) {
			t.Errorf("%s: %d left, want %d", tt.name, got, tt.want)
		}
	}
}
