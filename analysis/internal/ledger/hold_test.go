package ledger

import (
	"testing"
	"time"
)

func TestAppDelay(t *testing.T) {
	ms := func(n ...int) (out []time.Duration) {
		for _, v := range n {
			out = append(out, time.Duration(v)*time.Millisecond)
		}
		return out
	}
	tests := []struct {
		name                  string
		count                 nagleCount
		typical, spread, most time.Duration
		known                 bool
	}{
		{"never seen: the shortest hold bounds it", nagleCount{least: 10 * time.Millisecond}, 0, 0, 10 * time.Millisecond, false},
		{"seen once, which says little of the spread", nagleCount{waits: ms(50)}, 50 * time.Millisecond, 5 * time.Millisecond, 0, true},
		{"longer than the hold, which tells nothing of it", nagleCount{waits: ms(150), least: 95 * time.Millisecond}, 0, 0, 95 * time.Millisecond, false},
		{"median and its deviation", nagleCount{waits: ms(50, 40, 43, 44, 90)}, 44 * time.Millisecond, 4 * time.Millisecond, 0, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			typical, spread, most, known := tt.count.appDelay(100 * time.Millisecond)
			if typical != tt.typical || spread != tt.spread || most != tt.most || known != tt.known {
				t.Errorf("appDelay() = %v, %v, %v, %v, want %v, %v, %v, %v", typical, spread, most, known,
					tt.typical, tt.spread, tt.most, tt.known)
			}
		})
	}
}

func TestNaglePlausible(t *testing.T) {
	tests := []struct {
		name  string
		count nagleCount
		want  bool
	}{
		{"held every time", nagleCount{held: 5}, true},
		{"held twice", nagleCount{held: 2}, true},
		{"held once, without the whole signature", nagleCount{held: 1}, false},
		{"never", nagleCount{}, false},
		{"left at once after a hold: no Nagle", nagleCount{held: 5, prompt: 1, promptAfterHeld: 1}, false},
		{"left at once before the option changed", nagleCount{held: 3, prompt: 1}, true},
		{"left at once more than once", nagleCount{held: 9, prompt: 2}, false},
		{"mostly late: the application decides", nagleCount{held: 2, late: 8}, false},
		{"late now and then", nagleCount{held: 6, late: 4}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := &Connection{}
			s.nagle[0] = tt.count
			if got := s.naglePlausible(0); got != tt.want {
				t.Errorf("naglePlausible() = %v, want %v", got, tt.want)
			}
		})
	}
}
