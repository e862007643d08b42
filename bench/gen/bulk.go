package main

import (
	"fmt"
	"time"
)

const (
	gap     = 12 * time.Microsecond
	lossOne = 2000 // one data segment in so many is lost on its way to the capture
	dupAcks = 3    // after which a segment is sent again (RFC 5681 section 3.2)
)

// bulk is a connection that carries large responses one after the other, with a loss now and then:
// the segment never passes the capture point, duplicate acknowledgments go back, and it comes again
// a round trip after the third of them.
type bulk struct {
	*ends
	size    int64 // of a response's body
	left    int64
	state   int
	unacked int    // segments since the last acknowledgment
	hole    bool   // a segment is lost, and not yet repaired
	lost    uint32 // its sequence number
	dups    int    // duplicate acknowledgments of it
	repair  time.Duration
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
		b.g.truth.Exchanges++
		return roundTrip, false, b.send(at, true, flagACK|flagPSH,
			[]byte("GET /bulk HTTP/1.1\r\nHost: bulk.example\r\n\r\n"))
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
	case b.hole && b.dups >= dupAcks && at >= b.repair:
		return b.resend(at)
	case b.hole && b.unacked > 0:
		return b.wait(at), false, b.duplicate(at)
	case b.unacked == 2:
		b.unacked = 0
		return gap, false, b.send(at, true, flagACK, nil)
	case b.left <= 0:
		b.state, b.unacked = 3, 0
		return gap, false, b.send(at, true, flagACK, nil)
	}
	if b.left > 8*segment && !b.hole && b.g.random.IntN(lossOne) == 0 {
		b.hole, b.lost, b.dups, b.unacked = true, b.seq[1], 0, 0
		b.seq[1] += segment
		b.left -= segment
	}
	return gap, false, b.data(at)
}

// data writes the next segment of the body.
func (b *bulk) data(at time.Duration) error {
	n := min(b.left, segment)
	b.left -= n
	b.unacked++
	if b.left <= 0 && !b.hole {
		b.g.truth.Complete++
	}
	return b.send(at, false, flagACK, b.g.body[:n])
}

// duplicate acknowledges what came before the hole, and selectively what came after it.
func (b *bulk) duplicate(at time.Duration) error {
	b.unacked = 0
	if b.dups++; b.dups == dupAcks {
		b.repair = at + roundTrip
	}
	high := b.seq[1]
	b.seq[1], b.sack = b.lost, [2]uint32{b.lost + segment, high}
	err := b.send(at, true, flagACK, nil)
	b.seq[1], b.sack = high, [2]uint32{}
	return err
}

// wait is how long it is until the next frame of a response with a hole: until the repair, when all
// else was sent.
func (b *bulk) wait(at time.Duration) time.Duration {
	if b.left > 0 {
		return gap
	}
	return max(gap, b.repair-at)
}

// resend repairs the hole.
func (b *bulk) resend(at time.Duration) (time.Duration, bool, error) {
	b.hole, b.unacked = false, 2
	b.g.truth.Retransmissions++
	if b.left <= 0 {
		b.g.truth.Complete++
	}
	return gap, false, b.sendAt(at, false, flagACK, b.lost, b.g.body[:segment])
}
