// Package pcapio reads and writes pcap and pcapng files, compressed or not, reads those of snoop,
// and says of any other file what it is. It gives frames as they were captured and does not look
// into them.
package pcapio

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"tcpwhy/capture/internal/frame"
)

// Account is where a File tells what it learns beside frames.
type Account interface {
	// AddInterface enters an interface and gives the number by which frames name it.
	AddInterface(Interface) (uint32, error)
	// AddComment tells of a comment on the capture.
	AddComment(text string)
	// AddFrameComment tells of a comment on a frame.
	AddFrameComment(number uint64, text []byte)
	// AddSecrets hands over a TLS key log. It is valid until AddSecrets returns.
	AddSecrets(log []byte)
	// SetDrops tells how many frames the capturing host dropped so far.
	SetDrops(frames uint64)
}

// Interface is a capture interface as its file describes it.
type Interface struct {
	Name       string // if_name, or "" if the format has none
	Link       frame.LinkType
	Resolution time.Duration // one tick of its clock; 1 ns at least
	SnapLen    uint32        // 0: no limit known
}

// File is a capture file that is being read, or a stream that holds one.
type File struct {
	Format      string // pcap, pcapng, snoop
	Compression string // gzip, zstd, lz4, xz or ""
	stored      io.Closer
	plain       io.Closer // the decompressor
	feed        *feed
	reader      frameReader
	scout       scout
	waits       bool  // reading on may wait for somebody who writes
	ended       error // why there is no further frame; nil: there may be one
}

// Stored is where the octets of a capture are.
type Stored struct {
	Name  string
	Open  func() (io.ReadCloser, error)
	Waits bool // reading on may wait for somebody who writes
}

// Open opens what is stored, and reads its header. The error, of one line, says what it is if it
// is no capture. buffer becomes the file's.
func Open(from Stored, buffer []byte, account Account) (*File, error) {
	stream, err := from.Open()
	if err != nil {
		return nil, err
	}
	f := &File{stored: stream, waits: from.Waits}
	if err := f.recognize(stream, buffer, account); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("read %s: %w", from.Name, nameless(err))
	}
	return f, nil
}

// Next reads the next frame, all of it but Input. The frame is valid until the next call. io.EOF
// follows the last frame if the file ends where one may end, and otherwise an error that says where
// and how it is damaged; every further call says the same.
func (f *File) Next(to *frame.Frame) error {
	if f.ended != nil {
		return f.ended
	}
	if !f.waits {
		f.feed.advance(len(f.feed.buf) / scoutShare)
	}
	if f.ended = f.reader.next(to); f.ended == nil {
		f.scout.took(to, f.feed.base)
	}
	return f.ended
}

// Disordered reports whether one of the next frames is earlier than one before it, be that the one
// that was read last. It sees as far as what was read from the stream: one that somebody writes to
// is not waited for.
func (f *File) Disordered() bool {
	if f.ended == nil {
		f.scout.look(f.feed, f.reader.glance)
	}
	return f.scout.fault > f.scout.taken
}

// AtHand reports whether the next frame can be read without waiting for whoever writes the stream.
func (f *File) AtHand() bool {
	if !f.waits {
		return true
	}
	for rest := f.feed.rest; ; {
		g, ok := f.reader.glance(rest)
		if !ok || g.size > len(rest) {
			return false
		}
		if g.isFrame {
			return true
		}
		rest = rest[g.size:]
	}
}

// Restart tells that the clock of the file was set: later frames are compared with those since the
// given moment.
func (f *File) Restart(from int64) {
	s := &f.scout
	s.latest, s.fault, s.seen, s.at = from, s.taken, s.taken, f.feed.base
}

// Buffer is the buffer of a file that is no longer read, for another one.
func (f *File) Buffer() []byte { return f.feed.buf[:min(len(f.feed.buf), feedSize)] }

// Close releases what the file holds open.
func (f *File) Close() error {
	if f.plain != nil {
		// Decompressors say again what reading already told.
		_ = f.plain.Close()
	}
	return f.stored.Close()
}

// nameless is an error of the system without the name of the file, for messages that begin with it.
func nameless(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// recognize finds out by the first octets what the input is, compression first.
func (f *File) recognize(raw io.Reader, buffer []byte, account Account) error {
	// A reader that asks for more than this buffer holds bypasses it, so plain files are not copied
	// twice.
	plain, compression, err := decompress(bufio.NewReaderSize(raw, feedLeast))
	if err != nil {
		return err
	}
	f.plain, f.Compression = plain, compression
	f.feed = newFeed(plain, buffer)
	head, err := f.feed.peek(12)
	if _, _, ok := isPcap(head); ok {
		f.Format = "pcap"
		f.reader, err = newPcapReader(f.feed, account)
		return err
	}
	if isPcapng(head) {
		f.Format = "pcapng"
		f.reader, err = newPcapngReader(f.feed, account)
		return err
	}
	if isSnoop(head) {
		f.Format = "snoop"
		f.reader, err = newSnoopReader(f.feed, account)
		return err
	}
	if err != nil && err != io.EOF {
		return readable(err)
	}
	head, _ = f.feed.peek(sniffLength)
	what := describe(head)
	if compression != "" {
		what = compression + " of " + what
	}
	return fmt.Errorf("not a capture but %s", what)
}
