package sender

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
		count                 Nagle
		typical, spread, most time.Duration
		known                 bool
	}{
		{"never seen: the shortest hold bounds it", Nagle{least: 10 * time.Millisecond}, 0, 0, 10 * time.Millisecond, false},
		{"seen once, which says little of the spread", Nagle{waits: ms(50)}, 50 * time.Millisecond, 5 * time.Millisecond, 0, true},
		{"longer than the hold, which tells nothing of it", Nagle{waits: ms(150), least: 95 * time.Millisecond}, 0, 0, 95 * time.Millisecond, false},
		{"median and its deviation", Nagle{waits: ms(50, 40, 43, 44, 90)}, 44 * time.Millisecond, 4 * time.Millisecond, 0, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			typical, spread, most, known := tt.count.AppDelay(100 * time.Millisecond)
			if typical != tt.typical || spread != tt.spread || most != tt.most || known != tt.known {
				t.Errorf("AppDelay() = %v, %v, %v, %v, want %v, %v, %v, %v", typical, spread, most, known,
					tt.typical, tt.spread, tt.most, tt.known)
			}
		})
	}
}

func TestNaglePlausible(t *testing.T) {
	tests := []struct {
		name  string
		count Nagle
		want  bool
	}{
		{"held every time", Nagle{held: 5}, true},
		{"held twice", Nagle{held: 2}, true},
		{"held once, without the whole signature", Nagle{held: 1}, false},
		{"never", Nagle{}, false},
		{"left at once after a hold: no Nagle", Nagle{held: 5, prompt: 1, promptAfterHeld: 1}, false},
		{"left at once before the option changed", Nagle{held: 3, prompt: 1}, true},
		{"left at once more than once", Nagle{held: 9, prompt: 2}, false},
		{"mostly late: the application decides", Nagle{held: 2, late: 8}, false},
		{"late now and then", Nagle{held: 6, late: 4}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := !tt.count.Contradicted() && tt.count.Repeated(); got != tt.want {
				t.Errorf("plausible: %v, want %v", got, tt.want)
			}
		})
	}
}
