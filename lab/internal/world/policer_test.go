//go:build linux

package world

import "testing"

func TestAPolicerLetsTheRatePass(t *testing.T) {
	var p policer
	const rate, bucket = 8_000_000, 10_000 // an octet in each microsecond
	start, passed := int64(1e9), 0
	for i := range 1000 { // 1 kB every 500 us: twice the rate, for half a second
		if p.admit(1000, start+int64(i)*500_000, rate, bucket) {
			passed += 1000
		}
	}
	if want := 500_000 + bucket; passed < want-1000 || passed > want+1000 {
		t.Errorf("%d octets passed, want about %d", passed, want)
	}
}
