package xz

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/ulikunitz/xz"
)

const testLargest = 128 << 20

// octetsToPack are n lines.
func octetsToPack(n int) []byte {
	var b []byte
	for i := range n {
		b = fmt.Appendf(b, "line %d of %d %s\n", i, n, strings.Repeat("x", i%7))
	}
	return b
}

// packXZ compresses octets as a stream of its own.
func packXZ(t testing.TB, octets []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := xz.NewWriter(&b)
	if err == nil {
		_, err = w.Write(octets)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// unpackXZ gives what a file holds, up to where it is damaged.
func unpackXZ(packed []byte) ([]byte, error) {
	r, err := NewReader(bufio.NewReader(bytes.NewReader(packed)), testLargest)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

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
	const want = "xz: dictionary of 2048 MiB is larger than 128 MiB"
	octets := octetsToPack(50)
	first := packXZ(t, octets[:300])
	both := append(bytes.Clone(first), packXZ(t, octets[300:])...)
	if _, err := unpackXZ(xzAsking(t, both, 0, asks2GiB)); err == nil || err.Error() != want {
		t.Errorf("error = %v", err)
	}
	got, err := unpackXZ(xzAsking(t, both, len(first), asks2GiB))
	if err == nil || err.Error() != want || !bytes.Equal(got, octets[:300]) {
		t.Errorf("%d octets, error = %v", len(got), err)
	}
}

// Nothing is allocated for a dictionary that the data cannot fill, in however many blocks it is
// asked for.
func TestXZDictionaryNeedsData(t *testing.T) {
	octets := octetsToPack(50)
	var file []byte
	const blocks = 20
	for i := range blocks {
		part := octets[i*len(octets)/blocks : (i+1)*len(octets)/blocks]
		file = append(file, xzAsking(t, packXZ(t, part), 0, asks128MiB)...)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	got, err := unpackXZ(file)
	runtime.ReadMemStats(&after)
	if err != nil || !bytes.Equal(got, octets) {
		t.Errorf("%d octets, error %v, want %d", len(got), err, len(octets))
	}
	if used := (after.TotalAlloc - before.TotalAlloc) / blocks; used > 256<<10 {
		t.Errorf("%d octets allocated for each block", used)
	}
}

// Every octet of the format counts: if one is changed the file is refused, called damaged, or tells
// the same.
func TestXZDamage(t *testing.T) {
	octets := octetsToPack(6)
	packed := append(packXZ(t, octets[:50]), 0, 0, 0, 0)
	packed = append(packed, packXZ(t, octets[50:])...)
	if got, err := unpackXZ(packed); err != nil || !bytes.Equal(got, octets) {
		t.Fatalf("%d octets, error %v, want %d", len(got), err, len(octets))
	}
	for i := range packed {
		damaged := bytes.Clone(packed)
		damaged[i] ^= 0x14
		// What an encoder leaves behind the last octet that a decoder needs is under no checksum.
		if got, err := unpackXZ(damaged); err == nil && !bytes.Equal(got, octets) {
			t.Errorf("octet %d changed: other octets and no error", i)
		}
	}
}
