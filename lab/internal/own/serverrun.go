//go:build linux

package own

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"tcpwhy/lab/internal/peer"
)

// serverRun is a Server at work.
type serverRun struct {
	Server
	sees  *peer.Observer
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

func (s *serverRun) accept(ctx context.Context, l *net.TCPListener) {
	for {
		c, err := l.AcceptTCP()
		if err != nil {
			return
		}
		s.Apply(c)
		s.open.add(c)
		go func() {
			defer s.open.remove(c)
			defer s.sees.Watch(c)()
			var lower net.Conn = c
			if s.CutStream > 0 {
				lower = &cutConn{Conn: c, left: s.CutStream}
			}
			if stream, err := peer.ServeTLS(lower, s.cert); err == nil {
				s.serve(ctx, c, stream)
			}
		}()
		peer.Pause(ctx, s.AcceptEvery)
	}
}

var errDone = errors.New("the connection is done with")

// serve answers requests on one connection until it is to be closed.
func (s *serverRun) serve(ctx context.Context, c *net.TCPConn, stream net.Conn) {
	r := bufio.NewReaderSize(stream, s.readSize())
	for n := 1; ; n++ {
		s.RenewAcks(c)
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
		if !s.readRequest(ctx, c, stream, r, asked) {
			return
		}
		asked.close = asked.close || (s.Requests > 0 && n == s.Requests)
		if !s.respond(ctx, c, stream, asked, n) {
			return
		}
	}
}

// readRequest reads what follows the header, and reports whether the request is to be answered.
func (s *serverRun) readRequest(
	ctx context.Context, c *net.TCPConn, stream io.WriteCloser, r io.Reader, asked asked,
) bool {
	if s.Refuse > 0 && asked.length > 0 {
		s.refuse(c, stream)
		return false
	}
	if asked.waits && s.Continue {
		io.WriteString(stream, "HTTP/1.1 100 Continue\r\n\r\n")
	}
	return s.readBody(ctx, c, r, asked.length)
}

// respond answers the nth request of a connection, and reports whether there may be another.
func (s *serverRun) respond(
	ctx context.Context, c *net.TCPConn, stream net.Conn, asked asked, n int,
) bool {
	read := s.sees.Since(time.Now())
	s.think(ctx)
	if s.HangUp && atEnd(c) {
		return false
	}
	one := s.Server
	if asked.large {
		one.Body = s.Large
	}
	err := one.answer(ctx, c, stream, n, asked.close)
	s.sees.Serves(peer.Served{
		Client:  c.RemoteAddr().String(),
		Number:  n,
		ReadMS:  read,
		WroteMS: s.sees.Since(time.Now()),
	})
	if err != nil || asked.close || s.CloseDelimited || s.Linger {
		s.hangUp(ctx, c, stream)
		return false
	}
	return true
}

func (s *serverRun) think(ctx context.Context) {
	n := s.count.Add(1)
	if s.LongThink > 0 && (n == 1 || (s.LongEvery > 0 && n%int64(s.LongEvery) == 1)) {
		peer.Pause(ctx, s.LongThink)
		return
	}
	peer.Pause(ctx, s.Think)
}

// atEnd reports whether the client has shut its sending side.
func atEnd(c *net.TCPConn) bool {
	raw, err := c.SyscallConn()
	if err != nil {
		return true
	}
	n, got := 1, error(nil)
	raw.Control(func(fd uintptr) {
		n, _, got = unix.Recvfrom(int(fd), make([]byte, 1), unix.MSG_PEEK|unix.MSG_DONTWAIT)
	})
	return got == nil && n == 0
}

func (s Server) hangUp(ctx context.Context, c *net.TCPConn, stream net.Conn) {
	if s.Linger {
		c.SetLinger(0)
	}
	peer.Pause(ctx, s.CloseAfter)
	if s.TLS {
		stream.Close() // says so before the FIN
	}
}

// readBody reports whether the body came wholly.
func (s Server) readBody(ctx context.Context, c *net.TCPConn, r io.Reader, length int64) bool {
	for length > 0 {
		s.RenewAcks(c)
		n, err := io.CopyN(io.Discard, r, min(length, int64(s.readSize())))
		length -= n
		if err != nil {
			return false
		}
		if length > 0 {
			peer.Pause(ctx, s.SlowRead)
		}
	}
	return true
}

// refuse answers without reading the request's body.
func (s Server) refuse(c *net.TCPConn, stream io.WriteCloser) {
	const answer = "HTTP/1.1 %d Refused\r\nConnection: close\r\nContent-Length: 6\r\n\r\nlarge\n"
	fmt.Fprintf(stream, answer, s.Refuse)
	if !s.Drain {
		if s.TLS {
			stream.Close() // says so before the FIN
		}
		return
	}
	c.CloseWrite()
	c.SetReadDeadline(time.Now().Add(5 * time.Second))
	io.Copy(io.Discard, c)
}
