package pcapio

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/ulikunitz/xz"
)

// packers compresses by each of the formats.
func packers() map[string]func(io.Writer) (io.WriteCloser, error) {
	return map[string]func(io.Writer) (io.WriteCloser, error){
		"gzip": func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil },
		"zstd": func(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w) },
		"lz4":  func(w io.Writer) (io.WriteCloser, error) { return lz4.NewWriter(w), nil },
		"xz":   func(w io.Writer) (io.WriteCloser, error) { return xz.NewWriter(w) },
	}
}

// pack compresses each part on its own and joins the results.
func pack(t testing.TB, format string, parts ...[]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	for _, part := range parts {
		w, err := packers()[format](&b)
		if err == nil {
			_, err = w.Write(part)
		}
		if err == nil {
			err = w.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

func TestFormatsRoundTrip(t *testing.T) {
	frames := fileFrames(50)
	for _, order := range fileOrders() {
		plain := map[string][]byte{
			"pcap":   pcapBytes(t, order, true, frames),
			"pcapng": pcapngBytes(t, order, frames),
		}
		for format, octets := range plain {
			for _, compression := range []string{"", "gzip", "zstd", "lz4", "xz"} {
				t.Run(format+" "+order.String()+" "+compression, func(t *testing.T) {
					packed := octets
					if compression != "" {
						packed = pack(t, compression, octets)
					}
					got, stats := readOctets(t, packed)
					sameFrames(t, got, frames)
					in := stats
					if in.format != format || in.compression != compression || !in.complete || in.frames != 50 {
						t.Errorf("input = %+v", in)
					}
				})
			}
		}
	}
}

func TestCompressedInParts(t *testing.T) {
	frames := fileFrames(50)
	octets := pcapBytes(t, binary.LittleEndian, true, frames)
	for format := range packers() {
		t.Run(format, func(t *testing.T) {
			got, stats := readOctets(t, pack(t, format, octets[:301], octets[301:302], octets[302:]))
			sameFrames(t, got, frames)
			if !stats.complete {
				t.Errorf("not complete: %s", stats.problem)
			}
		})
	}
}

// A compressed stream that is cut must not look like the end of the capture, even if it is cut
// between records.
func TestCompressedCut(t *testing.T) {
	frames := fileFrames(15)
	octets := pcapBytes(t, binary.LittleEndian, true, frames)
	for format := range packers() {
		t.Run(format, func(t *testing.T) {
			packed := pack(t, format, octets)
			// The ends of blocks and of the stream are near the end; opening costs too much to try
			// every place.
			for cut := 0; cut < len(packed); cut += 1 + min(20, (len(packed)-cut)/40) {
				s, stats, err := open(packed[:cut])
				if err != nil {
					continue
				}
				got := drain(s, stats)
				sameFrames(t, got, frames[:len(got)])
				if in := stats; in.complete || in.problem == "" {
					t.Fatalf("cut at %d of %d: %+v", cut, len(packed), in)
				}
			}
		})
	}
}

func TestCompressedCutMessage(t *testing.T) {
	for format, octets := range map[string][]byte{
		"pcap":   pcapBytes(t, binary.LittleEndian, true, fileFrames(3)),
		"pcapng": pcapngBytes(t, binary.LittleEndian, fileFrames(3)),
	} {
		packed := pack(t, "gzip", octets)
		_, stats := readOctets(t, packed[:len(packed)-1])
		if got, want := stats.problem, "after frame 3: cut: the compressed stream ends early"; got != want {
			t.Errorf("%s: error = %q, want %q", format, got, want)
		}
	}
}

func TestCompressedDamage(t *testing.T) {
	octets := pcapBytes(t, binary.LittleEndian, true, fileFrames(5000))
	for format := range packers() {
		t.Run(format, func(t *testing.T) {
			packed := pack(t, format, octets)
			packed[len(packed)-6] ^= 0x55
			_, stats := readOctets(t, packed)
			if in := stats; in.complete || !strings.Contains(in.problem, "frame") {
				t.Errorf("input = %+v", in)
			}
		})
	}
}

// What the usual tools write is read, not only what the same libraries write.
func TestCompressedByTools(t *testing.T) {
	frames := fileFrames(500)
	octets := pcapBytes(t, binary.LittleEndian, true, frames)
	for _, command := range []string{"gzip -c", "zstd -c --long=27", "lz4 -c", "lz4 -c -l", "xz -c", "xz -c -9 -T2",
		"xz -c --block-size=5000 -C sha256", "xz -c -C none", "xz -c -C crc32 --lzma2=preset=0"} {
		t.Run(command, func(t *testing.T) {
			words := strings.Fields(command)
			tool := exec.Command(words[0], words[1:]...)
			tool.Stdin = bytes.NewReader(octets)
			packed, err := tool.Output()
			if errors.Is(err, exec.ErrNotFound) {
				t.Skip(err)
			}
			if err != nil {
				t.Fatal(err)
			}
			got, stats := readOctets(t, packed)
			sameFrames(t, got, frames)
			if !stats.complete {
				t.Errorf("not complete: %s", stats.problem)
			}
		})
	}
}
