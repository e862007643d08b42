//go:build linux

package own

import (
	"context"
	"errors"
	"time"

	"tcpwhy/lab/internal/peer"
)

var errClosed = errors.New("the server closed with this request unanswered")

// pipeline sends every request before it reads the first response; each has waited since the
// beginning.
func (c *clientRun) pipeline(ctx context.Context) {
	began := time.Now()
	if err := c.connect(ctx); err != nil {
		c.env.Log.Add(began, peer.Request{Connection: c.number}, err)
		return
	}
	var all []byte
	for n := 1; n <= c.Count; n++ {
		head, body := c.message(n)
		all = append(append(all, head...), body...)
	}
	_, err := c.stream.Write(all)
	for range c.Count {
		var r peer.Request
		if err == nil {
			r, err = c.receive(ctx)
		}
		r.Connection = c.number
		c.env.Log.Add(began, r, err)
		if c.conn == nil && err == nil {
			err = errClosed
		}
	}
	peer.Pause(ctx, c.Linger)
}
