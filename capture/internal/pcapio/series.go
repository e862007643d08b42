package pcapio

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"tcpwhy/capture/internal/frame"
	"tcpwhy/internal/outfile"
)

// seriesBuffer is the buffer of a file being written, in octets.
const seriesBuffer = 1 << 18

// mostPassed is how many numbers that are taken are passed over at once: all of five digits.
const mostPassed = 99_999

// Series writes the frames of interfaces to pcapng files, each of which begins where the one
// before it is full.
type Series struct {
	name    string
	size    int64
	files   int
	replace bool // files that exist
	ifaces  []string
	link    uint16
	snap    uint32
	file    *os.File
	buffer  *bufio.Writer
	writer  *PcapngWriter
	written int64
	number  int      // of the file, from 1
	kept    []string // names of the files that exist, the oldest first, if only some are kept
	failed  error
}

// NewSeries creates the first file, so that a mistake in its name is told before there is a frame.
// size is how many octets make a file full; 0: there is one file. Names of several files get a
// number before their extension, and those that exist are passed over, so that one which is started
// again goes on. files is how many of those that this one wrote are kept, the oldest go; 0: all.
// replace: files that exist are removed first.
func NewSeries(name string, size int64, files int, replace bool) (*Series, error) {
	s := &Series{name: name, size: size, files: files, replace: replace}
	return s, s.create()
}

// create opens the next file.
func (s *Series) create() error {
	file, err := s.open()
	for passed := 0; s.size > 0 && errors.Is(err, fs.ErrExist) && passed < mostPassed; passed++ {
		file, err = s.open()
	}
	if err != nil {
		return err
	}
	s.file, s.written = file, 0
	if s.buffer == nil {
		s.buffer = bufio.NewWriterSize(nil, seriesBuffer)
	}
	s.buffer.Reset(file)
	return s.forget(file.Name())
}

// Standard is the name of standard output.
const Standard = "-"

// open creates the file of the next number, unless it is standard output.
func (s *Series) open() (*os.File, error) {
	if s.name == Standard {
		return os.Stdout, nil
	}
	s.number++
	name := s.name
	if s.size > 0 {
		ext := filepath.Ext(name)
		name = fmt.Sprintf("%s-%05d%s", strings.TrimSuffix(name, ext), s.number, ext)
	}
	return outfile.Create(name, s.replace)
}

// forget removes the oldest file if there are too many.
func (s *Series) forget(name string) error {
	if s.files <= 0 || s.size <= 0 {
		return nil
	}
	s.kept = append(s.kept, name)
	if len(s.kept) <= s.files {
		return nil
	}
	oldest := s.kept[0]
	s.kept = s.kept[1:]
	// somebody else may have cleared up
	if err := os.Remove(oldest); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Begin writes the head of the file: what interfaces are called, their link type, and how many
// octets of a frame are taken, 0 for all.
func (s *Series) Begin(ifaces []string, link uint16, snap uint32) error {
	s.link, s.snap = link, snap
	w, err := NewPcapngWriter(s.buffer)
	s.writer, s.ifaces = w, nil
	if err != nil {
		return err
	}
	for _, name := range ifaces {
		if err := s.Describe(name); err != nil {
			return err
		}
	}
	return nil
}

// Describe adds an interface.
func (s *Series) Describe(name string) error {
	s.ifaces = append(s.ifaces, name)
	_, err := s.writer.AddInterface(name, s.link, s.snap)
	return err
}

// frameCost is what a frame takes in the file beside its data: an Enhanced Packet Block without
// options, and padding.
const frameCost = 32 + 3

// Write writes a frame, with a note about it unless that is empty, to the next file if this one is
// full.
func (s *Series) Write(f *frame.Frame, note string) error {
	size := int64(len(f.Data) + frameCost)
	if s.size > 0 && s.written > 0 && s.written+size > s.size {
		if err := s.next(); err != nil {
			return s.fail(err)
		}
	}
	s.written += size
	return s.fail(s.writer.WriteFrame(int(f.Iface), f.Time, f.Data, int(f.OrigLen), note))
}

// next ends this file and begins another.
func (s *Series) next() error {
	if err := s.closeFile(); err != nil {
		return err
	}
	if err := s.create(); err != nil {
		return err
	}
	return s.Begin(s.ifaces, s.link, s.snap)
}

// WriteDrops writes how many frames the kernel has dropped, if any.
func (s *Series) WriteDrops(unixNano int64, n uint64) error {
	if n == 0 || s.failed != nil {
		return nil
	}
	return s.fail(s.writer.WriteDrops(0, unixNano, n))
}

// Flush hands what is buffered to the system.
func (s *Series) Flush() error { return s.fail(s.buffer.Flush()) }

// fail remembers an error and says what it is about.
func (s *Series) fail(err error) error {
	if err == nil {
		return nil
	}
	s.failed = fmt.Errorf("save %s: %w", s.name, nameless(err))
	return s.failed
}

// closeFile ends the file that is open.
func (s *Series) closeFile() error {
	if s.file == nil {
		return nil
	}
	err := errors.Join(s.buffer.Flush(), s.file.Close())
	s.file = nil
	return err
}

// Close ends the file. What failed before was told when it did.
func (s *Series) Close() error {
	err := s.closeFile()
	if s.failed != nil {
		return nil
	}
	return s.fail(err)
}
