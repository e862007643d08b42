//go:build linux

package own

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"os"
	"strings"
	"time"

	"tcpwhy/lab/internal/peer"
)

// DumbProxy forwards each request to a server behind it as RFC 2068 section 19.7.1 warns of: it
// passes Connection: keep-alive on without understanding it, and listens to the client again only
// when that server has closed. The server is net/http.
type DumbProxy struct {
	Body  int
	Idle  time.Duration // after which the server behind it closes
	Strip bool          // it removes Connection, as it must, and closes after each response
}

// About names both programs.
func (d DumbProxy) About() string {
	what := "forwards Connection as it comes, and waits for the server behind it to close"
	if d.Strip {
		what = "removes Connection, and closes after each response"
	}
	return fmt.Sprintf("a proxy that %s; behind it net/http, IdleTimeout %v, body of %d octets",
		what, d.Idle, d.Body)
}

// originPort is that of the server behind the proxy.
const originPort = 8081

// Start runs the proxy and the server behind it.
func (d DumbProxy) Start(ctx context.Context, e *peer.Env) (func(), error) {
	behind := net.JoinHostPort(e.Host(), fmt.Sprint(originPort))
	origin, err := peer.Listen(e.Server, behind, peer.Sockopts{})
	if err != nil {
		return nil, err
	}
	front, err := peer.Listen(e.Server, e.ServerAddress(), peer.Sockopts{})
	if err != nil {
		return nil, errors.Join(err, origin.Close())
	}
	answer := func(w http.ResponseWriter, r *http.Request) { w.Write(peer.Fill(d.Body)) }
	server := &http.Server{Handler: http.HandlerFunc(answer), IdleTimeout: d.Idle}
	go server.Serve(origin)
	open := &openConns{conns: make(map[net.Conn]bool)}
	open.wait.Add(1)
	go func() {
		defer open.wait.Done()
		for {
			c, err := front.AcceptTCP()
			if err != nil {
				return
			}
			open.add(c)
			go func() {
				defer open.remove(c)
				if err := d.forward(ctx, e, c, behind); err != nil && ctx.Err() == nil {
					fmt.Fprintln(os.Stderr, "lab: dumb proxy:", err)
				}
			}()
		}
	}()
	return func() { front.Close(); server.Close(); open.closeAll() }, nil
}

// forward takes one request, and everything that the server behind answers until it closes.
func (d DumbProxy) forward(ctx context.Context, e *peer.Env, c net.Conn, behind string) error {
	head, err := d.header(textproto.NewReader(bufio.NewReader(c)))
	if err != nil {
		return nil // the client has closed
	}
	up, err := peer.Dial(ctx, e.Server, behind, peer.Sockopts{NoDelay: true})
	if err != nil {
		return err
	}
	defer up.Close()
	if _, err := io.WriteString(up, head); err != nil {
		return err
	}
	io.Copy(c, up) // an error is the client's going away
	return nil
}

// header is the header section of a request, as it is sent on.
func (d DumbProxy) header(r *textproto.Reader) (string, error) {
	var b strings.Builder
	for {
		line, err := r.ReadLine()
		if err != nil {
			return "", err
		}
		if line == "" {
			return b.String() + "\r\n", nil
		}
		if d.Strip && strings.HasPrefix(strings.ToLower(line), "connection:") {
			continue
		}
		b.WriteString(line + "\r\n")
	}
}
