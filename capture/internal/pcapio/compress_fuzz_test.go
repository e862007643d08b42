package pcapio

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"io"
	"testing"
)

// asking128MiB changes the header of an xz file's first block so that it asks for a dictionary of
// 128 MiB.
func asking128MiB(packed []byte) []byte {
	out := bytes.Clone(packed)
	block := out[12:] // behind the header of the stream
	block = block[:(int(block[0])+1)*4]
	block[4] = 30
	sum := len(block) - 4
	binary.LittleEndian.PutUint32(block[sum:], crc32.ChecksumIEEE(block[:sum]))
	return out
}

// FuzzDecompress takes any octets for a compressed stream: they are the same however they are read,
// and a stream that ends without an error gives the same when more follows it in another.
func FuzzDecompress(f *testing.F) {
	octets := pcapBytes(f, binary.LittleEndian, true, fileFrames(3))
	for format := range packers() {
		f.Add(pack(f, format, octets[:50], octets[50:]))
	}
	f.Add(asking128MiB(pack(f, "xz", octets)))
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
