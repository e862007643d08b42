package capture

import (
	"bufio"
	"bytes"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/ulikunitz/xz"
)

// windowMax is the largest history that a compressed input may ask for, in octets: what `zstd -d` and `xz -9`
// allow without being told otherwise. A larger one is refused before it is allocated.
const windowMax = 128 << 20

// compression is a format of compression, recognized by how it starts.
type compression struct {
	name  string
	magic []string
	open  func(*bufio.Reader) (io.ReadCloser, error)
}

// skippable is the part of the magic number that Zstandard (RFC 8878 §3.1.2) and LZ4 share for frames
// without data. Tools of Zstandard write them at the start of a file, those of LZ4 do not.
const skippable = "\x2a\x4d\x18"

// compressions lists what can be decompressed.
func compressions() []compression {
	return []compression{
		{"gzip", []string{"\x1f\x8b"}, openGzip},
		{"zstd", []string{"\x28\xb5\x2f\xfd"}, openZstd},
		{"lz4", []string{"\x04\x22\x4d\x18", "\x02\x21\x4c\x18"}, openLZ4},
		{"xz", []string{"\xfd7zXZ\x00"}, openXZ},
	}
}

// findCompression tells by the first octets how a stream is compressed; nil if it is not.
func findCompression(head []byte) *compression {
	for _, c := range compressions() {
		for _, magic := range c.magic {
			if bytes.HasPrefix(head, []byte(magic)) {
				return &c
			}
		}
		if c.name == "zstd" && len(head) >= 4 && head[0]&0xf0 == 0x50 && string(head[1:4]) == skippable {
			return &c
		}
	}
	return nil
}

// decompress gives the plain octets of a stream and the name of its compression, "" if it has none.
func decompress(raw *bufio.Reader) (io.ReadCloser, string, error) {
	// An error here is met again by whoever reads.
	head, _ := raw.Peek(6)
	c := findCompression(head)
	if c == nil {
		return io.NopCloser(raw), "", nil
	}
	plain, err := c.open(raw)
	if err != nil {
		return nil, c.name, fmt.Errorf("%s: %w", c.name, err)
	}
	return plain, c.name, nil
}

func openGzip(raw *bufio.Reader) (io.ReadCloser, error) { return gzip.NewReader(raw) }

func openZstd(raw *bufio.Reader) (io.ReadCloser, error) {
	d, err := zstd.NewReader(raw, zstd.WithDecoderMaxWindow(windowMax), zstd.WithDecoderLowmem(true),
		zstd.WithDecoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	return d.IOReadCloser(), nil
}

func openLZ4(raw *bufio.Reader) (io.ReadCloser, error) {
	return io.NopCloser(&lz4Frames{raw: raw, frame: lz4.NewReader(raw)}), nil
}

// lz4Frames reads LZ4 frames one after another: the library ends with the first.
type lz4Frames struct {
	raw   *bufio.Reader
	frame *lz4.Reader
}

func (l *lz4Frames) Read(b []byte) (int, error) {
	for {
		n, err := l.frame.Read(b)
		if n > 0 || err != io.EOF {
			return n, err
		}
		if _, err := l.raw.Peek(1); err != nil {
			return 0, err
		}
		l.frame.Reset(l.raw)
	}
}

func openXZ(raw *bufio.Reader) (io.ReadCloser, error) {
	if size := xzDictionary(raw); size > windowMax {
		return nil, fmt.Errorf("dictionary of %d MiB is larger than %d MiB", size>>20, windowMax>>20)
	}
	ends := &endReader{raw: raw}
	r, err := xz.NewReader(ends)
	if err != nil {
		return nil, err
	}
	return io.NopCloser(&xzStream{plain: r, ends: ends}), nil
}

// xzFooter ends every stream of the xz format, apart from zeros that may pad it.
const xzFooter = "YZ"

// xzStream reads xz streams. The library takes a stream that is cut between its blocks for one that ended.
type xzStream struct {
	plain io.Reader
	ends  *endReader
}

func (x *xzStream) Read(b []byte) (int, error) {
	n, err := x.plain.Read(b)
	if err == io.EOF && string(x.ends.last[:]) != xzFooter {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// endReader remembers the last two octets that were read, apart from zeros after them.
type endReader struct {
	raw  *bufio.Reader
	last [2]byte
}

func (e *endReader) Read(b []byte) (int, error) {
	n, err := e.raw.Read(b)
	for _, octet := range b[max(0, n-len(e.last)):n] {
		e.note(octet)
	}
	return n, err
}

// ReadByte implements io.ByteReader, which the library uses if it is there.
func (e *endReader) ReadByte() (byte, error) {
	octet, err := e.raw.ReadByte()
	if err == nil {
		e.note(octet)
	}
	return octet, err
}

func (e *endReader) note(octet byte) {
	if octet != 0 {
		e.last[0], e.last[1] = e.last[1], octet
	}
}

// xzDictionary is the size of the dictionary that the first block asks for, 0 if there is none or it cannot be
// told: the library would allocate it whole before the first octet is read. The header of a stream has 12
// octets; that of a block has its size, its flags, two optional lengths and then the filters, each an identifier,
// a length and its properties. The filter 0x21 is LZMA2, with the size of the dictionary in one octet.
func xzDictionary(raw *bufio.Reader) uint64 {
	head, _ := raw.Peek(12 + 64)
	if len(head) < 14 {
		return 0
	}
	block := head[12:]
	at := 2
	for flag := byte(0x40); flag != 0; flag <<= 1 {
		if block[1]&flag != 0 {
			at = passVarint(block, at)
		}
	}
	if at+3 > len(block) || block[at] != 0x21 || block[at+1] != 1 {
		return 0
	}
	size := block[at+2] & 0x3f
	return uint64(2|size&1) << (size/2 + 11)
}

// passVarint gives where the number that starts at the given place ends: seven bits an octet, the last without
// the high bit.
func passVarint(b []byte, at int) int {
	for at < len(b) && b[at]&0x80 != 0 {
		at++
	}
	return at + 1
}
