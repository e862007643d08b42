//go:build linux

package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// Own is a server on bare sockets, where every write, option and close is the scenario's.
type Own struct {
	Sockopts
	TLS      bool
	Think    time.Duration // between reading the request and writing the response
	Body     int           // octets of the response's body
	Chunked  bool          // each piece of the body is a chunk, and an empty one ends it
	Cork     bool          // TCP_CORK from before the first write until after the last
	KeepCork bool          // TCP_CORK from the first write on, and never released
	Outlier
	Response
	Writes
	Reads
	Keeping
	Refusal
	Cuts
	Accepting
}

// Outlier is a request that takes the server longer than the others.
type Outlier struct {
	LongThink time.Duration // over the first request of all; 0 is Think
	LongEvery int           // and over every so many after it; 0 is never again
}

// Response is what a server says, beside the length of the body.
type Response struct {
	Version        string // of the status line; "" is HTTP/1.1
	Header         string // further header lines, each with CRLF
	Large          int    // octets of the body of what lies below /large
	CloseDelimited bool   // no Content-Length: the end of the connection ends the body
	Continue       bool   // answers Expect: 100-continue
	Twice          bool   // sends every response a second time, which nobody asked for
}

// Keeping is how long a server keeps a connection, and how it ends one in which nothing is amiss.
type Keeping struct {
	// closes after so many on a connection, with Connection: close on the last; 0 is never
	Requests    int
	Idle        time.Duration // closes a connection that was idle so long; 0 is never
	Linger      bool          // SO_LINGER 0: close resets, right after the response
	LingerAfter time.Duration // the same, after so long an idle time
	CloseAfter  time.Duration // closes so late after a response without length
	HangUp      bool          // closes without an answer if the client shut its sending side
}

// Refusal is an answer to a request that is not read to its end.
type Refusal struct {
	// answer so (413) as soon as the header was read, and close without reading the body; 0 is never
	Refuse int
	// after Refuse: shut the sending side and read to the end before closing
	Drain bool
}

// Cuts end a response in its middle; 0 is never.
type Cuts struct {
	CutHead    bool // close in order in the middle of the response's header
	AbortAfter int  // reset the connection after so many octets of the body
	CutAfter   int  // close the connection in order after so many octets of the body
	CutStream  int  // the same after so many octets in all, within a TLS record
}

// Accepting is a server that does not accept at first.
type Accepting struct {
	Backlog     int           // of listen(2), accepting nobody for AcceptAfter
	AcceptAfter time.Duration // 0 accepts at once, with the system's backlog
}

// About describes the server for scenario.txt.
func (s Own) About() string {
	words := s.Sockopts.words()
	for _, w := range []struct {
		on   bool
		text string
	}{
		{s.TLS, "TLS 1.3"},
		{s.Think > 0, fmt.Sprintf("thinks %v", s.Think)},
		{s.LongThink > 0, fmt.Sprintf("thinks %v over request 1 and every %d after it", s.LongThink, s.LongEvery)},
		{true, fmt.Sprintf("body of %d octets", s.Body)},
		{s.Large > 0, fmt.Sprintf("of %d octets below /large", s.Large)},
		{s.Split, "header and body in two writes"},
		{s.Gap > 0, fmt.Sprintf("%v apart", s.Gap)},
		{s.Cork, "TCP_CORK around the response"},
		{s.KeepCork, "TCP_CORK set once and never taken away"},
		{s.Piece > 0, fmt.Sprintf("body in writes of %d octets, %v apart", s.Piece, s.PieceGap)},
		{s.Version != "", s.Version},
		{s.Header != "", strings.ReplaceAll(strings.TrimSpace(s.Header), "\r\n", ", ")},
		{s.Chunked, "chunked"},
		{s.CloseDelimited, "no Content-Length"},
		{s.CloseAfter > 0, fmt.Sprintf("closes %v after the last octet", s.CloseAfter)},
		{s.Continue, "answers Expect with 100 Continue"},
		{s.Twice, "sends every response a second time, 60 ms later"},
		{s.HangUp, "takes the end of the client's data for the end of its interest, and closes"},
		{s.CutHead, "closes in the middle of the response's header"},
		{s.Requests > 0, fmt.Sprintf("closes after %d request(s)", s.Requests)},
		{s.Idle > 0, fmt.Sprintf("closes after %v idle", s.Idle)},
		{s.Refuse > 0 && !s.Drain, fmt.Sprintf("answers %d after the header and closes without reading the body", s.Refuse)},
		{s.Refuse > 0 && s.Drain, fmt.Sprintf("answers %d after the header, shuts its sending side, reads to the end, closes", s.Refuse)},
		{s.AbortAfter > 0, fmt.Sprintf("resets after %d octets of the body", s.AbortAfter)},
		{s.CutAfter > 0, fmt.Sprintf("closes after %d octets of the body", s.CutAfter)},
		{s.CutStream > 0, fmt.Sprintf("closes after %d octets, in the middle of a TLS record and without an alert", s.CutStream)},
		{s.Linger, "SO_LINGER 0, closes after the response"},
		{s.LingerAfter > 0, fmt.Sprintf("SO_LINGER 0, closes after %v idle", s.LingerAfter)},
		{s.SlowRead > 0, fmt.Sprintf("pauses %v between reads of the request's body", s.SlowRead)},
		{s.AcceptAfter > 0, fmt.Sprintf("listen backlog %d, accepts after %v", s.Backlog, s.AcceptAfter)},
	} {
		if w.on {
			words = append(words, w.text)
		}
	}
	return strings.Join(words, "; ")
}

