//go:build linux

package own

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"tcpwhy/lab/internal/peer"
)

// receive reads one response; a response that says it is the last ends the connection.
func (c *clientRun) receive(ctx context.Context) (r peer.Request, err error) {
	c.RenewAcks(c.conn)
	limit := c.GiveUp
	if limit == 0 {
		limit = 20 * time.Second
	}
	c.conn.SetReadDeadline(time.Now().Add(limit))
	response, err := http.ReadResponse(c.reader, nil)
	if err != nil {
		return r, err
	}
	r.Status = response.StatusCode
	r.Bytes, err = c.readBody(ctx, response.Body)
	if errors.Is(err, errAborted) {
		c.conn.SetLinger(0)
		c.drop()
		return r, err
	}
	if err == nil && response.Close && !c.IgnoreClose {
		c.awaitClose()
		c.drop()
	}
	return r, err
}

// awaitClose leaves it to the server to close first.
func (c *clientRun) awaitClose() {
	if c.AwaitClose > 0 {
		c.conn.SetReadDeadline(time.Now().Add(c.AwaitClose))
		c.reader.ReadByte()
	}
}

var errAborted = errors.New("aborted by the client")

func (c *clientRun) readBody(ctx context.Context, body io.Reader) (got int64, err error) {
	step := int64(c.readSize())
	if c.AbortAfter > 0 {
		step = int64(c.AbortAfter)
	}
	for {
		if c.conn != nil {
			c.RenewAcks(c.conn)
		}
		n, err := io.CopyN(io.Discard, body, step)
		got += n
		switch {
		case err == io.EOF:
			return got, nil
		case err != nil:
			return got, err
		case c.AbortAfter > 0:
			return got, errAborted
		}
		peer.Pause(ctx, c.SlowRead)
	}
}
