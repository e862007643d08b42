package pcapio

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"testing"
	"time"

	"tcpwhy/capture/internal/frame"
)

// fileEpoch is the time of the first frame of most captures made by tests, in ns since the Unix
// epoch.
const fileEpoch = 1_700_000_000_000_000_000

// fileFrame is a frame as tests write and expect it.
type fileFrame struct {
	number uint64
	time   int64
	data   string
	wire   uint32
	bad    bool
}

// fileFrames makes n frames of different lengths, a millisecond and a microsecond apart.
func fileFrames(n int) []fileFrame {
	frames := make([]fileFrame, n)
	for i := range frames {
		data := fmt.Sprintf("frame %d %s", i+1, bytes.Repeat([]byte{'x'}, i%7))
		frames[i] = fileFrame{
			number: uint64(i + 1), time: fileEpoch + int64(i)*1_001_000, data: data, wire: uint32(len(data) + i%3),
		}
	}
	return frames
}

// pcapBytes writes frames as a pcap file.
func pcapBytes(t testing.TB, order binary.AppendByteOrder, nano bool, frames []fileFrame) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := newPcapWriter(&b, order, 1, nano)
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

// pcapngBytes writes frames as a pcapng file with one Ethernet interface.
func pcapngBytes(t testing.TB, order binary.AppendByteOrder, frames []fileFrame) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := newPcapngWriter(&b, order, &Head{Program: "tcpwhy"})
	if err == nil {
		_, err = w.AddInterface("eth0", 1, 0)
	}
	for _, f := range frames {
		if err == nil {
			err = w.WriteFrame(0, f.time, []byte(f.data), int(f.wire), "")
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// told is what a file told beside its frames, and how it ended.
type told struct {
	format, compression string
	interfaces          []Interface
	comments            []string
	secrets             [][]byte
	drops               uint64
	frames              uint64
	complete            bool
	problem             string
}

var errTooMany = errors.New("more than 65,536 interfaces")

func (a *told) AddInterface(i Interface) (uint32, error) {
	if len(a.interfaces) > math.MaxUint16 {
		return 0, errTooMany
	}
	a.interfaces = append(a.interfaces, i)
	return uint32(len(a.interfaces) - 1), nil
}
func (a *told) AddComment(text string) { a.comments = append(a.comments, text) }
func (a *told) AddFrameComment(number uint64, text []byte) {
	a.comments = append(a.comments, fmt.Sprintf("frame %d: %s", number, text))
}
func (a *told) AddSecrets(log []byte)  { a.secrets = append(a.secrets, slices.Clone(log)) }
func (a *told) SetDrops(frames uint64) { a.drops = frames }

// open begins to read a capture.
func open(octets []byte) (*File, *told, error) { return openStream(bytes.NewReader(octets)) }

func openStream(stream io.Reader) (*File, *told, error) {
	a := &told{}
	opened := func() (io.ReadCloser, error) { return io.NopCloser(stream), nil }
	f, err := Open(Stored{"-", opened, true}, make([]byte, feedLeast), a)
	if err == nil {
		a.format, a.compression = f.Format, f.Compression
	}
	return f, a, err
}

// drain reads every frame of a file.
func drain(file *File, a *told) []fileFrame {
	var frames []fileFrame
	var f frame.Frame
	for {
		if err := file.Next(&f); err != nil {
			if a.complete = err == io.EOF; !a.complete {
				a.problem = err.Error()
			}
			return frames
		}
		a.frames++
		frames = append(frames, fileFrame{number: f.Number, time: f.Time, data: string(f.Data), wire: f.OrigLen, bad: f.Bad})
	}
}

// readOctets reads every frame of a capture.
func readOctets(t testing.TB, octets []byte) ([]fileFrame, *told) {
	t.Helper()
	file, a, err := open(octets)
	if err != nil {
		t.Fatal(err)
	}
	frames := drain(file, a)
	if err := file.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	return frames, a
}

// sameFrames compares what was read with what was written.
func sameFrames(t *testing.T, got, want []fileFrame) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("read %d frames, want %d", len(got), len(want))
	}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("frame %d: read %+v, want %+v", i, got[i], want[i])
		}
	}
}

// fileOrders are the two byte orders.
func fileOrders() []binary.AppendByteOrder {
	return []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian}
}

// inMicroseconds rounds down, as a file with microseconds does.
func inMicroseconds(frames []fileFrame) []fileFrame {
	for i := range frames {
		frames[i].time -= frames[i].time % int64(time.Microsecond)
	}
	return frames
}
