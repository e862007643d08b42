//go:build linux

package own

import (
	"bufio"
	"context"
	"net"

	"tcpwhy/lab/internal/peer"
)

// openAhead connects before anything is wanted: once, or so often that requests can go round.
func (c *clientRun) openAhead(ctx context.Context) {
	for range max(c.Rotate, 1) {
		c.park()
		if c.connect(ctx) != nil {
			return
		}
	}
	peer.Pause(ctx, c.Preconnect)
}

// park puts the connection last in the round.
func (c *clientRun) park() {
	if c.conn != nil {
		c.round = append(c.round, parked{c.conn, c.stream, c.reader, c.number})
		c.conn = nil
	}
}

// turn goes on to the next connection of the round.
func (c *clientRun) turn() {
	if len(c.round) == 0 {
		return
	}
	c.park()
	next := c.round[0]
	c.round = c.round[1:]
	c.conn, c.stream, c.reader, c.number = next.conn, next.stream, next.reader, next.number
}

// parked is a connection that waits for its turn.
type parked struct {
	conn   *net.TCPConn
	stream net.Conn
	reader *bufio.Reader
	number int
}

// openSpare opens the connections that are never used.
func (c *clientRun) openSpare(ctx context.Context) {
	for range c.Spare {
		spare, err := peer.Dial(ctx, c.env.Client, c.env.Goal(), c.Sockopts)
		switch {
		case err != nil:
		case c.SpareFor > 0:
			peer.Pause(ctx, c.SpareFor)
			spare.Close()
		default:
			c.old = append(c.old, spare)
		}
	}
}
