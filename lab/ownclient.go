//go:build linux

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Caller is a client on bare sockets.
type Caller struct {
	Sockopts
	TLS      bool
	Count    int           // requests, one after the other; with Parallel, on each connection
	Parallel int           // so many connections at the same time; 0 is one
	Pipeline bool          // send all requests, then read all responses
	Interval time.Duration // from the end of a response to the next request
	Uneven   bool          // that is between once and five times as long
	Body     int           // octets of the request's body; 0 is a GET
	Request
	Writes
	Pool
	Reads
	Ending
}

// Request is what a client asks for, beside the length of the body.
type Request struct {
	Version    string // "" is HTTP/1.1
	Header     string // further header lines, each with CRLF
	Path       string // asks below it; "" is /item
	SameTarget bool   // asks for the same thing every time
	// the body as it stands, if not the usual text; Body is its announced length
	Text  string
	Short int // so many octets of the body are announced and never sent
}

// Writes is how a message is handed to the kernel; the zero value is one write.
type Writes struct {
	Split    bool          // header and body in two writes
	Gap      time.Duration // between the two
	Piece    int           // the body in writes of so many octets; 0 is one write
	PieceGap time.Duration // between them
}

// Reads is how the other side's body is read.
type Reads struct {
	SlowRead time.Duration // pause between reads of 64 KiB
}

// Pool is when a client opens connections, and which one it takes.
type Pool struct {
	Fresh      bool          // a new connection for every request
	KeepOld    bool          // with Fresh: older connections stay open and idle
	Preconnect time.Duration // connect so long before the first request is wanted
	// so many connections are opened in advance, with Preconnect, and used in turn
	Rotate   int
	Spare    int           // so many connections are opened before and never used
	SpareFor time.Duration // and closed again so soon, one after the other; 0 is at the end
	// sends on a kept connection without looking whether the server closed it
	Blind       bool
	IgnoreClose bool // use a connection again whose close was announced
	// a request that fails is sent once more on a new connection, as part of the same request
	Retry bool
}

// Ending is how a client lets go of a response, and of its connection.
type Ending struct {
	AbortAfter int // close with SO_LINGER 0 after so many octets of the body
	// silence after which a response is not waited for any more; 0 is 20 s
	GiveUp    time.Duration
	ResetEnd  bool // close with SO_LINGER 0
	HalfClose bool // shut the sending side after the last request
	// after a response that says close, wait so long for the server to close
	AwaitClose time.Duration
	Linger     time.Duration // stay so long after the last response before closing
}

// About describes the client for scenario.txt.
func (c Caller) About() string {
	words := c.Sockopts.words()
	for _, w := range []struct {
		on   bool
		text string
	}{
		{c.TLS, "TLS 1.3"},
		{true, fmt.Sprintf("%d request(s)", max(c.Count, 1)*max(c.Parallel, 1))},
		{c.Body > 0, fmt.Sprintf("body of %d octets", c.Body)},
		{c.Version != "", c.Version},
		{c.Header != "", strings.ReplaceAll(strings.TrimSpace(c.Header), "\r\n", ", ")},
		{c.Split, "header and body in two writes"},
		{c.Gap > 0, fmt.Sprintf("%v apart", c.Gap)},
		{c.Piece > 0, fmt.Sprintf("body in writes of %d octets, %v apart", c.Piece, c.PieceGap)},
		{c.Uneven, "up to five times as long"},
		{c.Interval > 0, fmt.Sprintf("%v between a response and the next request", c.Interval)},
		{c.Fresh && !c.KeepOld, "a new connection for every request, the old one closed"},
		{c.Fresh && c.KeepOld, "a new connection for every request, the old ones left open and idle"},
		{c.Preconnect > 0, fmt.Sprintf("connects %v before the first request", c.Preconnect)},
		{c.Rotate > 0, fmt.Sprintf("%d connections used in turn", c.Rotate)},
		{c.Parallel > 1, fmt.Sprintf("%d connections at the same time", c.Parallel)},
		{c.SlowRead > 0, fmt.Sprintf("pauses %v between reads of 64 KiB", c.SlowRead)},
		{c.AbortAfter > 0, fmt.Sprintf("aborts after %d octets of the body", c.AbortAfter)},
		{c.ResetEnd, "closes with SO_LINGER 0"},
		{c.Blind, "does not look whether the server closed the connection"},
		{c.HalfClose, "shuts its sending side after the last request"},
		{c.Retry, "sends a failed request once more on a new connection"},
		{c.Pipeline, "all requests sent before the first response is read"},
		{c.Short > 0, fmt.Sprintf("the last %d octets of the announced body never sent", c.Short)},
		{c.GiveUp > 0, fmt.Sprintf("gives up when nothing came for %v", c.GiveUp)},
		{c.Spare > 0 && c.SpareFor == 0, fmt.Sprintf("%d more connections, opened first and never used", c.Spare)},
		{c.Spare > 0 && c.SpareFor > 0, fmt.Sprintf("%d more connections, each opened, left %v without a request, and closed", c.Spare, c.SpareFor)},
		{c.AwaitClose > 0, fmt.Sprintf("after a response that says close, waits up to %v for the server to close", c.AwaitClose)},
		{c.IgnoreClose, "uses a connection again whose close was announced"},
		{c.Path != "", "asks below " + c.Path},
		{c.Linger > 0, fmt.Sprintf("closes %v after the last response", c.Linger)},
	} {
		if w.on {
			words = append(words, w.text)
		}
	}
	return strings.Join(words, "; ")
}

