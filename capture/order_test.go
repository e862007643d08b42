package capture

import (
	"encoding/binary"
	"math/rand/v2"
	"os"
	"testing"
	"time"
)

// conversation is a connection of exchanges of a segment each, 1 ms between segments, as frames of
// a file: number, time and direction.
func conversation(n int) []fileFrame {
	frames := make([]fileFrame, n)
	seq, ack := uint32(1000), uint32(9000)
	for i := range frames {
		frames[i].time = fileEpoch + int64(i)*int64(time.Millisecond)
		if i%2 == 0 {
			frames[i].data = tcpSegment(false, seq, ack, "ask")
			seq += 3
		} else {
			frames[i].data = tcpSegment(true, ack, seq, "answer")
			ack += 6
		}
	}
	return frames
}

// tcpSegment is a segment between two ends, of the server if back.
func tcpSegment(back bool, seq, ack uint32, data string) string {
	b := []byte(tcpFrame(seq, data))
	binary.BigEndian.PutUint32(b[42:], ack)
	if back {
		b[29], b[33] = 2, 1
		copy(b[34:38], []byte{0, 80, 4, 0})
	}
	return string(b)
}

// openFrames opens a file of frames.
func openFrames(t *testing.T, frames []fileFrame) Source {
	t.Helper()
	name := t.TempDir() + "/capture.pcap"
	if err := os.WriteFile(name, pcapBytes(t, frames), 0o644); err != nil {
		t.Fatal(err)
	}
	source, err := Open(Config{Inputs: []string{name}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = source.Close() })
	return source
}

// readOrder is the order in which the frames of a file are handed out, by number, and their
// account.
func readOrder(t *testing.T, frames []fileFrame) (numbers []uint64, stats *Stats) {
	t.Helper()
	source := openFrames(t, frames)
	var seg Segment
	for source.Next(&seg) == nil {
		numbers = append(numbers, seg.Frame.Number())
	}
	if len(numbers) != len(frames) {
		t.Fatalf("%d segments of %d frames", len(numbers), len(frames))
	}
	return numbers, source.Stats()
}

// TestRecordsOutOfOrder shuffles records by little and by much: they come in the order of their
// stamps, and no clock has stepped back.
func TestRecordsOutOfOrder(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, reach := range []int{2, 12, 60} {
		frames := conversation(5000)
		for i := 0; i+reach <= len(frames); i += reach {
			random.Shuffle(reach,
				func(a, b int) { frames[i+a], frames[i+b] = frames[i+b], frames[i+a] })
		}
		numbers, stats := readOrder(t, frames)
		for i, n := range numbers {
			if got := (frames[n-1].time - fileEpoch) / int64(time.Millisecond); got != int64(i) {
				t.Fatalf("shuffled by %d: segment %d is the one of %d ms", reach, i, got)
			}
		}
		if stats.Backsteps != 0 || stats.Reordered == 0 {
			t.Errorf("shuffled by %d: %d steps back, %d reordered", reach, stats.Backsteps,
				stats.Reordered)
		}
	}
}

// TestClockSetBack: where the numbers say that the file is right, its order stays, and so it does
// where nothing tells.
func TestClockSetBack(t *testing.T) {
	for name, change := range map[string]func([]fileFrame){
		"a little": func(f []fileFrame) {
			for i := 2500; i < len(f); i++ {
				f[i].time -= int64(20 * time.Millisecond)
			}
		},
		"by an hour": func(f []fileFrame) {
			for i := 2500; i < len(f); i++ {
				f[i].time -= int64(time.Hour)
			}
		},
		"again and again": func(f []fileFrame) {
			for i := range f {
				f[i].time -= int64(i/100) * int64(70*time.Millisecond)
			}
		},
		"no TCP to ask": func(f []fileFrame) {
			for i := 2500; i < len(f); i++ {
				f[i].time -= int64(20 * time.Millisecond)
				other := []byte(tcpFrame(1, "the same each time"))
				other[35] = 9 // another port
				f[i].data = string(other)
			}
		},
	} {
		frames := conversation(5000)
		change(frames)
		source := openFrames(t, frames)
		var seg Segment
		last := uint64(0)
		for source.Next(&seg) == nil {
			if seg.Frame.Number() < last {
				t.Fatalf("%s: frame %d after frame %d", name, seg.Frame.Number(), last)
			}
			last = seg.Frame.Number()
		}
		if stats := source.Stats(); stats.Reordered != 0 || stats.Backsteps == 0 {
			t.Errorf("%s: %d reordered, %d steps back", name, stats.Reordered, stats.Backsteps)
		}
	}
}

// TestHeldIsBounded: a file in which everything is out of order is not held as a whole.
func TestHeldIsBounded(t *testing.T) {
	frames := conversation(20000)
	for i, k := 0, len(frames)-1; i < k; i, k = i+1, k-1 {
		frames[i], frames[k] = frames[k], frames[i]
	}
	source := openFrames(t, frames).(*source)
	var seg Segment
	for source.Next(&seg) == nil {
		if len(source.queue) > 0 {
			if h := &source.queue[0].held; len(h.frames) > heldFrames ||
				h.octets > heldOctets+1<<16 {
				t.Fatalf("%d frames held, %d octets", len(h.frames), h.octets)
			}
		}
	}
	if source.stats.Frames != uint64(len(frames)) {
		t.Errorf("%d frames of %d", source.stats.Frames, len(frames))
	}
}

// TestClockBeforeTheCapture: a clock that is set back to before the first frame goes on from the
// latest.
func TestClockBeforeTheCapture(t *testing.T) {
	frames := conversation(3000)
	for i := 1000; i < len(frames); i++ {
		frames[i].time -= int64(time.Hour)
	}
	source := openFrames(t, frames)
	var seg Segment
	last := time.Duration(0)
	for source.Next(&seg) == nil {
		if seg.Time < last || seg.Time > last+time.Millisecond {
			t.Fatalf("frame %d at %v after %v", seg.Frame.Number(), seg.Time, last)
		}
		last = seg.Time
	}
	if stats := source.Stats(); stats.Backsteps != 1 || stats.MaxBack < 59*time.Minute {
		t.Errorf("%d steps back, by %v", stats.Backsteps, stats.MaxBack)
	}
}

// TestOneStampIsWrong: what follows it is where it was.
func TestOneStampIsWrong(t *testing.T) {
	frames := conversation(300)
	frames[100].time = 0
	source := openFrames(t, frames)
	var seg Segment
	for source.Next(&seg) == nil {
		n := int(seg.Frame.Number()) - 1
		if want := time.Duration(n) * time.Millisecond; n != 100 && seg.Time != want {
			t.Fatalf("frame %d at %v, want %v", n+1, seg.Time, want)
		}
	}
}
