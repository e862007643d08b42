package capture

import (
	"bytes"
	"encoding/binary"
	"io"
	"slices"
	"testing"
	"time"
)

// tcpFrame is an Ethernet frame with IPv4, TCP and some data, from 10.0.0.1:1024 to 10.0.0.2:80.
func tcpFrame(seq uint32, data string) string {
	b := append(make([]byte, 12), 0x08, 0x00, 0x45, 0x00)
	b = binary.BigEndian.AppendUint16(b, uint16(40+len(data)))
	b = append(b, 0, 0, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 4, 0, 0, 80)
	b = binary.BigEndian.AppendUint32(b, seq)
	b = append(b, 0, 0, 0, 0, 0x50, byte(ACK), 0xff, 0xff, 0, 0, 0, 0)
	return string(b) + data
}

// arpFrame is an Ethernet frame that holds no IP.
func arpFrame() string { return string(make([]byte, 12)) + "\x08\x06" + string(make([]byte, 28)) }

func TestSourceCountsEveryFrameOnce(t *testing.T) {
	const second, us = 1000_000_000_000, 1000
	file := newNGFile(t, "eth0")
	file.add(0, second, arpFrame(), "")
	file.add(0, second+100*us, tcpFrame(1, "one"), "")
	file.addBad(second+150*us, "of no interface")
	file.add(0, second+200*us, tcpFrame(4, "two"), "")
	file.add(0, second+190*us, "\x00\x01", "")
	source, err := Open(Config{Inputs: []string{"-"}, Stdin: &file.Buffer})
	if err != nil {
		t.Fatal(err)
	}
	var seg Segment
	wants := []struct {
		number  uint64
		at      time.Duration
		payload string
	}{{2, 100 * time.Microsecond, "one"}, {4, 200 * time.Microsecond, "two"}}
	for _, want := range wants {
		err := source.Next(&seg)
		if err != nil || seg.Frame != NewFrameID(0, want.number) || seg.Time != want.at || string(seg.Payload) != want.payload {
			t.Errorf("segment of frame %d at %s with %q, error %v; want %+v", seg.Frame.Number(), seg.Time, seg.Payload, err, want)
		}
	}
	for range 2 {
		if err := source.Next(&seg); err != io.EOF {
			t.Errorf("error = %v, want EOF", err)
		}
	}
	stats := source.Stats()
	sum := uint64(0)
	for _, n := range stats.Count {
		sum += n
	}
	if stats.Frames != 5 || sum != 5 || stats.Count[OutcomeSegment] != 2 || stats.Count[OutcomeNotIP] != 1 {
		t.Errorf("%d frames, counts %v", stats.Frames, stats.Count)
	}
	if !stats.Start.Equal(time.Unix(1000, 0)) || stats.End != 200*time.Microsecond || stats.Backsteps != 1 {
		t.Errorf("start %s, end %s, %d steps back", stats.Start, stats.End, stats.Backsteps)
	}
	if want := uint64(2*len(tcpFrame(0, "one")) + len(arpFrame()) + 2); stats.Bytes != want {
		t.Errorf("%d octets, want %d", stats.Bytes, want)
	}
	if err := source.Close(); err != nil {
		t.Error(err)
	}
}

// The time since the first frame may be negative: that is what the capture says.
func TestSourceKeepsTimesBeforeTheFirst(t *testing.T) {
	octets := pcapBytes(t, []fileFrame{
		{time: fileEpoch, data: tcpFrame(1, "one")}, {time: fileEpoch - 5, data: tcpFrame(4, "two")},
	})
	source, err := Open(Config{Inputs: []string{"-"}, Stdin: bytes.NewReader(octets)})
	if err != nil {
		t.Fatal(err)
	}
	var seg Segment
	for _, want := range []time.Duration{0, -5} {
		if err := source.Next(&seg); err != nil || seg.Time != want {
			t.Errorf("time = %s, error %v, want %s", seg.Time, err, want)
		}
	}
}

