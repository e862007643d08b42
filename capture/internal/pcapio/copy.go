package pcapio

import (
	"encoding/binary"
	"io"

	"tcpwhy/capture/internal/frame"
)

// Notes are what a copy of a capture has beside what is copied.
type Notes struct {
	Head
	// Comments are those on a frame; nil: there are none.
	Comments func(number uint64) []string
	// Wanted reports whether a frame is to be copied; nil: all are.
	Wanted func(number uint64) bool
}

// copier copies the blocks of a pcapng file as they are, and adds notes.
type copier struct {
	to    io.Writer
	notes *Notes
	begun bool
	count int // interfaces
	err   error
}

// CopyPcapng copies a pcapng file to w, block by block, with notes. So it keeps all that the file
// holds: options, statistics, secrets, names, what nobody knows. Damage ends the copy where it ends
// the reading, and is no error: that is one of opening, or of writing.
func CopyPcapng(w io.Writer, from Stored, notes *Notes) error {
	c := &copier{to: w, notes: notes}
	f, err := Open(from, make([]byte, feedSize), c)
	if err != nil {
		return err
	}
	for read := (frame.Frame{}); c.err == nil; {
		if f.Next(&read) != nil {
			break
		}
	}
	_ = f.Close() // it was only read
	return c.err
}

// TakeBlock implements Blocks.
func (c *copier) TakeBlock(endian binary.ByteOrder, number uint64, block []byte) {
	if c.err != nil {
		return
	}
	order := byteOrder(endian == binary.BigEndian)
	switch {
	case number > 0:
		if c.notes.Wanted != nil && !c.notes.Wanted(number) {
			return
		}
		if c.notes.Comments != nil {
			block = commented(order, block, c.notes.Comments(number))
		}
	case len(block) >= sectionLeast && order.u32(block) == blockSection:
		head := &Head{}
		if !c.begun {
			head = &c.notes.Head
		}
		c.begun = true
		block = headed(order, block, head)
	}
	_, c.err = c.to.Write(block)
}

// AddInterface implements Account.
func (c *copier) AddInterface(Interface) (uint32, error) {
	c.count++
	return uint32(c.count - 1), nil
}

// AddComment implements Account.
func (*copier) AddComment(string) {}

// AddFrameComment implements Account.
func (*copier) AddFrameComment(uint64, []byte) {}

// AddSecrets implements Account.
func (*copier) AddSecrets([]byte) {}

// SetDrops implements Account.
func (*copier) SetDrops(uint64) {}

// IsPcapng reports whether a file, compressed or not, can be opened and is a pcapng file.
func IsPcapng(from Stored) bool {
	f, err := Open(from, make([]byte, feedLeast), &copier{to: io.Discard, notes: &Notes{}})
	if err != nil {
		return false
	}
	_ = f.Close() // it was only read
	return f.Format == "pcapng"
}
