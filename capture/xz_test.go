package capture

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"io"
	"runtime"
	"strings"
	"testing"
)

// xzAsking changes the header of the first block at or after an offset so that it asks for another
// dictionary.
func xzAsking(t testing.TB, packed []byte, from int, property byte) []byte {
	t.Helper()
	at := from + 12 // behind the header of the stream
	size := (int(packed[at]) + 1) * 4
	if packed[at+2] != lzma2Filter {
		t.Fatalf("filter %#x at %d, want LZMA2", packed[at+2], at)
	}
	out := bytes.Clone(packed)
	out[at+4] = property
	binary.LittleEndian.PutUint32(out[at+size-4:], crc32.ChecksumIEEE(out[at:at+size-4]))
	return out
}

const (
	asks2GiB   = 38
	asks128MiB = 30
)

// A dictionary that is too large is refused, also where a later block asks for it, and the error
// says what and where.
func TestXZDictionaryIsBounded(t *testing.T) {
	frames := fileFrames(50)
	octets := pcapBytes(t, binary.LittleEndian, true, frames)
	first := pack(t, "xz", octets[:300])
	both := append(bytes.Clone(first), pack(t, "xz", octets[300:])...)
	_, err := openInputs(Config{Inputs: []string{"-"}, Stdin: bytes.NewReader(xzAsking(t, both, 0, asks2GiB))})
	if err == nil || err.Error() != "read -: xz: dictionary of 2048 MiB is larger than 128 MiB" {
		t.Errorf("error = %v", err)
	}
	_, stats := readInputs(t, fileOf(t, "later.pcap.xz", xzAsking(t, both, len(first), asks2GiB)))
	in := stats.Inputs[0]
	if in.Complete || in.Frames == 0 || !strings.Contains(in.Error, "xz: dictionary of 2048 MiB is larger than 128 MiB") {
		t.Errorf("input = %+v", in)
	}
}

// Nothing is allocated for a dictionary that the data cannot fill, in however many blocks it is
// asked for.
func TestXZDictionaryNeedsData(t *testing.T) {
	frames := fileFrames(50)
	octets := pcapBytes(t, binary.LittleEndian, true, frames)
	var file []byte
	const blocks = 20
	for i := range blocks {
		file = append(file, xzAsking(t, pack(t, "xz", octets[i*len(octets)/blocks:(i+1)*len(octets)/blocks]), 0, asks128MiB)...)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	got, _ := readOctets(t, file)
	runtime.ReadMemStats(&after)
	sameFrames(t, got, frames)
	if used := (after.TotalAlloc - before.TotalAlloc) / blocks; used > 256<<10 {
		t.Errorf("%d octets allocated for each block", used)
	}
}

// Every octet of the format counts: if one is changed the file is refused, called damaged, or tells
// the same.
func TestXZDamage(t *testing.T) {
	frames := fileFrames(3)
	octets := pcapBytes(t, binary.LittleEndian, true, frames)
	packed := append(pack(t, "xz", octets[:50]), 0, 0, 0, 0)
	packed = append(packed, pack(t, "xz", octets[50:])...)
	got, stats := readOctets(t, packed)
	sameFrames(t, got, frames)
	if !stats.Inputs[0].Complete {
		t.Fatalf("not complete: %s", stats.Inputs[0].Error)
	}
	for i := range packed {
		damaged := bytes.Clone(packed)
		damaged[i] ^= 0x14
		s, err := openInputs(Config{Inputs: []string{"-"}, Stdin: bytes.NewReader(damaged)})
		if err != nil {
			continue
		}
		// What an encoder leaves behind the last octet that a decoder needs is under no checksum.
		if got := drain(s); s.stats.Inputs[0].Complete {
			sameFrames(t, got, frames)
		} else if s.stats.Inputs[0].Error == "" {
			t.Errorf("octet %d changed: no error", i)
		}
	}
}

// FuzzDecompress takes any octets for a compressed stream: they are the same however they are read,
// and a stream that ends without an error gives the same when more follows it in another.
func FuzzDecompress(f *testing.F) {
	octets := pcapBytes(f, binary.LittleEndian, true, fileFrames(3))
	for format := range packers() {
		f.Add(pack(f, format, octets[:50], octets[50:]))
	}
	f.Add(xzAsking(f, pack(f, "xz", octets), 0, asks128MiB))
	f.Fuzz(func(t *testing.T, packed []byte) {
		if findCompression(packed) == nil || len(packed) > 64<<10 {
			return
		}
		most := 1 << 20
		large, err := unpacked(packed, 64<<10, most)
		small, err2 := unpacked(packed, 7, most)
		if !bytes.Equal(large, small) || (err == nil) != (err2 == nil) {
			t.Fatalf("%d octets (%v), %d in small pieces (%v)", len(large), err, len(small), err2)
		}
		if err != nil || len(large) >= most/2 {
			return
		}
		twice, err := unpacked(append(bytes.Clone(packed), packed...), 64<<10, most)
		if err != nil || !bytes.Equal(twice, append(bytes.Clone(large), large...)) {
			t.Fatalf("%d octets, %d twice (%v)", len(large), len(twice), err)
		}
	})
}

// unpacked decompresses at most so many octets, in pieces of a size. No error but at the end.
func unpacked(packed []byte, piece, most int) ([]byte, error) {
	raw := bufio.NewReaderSize(bytes.NewReader(packed), feedLeast)
	plain, _, err := decompress(raw)
	if err != nil {
		return nil, err
	}
	defer plain.Close()
	var out []byte
	buffer := make([]byte, piece)
	for idle := 0; len(out) < most && idle < idleReads; idle++ {
		n, err := plain.Read(buffer[:min(piece, most-len(out))])
		out = append(out, buffer[:n]...)
		if err == io.EOF {
			return out, nil
		}
		if err != nil {
			return out, err
		}
		if n > 0 {
			idle = 0
		}
	}
	return out, nil
}
