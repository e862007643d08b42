package capture

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// saveBuffer is the buffer of a file being written, in octets.
const saveBuffer = 1 << 18

// SaveConfig says where a live capture is saved.
type SaveConfig struct {
	Name string // of a pcapng file
	// octets after which the next file begins; 0: one file. Names then get a number before their
	// extension
	FileSize int64
	Files    int // how many files are kept, the oldest go; 0: all
}

// Saver writes the frames of a live capture to files, in pcapng.
type Saver struct {
	config  SaveConfig
	iface   string
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

// NewSaver opens the first file, so that a mistake in its name is told before anything is captured.
func NewSaver(c SaveConfig) (*Saver, error) {
	s := &Saver{config: c}
	return s, s.create()
}

// create opens the next file.
func (s *Saver) create() error {
	s.number++
	name := s.config.Name
	if s.config.FileSize > 0 {
		ext := filepath.Ext(name)
		name = fmt.Sprintf("%s-%05d%s", strings.TrimSuffix(name, ext), s.number, ext)
	}
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	s.file, s.written = file, 0
	if s.buffer == nil {
		s.buffer = bufio.NewWriterSize(nil, saveBuffer)
	}
	s.buffer.Reset(file)
	return s.forget(name)
}

// forget removes the oldest file if there are too many.
func (s *Saver) forget(name string) error {
	if s.config.Files <= 0 || s.config.FileSize <= 0 {
		return nil
	}
	s.kept = append(s.kept, name)
	if len(s.kept) <= s.config.Files {
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

// begin writes the head of the file.
func (s *Saver) begin(iface string, link uint16, snap uint32) error {
	s.iface, s.link, s.snap = iface, link, snap
	w, err := NewPcapngWriter(s.buffer)
	if err == nil {
		_, err = w.AddInterface(iface, link, snap)
	}
	s.writer = w
	return err
}

// frameCost is what a frame takes in the file beside its data: an Enhanced Packet Block without
// options, and padding.
const frameCost = 32 + 3

// write writes a frame, with a note about it unless that is empty, to the next file if this one is
// full.
func (s *Saver) write(f *rawFrame, note string) error {
	size := int64(len(f.Data) + frameCost)
	if s.config.FileSize > 0 && s.written > 0 && s.written+size > s.config.FileSize {
		if err := s.next(); err != nil {
			return s.fail(err)
		}
	}
	s.written += size
	return s.fail(s.writer.WriteFrame(0, f.Time, f.Data, int(f.OrigLen), note))
}

// next ends this file and begins another.
func (s *Saver) next() error {
	if err := s.closeFile(); err != nil {
		return err
	}
	if err := s.create(); err != nil {
		return err
	}
	return s.begin(s.iface, s.link, s.snap)
}

// drops writes how many frames the kernel has dropped, if any.
func (s *Saver) drops(unixNano int64, n uint64) error {
	if n == 0 || s.failed != nil {
		return nil
	}
	return s.fail(s.writer.WriteDrops(0, unixNano, n))
}

// flush hands what is buffered to the system.
func (s *Saver) flush() error { return s.fail(s.buffer.Flush()) }

// fail remembers an error and says what it is about.
func (s *Saver) fail(err error) error {
	if err == nil {
		return nil
	}
	s.failed = fmt.Errorf("save %s: %w", s.config.Name, nameless(err))
	return s.failed
}

// closeFile ends the file that is open.
func (s *Saver) closeFile() error {
	if s.file == nil {
		return nil
	}
	err := errors.Join(s.buffer.Flush(), s.file.Close())
	s.file = nil
	return err
}

// close implements the end. What failed before was told when it did.
func (s *Saver) close() error {
	err := s.closeFile()
	if s.failed != nil {
		return nil
	}
	return s.fail(err)
}
