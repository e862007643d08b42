package sender

import (
	"testing"
	"time"

	"tcpwhy/reassembly"
)

// stamped is a record of the server's, sent and come at the given milliseconds after the first,
// with a clock of the given ticks a second.
func stamped(rate, sent, came int) reassembly.Record {
	return reassembly.Record{Dir: reassembly.FromServer, Time: time.Duration(came) * time.Millisecond, Trait: reassembly.HasTS,
		TSVal: uint32(1<<32 - 20 + sent*rate/1000)} // wraps
}

func TestStamps(t *testing.T) {
	tests := []struct {
		name  string
		rate  int
		times [][2]int // sent, came
		want  time.Duration
	}{
		{"prompt", 1000, [][2]int{{0, 0}, {10, 10}, {20, 20}, {40, 40}}, 0},
		{"held up", 1000, [][2]int{{0, 0}, {10, 10}, {20, 20}, {40, 40}, {45, 145}}, 99 * time.Millisecond},
		{"a slower clock", 250, [][2]int{{0, 0}, {40, 40}, {80, 80}, {160, 160}, {180, 300}}, 116 * time.Millisecond},
		{"a pause", 1000, [][2]int{{0, 0}, {10, 10}, {20, 20}, {40, 40}, {640, 640}}, 0},
		{"behind a queue", 1000, [][2]int{{0, 0}, {50, 58}, {100, 120}, {150, 160}, {200, 229}, {250, 270}}, 19 * time.Millisecond},
		{"no clock of those in use", 50, [][2]int{{0, 0}, {200, 200}, {400, 400}, {600, 600}, {640, 900}}, 0},
		{"too few to tell", 1000, [][2]int{{0, 0}, {10, 10}, {20, 90}}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := &reassembly.Conn{}
			for _, at := range tt.times {
				c.Records = append(c.Records, stamped(tt.rate, at[0], at[1]))
			}
			var p stamps
			var late time.Duration
			for i := range c.Records {
				late = p.add(c, &c.Records[i])
			}
			if late != tt.want {
				t.Errorf("the last was late by %v, want %v", late, tt.want)
			}
		})
	}
}

func TestReplica(t *testing.T) {
	p := replica{size: InitialWindow}
	p.sent(10, 10)
	p.acked(10)
	if p.size != 20 {
		t.Errorf("after a full window was acknowledged: %d packets, want 20", p.size)
	}
	p.round()
	p.sent(4, 4)
	p.round()
	p.sent(4, 4)
	p.acked(4)
	if p.size != 20 {
		t.Errorf("after two rounds of four packets: %d packets, want 20: a window that is not used does not grow", p.size)
	}
	p.held(8, 2)
	if p.size != 10 {
		t.Errorf("after it held back eight packets until two were acknowledged: %d packets, want 10", p.size)
	}
}

// TestStampsWrap: timestamps of a clock of 1000 ticks a second wrap against the first after 24.8
// days.
func TestStampsWrap(t *testing.T) {
	c := &reassembly.Conn{}
	var p stamps
	add := func(ms int) time.Duration {
		c.Records = append(c.Records, stamped(1000, ms, ms))
		c.Records = c.Records[max(len(c.Records)-16, 0):]
		return p.add(c, &c.Records[len(c.Records)-1])
	}
	const day = 24 * 3600 * 1000
	for ms := 0; ms < 26*day; ms += 600_000 {
		for i := range 4 {
			if late := add(ms + 20*i); late != 0 {
				t.Fatalf("after %d days a segment was late by %v", ms/day, late)
			}
		}
	}
	if p.tick != time.Millisecond {
		t.Fatalf("a tick of %v, want 1ms", p.tick)
	}
	add(53 * day) // after a silence of 27 days
	for i := range 4 {
		if late := add(53*day + 20*i); late != 0 {
			t.Fatalf("after a silence of 27 days a segment was late by %v", late)
		}
	}
}

// TestStampsLearnSeldom: what is held is not gone over for each segment if it tells nothing.
func TestStampsLearnSeldom(t *testing.T) {
	c := &reassembly.Conn{}
	for range 1 << 14 {
		c.Records = append(c.Records, stamped(1000, 0, len(c.Records)/2000))
	}
	var p stamps
	p.add(c, &c.Records[0])
	last := c.Records[len(c.Records)-1].Time
	if p.next <= last {
		t.Errorf("a clock that stands still is looked at again at %v, want that after %v", p.next, last)
	}
	looks := 0
	for ms := 9; ms < 100_000; ms++ {
		c.Records = append(c.Records[1:], stamped(1000, 0, ms))
		next := p.next
		if p.add(c, &c.Records[len(c.Records)-1]); p.next != next {
			looks++
		}
	}
	if looks > 200 {
		t.Errorf("it was looked at %d times in 100,000 segments, want a hundred or so", looks)
	}
}