// Start listens and serves until stopped; stop returns when every connection has been closed.
func (s Own) Start(ctx context.Context, e *Env) (func(), error) {
	l, err := listen(e.server, e.serverAddress(), s.Sockopts)
	if err != nil {
		return nil, err
	}
	run := &ownRun{Own: s, sees: &e.sees, open: &openConns{conns: make(map[net.Conn]bool)}}
	if s.TLS {
		cert, err := certificate()
		if err != nil {
			return nil, errors.Join(err, l.Close())
		}
		run.cert = &cert
	}
	ctx, cancel := context.WithCancel(ctx)
	if s.AcceptAfter > 0 {
		setBacklog(l, s.Backlog)
	}
	run.open.wait.Add(1)
	go func() {
		defer run.open.wait.Done()
		pause(ctx, s.AcceptAfter)
		run.accept(ctx, l)
	}()
	return func() { cancel(); l.Close(); run.open.closeAll() }, nil
}

// ownRun is an Own at work.
type ownRun struct {
	Own
	sees  *observer
	open  *openConns
	cert  *tls.Certificate
	count atomic.Int64 // requests of all connections
}

// setBacklog calls listen(2) again, which changes the limit of a socket that listens already.
func setBacklog(l *net.TCPListener, n int) {
	if raw, err := l.SyscallConn(); err == nil {
		raw.Control(func(fd uintptr) { unix.Listen(int(fd), n) })
	}
}

func (s *ownRun) accept(ctx context.Context, l *net.TCPListener) {
	for {
		c, err := l.AcceptTCP()
		if err != nil {
			return
		}
		s.apply(c)
		s.open.add(c)
		go func() {
			defer s.open.remove(c)
			defer s.sees.watch(c)()
			var lower net.Conn = c
			if s.CutStream > 0 {
				lower = &cutConn{Conn: c, left: s.CutStream}
			}
			if stream, err := serveTLS(lower, s.cert); err == nil {
				s.serve(ctx, c, stream)
			}
		}()
	}
}

var errDone = errors.New("the connection is done with")

// serve answers requests on one connection until it is to be closed.
func (s *ownRun) serve(ctx context.Context, c *net.TCPConn, stream net.Conn) {
	r := bufio.NewReaderSize(stream, 64<<10)
	for n := 1; ; n++ {
		s.quicken(c)
		if idle := max(s.Idle, s.LingerAfter); idle > 0 && n > 1 {
			c.SetReadDeadline(time.Now().Add(idle))
		}
		asked, err := readHead(r)
		if err != nil {
			if s.LingerAfter > 0 {
				c.SetLinger(0)
			}
			return
		}
		c.SetReadDeadline(time.Time{})
		if s.Refuse > 0 && asked.length > 0 {
			s.refuse(c)
			return
		}
		if asked.waits && s.Continue {
			io.WriteString(stream, "HTTP/1.1 100 Continue\r\n\r\n")
		}
		if !s.readBody(ctx, c, r, asked.length) {
			return
		}
		read := time.Now()
		s.think(ctx)
		if s.HangUp && atEnd(c) {
			return
		}
		last := asked.close || (s.Requests > 0 && n == s.Requests)
		one := s.Own
		if asked.large {
			one.Body = s.Large
		}
		err = one.answer(ctx, c, stream, last)
		s.sees.serves(
			served{Client: c.RemoteAddr().String(), Number: n, ReadMS: s.sees.since(read), WroteMS: s.sees.since(time.Now())},
		)
		if err != nil || last || s.CloseDelimited || s.Linger {
			s.hangUp(ctx, c, stream)
			return
		}
	}
}

func (s *ownRun) think(ctx context.Context) {
	n := s.count.Add(1)
	if s.LongThink > 0 && (n == 1 || (s.LongEvery > 0 && n%int64(s.LongEvery) == 1)) {
		pause(ctx, s.LongThink)
		return
	}
	pause(ctx, s.Think)
}

