//go:build linux

package main

import (
	"encoding/binary"
	"fmt"
	"strings"
)

const (
	connections = 256
	segmentSize = 1000 // octets of data in a segment of a response
	// frames of one connection before it is another's turn: 16 segments and their acknowledgments
	round = 24
)

// talk is endless exchanges on connections that stay open, a round of each in turn: what a window
// lets go comes at once.
type talk struct {
	frames [batch][]byte // room for the frames of a batch
	seq    [connections][2]uint32
	step   [connections]int
	turn   int
	burst  int // frames of this turn so far
	// of an exchange: the request, the segments of the response, an acknowledgment after every
	// second and the last
	steps int
	said  [2]string
	more  string // a segment of the response after its first
}

// newTalk makes a talk whose responses have so many segments.
func newTalk(segments int) *talk {
	t := &talk{steps: 1 + segments + (segments+1)/2, more: strings.Repeat("x", segmentSize)}
	for i := range t.frames {
		t.frames[i] = make([]byte, 0, 1600)
	}
	t.said[0] = "GET /resource HTTP/1.1\r\nHost: bench.example\r\n\r\n"
	t.said[1] = fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", segments*segmentSize,
		t.more)
	return t
}

// next makes the next frame, in the room of place i.
func (t *talk) next(i int) []byte {
	conn, from, data := t.turn, 0, ""
	step := &t.step[conn]
	switch {
	case *step == 0:
		data = t.said[0]
	case *step == 1:
		from, data = 1, t.said[1]
	case *step%3 != 0 && *step != t.steps-1:
		from, data = 1, t.more
	}
	*step = (*step + 1) % t.steps
	if t.burst++; t.burst == round || *step == 0 {
		t.burst, t.turn = 0, (t.turn+1)%connections
	}
	t.frames[i] = t.frame(t.frames[i][:0], conn, from, data)
	t.seq[conn][from] += uint32(len(data))
	return t.frames[i]
}

// frame makes an Ethernet frame. Its TCP checksum is left out, as offload leaves it.
func (t *talk) frame(b []byte, conn, from int, data string) []byte {
	b = append(b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 1, 8, 0)
	ends := [2][4]byte{{10, 0, 1, byte(conn)}, {10, 0, 0, 1}}
	ports := [2]uint16{40000 + uint16(conn), 8080}
	b = append(b, 0x45, 0)
	b = binary.BigEndian.AppendUint16(b, uint16(40+len(data)))
	b = binary.BigEndian.AppendUint16(b, uint16(t.seq[conn][0]+t.seq[conn][1])|1)
	b = append(b, 0x40, 0, 64, 6, 0, 0)
	b = append(append(b, ends[from][:]...), ends[1-from][:]...)
	b = binary.BigEndian.AppendUint16(b, ports[from])
	b = binary.BigEndian.AppendUint16(b, ports[1-from])
	b = binary.BigEndian.AppendUint32(b, t.seq[conn][from])
	b = binary.BigEndian.AppendUint32(b, t.seq[conn][1-from])
	b = append(b, 0x50, 0x18, 0xff, 0xff, 0, 0, 0, 0)
	return append(b, data...)
}
