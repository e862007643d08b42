package capture

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// fileEpoch is the time of the first frame of most captures made by tests, in ns since the Unix
// epoch.
const fileEpoch = 1_700_000_000_000_000_000

// fileFrame is a frame as tests write and expect it.
type fileFrame struct {
	id   FrameID
	time int64
	data string
	wire uint32
	bad  bool
}

// fileFrames makes n frames of different lengths, a millisecond and a microsecond apart.
func fileFrames(n int) []fileFrame {
	frames := make([]fileFrame, n)
	for i := range frames {
		data := fmt.Sprintf("frame %d %s", i+1, bytes.Repeat([]byte{'x'}, i%7))
		frames[i] = fileFrame{
			id: NewFrameID(0, uint64(i+1)), time: fileEpoch + int64(i)*1_001_000, data: data, wire: uint32(len(data) + i%3),
		}
	}
	return frames
}

// pcapBytes writes frames as a pcap file with times in nanoseconds.
func pcapBytes(t testing.TB, frames []fileFrame) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := NewPcapWriter(&b, 1, true)
	for _, f := range frames {
		if err == nil {
			err = w.WriteFrame(f.time, []byte(f.data), int(f.wire))
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// ngFile is a pcapng file that is being made.
type ngFile struct {
	*PcapngWriter
	t testing.TB
	bytes.Buffer
}

func newNGFile(t testing.TB, interfaces ...string) *ngFile {
	t.Helper()
	f := &ngFile{t: t}
	var err error
	f.PcapngWriter, err = NewPcapngWriter(&f.Buffer)
	for _, name := range interfaces {
		if err == nil {
			_, err = f.AddInterface(name, 1, 0)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// add writes a frame.
func (f *ngFile) add(iface int, unixNano int64, data, comment string) {
	f.t.Helper()
	if err := f.WriteFrame(iface, unixNano, []byte(data), len(data), comment); err != nil {
		f.t.Fatal(err)
	}
}

// addBad writes a frame of an interface that the file does not describe.
func (f *ngFile) addBad(unixNano int64, data string) {
	f.t.Helper()
	const ifaceAt = 8 // in the block
	at := f.Len() + ifaceAt
	f.add(0, unixNano, data, "")
	f.Bytes()[at] = 99
}

// pcapngBytes writes frames as a pcapng file with one Ethernet interface.
func pcapngBytes(t testing.TB, frames []fileFrame) []byte {
	t.Helper()
	f := newNGFile(t, "eth0")
	for _, x := range frames {
		f.add(0, x.time, x.data, "")
	}
	return f.Bytes()
}

// packed is octets compressed with gzip.
func packed(t testing.TB, octets []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write(octets)
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// fileOf writes octets to a file of the test.
func fileOf(t testing.TB, name string, octets []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, octets, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// drain reads every frame of a source without decoding it.
func drain(s *source) []fileFrame {
	var frames []fileFrame
	for {
		in, err := s.due()
		if err != nil {
			return frames
		}
		f := &in.frame
		s.count(f)
		if !f.Bad {
			s.mark(f)
		}
		id := NewFrameID(int(f.Input), f.Number)
		frames = append(frames, fileFrame{id: id, time: f.Time, data: string(f.Data), wire: f.OrigLen, bad: f.Bad})
	}
}

// readInputs reads every frame of some inputs.
func readInputs(t testing.TB, inputs ...string) ([]fileFrame, *Stats) {
	t.Helper()
	s, err := openInputs(Config{Inputs: inputs})
	if err != nil {
		t.Fatal(err)
	}
	frames := drain(s)
	if err := s.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	return frames, &s.stats
}

// readOctets reads every frame of a capture from standard input.
func readOctets(t testing.TB, octets []byte) ([]fileFrame, *Stats) {
	t.Helper()
	s, err := openInputs(Config{Inputs: []string{"-"}, Stdin: bytes.NewReader(octets)})
	if err != nil {
		t.Fatal(err)
	}
	return drain(s), &s.stats
}
