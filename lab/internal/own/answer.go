//go:build linux

package own

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"tcpwhy/lab/internal/peer"
)

// answer writes the nth response of a connection, and returns errDone if it left that unusable.
func (s Server) answer(ctx context.Context, c *net.TCPConn, w net.Conn, n int, last bool) error {
	if s.Cork || s.KeepCork {
		peer.SetOption(c, unix.IPPROTO_TCP, unix.TCP_CORK, 1)
	}
	if s.Cork {
		defer peer.SetOption(c, unix.IPPROTO_TCP, unix.TCP_CORK, 0)
	}
	head, body := s.head(n, last), peer.Fill(s.Body+s.Excess)
	if s.CutHead {
		io.WriteString(w, head[:len(head)/2])
		return errDone
	}
	if s.inOneWrite() {
		return s.writeWhole(ctx, w, append([]byte(head), body...))
	}
	if _, err := io.WriteString(w, head); err != nil {
		return err
	}
	peer.Pause(ctx, s.Gap)
	if s.AbortAfter > 0 || s.CutAfter > 0 {
		return s.cut(ctx, c, w, body)
	}
	return s.writeBody(ctx, w, body)
}

// writeWhole writes a response at once, and perhaps a second time.
func (s Server) writeWhole(ctx context.Context, w io.Writer, response []byte) error {
	_, err := w.Write(response)
	if s.Twice && err == nil {
		peer.Pause(ctx, 60*time.Millisecond)
		_, err = w.Write(response)
	}
	return err
}

// cut ends the response in the middle of its body.
func (s Server) cut(ctx context.Context, c *net.TCPConn, w io.Writer, body []byte) error {
	w.Write(s.framed(body)[:max(s.AbortAfter, s.CutAfter)])
	peer.Pause(ctx, 5*time.Millisecond)
	if s.AbortAfter > 0 {
		c.SetLinger(0)
	}
	return errDone
}

func (s Server) inOneWrite() bool {
	return !s.Split && !s.Chunked && s.Piece == 0 && s.AbortAfter == 0 && s.CutAfter == 0
}

// writeBody writes the body in its pieces, and the last chunk.
func (s Server) writeBody(ctx context.Context, c io.Writer, body []byte) error {
	err := s.eachPiece(ctx, body, func(piece []byte) error {
		_, err := c.Write(s.framed(piece))
		return err
	})
	if err == nil && s.Chunked {
		_, err = io.WriteString(c, "0\r\n\r\n")
	}
	return err
}

// framed is a piece of the body as it is sent: as a chunk, if the response has chunks.
func (s Server) framed(piece []byte) []byte {
	if !s.Chunked {
		return piece
	}
	chunk := fmt.Appendf(nil, "%x\r\n", len(piece))
	return append(append(chunk, piece...), "\r\n"...)
}

// status is that of the nth response.
func (s Server) status(n int) string {
	if len(s.Statuses) == 0 {
		return "200 OK"
	}
	return s.Statuses[min(n, len(s.Statuses))-1]
}

func (s Server) head(n int, last bool) string {
	version := s.Version
	if version == "" {
		version = "HTTP/1.1"
	}
	head := version + " " + s.status(n) +
		"\r\nServer: lab\r\nContent-Type: text/plain\r\n" + s.Header
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
