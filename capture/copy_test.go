package capture

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
)

// notedCopy copies files with a note on each of some frames.
func notedCopy(t *testing.T, only *FrameSet, inputs ...string) []byte {
	t.Helper()
	notes := &Notes{
		Program: "test 1", Summary: []string{"all\nin all"},
		Frames: map[FrameID][]string{NewFrameID(0, 2): {"one", "two"}, NewFrameID(1, 1): {"other"}},
		Names: []HostName{
			{Addr: netip.MustParseAddr("10.0.0.1"), Name: "a.example"},
			{Addr: netip.MustParseAddr("fd00::1"), Name: "b"},
		},
	}
	var b bytes.Buffer
	if err := Copy(&b, CopyConfig{Config: Config{Inputs: inputs}, Notes: notes, Only: only}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// sameFrames compares frames, but for their numbers.
func sameFrames(t *testing.T, got, want []fileFrame) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d frames, want %d", len(got), len(want))
	}
	for i := range got {
		a, b := got[i], want[i]
		if a.time != b.time || a.data != b.data || a.wire != b.wire || a.bad != b.bad {
			t.Errorf("frame %d: %+v, want %+v", i+1, a, b)
		}
	}
}

// readBack reads a file that was written.
func readBack(t *testing.T, octets []byte) ([]fileFrame, *Stats) {
	t.Helper()
	return readInputs(t, fileOf(t, "copy.pcapng", octets))
}

func TestCopyPcap(t *testing.T) {
	frames := fileFrames(4)
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, err := z.Write(pcapBytes(t, frames))
	if err = errors.Join(err, z.Close()); err != nil {
		t.Fatal(err)
	}
	for name, octets := range map[string][]byte{"a.pcap": pcapBytes(t, frames), "a.pcap.gz": packed.Bytes()} {
		file := fileOf(t, name, octets)
		got, stats := readBack(t, notedCopy(t, nil, file))
		sameFrames(t, got, frames)
		want := []string{"all\nin all", "frame 2: one", "frame 2: two"}
		if c := stats.Inputs[0].Comments; !slices.Equal(c, want) {
			t.Errorf("%s: comments %q, want %q", name, c, want)
		}
		some := &FrameSet{}
		some.Add(NewFrameID(0, 2))
		some.Add(NewFrameID(0, 4))
		if got, _ := readBack(t, notedCopy(t, some, file)); len(got) != 2 ||
			got[1].data != frames[3].data {
			t.Errorf("%s: of two frames %+v", name, got)
		}
	}
}

// TestCopyMerged: several files in the order of their times, with an interface each.
func TestCopyMerged(t *testing.T) {
	a, b := timedPcap(t, 0, 2, 4), timedPcap(t, 1, 3)
	got, stats := readBack(t, notedCopy(t, nil, a, b))
	var order []string
	for _, f := range got {
		order = append(order, fmt.Sprint((f.time-fileEpoch)/1e6, ":", f.data))
	}
	if want := "0:1 1:1 2:2 3:2 4:3"; strings.Join(order, " ") != want {
		t.Errorf("order %v, want %s", order, want)
	}
	want := []string{"all\nin all", "frame 2: other", "frame 3: one", "frame 3: two"}
	if c := stats.Inputs[0].Comments; !slices.Equal(c, want) || len(stats.Interfaces) != 2 {
		t.Errorf("%d interfaces, comments %q, want %q", len(stats.Interfaces), c, want)
	}
}

