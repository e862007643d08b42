//go:build linux

package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"sort"
)

// A frame is one captured Ethernet frame.
type frame struct {
	at   int64  // nanoseconds since 1970
	data []byte // perhaps cut to the snapshot length
	wire int    // octets on the wire
}

// linkEthernet is LINKTYPE_ETHERNET of the pcap format.
const linkEthernet = 1

// writePcap writes frames in the order of time, with nanosecond timestamps.
func writePcap(name string, link uint32, snaplen int, frames []frame) error {
	sort.SliceStable(frames, func(i, j int) bool { return frames[i].at < frames[j].at })
	return os.WriteFile(name, classic(frames, link, snaplen), 0o644)
}

// classic is a pcap file with nanoseconds.
func classic(frames []frame, link uint32, snap int) []byte {
	return pcapBytes(binary.LittleEndian, 0xa1b23c4d, 1, link, snap, frames)
}

func bigEndian(frames []frame) []byte {
	return pcapBytes(binary.BigEndian, 0xa1b2c3d4, 1000, linkEthernet, 1<<18, frames)
}

// pcapBytes writes timestamps in units of so many nanoseconds.
func pcapBytes(
	order binary.AppendByteOrder,
	magic uint32,
	unit int64,
	link uint32,
	snap int,
	frames []frame,
) []byte {
	b := order.AppendUint32(nil, magic)
	b = order.AppendUint16(b, 2)
	b = order.AppendUint16(b, 4)
	b = append(b, make([]byte, 8)...)
	b = order.AppendUint32(b, uint32(snap))
	b = order.AppendUint32(b, link)
	for _, f := range frames {
		data := f.data[:min(len(f.data), snap)]
		b = order.AppendUint32(b, uint32(f.at/1e9))
		b = order.AppendUint32(b, uint32(f.at%1e9/unit))
		b = order.AppendUint32(b, uint32(len(data)))
		b = order.AppendUint32(b, uint32(f.wire))
		b = append(b, data...)
	}
	return b
}

// readPcap reads a capture that the lab wrote: little-endian, nanoseconds.
func readPcap(name string) ([]frame, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	le := binary.LittleEndian
	if len(b) < 24 || le.Uint32(b) != 0xa1b23c4d {
		return nil, fmt.Errorf("read %s: not a capture of the lab", name)
	}
	var frames []frame
	for b = b[24:]; len(b) >= 16; {
		at := int64(le.Uint32(b))*1e9 + int64(le.Uint32(b[4:]))
		cut, wire := int(le.Uint32(b[8:])), int(le.Uint32(b[12:]))
		if len(b) < 16+cut {
			return nil, fmt.Errorf("read %s: cut", name)
		}
		frames = append(frames, frame{at: at, data: b[16 : 16+cut], wire: wire})
		b = b[16+cut:]
	}
	return frames, nil
}
