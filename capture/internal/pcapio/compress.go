package pcapio

import (
	"bufio"
	"bytes"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"

	"tcpwhy/capture/internal/xz"
)

// windowMax is the largest history that a compressed input may ask for, in octets: what `zstd -d`
// and `xz -9` allow without being told otherwise. A larger one is refused, and none is allocated
// before there is data for it.
const windowMax = 128 << 20

// compression is a format of compression, recognized by how it starts.
type compression struct {
	name  string
	magic []string
	open  func(*bufio.Reader) (io.ReadCloser, error)
}

// skippable is the part of the magic number that Zstandard (RFC 8878 §3.1.2) and LZ4 share for
// frames without data. Tools of Zstandard write them at the start of a file, those of LZ4 do not.
const skippable = "\x2a\x4d\x18"

// compressions lists what can be decompressed.
func compressions() []compression {
	return []compression{
		{"gzip", []string{"\x1f\x8b"}, openGzip},
		{"zstd", []string{"\x28\xb5\x2f\xfd"}, openZstd},
		{"lz4", []string{"\x04\x22\x4d\x18", "\x02\x21\x4c\x18"}, openLZ4},
		{"xz", []string{xz.Magic}, openXZ},
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
		if c.name == "zstd" && len(head) >= 4 && head[0]&0xf0 == 0x50 &&
			string(head[1:4]) == skippable {
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

func openGzip(raw *bufio.Reader) (io.ReadCloser, error) {
	z, err := gzip.NewReader(raw)
	if err != nil {
		return nil, err
	}
	z.Multistream(false)
	return io.NopCloser(&gzipMembers{raw: raw, member: z}), nil
}

// gzipMembers reads the members of a gzip file one after another (RFC 1952 §2.2). The library does
// so, too, but takes an end within the header of a later member for the end of the file.
type gzipMembers struct {
	raw    *bufio.Reader
	member *gzip.Reader
}

// Read implements io.Reader.
func (g *gzipMembers) Read(b []byte) (int, error) {
	for {
		n, err := g.member.Read(b)
		if n > 0 && err == io.EOF {
			err = nil // the end is met again
		}
		if n > 0 || err != io.EOF {
			return n, err
		}
		if _, err := g.raw.Peek(1); err != nil {
			return 0, err
		}
		if err := g.member.Reset(g.raw); err == io.EOF {
			return 0, io.ErrUnexpectedEOF
		} else if err != nil {
			return 0, err
		}
		g.member.Multistream(false)
	}
}

func openZstd(raw *bufio.Reader) (io.ReadCloser, error) {
	d, err := zstd.NewReader(raw, zstd.WithDecoderMaxWindow(windowMax),
		zstd.WithDecoderLowmem(true), zstd.WithDecoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	return d.IOReadCloser(), nil
}

func openXZ(raw *bufio.Reader) (io.ReadCloser, error) {
	x, err := xz.NewReader(raw, windowMax)
	if err != nil {
		return nil, err
	}
	return io.NopCloser(x), nil
}

func openLZ4(raw *bufio.Reader) (io.ReadCloser, error) {
	return io.NopCloser(&lz4Frames{raw: raw, frame: lz4.NewReader(raw)}), nil
}

// lz4Frames reads LZ4 frames one after another: the library ends with the first.
type lz4Frames struct {
	raw   *bufio.Reader
	frame *lz4.Reader
}

// Read implements io.Reader.
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
