package capture

import (
	"errors"
	"io"
	"os"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// received is what came of a source: the numbers and times of segments, and ticks between them.
type received struct {
	frames []FrameID
	times  []time.Duration
	ticks  int
	late   bool // a segment was before what was settled
}

// receive reads a source to its end.
func receive(t *testing.T, src Source) (got received) {
	t.Helper()
	var seg Segment
	var settled time.Duration
	for {
		err := src.Next(&seg)
		switch {
		case err == ErrTick:
			got.ticks++
			if f, ok := src.(*Followed); ok {
				settled = f.Settled()
			}
		case errors.Is(err, io.EOF):
			return got
		case err != nil:
			t.Fatal(err)
		default:
			got.frames, got.times = append(got.frames, seg.Frame), append(got.times, seg.Time)
			got.late = got.late || seg.Time < settled
		}
	}
}

// followFile is a capture of so many segments, in the format that a function makes.
func followFile(t *testing.T, n int, make func(testing.TB, []fileFrame) []byte) []byte {
	frames := fileFrames(n)
	for i := range frames {
		frames[i].data = tcpFrame(uint32(1+4*i), "data")
		frames[i].time = fileEpoch + int64(i)*int64(time.Millisecond)
	}
	return make(t, frames)
}

// TestFollowAsFile writes a capture to a pipe in pieces that end anywhere, with pauses, and compares
// what comes of it with what comes of the file.
func TestFollowAsFile(t *testing.T) {
	formats := map[string]func(testing.TB, []fileFrame) []byte{
		"pcap": pcapBytes, "pcapng": pcapngBytes,
		"gzip": func(t testing.TB, f []fileFrame) []byte { return packed(t, pcapBytes(t, f)) },
		"two sections": func(t testing.TB, f []fileFrame) []byte {
			return append(pcapngBytes(t, f[:20]), pcapngBytes(t, f[20:])...)
		},
	}
	for name, format := range formats {
		t.Run(name, func(t *testing.T) {
			octets := followFile(t, 50, format)
			file, err := Open(Config{Inputs: []string{fileOf(t, "file", octets)}})
			if err != nil {
				t.Fatal(err)
			}
			defer file.Close()
			want := receive(t, file)
			synctest.Test(t, func(t *testing.T) {
				from, to := io.Pipe()
				go func() {
					for len(octets) > 0 {
						n := min(37, len(octets))
						to.Write(octets[:n])
						octets = octets[n:]
						time.Sleep(30 * time.Millisecond)
					}
					to.Close()
				}()
				src, err := Follow(FollowConfig{Name: "-", From: from})
				if err != nil {
					t.Fatal(err)
				}
				got := receive(t, src)
				if !slices.Equal(got.frames, want.frames) || !slices.Equal(got.times, want.times) || got.late {
					t.Errorf("%d segments at %v, late %t, want %d at %v", len(got.frames), got.times, got.late, len(want.frames), want.times)
				}
				if st := src.Stats(); got.ticks == 0 || !st.Inputs[0].Complete || src.Late() != 0 {
					t.Errorf("%d ticks, %d late, input %+v", got.ticks, src.Late(), st.Inputs[0])
				}
				if err := src.Close(); err != nil {
					t.Fatal(err)
				}
			})
		})
	}
}

// TestFollowSilence leaves a stream open behind its first frames: time goes on, as much as is
// certain; a frame that then comes from before is told.
func TestFollowSilence(t *testing.T) {
	octets := followFile(t, 3, pcapBytes)
	last := len(octets) - (len(octets)-len(pcapBytes(t, nil)))/3
	synctest.Test(t, func(t *testing.T) {
		from, to := io.Pipe()
		go func() {
			to.Write(octets[:last])
			time.Sleep(time.Minute)
			to.Write(octets[last:])
			to.Close()
		}()
		src, err := Follow(FollowConfig{Name: "-", From: from})
		if err != nil {
			t.Fatal(err)
		}
		defer src.Close()
		var seg Segment
		for range 2 {
			if err := src.Next(&seg); err != nil {
				t.Fatal(err)
			}
		}
		began := time.Now()
		for time.Since(began) < 30*time.Second {
			if err := src.Next(&seg); err != ErrTick {
				t.Fatalf("after %v: %v, want a tick", time.Since(began), err)
			}
			passed := time.Since(began) + time.Millisecond // the second frame's
			want := max(time.Millisecond, passed-streamLag)
			if got := src.Settled(); got != want {
				t.Fatalf("after %v: settled up to %v, want %v", time.Since(began), got, want)
			}
		}
		if rest := receive(t, src); len(rest.frames) != 1 || src.Late() != 1 {
			t.Errorf("%d frames, %d late, want 1, 1", len(rest.frames), src.Late())
		}
	})
}

// TestFollowStops stops a stream that goes on, in the middle of a frame: that is no damage.
func TestFollowStops(t *testing.T) {
	octets := followFile(t, 3, pcapngBytes)
	for _, test := range []struct {
		name  string
		count uint64
		want  int
	}{{"stop", 0, 2}, {"count", 2, 2}} {
		t.Run(test.name, func(t *testing.T) {
			from, to, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer to.Close()
			defer from.Close()
			if _, err := to.Write(octets[:len(octets)-9]); err != nil {
				t.Fatal(err)
			}
			src, err := Follow(FollowConfig{Name: "-", From: from, Count: test.count})
			if err != nil {
				t.Fatal(err)
			}
			if test.count == 0 {
				time.AfterFunc(300*time.Millisecond, src.Stop)
			}
			got := receive(t, src)
			if in := src.Stats().Inputs[0]; len(got.frames) != test.want || !in.Complete || in.Error != "" {
				t.Errorf("%d segments, want %d; input %+v", len(got.frames), test.want, in)
			}
			if err := src.Next(new(Segment)); err != io.EOF {
				t.Errorf("after the end: %v", err)
			}
			src.Stop()
			if err := src.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestFollowCut ends a stream in the middle of a frame, and begins one that is no capture.
func TestFollowCut(t *testing.T) {
	octets := followFile(t, 3, pcapBytes)
	from, to := io.Pipe()
	go func() { to.Write(octets[:len(octets)-9]); to.Close() }()
	src, err := Follow(FollowConfig{Name: "-", From: from})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	got := receive(t, src)
	if in := src.Stats().Inputs[0]; len(got.frames) != 2 || in.Complete || in.Error == "" {
		t.Errorf("%d segments, input %+v", len(got.frames), in)
	}
	from, to = io.Pipe()
	go func() { to.Write([]byte("tcpdump: eth0: no such device\n")); to.Close() }()
	if _, err := Follow(FollowConfig{Name: "-", From: from}); err == nil ||
		err.Error() != "read -: not a capture but text" {
		t.Errorf("error = %v", err)
	}
}
