package main

import (
	"encoding/binary"
	"time"
)

// The flags of a TCP header.
const (
	flagFIN = 1 << 0
	flagSYN = 1 << 1
	flagPSH = 1 << 3
	flagACK = 1 << 4
)

// epoch is the time of the first frame, nanoseconds of Unix time.
const epoch = int64(1_767_225_600) * 1e9

// ends are the two ends of one connection, and what they have sent.
type ends struct {
	g      *generator
	client [4]byte
	server [4]byte
	port   uint16
	// the server's
	service uint16
	seq     [2]uint32 // next sequence number, client and server
	id      [2]uint16
	// what the next acknowledgment acknowledges selectively; nothing if both are equal
	sack [2]uint32
	said *said // nil: what both know at the time
}

// said is what a segment says beside its octets: the sender's clock, that of the other side which
// it has heard, and what it acknowledges.
type said struct{ stamp, echo, ack uint32 }

// newEnds makes the ends of the i-th connection, spread over so many clients.
func newEnds(g *generator, i, clients int) *ends {
	c := i % clients
	e := &ends{
		g:      g,
		client: [4]byte{10, byte(c >> 16), byte(c >> 8), byte(c)},
		server: [4]byte{192, 0, 2, 1}, service: 80,
		port: uint16(1024 + i/clients%64000),
	}
	e.seq = [2]uint32{g.random.Uint32(), g.random.Uint32()}
	return e
}

// send writes one segment, and moves the sender's sequence number on.
func (e *ends) send(at time.Duration, fromClient bool, flags byte, payload []byte) error {
	side := 1
	if fromClient {
		side = 0
	}
	err := e.sendAt(at, fromClient, flags, e.seq[side], payload)
	e.seq[side] += uint32(len(payload))
	if flags&(flagSYN|flagFIN) != 0 {
		e.seq[side]++
	}
	return err
}

// sendAt writes one segment with the given sequence number.
func (e *ends) sendAt(
	at time.Duration,
	fromClient bool,
	flags byte,
	seq uint32,
	payload []byte,
) error {
	g := e.g
	src, dst, sport, dport, side := e.server, e.client, e.service, e.port, 1
	if fromClient {
		src, dst, sport, dport, side = dst, src, dport, sport, 0
	}
	options := e.options(at, flags)
	tcp := 20 + len(options)
	f := append(g.frame[:0], 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0)
	f = append(f, 0x45, 0)
	f = binary.BigEndian.AppendUint16(f, uint16(20+tcp+len(payload)))
	e.id[side]++
	f = binary.BigEndian.AppendUint16(f, e.id[side])
	f = append(f, 0x40, 0, 64, 6, 0, 0)
	f = append(append(f, src[:]...), dst[:]...)
	f = binary.BigEndian.AppendUint16(f, sport)
	f = binary.BigEndian.AppendUint16(f, dport)
	f = binary.BigEndian.AppendUint32(f, seq)
	ack := uint32(0)
	if flags&flagACK != 0 {
		ack = e.seq[1-side]
		if e.said != nil {
			ack = e.said.ack
		}
	}
	f = binary.BigEndian.AppendUint32(f, ack)
	f = append(f, byte(tcp/4)<<4, flags, 0xff, 0xff, 0, 0, 0, 0)
	f = append(append(f, options...), payload...)
	seal(f)
	g.frame = f
	g.truth.Frames++
	g.truth.Octets += int64(len(f)) + recordOverhead
	return g.write(epoch+int64(at), f)
}

// options are those of a usual Linux host.
func (e *ends) options(at time.Duration, flags byte) []byte {
	be := binary.BigEndian
	stamp, echo := uint32(at/time.Millisecond), uint32(at/time.Millisecond)
	if e.said != nil {
		stamp, echo = e.said.stamp, e.said.echo
	}
	o := append(e.g.option[:0], 1, 1)
	if flags&flagSYN != 0 {
		o, echo = append(o[:0], 2, 4, 5, 0xb4, 4, 2, 1, 3, 3, 7), 0
	}
	o = be.AppendUint32(be.AppendUint32(append(o, 8, 10), stamp), echo)
	if e.sack[0] != e.sack[1] {
		o = be.AppendUint32(be.AppendUint32(append(o, 1, 1, 5, 10), e.sack[0]), e.sack[1])
	}
	return o
}
