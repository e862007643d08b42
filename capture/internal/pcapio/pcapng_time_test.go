package pcapio

import (
	"math"
	"testing"
	"time"
)

func TestTickUnitTime(t *testing.T) {
	const second = int64(time.Second)
	tests := []struct {
		name       string
		resolution uint8
		offset     int64
		ticks      uint64
		want       int64
		tick       time.Duration
	}{
		{"seconds", 0, 0, 1_700_000_000, 1_700_000_000 * second, time.Second},
		{"tenths", 1, 0, 17_000_000_009, 1_700_000_000*second + 900_000_000, 100 * time.Millisecond},
		{"milliseconds", 3, 0, 1_700_000_000_123, 1_700_000_000*second + 123_000_000, time.Millisecond},
		{"microseconds", 6, 0, 1_700_000_000_123_456, 1_700_000_000*second + 123_456_000, time.Microsecond},
		{"nanoseconds", 9, 0, 1_700_000_000_123_456_789, 1_700_000_000*second + 123_456_789, 1},
		{"picoseconds", 12, 0, 1_000_123_456_789_999, 1000*second + 123_456_789, 1},
		{"10^-19", 19, 0, math.MaxUint64, 1_844_674_407, 1},
		{"10^-64", 64, 0, math.MaxUint64, 0, 1},
		{"10^-127", 127, 0, math.MaxUint64, 0, 1},
		{"2^0", 0x80, 0, 1000, 1000 * second, time.Second},
		{"2^-10", 0x8a, 0, 1000<<10 | 512, 1000*second + 500_000_000, time.Second / 1024},
		{"2^-20", 0x94, 0, 1000<<20 | 943718, 1000*second + 899_999_618, 953},
		{"2^-30", 0x9e, 0, 1000<<30 | 966367641, 1000*second + 899_999_999, 1},
		{"2^-30 of today", 0x9e, 0, 1_700_000_000<<30 | 1<<29, 1_700_000_000*second + 500_000_000, 1},
		{"2^-32", 0xa0, 0, 1000<<32 | 3865470566, 1000*second + 899_999_999, 1},
		{"2^-32 of today", 0xa0, 0, 1_700_000_000<<32 | 1<<31, 1_700_000_000*second + 500_000_000, 1},
		{"2^-63", 0xbf, 0, 1<<63 | 1<<62, 1_500_000_000, 1},
		{"2^-64", 0xc0, 0, 1 << 63, 500_000_000, 1},
		{"2^-65", 0xc1, 0, 1 << 63, 250_000_000, 1},
		{"2^-127", 0xff, 0, math.MaxUint64, 0, 1},
		{"offset", 6, 1_600_000_000, 100_000_000_000_123, 1_700_000_000*second + 123_000, time.Microsecond},
		{"negative offset", 6, -50, 100_000_123, 50*second + 123_000, time.Microsecond},
		{"before 1970", 6, -100, 50_000_000, -50 * second, time.Microsecond},
		{"largest seconds", 0, 0, math.MaxUint64, timeMax, time.Second},
		{"largest binary seconds", 0x80, 0, math.MaxUint64, timeMax, time.Second},
		{"largest 2^-10", 0x8a, 0, math.MaxUint64, timeMax, time.Second / 1024},
		{"largest nanoseconds", 9, 0, math.MaxUint64, timeMax, 1},
		{"largest offset", 6, math.MaxInt64, math.MaxUint64, timeMax, time.Microsecond},
		{"least offset", 6, math.MinInt64, 0, -timeMax/second*second + 0, time.Microsecond},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			unit := newTickUnit(test.resolution, test.offset)
			if got := unit.time(test.ticks); got != test.want {
				t.Errorf("time(%d) = %d, want %d", test.ticks, got, test.want)
			}
			if got := unit.resolution(); got != test.tick {
				t.Errorf("resolution = %d ns, want %d", got, test.tick)
			}
		})
	}
}
