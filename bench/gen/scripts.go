package main

import (
	"fmt"
	"time"
)

const (
	roundTrip = 5 * time.Millisecond // of every connection
	segment   = 1448                 // octets of data in a full segment
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
		s.g.truth.Exchanges++
		return roundTrip, false, s.send(at, true, flagACK|flagPSH, s.request())
	case 5:
		return time.Duration(s.g.random.IntN(5000)) * time.Microsecond, false, s.send(at, false,
			flagACK, nil)
	case 6:
		s.g.truth.Complete++
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
	return fmt.Appendf(
		nil,
		"GET /item/%d?v=%d HTTP/1.1\r\nHost: shop.example\r\nUser-Agent: gen/1.0\r\n"+
			"Accept: application/json\r\nAccept-Encoding: gzip\r\n\r\n",
		s.n%5000,
		s.n,
	)
}

func (s *short) response() []byte {
	n := 100 + s.g.random.IntN(400)
	head := fmt.Appendf(
		nil,
		"HTTP/1.1 200 OK\r\nServer: gen/1.0\r\nContent-Type: application/json\r\n"+
			"Content-Length: %d\r\n\r\n",
		n,
	)
	return append(head, s.g.body[:n]...)
}
