//go:build linux

package own

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"tcpwhy/lab/internal/peer"
)

// connNumbers counts the connections of all that run for one Client.
type connNumbers struct {
	mu sync.Mutex
	n  int
}

func (c *connNumbers) next() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n++
	return c.n
}

// clientRun is a Client at work on one connection at a time: one of its Parallel.
type clientRun struct {
	Client
	env     *peer.Env
	numbers *connNumbers
	conn    *net.TCPConn
	stream  net.Conn // what is above it: TLS, or conn itself
	reader  *bufio.Reader
	number  int
	old     []*net.TCPConn
	round   []parked
}

func (c *clientRun) drive(ctx context.Context) {
	defer c.closeAll()
	c.openSpare(ctx)
	if c.Pipeline {
		c.pipeline(ctx)
		return
	}
	if c.Preconnect > 0 {
		c.openAhead(ctx)
	}
	for n := 1; n <= max(c.Count, 1) && ctx.Err() == nil; n++ {
		if n > 1 {
			peer.Pause(ctx, c.interval(n))
			c.turn()
		}
		c.request(ctx, n)
	}
	peer.Pause(ctx, c.Linger)
}

// request sends one request, once more if it failed and is to be, and logs it.
func (c *clientRun) request(ctx context.Context, n int) {
	began := time.Now()
	r, err := c.try(ctx, n)
	broken := err != nil
	if broken && c.Retry {
		c.drop()
		if again, errAgain := c.try(ctx, n); errAgain == nil {
			r, err, broken = again, fmt.Errorf("first attempt: %w", err), false
		}
	}
	r.Connection = c.number
	c.env.Log.Add(began, r, err)
	if broken || (c.Fresh && n < c.Count) {
		c.retire(broken)
	}
}

// interval is the pause before the nth request.
func (c Client) interval(n int) time.Duration {
	if c.Uneven {
		return c.Interval * time.Duration(1+uint32(n)*2654435761>>20%5) // without a period
	}
	return c.Interval
}

// try sends one request, on a new connection if there is none.
func (c *clientRun) try(ctx context.Context, n int) (r peer.Request, err error) {
	if c.conn != nil && !c.Blind && !c.usable() {
		c.drop()
	}
	if c.conn == nil {
		if err := c.connect(ctx); err != nil {
			return r, err
		}
	}
	if err := c.send(ctx, n); err != nil && c.Body < 64<<10 {
		return r, err // a large body may fail after the answer has come: it is read nevertheless
	}
	if c.HalfClose && n == max(c.Count, 1) {
		c.conn.CloseWrite()
	}
	return c.receive(ctx)
}

// usable looks, as a good pool does, whether the connection was closed or reset while it was idle.
func (c *clientRun) usable() bool {
	raw, err := c.conn.SyscallConn()
	if err != nil {
		return false
	}
	var got error
	raw.Control(func(fd uintptr) {
		_, _, got = unix.Recvfrom(int(fd), make([]byte, 1), unix.MSG_PEEK|unix.MSG_DONTWAIT)
	})
	return got == unix.EAGAIN
}

func (c *clientRun) connect(ctx context.Context) (err error) {
	c.number = c.numbers.next()
	patient, cancel := ctx, context.CancelFunc(func() {})
	if c.Patience > 0 {
		patient, cancel = context.WithTimeout(ctx, c.Patience)
	}
	defer cancel()
	c.conn, err = peer.Dial(patient, c.env.Client, c.env.Goal(), c.Sockopts)
	if err != nil {
		c.conn = nil
		return err
	}
	conn := c.conn
	context.AfterFunc(ctx, func() { conn.Close() }) // an interruption ends what waits on it
	c.stream = conn
	if c.TLS {
		if c.stream, err = peer.DialTLS(conn, c.env.KeyLog()); err != nil {
			c.drop()
			return err
		}
	}
	c.reader = bufio.NewReaderSize(c.stream, c.readSize())
	return nil
}

func (c *clientRun) send(ctx context.Context, n int) error {
	head, body := c.message(n)
	if !c.Split {
		_, err := c.stream.Write(append([]byte(head), body...))
		return err
	}
	if _, err := io.WriteString(c.stream, head); err != nil {
		return err
	}
	peer.Pause(ctx, c.Gap)
	return c.eachPiece(ctx, body, func(piece []byte) error {
		_, err := c.stream.Write(piece)
		return err
	})
}

// message is the nth request.
func (c *clientRun) message(n int) (head string, body []byte) {
	if c.Raw != "" {
		return c.Raw, nil
	}
	method, version := "GET", c.Version
	if c.Body > 0 {
		method = "POST"
	}
	if version == "" {
		version = "HTTP/1.1"
	}
	if c.SameTarget {
		n = 1
	}
	path := c.Path
	if path == "" {
		path = "/item"
	}
	head = fmt.Sprintf("%s %s/%d %s\r\nHost: server.lab\r\nUser-Agent: lab\r\nAccept: */*\r\n%s",
		method, path, n, version, c.Header)
	if c.Body > 0 {
		head += fmt.Sprintf("Content-Type: text/plain\r\nContent-Length: %d\r\n", c.Body)
	}
	body = []byte(c.Text)
	if c.Text == "" {
		body = peer.Fill(c.Body - c.Short)
	}
	return head + "\r\n", body
}

// retire puts the connection away: closed, or left open.
func (c *clientRun) retire(broken bool) {
	if c.conn != nil && c.KeepOld && !broken {
		c.old = append(c.old, c.conn)
		c.conn = nil
		return
	}
	c.drop()
}

func (c *clientRun) drop() {
	if c.conn != nil {
		if c.ResetEnd {
			c.conn.SetLinger(0)
		}
		if c.TLS && c.stream != nil {
			c.stream.Close()
		}
		c.conn.Close()
		c.conn, c.stream = nil, nil
	}
}

func (c *clientRun) closeAll() {
	c.drop()
	for _, old := range c.old {
		old.Close()
	}
	for _, p := range c.round {
		p.conn.Close()
	}
}
