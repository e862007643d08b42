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

// PcapngWriter writes a pcapng file of one section, with times in nanoseconds unless an interface
// says otherwise.
type PcapngWriter struct {
	to    io.Writer
	order binary.AppendByteOrder
	ticks []int64 // of each interface, in ns
	block []byte  // the block being made; its room is used again
}

// NewPcapngWriter writes the header of a little-endian file. It makes one write a block: a buffered
// writer saves system calls, an unbuffered one shows every frame at once.
func NewPcapngWriter(w io.Writer) (*PcapngWriter, error) {
	return newPcapngWriter(w, binary.LittleEndian, &Head{Program: "tcpwhy"})
}

// NewHeadedWriter is NewPcapngWriter of a file with a head of its own.
func NewHeadedWriter(w io.Writer, h *Head) (*PcapngWriter, error) {
	return newPcapngWriter(w, binary.LittleEndian, h)
}

func newPcapngWriter(
	w io.Writer, order binary.AppendByteOrder, h *Head,
) (*PcapngWriter, error) {
	p := &PcapngWriter{to: w, order: order}
	p.begin(blockSection)
	p.u32(byteOrderMark)
	p.u16(1) // version 1.0
	p.u16(0)
	p.u64(math.MaxUint64) // the length of the section is not told
	for _, c := range h.Comments {
		p.option(optComment, c)
	}
	if h.Program != "" {
		p.option(optApplication, h.Program)
	}
	p.u32(optEnd)
	if err := p.write(); err != nil {
		return p, err
	}
	_, err := w.Write(namesBlock(order, h.Names))
	return p, err
}

// AddInterface describes an interface and gives the number by which frames refer to it. A snapLen
// of 0 is no limit.
func (p *PcapngWriter) AddInterface(name string, linkType uint16, snapLen uint32) (int, error) {
	return p.Describe(&Interface{Name: name, Link: frame.LinkType(linkType), SnapLen: snapLen})
}

// Describe is AddInterface of an interface with the resolution that its clock has: a power of ten
// of a second, or else nanoseconds.
func (p *PcapngWriter) Describe(i *Interface) (int, error) {
	exponent, tick := byte(nanoseconds), int64(1)
	for e, t := exponent, tick; t <= int64(i.Resolution); e, t = e-1, t*10 {
		if t == int64(i.Resolution) {
			exponent, tick = e, t
		}
		if e == 0 {
			break
		}
	}
	p.begin(blockInterface)
	p.u16(uint16(i.Link))
	p.u16(0)
	p.u32(i.SnapLen)
	if i.Name != "" {
		p.option(optInterfaceName, i.Name)
	}
	p.option(optResolution, string([]byte{exponent}))
	p.u32(optEnd)
	p.ticks = append(p.ticks, tick)
	return len(p.ticks) - 1, p.write()
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
	var comments []string
	if comment != "" {
		comments = []string{comment}
	}
	f := &frame.Frame{Time: unixNano, Data: data, OrigLen: wireLength(nil, origLen)}
	return p.WritePacket(iface, f, comments)
}

// WritePacket writes one frame of an interface, with comments: of f its time, lengths, data and
// direction.
func (p *PcapngWriter) WritePacket(iface int, f *frame.Frame, comments []string) error {
	if iface < 0 || iface >= len(p.ticks) {
		return fmt.Errorf("write frame of interface %d: %w", iface, errNoInterface)
	}
	data := f.Data[:min(len(f.Data), frame.Longest)]
	p.begin(blockEnhanced)
	p.u32(uint32(iface))
	p.stamp(f.Time / p.ticks[iface])
	p.u32(uint32(len(data)))
	p.u32(wireLength(data, int(f.OrigLen)))
	p.block = append(p.block, data...)
	p.pad()
	o := options{order: p.order, list: p.block}
	o.packetDirection(uint32(f.Direction))
	for _, c := range comments {
		o.add(optComment, c)
	}
	if len(o.list) > len(p.block) {
		o.add(optEnd, "")
	}
	p.block = o.list
	return p.write()
}

// WriteSecrets writes a TLS key log.
func (p *PcapngWriter) WriteSecrets(log []byte) error {
	p.begin(blockSecrets)
	p.u32(secretsTLS)
	p.u32(uint32(len(log)))
	p.block = append(p.block, log...)
	p.pad()
	return p.write()
}

// WriteDrops writes how many frames of an interface were dropped up to the given moment, in ns
// since the Unix epoch.
func (p *PcapngWriter) WriteDrops(iface int, unixNano int64, drops uint64) error {
	if iface < 0 || iface >= len(p.ticks) {
		return fmt.Errorf("write drops of interface %d: %w", iface, errNoInterface)
	}
	p.begin(blockStatistics)
	p.u32(uint32(iface))
	p.stamp(unixNano / p.ticks[iface])
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

// stamp writes a time, in ticks, as two halves, the higher one first in both byte orders.
func (p *PcapngWriter) stamp(since int64) {
	ticks := uint64(max(since, 0))
	p.u32(uint32(ticks >> 32))
	p.u32(uint32(ticks))
}

// option writes one option. A value that is too long for one is cut.
func (p *PcapngWriter) option(code uint16, value string) {
	o := options{order: p.order, list: p.block}
	o.add(code, value)
	p.block = o.list
}

// pad fills the block up to a multiple of four octets.
func (p *PcapngWriter) pad() {
	for len(p.block)%4 != 0 {
		p.block = append(p.block, 0)
	}
}
