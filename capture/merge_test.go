package capture

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"
)

// timedPcap writes frames at the given ms after fileEpoch to a file; each holds its number.
func timedPcap(t testing.TB, ms ...int64) string {
	t.Helper()
	frames := make([]fileFrame, len(ms))
	for i, at := range ms {
		frames[i] = fileFrame{time: fileEpoch + at*int64(time.Millisecond), data: strconv.Itoa(i + 1)}
	}
	return fileOf(t, "timed.pcap", pcapBytes(t, frames))
}

// order writes down which frames were read: "0:1 1:1".
func order(frames []fileFrame) string {
	var names []byte
	for _, f := range frames {
		names = fmt.Appendf(names, "%d:%d ", f.id.Input(), f.id.Number())
	}
	return string(bytes.TrimSpace(names))
}

func TestMergeOrder(t *testing.T) {
	tests := []struct {
		name  string
		files [][]int64
		want  string
		back  uint64
		most  time.Duration
	}{
		{"alternating", [][]int64{{0, 20}, {10, 30}}, "0:1 1:1 0:2 1:2", 0, 0},
		{"later file first", [][]int64{{20, 30}, {0, 10}}, "1:1 1:2 0:1 0:2", 0, 0},
		{"same time", [][]int64{{5, 5}, {5, 5}, {5}}, "0:1 0:2 1:1 1:2 2:1", 0, 0},
		{"empty file", [][]int64{{}, {0, 1}, {}}, "1:1 1:2", 0, 0},
		{"ring", [][]int64{{20, 21}, {30, 31}, {0, 1}, {10, 11}}, "2:1 2:2 3:1 3:2 0:1 0:2 1:1 1:2", 0, 0},
		{"step back keeps the order of the file", [][]int64{{0, 100, 50, 60, 110}, {55, 105}},
			"0:1 1:1 0:2 0:3 0:4 1:2 0:5", 2, 50 * time.Millisecond},
		{"step back far", [][]int64{{1000, 0, 1001}, {500, 1000}}, "1:1 0:1 0:2 1:2 0:3", 1, time.Second},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var inputs []string
			for _, ms := range test.files {
				inputs = append(inputs, timedPcap(t, ms...))
			}
			frames, stats := readInputs(t, inputs...)
			if got := order(frames); got != test.want {
				t.Errorf("order %s, want %s", got, test.want)
			}
			if stats.Backsteps != test.back || stats.MaxBack != test.most {
				t.Errorf("%d steps back of at most %s, want %d of %s", stats.Backsteps, stats.MaxBack, test.back, test.most)
			}
		})
	}
}

// Interfaces have clocks of their own: one that lags behind another does not step back.
func TestBackstepsAreOfOneInterface(t *testing.T) {
	file := newNGFile(t, "eth0", "eth1")
	for _, f := range []struct {
		iface int
		us    int64
	}{{0, 1000}, {1, 500}, {0, 1001}, {1, 501}, {1, 400}} {
		file.add(f.iface, f.us*1000, "", "")
	}
	_, stats := readOctets(t, file.Bytes())
	if stats.Backsteps != 1 || stats.MaxBack != 101*time.Microsecond || stats.End != time.Microsecond {
		t.Errorf("%d steps back of at most %s, end %s", stats.Backsteps, stats.MaxBack, stats.End)
	}
}

func TestMergeRandom(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var inputs []string
	var want []int64
	for range 40 {
		var ms []int64
		for range random.IntN(30) {
			ms = append(ms, random.Int64N(1000))
		}
		slices.Sort(ms)
		inputs = append(inputs, timedPcap(t, ms...))
		want = append(want, ms...)
	}
	slices.Sort(want)
	frames, stats := readInputs(t, inputs...)
	if len(frames) != len(want) || stats.Frames != uint64(len(want)) {
		t.Fatalf("%d frames, want %d", len(frames), len(want))
	}
	for i, f := range frames {
		if got := (f.time - fileEpoch) / int64(time.Millisecond); got != want[i] {
			t.Fatalf("frame %d at %d ms, want %d", i, got, want[i])
		}
		if i > 0 && f.time == frames[i-1].time && f.id < frames[i-1].id {
			t.Fatalf("frames of one time out of the order of inputs: %v after %v", f.id, frames[i-1].id)
		}
	}
	if start := time.Unix(0, frames[0].time).UTC(); !stats.Start.Equal(start) {
		t.Errorf("start = %s, want %s", stats.Start, start)
	}
	if end := time.Duration(frames[len(frames)-1].time - frames[0].time); stats.End != end {
		t.Errorf("end = %s, want %s", stats.End, end)
	}
}

