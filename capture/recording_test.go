package capture

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"
)

// TestRecordings: wherever the octets of captures come from, they are the same capture.
func TestRecordings(t *testing.T) {
	a, b := pcapBytes(t, fileFrames(5)), pcapBytes(t, fileFrames(3))
	first, second := fileOf(t, "a.pcap", a), fileOf(t, "b.pcap", b)
	fsys := fstest.MapFS{"a.pcap": {Data: a}, "b.pcap": {Data: b}}
	named := func(c Config) (frames []FrameID, stats *Stats) {
		s, err := openInputs(c)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		s.sorter = newSorter(&s.stats, nil)
		for seg := (Segment{}); ; {
			f, _, err := s.nextFrame(&seg)
			if err != nil {
				break
			}
			frames = append(frames, NewFrameID(int(f.Input), f.Number))
		}
		for i := range s.stats.Inputs {
			s.stats.Inputs[i].Name = filepath.Base(s.stats.Inputs[i].Name)
		}
		if read, of := s.Progress(); of > 0 && read != of || read != int64(len(a)+len(b)) {
			t.Errorf("%d octets read of %d, of %d", read, of, len(a)+len(b))
		}
		return frames, &s.stats
	}
	want, stats := named(Config{Inputs: []string{first, second}})
	if len(want) != 8 {
		t.Fatalf("%d frames, want 8", len(want))
	}
	for _, tt := range []struct {
		name   string
		config Config
	}{
		{"files", Config{Recordings: []Recording{File(first), File(second)}}},
		{"behind names", Config{Inputs: []string{first}, Recordings: []Recording{File(second)}}},
		{"a file system", Config{Recordings: []Recording{FS(fsys, "a.pcap"), FS(fsys, "b.pcap")}}},
		{"streams", Config{Recordings: []Recording{
			Stream("a.pcap", bytes.NewReader(a)), Stream("b.pcap", bytes.NewReader(b)),
		}}},
		{"of others", Config{Recordings: []Recording{
			&object{name: "a.pcap", octets: a}, &object{name: "b.pcap", octets: b},
		}}},
	} {
		got, told := named(tt.config)
		if !reflect.DeepEqual(got, want) || !reflect.DeepEqual(told, stats) {
			t.Errorf("%s: frames %v, %+v; want %v, %+v", tt.name, got, told, want, stats)
		}
	}
}

// object is a recording of another kind.
type object struct {
	name   string
	octets []byte
	opened int
	gone   int // it cannot be opened so often
}

var errGone = errors.New("open x: no such object")

func (o *object) Name() string { return o.name }

func (o *object) Open() (io.ReadCloser, error) {
	if o.opened++; o.opened == o.gone {
		return nil, errGone
	}
	return io.NopCloser(bytes.NewReader(o.octets)), nil
}

func (o *object) Size() int64 { return int64(len(o.octets)) }

// TestRecordingGone: what cannot be opened any more when its turn comes is told; the rest goes on.
func TestRecordingGone(t *testing.T) {
	a, b := pcapBytes(t, fileFrames(5)), pcapBytes(t, fileFrames(3))
	open := func(gone int) (*source, error) {
		return openInputs(Config{Recordings: []Recording{
			&object{name: "a", octets: a}, &object{name: "b", octets: b, gone: gone},
		}})
	}
	if _, err := open(1); !errors.Is(err, errGone) {
		t.Errorf("error %v, want %v", err, errGone)
	}
	s, err := open(2)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(drain(s)); n != 5 {
		t.Errorf("%d frames, want 5", n)
	}
	if in := &s.stats.Inputs[1]; in.Complete || in.Error != errGone.Error() {
		t.Errorf("the second input is %+v", in)
	}
}

// TestRecordingIsNone: the error names the recording and says what it is.
func TestRecordingIsNone(t *testing.T) {
	_, err := Open(Config{Recordings: []Recording{Stream("the pipe", strings.NewReader("text"))}})
	if err == nil || !strings.HasPrefix(err.Error(), "read the pipe: not a capture but text") {
		t.Errorf("error %v", err)
	}
	if err := Copy(io.Discard, CopyConfig{}); err == nil {
		t.Error("nothing was copied without an error")
	}
	if s := File(os.DevNull); s.Size() >= 0 || reopens(s) {
		t.Errorf("a device of %d octets", s.Size())
	}
}
