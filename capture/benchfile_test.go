package capture

import (
	"bytes"
	"encoding/binary"
	"io"
	"testing"
)

// manyFrames are frames of the sizes of a download: two full segments and an acknowledgment.
func manyFrames(n int) []fileFrame {
	frames := make([]fileFrame, n)
	for i := range frames {
		frames[i] = fileFrame{time: fileEpoch + int64(i)*1000, data: string(make([]byte, []int{1514, 1514, 66}[i%3]))}
	}
	return frames
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

// endlessCaptures makes one of each format.
func endlessCaptures(t testing.TB) map[string]io.Reader {
	le := binary.LittleEndian
	frames := manyFrames(3000)
	pcap, header := pcapBytes(t, le, true, frames), pcapFileHeader
	pcapng, section := pcapngBytes(t, le, frames), len(pcapngBytes(t, le, nil))
	return map[string]io.Reader{
		"pcap":   &endless{header: pcap[:header], records: pcap[header:]},
		"pcapng": &endless{header: pcapng[:section], records: pcapng[section:]},
	}
}

func TestReadingAllocatesNothing(t *testing.T) {
	for format, stream := range endlessCaptures(t) {
		t.Run(format, func(t *testing.T) {
			s, err := openInputs(Config{Inputs: []string{"-"}, Stdin: stream})
			if err != nil {
				t.Fatal(err)
			}
			read := func() {
				for range 1000 {
					f, err := s.nextFrame()
					if err != nil {
						t.Fatal(err)
					}
					s.count(f)
					s.mark(f)
				}
			}
			read()
			if n := testing.AllocsPerRun(20, read); n != 0 {
				t.Errorf("%v allocations for 1000 frames, want 0", n)
			}
		})
	}
}

func BenchmarkRead(b *testing.B) {
	for format, stream := range endlessCaptures(b) {
		b.Run(format, func(b *testing.B) {
			benchmarkFrames(b, Config{Inputs: []string{"-"}, Stdin: stream})
		})
	}
}

// BenchmarkReadMerged reads files that overlap wholly, the worst case of merging.
func BenchmarkReadMerged(b *testing.B) {
	octets := pcapBytes(b, binary.LittleEndian, true, manyFrames(20000))
	var inputs []string
	for range 8 {
		inputs = append(inputs, fileOf(b, "part.pcap", octets))
	}
	benchmarkFrames(b, Config{Inputs: inputs})
}

func BenchmarkReadCompressed(b *testing.B) {
	octets := pcapBytes(b, binary.LittleEndian, true, manyFrames(20000))
	for _, format := range []string{"gzip", "zstd", "lz4", "xz"} {
		packed := pack(b, format, octets)
		b.Run(format, func(b *testing.B) {
			benchmarkFrames(b, Config{Inputs: []string{"-"}, Stdin: bytes.NewReader(packed)})
		})
	}
}

// benchmarkFrames reads b.N frames, opening the inputs again where they end.
func benchmarkFrames(b *testing.B, c Config) {
	var s *source
	open := func() {
		if again, ok := c.Stdin.(io.Seeker); ok {
			_, _ = again.Seek(0, io.SeekStart)
		}
		var err error
		if s, err = openInputs(c); err != nil {
			b.Fatal(err)
		}
	}
	open()
	octets := int64(0)
	for b.Loop() {
		f, err := s.nextFrame()
		if err != nil {
			open()
			continue
		}
		s.count(f)
		s.mark(f)
		octets += int64(len(f.Data))
	}
	b.SetBytes(octets / int64(b.N))
	b.ReportAllocs()
}