// Drive sends the requests.
func (c Caller) Drive(ctx context.Context, e *Env) error {
	var wait sync.WaitGroup
	numbers := &connNumbers{}
	for range max(c.Parallel, 1) {
		wait.Add(1)
		go func() {
			defer wait.Done()
			one := caller{Caller: c, env: e, numbers: numbers}
			one.drive(ctx)
		}()
	}
	wait.Wait()
	return ctx.Err()
}

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

// caller is one connection at a time of a Caller.
type caller struct {
	Caller
	env     *Env
	numbers *connNumbers
	conn    *net.TCPConn
	stream  net.Conn // what is above it: TLS, or conn itself
	reader  *bufio.Reader
	number  int
	old     []*net.TCPConn
	round   []parked
}

func (c *caller) drive(ctx context.Context) {
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
			pause(ctx, c.interval(n))
			c.turn()
		}
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
		c.env.log.add(began, r, err)
		if broken || (c.Fresh && n < c.Count) {
			c.retire(broken)
		}
	}
	pause(ctx, c.Linger)
}

// interval is the pause before the nth request.
func (c Caller) interval(n int) time.Duration {
	if c.Uneven {
		return c.Interval * time.Duration(1+uint32(n)*2654435761>>20%5) // without a period
	}
	return c.Interval
}

// try sends one request, on a new connection if there is none.
func (c *caller) try(ctx context.Context, n int) (r request, err error) {
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
func (c *caller) usable() bool {
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

func (c *caller) connect(ctx context.Context) (err error) {
	c.number = c.numbers.next()
	c.conn, err = dial(ctx, c.env.client, c.env.goal(), c.Sockopts)
	if err != nil {
		c.conn = nil
		return err
	}
	conn := c.conn
	context.AfterFunc(ctx, func() { conn.Close() }) // an interruption ends what waits on it
	c.stream = conn
	if c.TLS {
		if c.stream, err = dialTLS(conn); err != nil {
			c.drop()
			return err
		}
	}
	c.reader = bufio.NewReaderSize(c.stream, 64<<10)
	return nil
}

func (c *caller) send(ctx context.Context, n int) error {
	head, body := c.message(n)
	if !c.Split {
		_, err := c.stream.Write(append([]byte(head), body...))
		return err
	}
	if _, err := io.WriteString(c.stream, head); err != nil {
		return err
	}
	pause(ctx, c.Gap)
	return Own{Writes: Writes{Piece: c.Piece, PieceGap: c.PieceGap}}.writeBody(ctx, c.stream, body)
}

// message is the nth request.
func (c *caller) message(n int) (head string, body []byte) {
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
	head = fmt.Sprintf(
		"%s %s/%d %s\r\nHost: server.lab\r\nUser-Agent: lab\r\nAccept: */*\r\n%s",
		method,
		path,
		n,
		version,
		c.Header,
	)
	if c.Body > 0 {
		head += fmt.Sprintf("Content-Type: text/plain\r\nContent-Length: %d\r\n", c.Body)
	}
	body = []byte(c.Text)
	if c.Text == "" {
		body = fill(c.Body - c.Short)
	}
	return head + "\r\n", body
}

// receive reads one response; a response that says it is the last ends the connection.
func (c *caller) receive(ctx context.Context) (r request, err error) {
	c.quicken(c.conn)
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
func (c *caller) awaitClose() {
	if c.AwaitClose > 0 {
		c.conn.SetReadDeadline(time.Now().Add(c.AwaitClose))
		c.reader.ReadByte()
	}
}

var errAborted = errors.New("aborted by the client")

func (c *caller) readBody(ctx context.Context, body io.Reader) (got int64, err error) {
	step := int64(64 << 10)
	if c.AbortAfter > 0 {
		step = int64(c.AbortAfter)
	}
	for {
		if c.conn != nil {
			c.quicken(c.conn)
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
		pause(ctx, c.SlowRead)
	}
}

// retire puts the connection away: closed, or left open.
func (c *caller) retire(broken bool) {
	if c.conn != nil && c.KeepOld && !broken {
		c.old = append(c.old, c.conn)
		c.conn = nil
		return
	}
	c.drop()
}

func (c *caller) drop() {
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

func (c *caller) closeAll() {
	c.drop()
	for _, old := range c.old {
		old.Close()
	}
	for _, p := range c.round {
		p.conn.Close()
	}
}
