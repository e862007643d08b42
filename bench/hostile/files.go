//go:build linux

package main

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"hash/crc32"
	"io"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"

	"tcpwhy/bench/hostile/traffic"
	"tcpwhy/capture"
)

// input is a file to be made. Its size is n, of what is counted in it, which write says: the octets
// that a reader has to take in, decompressed.
type input struct {
	name  string
	write func(w io.Writer, n int) (octets int64, err error)
}

// linkEthernet is LINKTYPE_ETHERNET, linkRaw LINKTYPE_RAW.
const (
	linkEthernet = 1
	linkRaw      = 101
)

// inputs are all files.
func inputs() []input {
	var all []input
	for _, kind := range traffic.All() {
		all = append(all, input{kind.Name, func(w io.Writer, n int) (int64, error) {
			return pcapFile(w, linkEthernet, n, func(b []byte, i int) []byte {
				s := capture.Segment{Window: 65535, TTL: 64, Flags: capture.ACK}
				kind.Make(i, &s)
				return appendFrame(b, &s)
			})
		}})
	}
	return append(
		all,
		input{"fragments never completed", fragments},
		input{"60 nested IP headers", nested},
		input{"TCP options of 40 octets", options},
		input{"interfaces in pcapng, a frame each", interfaces},
		input{"interfaces with names of 65,528 octets, gzip", longNames},
		input{"comments in pcapng, 16,000 a frame", comments},
		input{"frames of no octets", empty},
		input{
			"gzip of zeros in one record",
			func(w io.Writer, n int) (int64, error) { return bomb(gzip.NewWriter(w), n) },
		},
		input{"zstd of zeros in one record", zstdBomb},
		input{"gzip in members of one octet", members},
		input{"zstd frames of one octet asking 128 MiB", zstdFrames},
		input{"xz blocks of one octet asking 128 MiB", xzBlocks},
	)
}

// pcapFile writes a file of n frames, 10 µs apart.
func pcapFile(w io.Writer, link uint16, n int, frame func(b []byte, i int) []byte) (int64, error) {
	count := &counter{w: w}
	file, err := capture.NewPcapWriter(count, link, true)
	if err != nil {
		return 0, err
	}
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).UnixNano()
	var b []byte
	for i := range n {
		b = frame(b[:0], i)
		if err := file.WriteFrame(start+int64(i)*10_000, b, len(b)); err != nil {
			return 0, err
		}
	}
	return count.n, nil
}

// counter counts what is written.
type counter struct {
	w io.Writer
	n int64
}

// Write counts what it writes.
func (c *counter) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += int64(n)
	return n, err
}

// fragments makes first fragments of datagrams whose rest never comes.
func fragments(w io.Writer, n int) (int64, error) {
	return pcapFile(w, linkRaw, n, func(b []byte, i int) []byte {
		const more = 0x2000
		b = appendIP(b, 6, more, 24, [4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)},
			[4]byte{192, 0, 2, 1})
		return append(b, make([]byte, 24)...)
	})
}

// nested makes frames of IP in IP in IP.
func nested(w io.Writer, n int) (int64, error) {
	return pcapFile(w, linkRaw, n/10, func(b []byte, _ int) []byte {
		for layer := range 60 {
			b = appendIP(b, 4, 0, (59-layer)*20, [4]byte{10, 0, 0, 1}, [4]byte{192, 0, 2, 1})
		}
		return b
	})
}

// options makes segments whose options fill the header, those that nobody knows, and those that end
// nowhere.
func options(w io.Writer, n int) (int64, error) {
	lists := []string{
		strings.Repeat("\x01", 40),
		strings.Repeat("\xfd\x02", 20),
		strings.Repeat("\x02\x04\xff\xff", 10),
		strings.Repeat("\x05\xff", 20),
		strings.Repeat("\x08\x0aabcdefgh", 4),
	}
	return pcapFile(w, linkRaw, n, func(b []byte, i int) []byte {
		b = appendIP(b, 6, 0, 60, [4]byte{10, 0, 0, 1}, [4]byte{192, 0, 2, 1})
		be := binary.BigEndian
		b = be.AppendUint32(be.AppendUint16(be.AppendUint16(b, 40000), 80), uint32(i))
		b = append(be.AppendUint32(b, 1), 0xf0, 0x10, 0xff, 0xff, 0, 0, 0, 0)
		return append(b, lists[i%len(lists)]...)
	})
}

// empty makes records without data.
func empty(w io.Writer, n int) (int64, error) {
	return pcapFile(w, linkEthernet, n, func(b []byte, _ int) []byte { return b })
}

// block writes a block of pcapng.
func block(w io.Writer, kind uint32, body []byte) (int64, error) {
	le := binary.LittleEndian
	size := 12 + (len(body)+3)&^3
	b := le.AppendUint32(le.AppendUint32(make([]byte, 0, size), kind), uint32(size))
	b = append(append(b, body...), make([]byte, -len(body)&3)...)
	_, err := w.Write(le.AppendUint32(b, uint32(size)))
	return int64(size), err
}

// pcapngHead is a section with a first interface.
func pcapngHead(w io.Writer) (int64, error) {
	le := binary.LittleEndian
	n, err := block(w, 0x0a0d0d0a,
		le.AppendUint64(le.AppendUint32(le.AppendUint32(nil, 0x1a2b3c4d), 1), ^uint64(0)))
	if err != nil {
		return 0, err
	}
	m, err := block(w, 1, []byte{linkRaw, 0, 0, 0, 0, 0, 0, 0})
	return n + m, err
}

