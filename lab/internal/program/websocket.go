//go:build linux

package program

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"

	"tcpwhy/lab/internal/peer"
	"tcpwhy/lab/internal/phrase"
	"tcpwhy/lab/internal/world"
)

// SocketServer is coder/websocket's server. /echo says what it hears, /push sends a message every
// Every, /close/CODE closes with that code when it has heard something, /drop ends the connection
// without a Close.
type SocketServer struct {
	Every time.Duration
	Limit int64  // largest message that it takes; 0: coder/websocket's 32 KiB
	Nginx string // statements of the location of an nginx before it; "": none
	H2    bool   // HAProxy before it, which takes HTTP/2 in cleartext
}

// About names the versions and the settings.
func (s SocketServer) About() string {
	var l phrase.List
	l.If(true, "coder/websocket 1.8.15")
	l.If(s.Every > 0, "/push every %v", s.Every)
	l.If(s.Limit > 0, "messages of %d octets at most", s.Limit)
	l.If(s.Nginx != "", "behind %s: %s", Version("nginx", "-v"), s.Nginx)
	l.If(s.H2, "behind %s, HTTP/2 in cleartext", Version("haproxy", "-v"))
	return l.String()
}

// behind is where it listens behind a proxy.
const behind = "127.0.0.1:9000"

const socketProxy = `
daemon off; master_process off; pid %[1]s/nginx.pid; error_log %[1]s/error.log;
events { worker_connections 64; }
http {
  access_log off;
  client_body_temp_path %[1]s/body; proxy_temp_path %[1]s/proxy; fastcgi_temp_path %[1]s/fastcgi;
  uwsgi_temp_path %[1]s/uwsgi; scgi_temp_path %[1]s/scgi;
  server { listen %[2]s; location / {
    proxy_pass http://127.0.0.1:9000; proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade; %[3]s } }
}
`

const socketBalancer = `
global
  maxconn 100
  nbthread 1
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
  timeout tunnel 60s
frontend near
  bind %[1]s proto h2
  default_backend behind
backend behind
  server one 127.0.0.1:9000
`

// Start serves on a listener inside the namespace, or starts the proxy before it, too.
func (s SocketServer) Start(ctx context.Context, e *peer.Env) (func(), error) {
	address := e.ServerAddress()
	if s.Nginx != "" || s.H2 {
		address = behind
	}
	l, err := peer.Listen(e.Server, address, peer.Sockopts{NoDelay: true})
	if err != nil {
		return nil, err
	}
	server := &http.Server{Handler: http.HandlerFunc(s.serve)}
	done := make(chan error, 1)
	go func() { done <- server.Serve(l) }()
	stop := func() { server.Close(); <-done }
	before, err := s.proxy(ctx, e)
	if err != nil {
		stop()
		return nil, err
	}
	return func() { before(); stop() }, nil
}

// proxy starts the proxy before it, if there is to be one.
func (s SocketServer) proxy(ctx context.Context, e *peer.Env) (func(), error) {
	switch {
	case s.H2:
		file, err := place(e, "haproxy.conf", fmt.Sprintf(socketBalancer, e.ServerAddress()))
		if err != nil {
			return nil, err
		}
		return serve(ctx, e, "haproxy", "-db", "-f", file)
	case s.Nginx != "":
		file, err := place(e, "nginx.conf",
			fmt.Sprintf(socketProxy, e.Dir, e.ServerAddress(), s.Nginx))
		if err != nil {
			return nil, err
		}
		return startListening(ctx, e.Server, world.ServerPort, "nginx", "-c", file,
			"-e", e.Dir+"/error.log")
	}
	return func() {}, nil
}

// serve answers one request for a WebSocket.
func (s SocketServer) serve(w http.ResponseWriter, r *http.Request) {
	c, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	defer c.CloseNow()
	if s.Limit > 0 {
		c.SetReadLimit(s.Limit)
	}
	switch path := r.URL.Path; {
	case path == "/push":
		s.push(r.Context(), c)
	case strings.HasPrefix(path, "/close/"):
		if _, _, err := c.Read(r.Context()); err == nil {
			code, _ := strconv.Atoi(strings.TrimPrefix(path, "/close/"))
			c.Close(websocket.StatusCode(code), "the reason is nobody's business")
		}
	case path == "/drop":
		c.Read(r.Context())
	default:
		echoes(r.Context(), c)
	}
}

