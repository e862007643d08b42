//go:build linux

package program

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"runtime"
	"strings"

	"tcpwhy/lab/internal/peer"
)

// GoBareClose is crypto/tls, whose responses have no length: the close ends them. Before that it
// says close_notify, but for every Bare-th connection.
type GoBareClose struct {
	Body int
	Bare int // 1: it never does
}

// About names the version and the settings.
func (g GoBareClose) About() string {
	return fmt.Sprintf(
		"%s crypto/tls; body of %d octets without a length, ended by the close, every "+
			"%d. time without close_notify",
		runtime.Version(),
		g.Body,
		g.Bare,
	)
}

// Start serves on a listener inside the namespace.
func (g GoBareClose) Start(_ context.Context, e *peer.Env) (func(), error) {
	l, err := peer.Listen(e.Server, e.ServerAddress(), peer.Sockopts{NoDelay: true})
	if err != nil {
		return nil, err
	}
	cert, err := peer.Certificate(0)
	if err != nil {
		return nil, err
	}
	n := 0
	server := &http.Server{
		TLSConfig: &tls.Config{
			Certificates: []tls.Certificate{cert}, NextProtos: []string{"http/1.1"},
		},
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			n++ // requests come one after the other
			c, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				return
			}
			fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n%s",
				strings.Repeat("x", g.Body))
			if n%g.Bare == 0 {
				c.(*tls.Conn).NetConn().Close()
			} else {
				c.Close()
			}
		}),
	}
	done := make(chan error, 1)
	go func() { done <- server.ServeTLS(l, "", "") }()
	return func() {
		server.Close()
		<-done
	}, nil
}