// packetBlock is the body of an Enhanced Packet Block, without options.
func packetBlock(iface, at int) []byte {
	le := binary.LittleEndian
	frame := appendIP(nil, 6, 0, 0, [4]byte{10, 0, 0, 1}, [4]byte{192, 0, 2, 1})
	b := le.AppendUint32(le.AppendUint32(le.AppendUint32(nil, uint32(iface)), 0), uint32(at))
	return append(
		le.AppendUint32(le.AppendUint32(b, uint32(len(frame))), uint32(len(frame))),
		frame...)
}

// interfaces describes an interface for each frame, with options, as many as a reader takes.
func interfaces(w io.Writer, n int) (int64, error) {
	total, err := pcapngHead(w)
	name := "\x02\x00\x08\x00interfac\x09\x00\x01\x00\x09\x00\x00\x00\x00\x00\x00\x00"
	for i := 0; i < min(n, 1<<16-2) && err == nil; i++ {
		var m int64
		if m, err = block(w, 1, append([]byte{linkRaw, 0, 0, 0, 0, 0, 0, 0}, name...)); err == nil {
			total += m
			m, err = block(w, 6, packetBlock(i+1, i))
			total += m
		}
	}
	return total, err
}

// longNames describes interfaces whose names are as long as they can be.
func longNames(w io.Writer, n int) (int64, error) {
	packer := gzip.NewWriter(w)
	total, err := pcapngHead(packer)
	name := append([]byte{linkRaw, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0xf8, 0xff}, make([]byte, 65_528)...)
	for i := 0; i < n/100 && err == nil; i++ {
		var m int64
		m, err = block(packer, 1, name)
		total += m
	}
	if err == nil {
		err = packer.Close()
	}
	return total, err
}

// comments gives frames options without number.
func comments(w io.Writer, n int) (int64, error) {
	total, err := pcapngHead(w)
	list := strings.Repeat("\x01\x00\x01\x00c\x00\x00\x00", 16_000)
	for i := 0; i < n/2000 && err == nil; i++ {
		var m int64
		m, err = block(w, 6, append(packetBlock(0, i), list...))
		total += m
	}
	return total, err
}

// bombRecord is how long the one record of a bomb says that it is.
const bombRecord = 262_144

// bomb compresses records of zeros.
func bomb(packer io.WriteCloser, n int) (int64, error) {
	count, err := pcapFile(packer, linkEthernet, n/1000,
		func(b []byte, _ int) []byte { return append(b, make([]byte, bombRecord)...) })
	if err != nil {
		return 0, err
	}
	return count, packer.Close()
}

func zstdBomb(w io.Writer, n int) (int64, error) {
	packer, err := zstd.NewWriter(w)
	if err != nil {
		return 0, err
	}
	return bomb(packer, n)
}

// plainOctets is a small capture to be packed octet by octet.
func plainOctets(n int) ([]byte, error) {
	var b bytes.Buffer
	_, err := pcapFile(&b, linkRaw, n, func(b []byte, _ int) []byte {
		return appendIP(b, 6, 0, 0, [4]byte{10, 0, 0, 1}, [4]byte{192, 0, 2, 1})
	})
	return b.Bytes(), err
}

// members packs each octet as a member of its own. What is counted is the file: nothing is larger.
func members(w io.Writer, n int) (int64, error) {
	plain, err := plainOctets(n / 100)
	count := &counter{w: w}
	packer := gzip.NewWriter(count)
	for i := 0; i < len(plain) && err == nil; i++ {
		packer.Reset(count)
		if _, err = packer.Write(plain[i : i+1]); err == nil {
			err = packer.Close()
		}
	}
	return count.n, err
}

// zstdFrames packs each octet as a frame of one raw block, with a window of 128 MiB (RFC 8878
// §3.1.1).
func zstdFrames(w io.Writer, n int) (int64, error) {
	plain, err := plainOctets(n / 10)
	count := &counter{w: w}
	for i := 0; i < len(plain) && err == nil; i++ {
		_, err = count.Write([]byte{0x28, 0xb5, 0x2f, 0xfd, 0, 17 << 3, 1 | 1<<3, 0, 0, plain[i]})
	}
	return count.n, err
}

// xzBlocks packs each octet as a block of one chunk that is not compressed, in one stream.
func xzBlocks(w io.Writer, n int) (int64, error) {
	plain, err := plainOctets(n / 100)
	if err != nil {
		return 0, err
	}
	count := &counter{w: w}
	le := binary.LittleEndian
	flags := []byte{0, 0}
	head := le.AppendUint32(append([]byte("\xfd7zXZ\x00"), flags...), crc32.ChecksumIEEE(flags))
	header := []byte{2, 0, 0x21, 1, 30, 0, 0, 0}
	header = le.AppendUint32(header, crc32.ChecksumIEEE(header))
	index := binary.AppendUvarint([]byte{0}, uint64(len(plain)))
	if _, err := count.Write(head); err != nil {
		return 0, err
	}
	for _, octet := range plain {
		const data = 5 // control, two octets of length, the octet, the end
		block := append(append([]byte{}, header...), 1, 0, 0, octet, 0, 0, 0, 0)
		if _, err := count.Write(block); err != nil {
			return 0, err
		}
		index = append(index, byte(len(header)+data), 1)
	}
	index = append(index, make([]byte, -len(index)&3)...)
	index = le.AppendUint32(index, crc32.ChecksumIEEE(index))
	foot := append(le.AppendUint32(nil, uint32(len(index)/4-1)), flags...)
	end := append(append(le.AppendUint32(nil, crc32.ChecksumIEEE(foot)), foot...), "YZ"...)
	_, err = count.Write(append(index, end...))
	return count.n, err
}
