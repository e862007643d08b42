package ring

import (
	"testing"
	"time"

	"tcpwhy/capture/internal/frame"
)

// TestStraighten stamps frames by a clock that drifts, and that is set. The step is told once, and
// taken out of the times from then on; drift stays in.
func TestStraighten(t *testing.T) {
	const start = int64(1_700_000_000_000_000_000)
	wall, steady := start, int64(77)
	c := NewClock(func() (int64, int64) { return wall, steady })
	latest := start
	for i, step := range []struct{ pass, drift, set, want time.Duration }{
		{time.Second, 0, 0, 0},
		{time.Second, 100 * time.Millisecond, 0, 0},
		{time.Second, 0, time.Hour, time.Hour},
		{time.Second, 0, 0, 0},
		{time.Second, 0, -2 * time.Hour, -2 * time.Hour},
	} {
		before := latest
		steady += int64(step.pass)
		wall += int64(step.pass + step.drift + step.set)
		f := frame.Frame{Time: wall}
		got := c.Straighten(&f, latest, true)
		latest = f.Time
		if got != step.want || time.Duration(latest-before) != step.pass+step.drift {
			t.Errorf("frame %d: step %v after %v, want %v after %v",
				i, got, time.Duration(latest-before), step.want, step.pass+step.drift)
		}
		if now := c.Now(); time.Duration(latest-now).Abs() > 100*time.Millisecond {
			t.Errorf("frame %d of %d, and now is %d", i, latest, now)
		}
		c.Look()
	}
}

// TestBehind: of frames that are read a second late, thousands in each millisecond's time, few are
// worth a look at the clocks; and a step among them is found all the same.
func TestBehind(t *testing.T) {
	const start, late = int64(1_700_000_000_000_000_000), int64(time.Second)
	wall, steady, reads := start+late, int64(77)+late, 0
	c := NewClock(func() (int64, int64) { reads++; return wall, steady })
	reads = 0
	const frames = 10_000
	latest := start
	for i := range int64(frames) {
		f := frame.Frame{Time: start + i*int64(10*time.Microsecond)}
		if step := c.Straighten(&f, latest, false); step != 0 || f.Time < latest {
			t.Fatalf("frame %d: step %v", i, step)
		}
		latest = f.Time
	}
	if most := frames / 100 * 2 * 2; reads > most {
		t.Errorf("%d frames of 100 ms took %d readings of the clocks, at most %d", frames, reads, most)
	}
	wall += int64(time.Hour)
	f := frame.Frame{Time: latest + int64(10*time.Microsecond+time.Hour)}
	if step := c.Straighten(&f, latest, false); step != time.Hour {
		t.Errorf("the clock was set by an hour behind them, and it is %v", step)
	}
}
