//go:build linux

package program

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"

	"tcpwhy/lab/internal/peer"
	"tcpwhy/lab/internal/phrase"
)

// GoHTTP3 is a client that tries HTTP/3 by quic-go, and TCP with TLS if that does not answer in
// time.
type GoHTTP3 struct {
	Patience time.Duration // with QUIC; 0: it does not try
	Race     bool          // TCP is tried after Patience, and QUIC goes on
	Count    int           // requests, a client for each
}

// About names the version and the settings.
func (g GoHTTP3) About() string {
	var l phrase.List
	l.If(true, "%s, %d request(s), each by a client of its own", runtime.Version(), max(1, g.Count))
	l.If(g.Patience > 0, "tries HTTP/3 (quic-go) for %v before it connects by TCP", g.Patience)
	l.If(g.Race, "QUIC goes on meanwhile, and whoever answers first is asked")
	return l.String()
}

// Drive makes the requests.
func (g GoHTTP3) Drive(ctx context.Context, e *peer.Env) error {
	keys, err := os.OpenFile(e.KeyLog(), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer keys.Close()
	for n := range max(1, g.Count) {
		g.ask(ctx, e, keys, n)
	}
	return ctx.Err()
}

func (g GoHTTP3) ask(ctx context.Context, e *peer.Env, keys io.Writer, n int) {
	began := time.Now()
	config := &tls.Config{
		ServerName: "server.lab", InsecureSkipVerify: true, NextProtos: []string{"http/1.1"},
	}
	answered := make(chan bool, 1)
	tried, stop := context.WithCancel(ctx)
	defer stop()
	if g.Patience > 0 {
		go func() { answered <- overQUIC(tried, e, config, n) }()
		select {
		case ok := <-answered:
			if ok {
				e.Log.Add(began, peer.Request{Status: 200}, nil)
				return
			}
		case <-time.After(g.Patience):
			if !g.Race {
				stop()
			}
		}
	}
	own := config.Clone()
	own.KeyLogWriter = keys
	askOver(ctx, e, own, n)
	last := &e.Log.Requests[len(e.Log.Requests)-1]
	last.StartMS -= float64(time.Since(began).Microseconds())/1000 - (last.EndMS - last.StartMS)
}

// overQUIC asks by HTTP/3.
func overQUIC(ctx context.Context, e *peer.Env, config *tls.Config, n int) bool {
	var conn net.PacketConn
	err := e.Client.Do(func() (err error) {
		conn, err = net.ListenPacket("udp", ":0")
		return err
	})
	if err != nil {
		return false
	}
	defer conn.Close()
	own := config.Clone()
	own.NextProtos = []string{http3.NextProtoH3}
	transport := &http3.Transport{
		TLSClientConfig: own,
		Dial: func(ctx context.Context, addr string, t *tls.Config, c *quic.Config) (
			*quic.Conn, error,
		) {
			to, err := net.ResolveUDPAddr("udp", addr)
			if err != nil {
				return nil, err
			}
			return quic.DialEarly(ctx, conn, to, t, c)
		},
	}
	defer transport.Close()
	request, err := http.NewRequestWithContext(ctx, "GET",
		fmt.Sprintf("https://%s/item/%d", e.Goal(), n+1), nil)
	if err != nil {
		return false
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return false
	}
	io.Copy(io.Discard, response.Body)
	response.Body.Close()
	return response.StatusCode == 200
}

// GoHTTP3Server answers by TCP, as GoTLSServer does, and perhaps by HTTP/3.
type GoHTTP3Server struct {
	GoTLSServer
	Deaf bool // nobody reads what comes by UDP, as behind a firewall that drops it
}

// About names the version and the settings.
func (g GoHTTP3Server) About() string {
	if g.Deaf {
		return g.GoTLSServer.About() + "; what comes by UDP is dropped"
	}
	return g.GoTLSServer.About() + "; HTTP/3 (quic-go) on the same port"
}

// Start serves on both.
func (g GoHTTP3Server) Start(ctx context.Context, e *peer.Env) (func(), error) {
	stop, err := g.GoTLSServer.Start(ctx, e)
	if err != nil {
		return nil, err
	}
	var conn net.PacketConn
	err = e.Server.Do(func() (err error) {
		conn, err = net.ListenPacket("udp", e.ServerAddress())
		return err
	})
	if err != nil {
		stop()
		return nil, err
	}
	if g.Deaf {
		return func() { conn.Close(); stop() }, nil
	}
	cert, err := peer.Certificate(0)
	if err != nil {
		conn.Close()
		stop()
		return nil, err
	}
	server := &http3.Server{
		TLSConfig: http3.ConfigureTLSConfig(&tls.Config{Certificates: []tls.Certificate{cert}}),
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, "answered by HTTP/3")
		}),
	}
	done := make(chan error, 1)
	go func() { done <- server.Serve(conn) }()
	return func() {
		server.Close()
		conn.Close()
		if err := <-done; err != nil && !errors.Is(err, http.ErrServerClosed) &&
			!errors.Is(err, net.ErrClosed) {
			fmt.Fprintln(os.Stderr, "lab: http3:", err)
		}
		stop()
	}, nil
}
