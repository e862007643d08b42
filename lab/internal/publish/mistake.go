//go:build linux

package publish

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"

	"tcpwhy/lab/internal/packet"
	"tcpwhy/lab/internal/world"
)

// dropped is an interface statistics block with isb_ifdrop alone: so many frames of the first
// interface.
func dropped(n uint64) []byte {
	le := binary.LittleEndian
	body := make([]byte, 12) // interface 0, no time
	body = append(body, 5, 0, 8, 0)
	body = le.AppendUint64(body, n)
	return block(5, append(body, 0, 0, 0, 0))
}

// unknownLink is a second interface of LINKTYPE_USER0, which has no meaning of its own, and so many
// frames of it.
func unknownLink(n int) []byte {
	const linkUser0 = 147
	all := block(1, []byte{linkUser0, 0, 0, 0, 0, 0, 4, 0, 9, 0, 1, 0, 9, 0, 0, 0, 0, 0, 0, 0})
	for range n {
		data := make([]byte, 20)
		all = append(all, packetBlock(1, packet.Frame{Data: data, Wire: len(data)})...)
	}
	return all
}

// shortened cuts the last frames to 50 octets: 16 of their TCP header.
func shortened(frames []packet.Frame, n int) []packet.Frame {
	all := slices.Clone(frames)
	for i := len(all) - n; i < len(all); i++ {
		all[i].Data = all[i].Data[:50]
	}
	return all
}

// badOption takes the length from the last option of the first frame, a SYN as Linux sends it:
// window scaling is the last three octets.
func badOption(frames []packet.Frame) []packet.Frame {
	all := slices.Clone(frames)
	syn := bytes.Clone(all[0].Data)
	syn[len(syn)-2] = 0
	all[0].Data = packet.Summed(syn)
	return all
}

// stepped is a capture whose clock goes by so much from one frame on.
func stepped(frames []packet.Frame, from int, by int64) []packet.Frame {
	all := slices.Clone(frames)
	for i := from; i < len(all); i++ {
		all[i].At += by
	}
	return all
}

// again has the frames several times, each time by so much later, and from other ports of the
// client.
func again(frames []packet.Frame, later ...int64) []packet.Frame {
	var all []packet.Frame
	client := world.ClientStation().MAC
	for k, by := range later {
		for _, f := range frames {
			data := bytes.Clone(f.Data)
			at := 14 + int(data[14]&15)*4 // of the TCP header: the sender's port comes first
			if !bytes.Equal(data[6:12], client) {
				at += 2
			}
			data[at] ^= byte(k)
			all = append(all, packet.Frame{At: f.At + by, Data: packet.Summed(data), Wire: f.Wire})
		}
	}
	return all
}

// swapped exchanges the places of every nth frame and the one before it.
func swapped(frames []packet.Frame, n int) []packet.Frame {
	all := slices.Clone(frames)
	for i := n - 1; i < len(all); i += n {
		all[i-1], all[i] = all[i], all[i-1]
	}
	return all
}

// byQueue puts those that the server sent first among each n frames.
func byQueue(frames []packet.Frame, n int) []packet.Frame {
	all := slices.Clone(frames)
	client := world.ClientStation().MAC
	for part := range slices.Chunk(all, n) {
		slices.SortStableFunc(part, func(a, b packet.Frame) int {
			return bytes.Compare(a.Data[6:12], b.Data[6:12])
		})
		if bytes.Equal(part[0].Data[6:12], client) {
			own := 0
			for own < len(part) && bytes.Equal(part[own].Data[6:12], client) {
				own++
			}
			copy(part, slices.Concat(part[own:], part[:own]))
		}
	}
	return all
}

// clientLate has what the client sent so much later than it was, in the order of the stamps.
func clientLate(frames []packet.Frame, by int64) []packet.Frame {
	all := slices.Clone(frames)
	for i := range all {
		if bytes.Equal(all[i].Data[6:12], world.ClientStation().MAC) {
			all[i].At += by
		}
	}
	slices.SortStableFunc(all, func(a, b packet.Frame) int { return cmp.Compare(a.At, b.At) })
	return all
}
