package pcapio

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"tcpwhy/capture/internal/frame"
)

// nanoseconds is the resolution of files written here, as if_tsresol tells it.
const nanoseconds = 9

// optApplication is the code of shb_userappl.
const optApplication = 4

// optionMax is the longest value of an option, in octets.
const optionMax = math.MaxUint16

// PcapngWriter writes a pcapng file of one section, with times in nanoseconds.
type PcapngWriter struct {
	to         io.Writer
	order      binary.AppendByteOrder
	interfaces int
	block      []byte // the block being made; its room is used again
}

// NewPcapngWriter writes the header of a little-endian file. It makes one write a block: a buffered
// writer saves system calls, an unbuffered one shows every frame at once.
func NewPcapngWriter(w io.Writer) (*PcapngWriter, error) {
	return newPcapngWriter(w, binary.LittleEndian)
}

func newPcapngWriter(w io.Writer, order binary.AppendByteOrder) (*PcapngWriter, error) {
	p := &PcapngWriter{to: w, order: order}
	p.begin(blockSection)
	p.u32(byteOrderMark)
	p.u16(1) // version 1.0
	p.u16(0)
	p.u64(math.MaxUint64) // the length of the section is not told
	p.option(optApplication, "tcpwhy")
	p.u32(optEnd)
	return p, p.write()
}

// AddInterface describes an interface and gives the number by which frames refer to it. A snapLen
// of 0 is no limit.
func (p *PcapngWriter) AddInterface(name string, linkType uint16, snapLen uint32) (int, error) {
	p.begin(blockInterface)
	p.u16(linkType)
	p.u16(0)
	p.u32(snapLen)
	p.option(optInterfaceName, name)
	p.option(optResolution, string(rune(nanoseconds)))
	p.u32(optEnd)
	p.interfaces++
	return p.interfaces - 1, p.write()
}

var errNoInterface = errors.New("no such interface")

// WriteFrame writes one frame of an interface: its time in ns since the Unix epoch, what was
// captured of it, its length on the wire in octets, and a comment unless that is empty.
func (p *PcapngWriter) WriteFrame(
	iface int,
	unixNano int64,
	data []byte,
	origLen int,
	comment string,
) error {
	if iface < 0 || iface >= p.interfaces {
		return fmt.Errorf("write frame of interface %d: %w", iface, errNoInterface)
	}
	data = data[:min(len(data), frame.Longest)]
	p.begin(blockEnhanced)
	p.u32(uint32(iface))
	p.stamp(unixNano)
	p.u32(uint32(len(data)))
	p.u32(wireLength(data, origLen))
	p.block = append(p.block, data...)
	p.pad()
	if comment != "" {
		p.option(optComment, comment)
		p.u32(optEnd)
	}
	return p.write()
}

// WriteDrops writes how many frames of an interface were dropped up to the given moment, in ns
// since the Unix epoch.
func (p *PcapngWriter) WriteDrops(iface int, unixNano int64, drops uint64) error {
	if iface < 0 || iface >= p.interfaces {
		return fmt.Errorf("write drops of interface %d: %w", iface, errNoInterface)
	}
	p.begin(blockStatistics)
	p.u32(uint32(iface))
	p.stamp(unixNano)
	p.u16(optSystemDropped)
	p.u16(8)
	p.u64(drops)
	p.u32(optEnd)
	return p.write()
}

// begin starts a block. Its length is entered when it is complete.
func (p *PcapngWriter) begin(kind uint32) {
	p.block = p.block[:0]
	p.u32(kind)
	p.u32(0)
}

// write ends the block with its length, and writes it.
func (p *PcapngWriter) write() error {
	length := uint32(len(p.block) + 4)
	p.u32(length)
	copy(p.block[4:8], p.block[length-4:])
	_, err := p.to.Write(p.block)
	return err
}

func (p *PcapngWriter) u16(v uint16) { p.block = p.order.AppendUint16(p.block, v) }
func (p *PcapngWriter) u32(v uint32) { p.block = p.order.AppendUint32(p.block, v) }
func (p *PcapngWriter) u64(v uint64) { p.block = p.order.AppendUint64(p.block, v) }

// stamp writes a time as two halves, the higher one first in both byte orders.
func (p *PcapngWriter) stamp(unixNano int64) {
	ticks := uint64(max(unixNano, 0))
	p.u32(uint32(ticks >> 32))
	p.u32(uint32(ticks))
}

// option writes one option. A value that is too long for one is cut.
func (p *PcapngWriter) option(code uint16, value string) {
	value = value[:min(len(value), optionMax)]
	p.u16(code)
	p.u16(uint16(len(value)))
	p.block = append(p.block, value...)
	p.pad()
}

// pad fills the block up to a multiple of four octets.
func (p *PcapngWriter) pad() {
	for len(p.block)%4 != 0 {
		p.block = append(p.block, 0)
	}
}