// TestCopyPcapng: what a pcapng file holds beside frames is in the copy as it was, and notes behind
// it; a second copy changes nothing.
func TestCopyPcapng(t *testing.T) {
	f := newNGFile(t, "eth0", "eth1")
	for i, x := range fileFrames(3) {
		if err := f.WriteFrame(i%2, x.time, []byte(x.data), int(x.wire), fmt.Sprint("before ", i)); err != nil {
			t.Fatal(err)
		}
	}
	secrets := "CLIENT_RANDOM 00 11\n"
	unknown := []byte("\x99\x00\x00\x00\x10\x00\x00\x00what\x10\x00\x00\x00")
	if err := errors.Join(f.WriteSecrets([]byte(secrets)), f.WriteDrops(1, fileEpoch, 17)); err != nil {
		t.Fatal(err)
	}
	octets := append(f.Bytes(), unknown...)
	once := notedCopy(t, nil, fileOf(t, "a.pcapng", octets))
	got, stats := readBack(t, once)
	sameFrames(t, got, fileFrames(3))
	want := []string{
		"all\nin all", "frame 1: before 0", "frame 2: before 1", "frame 2: one", "frame 2: two", "frame 3: before 2",
	}
	if c := stats.Inputs[0].Comments; !slices.Equal(c, want) {
		t.Errorf("comments %q, want %q", c, want)
	}
	if !bytes.Contains(once, unknown) || len(stats.Secrets) != 1 || stats.KernelDrops() != 17 {
		t.Errorf(
			"%d secrets, %d drops: something is missing",
			len(stats.Secrets),
			stats.KernelDrops(),
		)
	}
	if !bytes.Contains(once, []byte("a.example\x00")) || !bytes.Contains(once, []byte("eth1")) {
		t.Error("names are missing")
	}
	_, stats = readBack(t, notedCopy(t, nil, fileOf(t, "b.pcapng", once)))
	if c := stats.Inputs[0].Comments; !slices.Equal(c, want) {
		t.Errorf("comments of the second copy %q, want %q", c, want)
	}
}

// fullDisk takes so many octets.
type fullDisk int

func (f *fullDisk) Write(b []byte) (int, error) {
	if *f -= fullDisk(len(b)); *f < 0 {
		return 0, errFull
	}
	return len(b), nil
}

var errFull = errors.New("disk full")

// TestCopyToFullDisk: an error of writing is told, wherever it happens.
func TestCopyToFullDisk(t *testing.T) {
	pcap := timedPcap(t, 0, 2, 4)
	for _, inputs := range [][]string{
		{pcap}, {pcap, timedPcap(t, 1)}, {fileOf(t, "a.pcapng", notedCopy(t, nil, pcap))},
	} {
		whole := len(notedCopy(t, nil, inputs...))
		for room := 0; room < whole-60; room += 16 {
			full := fullDisk(room)
			c := CopyConfig{Config: Config{Inputs: inputs}}
			if err := Copy(&full, c); !errors.Is(err, errFull) && int(full) < 0 {
				t.Errorf("%d octets of %v: %v", room, inputs, err)
			}
		}
	}
}

// FuzzCopy copies what may be a capture, and reads the copy: the frames are those that were read.
func FuzzCopy(f *testing.F) {
	ng := newNGFile(f, "eth0")
	for _, x := range fileFrames(3) {
		if err := ng.WriteFrame(0, x.time, []byte(x.data), int(x.wire), "c"); err != nil {
			f.Fatal(err)
		}
	}
	f.Add(ng.Bytes())
	f.Add(pcapBytes(f, fileFrames(3)))
	f.Fuzz(func(t *testing.T, octets []byte) {
		name := fileOf(t, "in", octets)
		src, err := Open(Config{Inputs: []string{name}})
		if err != nil {
			return
		}
		src.Close()
		want, before := readInputs(t, name)
		var b bytes.Buffer
		notes := &Notes{
			Summary: []string{"s"},
			Frames:  map[FrameID][]string{NewFrameID(0, 1): {"x"}},
		}
		if err := Copy(&b, CopyConfig{Config: Config{Inputs: []string{name}}, Notes: notes}); err != nil {
			t.Fatal(err)
		}
		copied := fileOf(t, "copy.pcapng", b.Bytes())
		if _, err := os.Stat(copied); err != nil {
			t.Fatal(err)
		}
		got, after := readInputs(t, copied)
		if before.Inputs[0].Format == "pcapng" || before.Inputs[0].Complete {
			if len(got) != len(want) {
				t.Fatalf("%d frames, want %d (%v)", len(got), len(want), after.Inputs[0].Error)
			}
		}
	})
}
