package main

import (
	"fmt"
	"time"
)

const (
	roundTrip = 5 * time.Millisecond // of every connection
	segment   = 1448                 // octets of data in a full segment
	gap       = 12 * time.Microsecond
	lossOne   = 2000 // one data segment in so many is lost on its way to the capture
)

// short is a connection with one small exchange: ten frames, then it closes, or stays open.
type short struct {
	*ends
	next int
	n    int
	stay bool
}

func newShort(g *generator, i, clients int) *short {
	return &short{ends: newEnds(g, i, clients), n: i}
}

// step writes the next frame.
func (s *short) step(at time.Duration) (time.Duration, bool, error) {
	s.next++
	switch s.next {
	case 1:
		return roundTrip, false, s.send(at, true, flagSYN, nil)
	case 2:
		return 10 * time.Microsecond, false, s.send(at, false, flagSYN|flagACK, nil)
	case 3:
		return 10 * time.Microsecond, false, s.send(at, true, flagACK, nil)
	case 4:
		return roundTrip, false, s.send(at, true, flagACK|flagPSH, s.request())
	case 5:
		return time.Duration(s.g.random.IntN(5000)) * time.Microsecond, false, s.send(at, false, flagACK, nil)
	case 6:
		s.g.exchanges++
		return 20 * time.Microsecond, false, s.send(at, false, flagACK|flagPSH, s.response())
	case 7:
		return 30 * time.Microsecond, s.stay, s.send(at, true, flagACK, nil)
	case 8:
		return roundTrip, false, s.send(at, true, flagACK|flagFIN, nil)
	case 9:
		return 10 * time.Microsecond, false, s.send(at, false, flagACK|flagFIN, nil)
	}
	return 10 * time.Microsecond, true, s.send(at, true, flagACK, nil)
}

func (s *short) request() []byte {
	return fmt.Appendf(nil, "GET /item/%d?v=%d HTTP/1.1\r\nHost: shop.example\r\nUser-Agent: gen/1.0\r\n"+
		"Accept: application/json\r\nAccept-Encoding: gzip\r\n\r\n", s.n%5000, s.n)
}

func (s *short) response() []byte {
	n := 100 + s.g.random.IntN(300)
	head := fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nServer: gen/1.0\r\nContent-Type: application/json\r\n"+
		"Content-Length: %d\r\n\r\n", n)
	return append(head, s.g.body[:n]...)
}

// bulk is a connection that carries large responses one after the other, with a loss now and then: the segment never
// passes the capture point, three duplicate acknowledgments come back, and it is sent again.
type bulk struct {
	*ends
	size   int64 // of a response's body
	left   int64
	state  int
	since  int    // segments since the last acknowledgment
	lost   uint32 // sequence number of the lost segment
	behind int    // segments since it was lost
	hole   bool
}

func newBulk(g *generator, i int, size int64) *bulk {
	return &bulk{ends: newEnds(g, i, 4096), size: size}
}

// step writes the next frame.
func (b *bulk) step(at time.Duration) (time.Duration, bool, error) {
	switch b.state {
	case 0:
		b.state++
		return roundTrip, false, b.send(at, true, flagSYN, nil)
	case 1:
		b.state++
		return 10 * time.Microsecond, false, b.send(at, false, flagSYN|flagACK, nil)
	case 2:
		b.state++
		return 10 * time.Microsecond, false, b.send(at, true, flagACK, nil)
	case 3:
		b.state++
		return roundTrip, false, b.send(at, true, flagACK|flagPSH, []byte("GET /bulk HTTP/1.1\r\nHost: bulk.example\r\n\r\n"))
	case 4:
		b.state++
		b.left = b.size
		head := fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", b.size)
		return gap, false, b.send(at, false, flagACK|flagPSH, head)
	}
	return b.transfer(at)
}

// transfer writes the next frame of a response.
func (b *bulk) transfer(at time.Duration) (time.Duration, bool, error) {
	switch {
	case b.hole && b.behind >= 4:
		return b.repair(at)
	case b.hole && b.since == 1, b.since == 2:
		b.since = 0
		if b.hole {
			saved := b.seq[1]
			b.seq[1] = b.lost
			err := b.send(at, true, flagACK, nil)
			b.seq[1] = saved
			return gap, false, err
		}
		return gap, false, b.send(at, true, flagACK, nil)
	case b.left <= 0:
		b.state = 3
		b.g.exchanges++
		return gap, false, b.send(at, true, flagACK, nil)
	}
	return b.data(at)
}

// data writes, or loses, the next segment of the body.
func (b *bulk) data(at time.Duration) (time.Duration, bool, error) {
	n := min(b.left, segment)
	b.left -= n
	if b.left > 8*segment && !b.hole && b.g.random.IntN(lossOne) == 0 {
		b.hole, b.lost, b.behind, b.since = true, b.seq[1], 0, 0
		b.seq[1] += uint32(n)
		b.g.lost++
		return gap, false, b.after(at)
	}
	return gap, false, b.send1(at, n)
}

// after writes the segment after a lost one.
func (b *bulk) after(at time.Duration) error {
	n := min(b.left, segment)
	b.left -= n
	return b.send1(at, n)
}

// send1 writes n octets of the body.
func (b *bulk) send1(at time.Duration, n int64) error {
	b.since++
	if b.hole {
		b.behind++
	}
	return b.send(at, false, flagACK, b.g.body[:n])
}

// repair sends the lost segment again.
func (b *bulk) repair(at time.Duration) (time.Duration, bool, error) {
	b.hole, b.since = false, 2
	return gap, false, b.sendAt(at, false, flagACK, b.lost, b.g.body[:segment])
}
