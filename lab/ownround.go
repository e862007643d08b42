//go:build linux

package main

import (
	"bufio"
	"context"
	"net"
)

// openAhead connects before anything is wanted: once, or so often that requests can go round.
func (c *caller) openAhead(ctx context.Context) {
	for range max(c.Rotate, 1) {
		c.park()
		if c.connect(ctx) != nil {
			return
		}
	}
	pause(ctx, c.Preconnect)
}

// park puts the connection last in the round.
func (c *caller) park() {
	if c.conn != nil {
		c.round = append(c.round, parked{c.conn, c.stream, c.reader, c.number})
		c.conn = nil
	}
}

// turn goes on to the next connection of the round.
func (c *caller) turn() {
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
func (c *caller) openSpare(ctx context.Context) {
	for range c.Spare {
		spare, err := dial(ctx, c.env.client, c.env.goal(), c.Sockopts)
		switch {
		case err != nil:
		case c.SpareFor > 0:
			pause(ctx, c.SpareFor)
			spare.Close()
		default:
			c.old = append(c.old, spare)
		}
	}
}