// echoes says what it hears.
func echoes(ctx context.Context, c *websocket.Conn) {
	for {
		kind, message, err := c.Read(ctx)
		if err != nil || c.Write(ctx, kind, message) != nil {
			return
		}
	}
}

// push sends messages until the client closes.
func (s SocketServer) push(ctx context.Context, c *websocket.Conn) {
	ctx = c.CloseRead(ctx)
	for ctx.Err() == nil && c.Write(ctx, websocket.MessageText, peer.Fill(60)) == nil {
		peer.Pause(ctx, s.Every)
	}
}

// SocketTalk is what a client does on one WebSocket.
type SocketTalk struct {
	Path     string
	Messages int // each after the answer to the one before
	Body     int // octets of each
	Pause    time.Duration
	Linger   time.Duration // says nothing so long
	Ping     time.Duration // meanwhile it pings so often; 0: not
	Close    int           // code with which it closes; 0: 1000
	Drop     bool          // ends without a Close
}

// SocketClient is coder/websocket's client: all talks at once, or one after the other.
type SocketClient struct {
	Talks  []SocketTalk
	AtOnce bool
}

// About names what it does.
func (s SocketClient) About() string {
	var l phrase.List
	l.If(true, "coder/websocket 1.8.15")
	for _, t := range s.Talks {
		l.If(true, "%s: %d message(s) of %d octets", t.Path, t.Messages, t.Body)
		l.If(t.Linger > 0, "then %v of silence", t.Linger)
		l.If(t.Ping > 0, "Pings every %v", t.Ping)
		l.If(t.Close > 0, "closes with %d", t.Close)
		l.If(t.Drop, "ends without a Close")
	}
	l.If(s.AtOnce, "all at once")
	return l.String()
}

// Drive does all of it.
func (s SocketClient) Drive(ctx context.Context, e *peer.Env) error {
	var wait sync.WaitGroup
	for _, t := range s.Talks {
		wait.Go(func() { t.talk(ctx, e) })
		if !s.AtOnce {
			wait.Wait()
			peer.Pause(ctx, 20*time.Millisecond)
		}
	}
	wait.Wait()
	return ctx.Err()
}

// talk is one WebSocket.
func (t SocketTalk) talk(ctx context.Context, e *peer.Env) {
	began := time.Now()
	var r peer.Request
	client := &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, address string) (net.Conn, error) {
			return peer.Dial(ctx, e.Client, address, peer.Sockopts{NoDelay: true})
		},
	}}
	c, _, err := websocket.Dial(ctx, "ws://"+e.Goal()+t.Path,
		&websocket.DialOptions{HTTPClient: client})
	if err != nil {
		e.Log.Add(began, r, err)
		return
	}
	defer c.CloseNow()
	for range t.Messages {
		if err = c.Write(ctx, websocket.MessageText, peer.Fill(t.Body)); err != nil {
			break
		}
		var message []byte
		if _, message, err = c.Read(ctx); err != nil {
			break
		}
		r.Bytes += int64(len(message))
		peer.Pause(ctx, t.Pause)
	}
	if t.Linger > 0 && err == nil {
		err = t.linger(ctx, c)
	}
	r.Status = int(websocket.CloseStatus(err))
	e.Log.Add(began, r, err)
	switch {
	case t.Drop || err != nil:
	case t.Close > 0:
		c.Close(websocket.StatusCode(t.Close), "")
	default:
		c.Close(websocket.StatusNormalClosure, "")
	}
}

// linger hears what comes, and pings; it says nothing.
func (t SocketTalk) linger(ctx context.Context, c *websocket.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, t.Linger)
	defer cancel()
	if t.Ping == 0 {
		t.Ping = t.Linger
	}
	heard := make(chan error, 1)
	go func() {
		for {
			if _, _, err := c.Read(context.WithoutCancel(ctx)); err != nil {
				heard <- err
				return
			}
		}
	}()
	for {
		select {
		case err := <-heard:
			return err
		case <-ctx.Done():
			return nil
		case <-time.After(t.Ping):
			if err := c.Ping(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
				return err
			}
		}
	}
}
