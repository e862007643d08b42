package pcapio

import (
	"encoding/binary"
	"io"
	"math"
	"time"

	"tcpwhy/capture/internal/frame"
)

// PcapWriter writes a pcap file.
type PcapWriter struct {
	to    io.Writer
	order binary.AppendByteOrder
	tick  int64 // ns
	head  [pcapRecordHeader]byte
}

// NewPcapWriter writes the header of a little-endian file with frames of one link type, stamped in
// nanoseconds or microseconds. It writes in small pieces: hand it a buffered writer.
func NewPcapWriter(w io.Writer, linkType uint16, nano bool) (*PcapWriter, error) {
	return newPcapWriter(w, binary.LittleEndian, linkType, nano)
}

func newPcapWriter(
	w io.Writer,
	order binary.AppendByteOrder,
	linkType uint16,
	nano bool,
) (*PcapWriter, error) {
	p := &PcapWriter{to: w, order: order, tick: int64(time.Microsecond)}
	magic := uint32(pcapMicro)
	if nano {
		p.tick, magic = 1, pcapNano
	}
	b := order.AppendUint32(nil, magic)
	b = order.AppendUint16(b, 2) // version 2.4
	b = order.AppendUint16(b, 4)
	b = append(b, make([]byte, 8)...)
	b = order.AppendUint32(b, frame.Longest)
	b = order.AppendUint32(b, uint32(linkType))
	_, err := w.Write(b)
	return p, err
}

// WriteFrame writes one frame: its time in ns since the Unix epoch, what was captured of it, and
// its length on the wire in octets. The format holds times of 1970 to 2106; others are moved to the
// nearer end.
func (p *PcapWriter) WriteFrame(unixNano int64, data []byte, origLen int) error {
	data = data[:min(len(data), frame.Longest)]
	unixNano = min(max(unixNano, 0), math.MaxUint32*int64(time.Second))
	b := p.order.AppendUint32(p.head[:0], uint32(unixNano/int64(time.Second)))
	b = p.order.AppendUint32(b, uint32(unixNano%int64(time.Second)/p.tick))
	b = p.order.AppendUint32(b, uint32(len(data)))
	b = p.order.AppendUint32(b, wireLength(data, origLen))
	if _, err := p.to.Write(b); err != nil {
		return err
	}
	_, err := p.to.Write(data)
	return err
}

// wireLength is the length on the wire as a file can hold it: never less than what was captured.
func wireLength(data []byte, origLen int) uint32 {
	return uint32(min(max(origLen, len(data)), math.MaxUint32))
}
