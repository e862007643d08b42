package pcapio

import (
	"bytes"
	"encoding/binary"
	"io"
	"testing"

	"tcpwhy/capture/internal/frame"
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
			file, _, err := openStream(stream)
			if err != nil {
				t.Fatal(err)
			}
			var f frame.Frame
			read := func() {
				for range 1000 {
					if err := file.Next(&f); err != nil {
						t.Fatal(err)
					}
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
		b.Run(format, func(b *testing.B) { benchmarkFrames(b, stream) })
	}
}

func BenchmarkReadCompressed(b *testing.B) {
	octets := pcapBytes(b, binary.LittleEndian, true, manyFrames(20000))
	for _, format := range []string{"gzip", "zstd", "lz4", "xz"} {
		packed := pack(b, format, octets)
		b.Run(format, func(b *testing.B) { benchmarkFrames(b, bytes.NewReader(packed)) })
	}
}

// benchmarkFrames reads b.N frames, opening the stream again where it ends.
func benchmarkFrames(b *testing.B, stream io.Reader) {
	var file *File
	open := func() {
		if again, ok := stream.(io.Seeker); ok {
			_, _ = again.Seek(0, io.SeekStart)
		}
		var err error
		if file, _, err = openStream(stream); err != nil {
			b.Fatal(err)
		}
	}
	open()
	octets := int64(0)
	var f frame.Frame
	for b.Loop() {
		if file.Next(&f) != nil {
			open()
			continue
		}
		octets += int64(len(f.Data))
	}
	b.SetBytes(octets / int64(b.N))
	b.ReportAllocs()
}