// A damaged file does not keep the others from being read, nor does standard input among them.
func TestMergeGoesOn(t *testing.T) {
	frames := fileFrames(6)
	octets := pcapngBytes(t, frames)
	cut := fileOf(t, "cut.pcapng", octets[:len(octets)-20])
	small := fileOf(t, "packed", packed(t, pcapBytes(t, frames)))
	s, err := openInputs(Config{Inputs: []string{cut, "-", small}, Stdin: bytes.NewReader(octets)})
	if err != nil {
		t.Fatal(err)
	}
	got := order(drain(s))
	want := "0:1 1:1 2:1 0:2 1:2 2:2 0:3 1:3 2:3 0:4 1:4 2:4 0:5 1:5 2:5 1:6 2:6"
	if got != want {
		t.Errorf("order %s, want %s", got, want)
	}
	in := s.stats.Inputs
	if in[0].Complete || !in[1].Complete || !in[2].Complete || in[2].Compression != "gzip" || in[1].Format != "pcapng" {
		t.Errorf("inputs = %+v", in)
	}
	if len(s.stats.Interfaces) != 3 || s.stats.Interfaces[2].Input != 2 {
		t.Errorf("interfaces = %+v", s.stats.Interfaces)
	}
}

// Of the files of a ring only that is open whose turn it is.
func TestRingHoldsOneFileOpen(t *testing.T) {
	var inputs []string
	for i := range int64(30) {
		inputs = append(inputs, timedPcap(t, 10*i, 10*i+1))
	}
	before := openFiles()
	s, err := openInputs(Config{Inputs: inputs})
	if err != nil {
		t.Fatal(err)
	}
	if after := openFiles(); after > before {
		t.Errorf("%d files are open after a look at each, %d before", after, before)
	}
	for {
		_, err := s.due()
		if err != nil {
			break
		}
		open := 0
		for _, in := range s.queue {
			if in.file != nil {
				open++
			}
		}
		if open > 1 {
			t.Fatalf("%d files are open", open)
		}
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// openFiles counts what the process holds open, where the system tells it.
func openFiles() int {
	entries, _ := os.ReadDir("/proc/self/fd")
	return len(entries)
}

// manyFrames are frames of the sizes of a download: two full segments and an acknowledgment.
func manyFrames(n int) []fileFrame {
	frames := make([]fileFrame, n)
	for i := range frames {
		frames[i] = fileFrame{time: fileEpoch + int64(i)*1000, data: string(make([]byte, []int{1514, 1514, 66}[i%3]))}
	}
	return frames
}

// BenchmarkReadMerged reads files that overlap wholly, the worst case of merging.
func BenchmarkReadMerged(b *testing.B) {
	octets := pcapBytes(b, manyFrames(20000))
	var inputs []string
	for range 8 {
		inputs = append(inputs, fileOf(b, "part.pcap", octets))
	}
	var s *source
	open := func() {
		var err error
		if s, err = openInputs(Config{Inputs: inputs}); err != nil {
			b.Fatal(err)
		}
	}
	open()
	read := int64(0)
	for b.Loop() {
		in, err := s.due()
		if err != nil {
			open()
			continue
		}
		s.count(&in.frame)
		s.mark(&in.frame)
		read += int64(len(in.frame.Data))
	}
	b.SetBytes(read / int64(b.N))
	b.ReportAllocs()
}
