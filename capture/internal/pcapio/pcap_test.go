package pcapio

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"tcpwhy/capture/internal/frame"
)

func TestPcapMicroseconds(t *testing.T) {
	for _, order := range fileOrders() {
		t.Run(order.String(), func(t *testing.T) {
			got, stats := readOctets(t, pcapBytes(t, order, false, fileFrames(20)))
			sameFrames(t, got, inMicroseconds(fileFrames(20)))
			if i := stats.interfaces[0]; i.Resolution != 1000 || i.SnapLen != frame.Longest || i.Link.String() != "Ethernet" {
				t.Errorf("interface = %+v", i)
			}
		})
	}
}

// rawPcap makes a file by hand: its header, and records of four numbers and data each.
func rawPcap(magic, snapLen, network uint32, records ...[]byte) []byte {
	b := binary.LittleEndian.AppendUint32(nil, magic)
	b = append(b, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	b = binary.LittleEndian.AppendUint32(b, snapLen)
	b = binary.LittleEndian.AppendUint32(b, network)
	return append(b, bytes.Join(records, nil)...)
}

func rawRecord(captured, wire uint32, rest []byte) []byte {
	b := binary.LittleEndian.AppendUint32(nil, 1000)
	b = binary.LittleEndian.AppendUint32(b, 7)
	b = binary.LittleEndian.AppendUint32(b, captured)
	b = binary.LittleEndian.AppendUint32(b, wire)
	return append(b, rest...)
}

func TestPcapOddities(t *testing.T) {
	octets := func(n int) []byte { return bytes.Repeat([]byte{'d'}, n) }
	tests := []struct {
		name     string
		file     []byte
		captured int
		wire     uint32
		link     string
		problem  string
	}{
		{"snapshot length 0", rawPcap(pcapMicro, 0, 1, rawRecord(60, 60, octets(60))), 60, 60, "Ethernet", ""},
		{"longer than the snapshot length", rawPcap(pcapMicro, 40, 1, rawRecord(60, 90, octets(60))), 60, 90, "Ethernet", ""},
		{"longer than on the wire", rawPcap(pcapMicro, 99, 1, rawRecord(60, 40, octets(60))), 60, 60, "Ethernet", ""},
		{"no data", rawPcap(pcapMicro, 99, 1, rawRecord(0, 40, nil)), 0, 40, "Ethernet", ""},
		{"BIG TCP", rawPcap(pcapMicro, 1<<20, 1, rawRecord(1<<20, 1<<20, octets(1<<20))), 1 << 20, 1 << 20, "Ethernet", ""},
		{"link type over 255", rawPcap(pcapMicro, 99, 276, rawRecord(4, 4, octets(4))), 4, 4, "LINUX_SLL2", ""},
		{"link type over 65535", rawPcap(pcapMicro, 99, 65537, rawRecord(4, 4, octets(4))), 4, 4, "link type 65535", ""},
		{"link type with length of FCS", rawPcap(pcapMicro, 99, 0x24000001, rawRecord(4, 4, octets(4))), 4, 4, "Ethernet", ""},
		{"absurd length", rawPcap(pcapMicro, 65535, 1, rawRecord(2<<30, 60, octets(60))), -1, 0, "Ethernet",
			"frame 1 claims 2147483648 captured octets, the limit is 262144"},
		{"absurd length without limit", rawPcap(pcapMicro, 0xffffffff, 1, rawRecord(2<<30, 60, octets(60))), -1, 0, "Ethernet",
			"frame 1 claims 2147483648 captured octets, the limit is 2097152"},
		{"larger than usual", rawPcap(pcapMicro, 65535, 1, rawRecord(300<<10, 300<<10, octets(300<<10))), -1, 0, "Ethernet",
			"frame 1 claims 307200 captured octets, the limit is 262144"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			frames, stats := readOctets(t, test.file)
			in := stats
			if in.problem != test.problem || in.complete != (test.problem == "") || in.interfaces[0].Link.String() != test.link {
				t.Errorf("told %+v", in)
			}
			if test.captured < 0 {
				if len(frames) != 0 {
					t.Errorf("%d frames, want none", len(frames))
				}
				return
			}
			if len(frames) != 1 || len(frames[0].data) != test.captured || frames[0].wire != test.wire {
				t.Errorf("%d frames", len(frames))
			}
		})
	}
}

func TestPcapModified(t *testing.T) {
	tests := []struct {
		packetType byte
		want       frame.Direction
	}{{0, frame.Incoming}, {4, frame.Outgoing}, {3, frame.Unknown}}
	for _, test := range tests {
		extra := []byte{1, 0, 0, 0, 8, 0, test.packetType, 0}
		file := rawPcap(pcapModified, 99, 1,
			rawRecord(5, 5, append(extra, "first"...)), rawRecord(6, 6, append(extra, "second"...)))
		s, _, err := open(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"first", "second"} {
			var f frame.Frame
			err := s.Next(&f)
			if err != nil || string(f.Data) != want || f.Direction != test.want || f.Time != 1000_000_007_000 {
				t.Errorf("type %d: frame %+v, error %v, want %q", test.packetType, f, err, want)
			}
		}
	}
}

// Whatever the place at which a file is cut: the frames before it are all there, and only a cut
// between two records looks like the end of a capture.
func TestPcapCutAnywhere(t *testing.T) {
	frames := fileFrames(5)
	octets := pcapBytes(t, binary.LittleEndian, true, frames)
	ends := recordEnds(pcapFileHeader, pcapRecordHeader, 1, frames)
	if whole := ends[len(frames)]; whole != len(octets) {
		t.Fatalf("file of %d octets, want %d", len(octets), whole)
	}
	cutEverywhere(t, octets, ends, frames)
}

// recordEnds gives the length of a file with 0, 1, ... frames.
func recordEnds(header, overhead, align int, frames []fileFrame) []int {
	ends := []int{header}
	for _, f := range frames {
		header += overhead + (len(f.data)+align-1)/align*align
		ends = append(ends, header)
	}
	return ends
}

// cutEverywhere reads every beginning of a file. It may end after its header and after each frame.
func cutEverywhere(t *testing.T, octets []byte, ends []int, frames []fileFrame) {
	t.Helper()
	for cut := range len(octets) + 1 {
		s, stats, err := open(octets[:cut])
		if cut < ends[0] && err != nil && strings.HasPrefix(err.Error(), "read -: ") {
			continue
		}
		if err != nil {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		before := 0
		for before < len(frames) && cut >= ends[before+1] {
			before++
		}
		got := drain(s, stats)
		sameFrames(t, got, frames[:before])
		in := stats
		named := strings.Contains(in.problem, fmt.Sprintf("frame %d", before+1)) ||
			strings.Contains(in.problem, fmt.Sprintf("after frame %d", before))
		if whole := cut == ends[before]; in.complete != whole || named == whole {
			t.Fatalf("cut at %d with %d frames: %+v", cut, before, in)
		}
	}
}

func TestPcapCutMessage(t *testing.T) {
	octets := rawPcap(pcapMicro, 65535, 1, rawRecord(4, 4, []byte("data")), rawRecord(1514, 1514, make([]byte, 60)))
	_, stats := readOctets(t, octets)
	if got, want := stats.problem, "cut within frame 2: 60 of 1514 octets"; got != want {
		t.Errorf("error = %q, want %q", got, want)
	}
}