// atEnd reports whether the client has shut its sending side.
func atEnd(c *net.TCPConn) bool {
	raw, err := c.SyscallConn()
	if err != nil {
		return true
	}
	n, got := 1, error(nil)
	raw.Control(
		func(fd uintptr) { n, _, got = unix.Recvfrom(int(fd), make([]byte, 1), unix.MSG_PEEK|unix.MSG_DONTWAIT) },
	)
	return got == nil && n == 0
}

func (s Own) hangUp(ctx context.Context, c *net.TCPConn, stream net.Conn) {
	if s.Linger {
		c.SetLinger(0)
	}
	pause(ctx, s.CloseAfter)
	if s.TLS {
		stream.Close() // says so before the FIN
	}
}

// readBody reports whether the body came wholly.
func (s Own) readBody(ctx context.Context, c *net.TCPConn, r io.Reader, length int64) bool {
	for length > 0 {
		s.quicken(c)
		n, err := io.CopyN(io.Discard, r, min(length, 64<<10))
		length -= n
		if err != nil {
			return false
		}
		if length > 0 {
			pause(ctx, s.SlowRead)
		}
	}
	return true
}

// refuse answers without reading the request's body.
func (s Own) refuse(c *net.TCPConn) {
	fmt.Fprintf(
		c,
		"HTTP/1.1 %d Refused\r\nConnection: close\r\nContent-Length: 6\r\n\r\nlarge\n",
		s.Refuse,
	)
	if !s.Drain {
		return
	}
	c.CloseWrite()
	c.SetReadDeadline(time.Now().Add(5 * time.Second))
	io.Copy(io.Discard, c)
}

// answer writes one response, and returns errDone if it left the connection unusable.
func (s Own) answer(ctx context.Context, c *net.TCPConn, w net.Conn, last bool) error {
	if s.Cork || s.KeepCork {
		setOption(c, unix.IPPROTO_TCP, unix.TCP_CORK, 1)
	}
	if s.Cork {
		defer setOption(c, unix.IPPROTO_TCP, unix.TCP_CORK, 0)
	}
	head, body := s.head(last), fill(s.Body)
	if s.CutHead {
		io.WriteString(w, head[:len(head)/2])
		return errDone
	}
	if s.inOneWrite() {
		_, err := w.Write(append([]byte(head), body...))
		if s.Twice && err == nil {
			pause(ctx, 60*time.Millisecond)
			_, err = w.Write(append([]byte(head), body...))
		}
		return err
	}
	if _, err := io.WriteString(w, head); err != nil {
		return err
	}
	pause(ctx, s.Gap)
	if stop := max(s.AbortAfter, s.CutAfter); stop > 0 {
		w.Write(s.framed(body)[:stop])
		pause(ctx, 5*time.Millisecond)
		if s.AbortAfter > 0 {
			c.SetLinger(0)
		}
		return errDone
	}
	return s.writeBody(ctx, w, body)
}

func (s Own) inOneWrite() bool {
	return !s.Split && !s.Chunked && s.Piece == 0 && s.AbortAfter == 0 && s.CutAfter == 0
}

// writeBody writes the body in its pieces, and the last chunk.
func (s Own) writeBody(ctx context.Context, c io.Writer, body []byte) error {
	err := s.eachPiece(ctx, body, func(piece []byte) error {
		_, err := c.Write(s.framed(piece))
		return err
	})
	if err == nil && s.Chunked {
		_, err = io.WriteString(c, "0\r\n\r\n")
	}
	return err
}

// eachPiece hands a body to write, piece by piece and gap by gap.
func (w Writes) eachPiece(ctx context.Context, body []byte, write func(piece []byte) error) error {
	size := w.Piece
	if size == 0 {
		size = len(body)
	}
	for len(body) > 0 {
		n := min(size, len(body))
		if err := write(body[:n]); err != nil {
			return err
		}
		if body = body[n:]; len(body) > 0 {
			pause(ctx, w.PieceGap)
		}
	}
	return nil
}

// framed is a piece of the body as it is sent: as a chunk, if the response has chunks.
func (s Own) framed(piece []byte) []byte {
	if !s.Chunked {
		return piece
	}
	chunk := fmt.Appendf(nil, "%x\r\n", len(piece))
	return append(append(chunk, piece...), "\r\n"...)
}

func (s Own) head(last bool) string {
	version := s.Version
	if version == "" {
		version = "HTTP/1.1"
	}
	head := version + " 200 OK\r\nServer: lab\r\nContent-Type: text/plain\r\n" + s.Header
	switch {
	case s.Chunked:
		head += "Transfer-Encoding: chunked\r\n"
	case !s.CloseDelimited:
		head += fmt.Sprintf("Content-Length: %d\r\n", s.Body)
	}
	if last && !strings.Contains(s.Header, "Connection:") {
		head += "Connection: close\r\n"
	}
	return head + "\r\n"
}
