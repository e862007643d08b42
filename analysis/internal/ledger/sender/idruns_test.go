package sender

import (
	"testing"
	"time"
)

// TestIDGap: what another connection had in the time of a gap fills it, contradicts it or says
// nothing.
func TestIDGap(t *testing.T) {
	up := IDGap{IDRun{65534, 2, 10, 20}, 1} // 65535, 0 and 1 are missing
	down := IDGap{IDRun{1000, 1000 - 3*256, 10, 20}, -256}
	for _, c := range []struct {
		name               string
		gap                IDGap
		run                IDRun
		fills, contradicts bool
	}{
		{"all that is missing", up, IDRun{65535, 1, 11, 19}, true, false},
		{"one of it", up, IDRun{0, 0, 15, 15}, true, false},
		{"the one before", up, IDRun{65534, 65535, 11, 12}, false, true},
		{"beyond it", up, IDRun{1, 3, 11, 12}, false, true},
		{"far away", up, IDRun{30000, 30000, 11, 12}, false, true},
		{"goes on from before", up, IDRun{65535, 0, 9, 12}, false, true},
		{"goes on behind", up, IDRun{65535, 0, 12, 21}, false, true},
		{"all the time", up, IDRun{65535, 0, 5, 25}, false, true},
		{"before it", up, IDRun{0, 1, 5, 10}, false, false},
		{"after it", up, IDRun{0, 1, 20, 25}, false, false},
		{"downwards", down, IDRun{744, 488, 11, 12}, true, false},
		{"between two", down, IDRun{700, 700, 11, 12}, false, true},
		{"upwards", down, IDRun{1256, 1256, 11, 12}, false, true},
	} {
		fills, contradicts := c.gap.Compare(c.run)
		if fills != c.fills || contradicts != c.contradicts {
			t.Errorf("%s: fills %t, contradicts %t", c.name, fills, contradicts)
		}
	}
}

// TestIDRuns: runs end where a number is missing, are handed on once, and of many the latest are.
func TestIDRuns(t *testing.T) {
	var s State
	for i := range 4 * maxIDRuns {
		at := time.Duration(10 * i)
		s.ids.runs.add(uint16(10*i), uint16(10*i), at, false)
		s.ids.runs.add(uint16(10*i+1), uint16(10*i+2), at+1, true)
	}
	runs := s.TakeIDRuns(false)
	if n := len(runs); n == 0 || n > maxIDRuns {
		t.Fatalf("%d runs", n)
	}
	const last = 4*maxIDRuns - 1
	want := func(n int) IDRun {
		return IDRun{
			uint16(10 * n),
			uint16(10*n + 2),
			time.Duration(10 * n),
			time.Duration(10*n + 1),
		}
	}
	if got := runs[len(runs)-1]; got != want(last-1) {
		t.Errorf("the last that has ended is %v", got)
	}
	if rest := s.TakeIDRuns(true); len(rest) != 1 || rest[0] != want(last) {
		t.Errorf("what is left is %v", rest)
	}
	if rest := s.TakeIDRuns(true); rest != nil {
		t.Errorf("%v is handed on twice", rest)
	}
}
