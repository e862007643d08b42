package capture

import (
	"errors"
	"io"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"tcpwhy/capture/internal/frame"
	"tcpwhy/capture/internal/frametest"
	"tcpwhy/capture/internal/ring"
)

// setClock is a system's clock that is set forward and back, and one beside it that is not.
type setClock struct{ wall, steady int64 }

func (c *setClock) read() (wall, steady int64) { return c.wall, c.steady }
func (c *setClock) pass(d time.Duration)       { c.wall += int64(d); c.steady += int64(d) }

// scriptedTap hands out frames when their time has come, and pauses between them.
type scriptedTap struct {
	clock *setClock
	steps []tapStep
	at    int
}

// tapStep is a frame, or that time passes, or that the clock is set.
type tapStep struct {
	more      bool // the tap pauses, but not because there is no frame
	pass, set time.Duration
	late      time.Duration // a frame: how long ago it was captured, by the clock of then
	captured  bool
}

func (s *scriptedTap) Next(f *frame.Frame) error {
	if s.at == len(s.steps) {
		return io.EOF
	}
	step := s.steps[s.at]
	s.at++
	s.clock.pass(step.pass)
	s.clock.wall += int64(step.set)
	switch {
	case step.more:
		return ring.ErrLook
	case !step.captured:
		return ring.ErrPause
	}
	f.Time = s.clock.wall - int64(step.late)
	f.Data = frametest.Steady()["ipv4"]
	f.Data[19] = byte(s.at) // another identification: a frame of its own
	f.OrigLen = uint32(len(f.Data))
	return nil
}
func (*scriptedTap) Stop()                {}
func (*scriptedTap) Drops() uint64        { return 0 }
func (*scriptedTap) Interfaces() []string { return []string{"v0"} }
func (*scriptedTap) Link() frame.LinkType { return frame.LinkEthernet }
func (*scriptedTap) Lag() time.Duration   { return 150 * time.Millisecond }
func (*scriptedTap) Close() error         { return nil }

// TestClockIsSet sets the clock forward and back while frames come. The times of frames go on as if
// it had not been, live and in the file; both tell of it.
func TestClockIsSet(t *testing.T) {
	const ms, day = time.Millisecond, 24 * time.Hour
	one := tapStep{pass: 10 * ms, captured: true}
	tests := []struct {
		name  string
		steps []tapStep
		want  []time.Duration
		sets  uint64
		most  time.Duration
	}{
		{"never", []tapStep{one, one, {pass: time.Hour}, one}, []time.Duration{0, 10 * ms, time.Hour + 20*ms}, 0, 0},
		{"forward by a day", []tapStep{one, one, {set: day}, one, one},
			[]time.Duration{0, 10 * ms, 20 * ms, 30 * ms}, 1, day},
		{"back by an hour", []tapStep{one, one, {set: -time.Hour}, one, one},
			[]time.Duration{0, 10 * ms, 20 * ms, 30 * ms}, 1, time.Hour},
		{"back, and forward again", []tapStep{one, {set: -time.Hour}, one, {set: time.Hour + day}, one, one},
			[]time.Duration{0, 10 * ms, 20 * ms, 30 * ms}, 2, time.Hour + day},
		{"in silence", []tapStep{one, {pass: time.Minute}, {set: -time.Hour}, {pass: time.Minute}, one},
			[]time.Duration{0, 2*time.Minute + 10*ms}, 1, time.Hour},
		{"while a frame waited", []tapStep{one, {pass: 50 * ms}, {set: day}, {captured: true, late: day + 20*ms}, one},
			[]time.Duration{0, 30 * ms, 60 * ms}, 1, day},
		{"while many waited", []tapStep{one, {pass: 3 * time.Second, set: -2 * time.Second, captured: true, late: -2*time.Second + 2990*ms},
			{captured: true, late: -2*time.Second + 2980*ms}, {captured: true, late: 2950 * ms}}, []time.Duration{0, 10 * ms, 20 * ms, 50 * ms}, 1, 2 * time.Second},
		{"a clock that runs fast", []tapStep{one, {pass: time.Second, set: 90 * ms}, {pass: time.Second, set: 90 * ms}, one},
			[]time.Duration{0, 2190 * ms}, 0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := &setClock{wall: fileEpoch, steady: 77}
			l, err := newLive(LiveConfig{Interfaces: []string{"v0"}}, &scriptedTap{clock: c, steps: tt.steps})
			if err != nil {
				t.Fatal(err)
			}
			l.clock = ring.NewClock(c.read)
			name := filepath.Join(t.TempDir(), "saved.pcapng")
			s, err := NewSaver(SaveConfig{Name: name})
			if err == nil {
				err = l.SaveTo(s)
			}
			if err != nil {
				t.Fatal(err)
			}
			checkTimes(t, "live", l, tt.want, tt.sets, tt.most)
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
			saved, err := Open(Config{Inputs: []string{name}})
			if err != nil {
				t.Fatal(err)
			}
			defer saved.Close()
			checkTimes(t, "saved", saved, tt.want, tt.sets, tt.most)
		})
	}
}

// checkTimes reads a source to its end.
func checkTimes(t *testing.T, what string, src Source, want []time.Duration, sets uint64, most time.Duration) {
	t.Helper()
	var got []time.Duration
	var seg Segment
	for {
		err := src.Next(&seg)
		if l, ok := src.(*Live); ok {
			l.ticked = time.Time{} // a tick at every pause
			if settled := l.Settled(); len(got) > 0 && len(got) < len(want) && settled > want[len(got)] {
				t.Errorf("%s: settled at %v, before the frame of %v", what, settled, want[len(got)])
			}
		}
		if err == ErrTick {
			continue
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, seg.Time)
		if _, live := src.(*Live); live && (seg.Tick != 1 || seg.Latest < seg.Time) {
			t.Errorf("%s: tick %d, latest %v, time %v", what, seg.Tick, seg.Latest, seg.Time)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s: times %v, want %v", what, got, want)
	}
	if st := src.Stats(); st.ClockSets != sets || st.MaxSet != most || st.Backsteps != 0 {
		t.Errorf("%s: set %d times, by up to %v, %d steps back, want %d, %v, 0", what, st.ClockSets, st.MaxSet, st.Backsteps, sets, most)
	}
}

// TestSettledBehind looks at a source whose reader is behind: frames wait, and what comes before
// them has not all been handed out, however late it is.
func TestSettledBehind(t *testing.T) {
	for _, more := range []bool{false, true} {
		c := &setClock{wall: fileEpoch, steady: 77}
		steps := []tapStep{{captured: true}, {pass: 3 * tickEvery, more: more}, {captured: true, late: 2 * tickEvery}}
		l, err := newLive(LiveConfig{Interfaces: []string{"v0"}}, &scriptedTap{clock: c, steps: steps})
		if err != nil {
			t.Fatal(err)
		}
		l.clock = ring.NewClock(c.read)
		l.ticked = time.Now().Add(-time.Hour)
		var seg Segment
		if err := l.Next(&seg); err != nil {
			t.Fatal(err)
		}
		if err := l.Next(&seg); err != ErrTick {
			t.Fatalf("Next = %v, want a tick", err)
		}
		settled := l.Settled()
		if err := l.Next(&seg); err != nil {
			t.Fatal(err)
		}
		if late := seg.Time < settled; late == more {
			t.Errorf("more to come %t: settled up to %v, and then a frame of %v", more, settled, seg.Time)
		}
	}
}
