package pcapio

import (
	"bytes"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"tcpwhy/capture/internal/frame"
)

// failAfter accepts some writes and then fails.
type failAfter int

var errFull = errors.New("disk full")

func (f *failAfter) Write(b []byte) (int, error) {
	if *f--; *f < 0 {
		return 0, errFull
	}
	return len(b), nil
}

func TestWritersReport(t *testing.T) {
	for writes := range 3 {
		full := failAfter(writes)
		w, err := NewPcapWriter(&full, 1, true)
		if err == nil {
			err = w.WriteFrame(0, []byte("data"), 4)
		}
		if !errors.Is(err, errFull) {
			t.Errorf("pcap after %d writes: error %v", writes, err)
		}
		full = failAfter(writes)
		ng, err := NewPcapngWriter(&full)
		if err == nil {
			_, err = ng.AddInterface("lo", 1, 0)
		}
		if err == nil {
			err = ng.WriteFrame(0, 0, []byte("data"), 4, "")
		}
		if !errors.Is(err, errFull) {
			t.Errorf("pcapng after %d writes: error %v", writes, err)
		}
	}
}

func TestPcapngWriter(t *testing.T) {
	var b bytes.Buffer
	w, err := NewPcapngWriter(&b)
	if err != nil {
		t.Fatal(err)
	}
	steps := []func() error{
		func() error { _, err := w.AddInterface("eth0", 1, 96); return err },
		func() error { _, err := w.AddInterface("any", 276, 0); return err },
		func() error { return w.WriteFrame(0, fileEpoch+1, []byte("one"), 1500, "the first") },
		func() error { return w.WriteFrame(1, fileEpoch+2, []byte("four"), 2, strings.Repeat("long", 20000)) },
		func() error { return w.WriteFrame(1, -1, make([]byte, frame.Longest+1), 9, "") },
		func() error { return w.WriteDrops(1, fileEpoch, 17) },
	}
	for i, step := range steps {
		if err := step(); err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
	}
	got, stats := readOctets(t, b.Bytes())
	sameFrames(t, got, []fileFrame{
		{1, fileEpoch + 1, "one", 1500, false}, {2, fileEpoch + 2, "four", 4, false},
		{3, 0, string(make([]byte, frame.Longest)), frame.Longest, false},
	})
	in := stats
	if in.drops != 17 || len(in.comments) != 2 || in.comments[0] != "frame 1: the first" || !in.complete {
		t.Errorf("input = %+v", in)
	}
	if eth := stats.interfaces[0]; eth != (Interface{"eth0", frame.LinkEthernet, 1, 96}) {
		t.Errorf("interface = %+v", eth)
	}
	for _, iface := range []int{-1, 2} {
		if w.WriteFrame(iface, 0, nil, 0, "") == nil || w.WriteDrops(iface, 0, 1) == nil {
			t.Errorf("no error for interface %d", iface)
		}
	}
}

func TestPcapWriterBounds(t *testing.T) {
	var b bytes.Buffer
	w, err := NewPcapWriter(&b, 276, true)
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []int64{-5, math.MaxInt64} {
		if err := w.WriteFrame(at, make([]byte, frame.Longest+5), math.MaxInt); err != nil {
			t.Fatal(err)
		}
	}
	got, stats := readOctets(t, b.Bytes())
	if len(got) != 2 || got[0].time != 0 || got[1].time != math.MaxUint32*int64(time.Second) {
		t.Fatalf("%d frames", len(got))
	}
	if len(got[0].data) != frame.Longest || got[0].wire != math.MaxUint32 || stats.interfaces[0].Link != frame.LinkCooked2 {
		t.Errorf("frame of %d octets of %d, interface %+v", len(got[0].data), got[0].wire, stats.interfaces[0])
	}
}