// TestSegmentsAreInOrder merges files of which one's clock steps back: what the order of segments
// is made of says so, and tells of each file alone.
func TestSegmentsAreInOrder(t *testing.T) {
	const ms = int64(time.Millisecond)
	var inputs []string
	for _, times := range [][]int64{{0, 100, 50, 110}, {55, 105}} {
		var frames []fileFrame
		for i, at := range times {
			frames = append(frames, fileFrame{time: fileEpoch + at*ms, data: tcpFrame(uint32(1+i), "x")})
		}
		inputs = append(inputs, fileOf(t, "part.pcap", pcapBytes(t, frames)))
	}
	source, err := Open(Config{Inputs: inputs})
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	type key struct {
		latest, at int64 // ms
		frame      FrameID
	}
	var got []key
	var seg Segment
	for source.Next(&seg) == nil {
		got = append(got, key{seg.Latest.Milliseconds(), seg.Time.Milliseconds(), seg.Frame})
	}
	want := []key{
		{0, 0, NewFrameID(0, 1)}, {55, 55, NewFrameID(1, 1)}, {100, 100, NewFrameID(0, 2)},
		{100, 50, NewFrameID(0, 3)}, {105, 105, NewFrameID(1, 2)}, {110, 110, NewFrameID(0, 4)},
	}
	if !slices.Equal(got, want) {
		t.Errorf("order %v, want %v", got, want)
	}
}

// TestSegmentsHaveTicks reads files whose clocks differ.
func TestSegmentsHaveTicks(t *testing.T) {
	var coarse bytes.Buffer
	w, err := NewPcapWriter(&coarse, 1, false)
	if err == nil {
		err = w.WriteFrame(fileEpoch, []byte(tcpFrame(1, "coarse")), 100)
	}
	if err != nil {
		t.Fatal(err)
	}
	fine := pcapngBytes(t, []fileFrame{{time: fileEpoch, data: tcpFrame(1, "fine")}})
	source, err := Open(Config{Inputs: []string{
		fileOf(t, "coarse.pcap", coarse.Bytes()), fileOf(t, "fine.pcapng", fine),
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	var seg Segment
	for _, want := range []time.Duration{time.Microsecond, time.Nanosecond} {
		if err := source.Next(&seg); err != nil || time.Duration(seg.Tick) != want {
			t.Errorf("tick %d ns, error %v, want %v", seg.Tick, err, want)
		}
	}
}

func TestSourceStopsWhenClosed(t *testing.T) {
	path := fileOf(t, "capture", pcapBytes(t, fileFrames(3)))
	source, err := Open(Config{Inputs: []string{path}})
	if err != nil {
		t.Fatal(err)
	}
	if err := source.Close(); err != nil {
		t.Error(err)
	}
	if err := source.Next(&Segment{}); err != io.EOF {
		t.Errorf("error = %v, want EOF", err)
	}
}

// endless gives the same records again and again after the header of a capture.
type endless struct {
	header, records []byte
	at              int
}

func (e *endless) Read(b []byte) (int, error) {
	if len(e.header) > 0 {
		n := copy(b, e.header)
		e.header = e.header[n:]
		return n, nil
	}
	n := copy(b, e.records[e.at:])
	e.at = (e.at + n) % len(e.records)
	return n, nil
}

// endlessSegments is a source that never ends.
func endlessSegments(t testing.TB) Source {
	frames := make([]fileFrame, 3000)
	for i := range frames {
		frames[i] = fileFrame{time: fileEpoch + int64(i)*1000, data: tcpFrame(uint32(i)*1400, string(make([]byte, 1400)))}
	}
	octets := pcapBytes(t, frames)
	header := len(pcapBytes(t, nil))
	stream := &endless{header: octets[:header], records: octets[header:]}
	source, err := Open(Config{Inputs: []string{"-"}, Stdin: stream})
	if err != nil {
		t.Fatal(err)
	}
	return source
}

func TestSourceAllocatesNothing(t *testing.T) {
	source := endlessSegments(t)
	var seg Segment
	read := func() {
		for range 1000 {
			if err := source.Next(&seg); err != nil {
				t.Fatal(err)
			}
		}
	}
	for range 7 { // its clock is set back every 3000 frames, and frames are held then
		read()
	}
	if n := testing.AllocsPerRun(20, read); n != 0 {
		t.Errorf("%v allocations for 1000 segments, want 0", n)
	}
}

func BenchmarkSource(b *testing.B) {
	source := endlessSegments(b)
	var seg Segment
	b.ReportAllocs()
	for b.Loop() {
		if err := source.Next(&seg); err != nil {
			b.Fatal(err)
		}
	}
}
