// Package packet reads, makes and files Ethernet frames with TCP in them, as far as the lab needs
// it. It shares no code with the program that the lab holds to account.
package packet

import (
	"encoding/binary"
	"fmt"
	"os"
	"sort"
)

// A Frame is one captured Ethernet frame.
type Frame struct {
	At   int64  // nanoseconds since 1970
	Data []byte // perhaps cut to the snapshot length
	Wire int    // octets on the wire
}

// LinkEthernet is LINKTYPE_ETHERNET of the pcap format.
const LinkEthernet = 1

// WritePcap writes frames in the order of time, with nanosecond timestamps.
func WritePcap(name string, link uint32, snaplen int, frames []Frame) error {
	sort.SliceStable(frames, func(i, j int) bool { return frames[i].At < frames[j].At })
	return os.WriteFile(name, Pcap(frames, link, snaplen), 0o644)
}

// Pcap is a pcap file with nanoseconds.
func Pcap(frames []Frame, link uint32, snap int) []byte {
	return pcapBytes(binary.LittleEndian, 0xa1b23c4d, 1, link, snap, frames)
}

// BigEndianPcap is a pcap file of a big-endian machine, with microseconds.
func BigEndianPcap(frames []Frame) []byte {
	return pcapBytes(binary.BigEndian, 0xa1b2c3d4, 1000, LinkEthernet, 1<<18, frames)
}

// pcapBytes writes timestamps in units of so many nanoseconds.
func pcapBytes(
	order binary.AppendByteOrder, magic uint32, unit int64, link uint32, snap int, frames []Frame,
) []byte {
	b := order.AppendUint32(nil, magic)
	b = order.AppendUint16(b, 2)
	b = order.AppendUint16(b, 4)
	b = append(b, make([]byte, 8)...)
	b = order.AppendUint32(b, uint32(snap))
	b = order.AppendUint32(b, link)
	for _, f := range frames {
		data := f.Data[:min(len(f.Data), snap)]
		b = order.AppendUint32(b, uint32(f.At/1e9))
		b = order.AppendUint32(b, uint32(f.At%1e9/unit))
		b = order.AppendUint32(b, uint32(len(data)))
		b = order.AppendUint32(b, uint32(f.Wire))
		b = append(b, data...)
	}
	return b
}

// ReadPcap reads a capture that the lab wrote: little-endian, nanoseconds.
func ReadPcap(name string) ([]Frame, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	le := binary.LittleEndian
	if len(b) < 24 || le.Uint32(b) != 0xa1b23c4d {
		return nil, fmt.Errorf("read %s: not a capture of the lab", name)
	}
	var frames []Frame
	for b = b[24:]; len(b) >= 16; {
		at := int64(le.Uint32(b))*1e9 + int64(le.Uint32(b[4:]))
		cut, wire := int(le.Uint32(b[8:])), int(le.Uint32(b[12:]))
		if len(b) < 16+cut {
			return nil, fmt.Errorf("read %s: cut", name)
		}
		frames = append(frames, Frame{At: at, Data: b[16 : 16+cut], Wire: wire})
		b = b[16+cut:]
	}
	return frames, nil
}
