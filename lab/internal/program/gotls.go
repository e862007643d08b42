//go:build linux

package program

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"tcpwhy/lab/internal/peer"
	"tcpwhy/lab/internal/phrase"
)

// Stall is work that takes a time, for some connections.
type Stall struct {
	For  time.Duration
	Only int  // of which connection, counted from 1; 0: of all
	Turn bool // one connection after the other, as by a single thread
}

func (s Stall) String() string {
	var l phrase.List
	l.If(true, "%v", s.For)
	l.If(s.Only > 0, "on connection %d alone", s.Only)
	l.If(s.Turn, "one connection after the other")
	return l.String()
}

// stalled is what a Stall needs to be carried out.
type stalled struct {
	stall Stall
	n     atomic.Int64
	turn  sync.Mutex
}

func (s *stalled) wait() {
	n := int(s.n.Add(1))
	if s.stall.For == 0 || s.stall.Only > 0 && s.stall.Only != n {
		return
	}
	if s.stall.Turn {
		s.turn.Lock()
		defer s.turn.Unlock()
	}
	time.Sleep(s.stall.For)
}

// GoTLS is crypto/tls as a client: each request has a connection of its own, whose handshake it
// waits for.
type GoTLS struct {
	Count    int
	Gap      time.Duration // between the beginnings of requests
	Max      uint16        // the latest version offered; 0: TLS 1.3
	Sessions bool          // they are kept and resumed
	Forgets  bool          // each connection has a configuration of its own, and a cache in it
	Verify   Stall         // in the verification of the certificate
}

// About names the version and the settings.
func (g GoTLS) About() string {
	var l phrase.List
	l.If(true, "%s crypto/tls, %d request(s), a connection for each, %v apart",
		runtime.Version(), g.Count, g.Gap)
	l.If(g.Max != 0, "%s at most", tls.VersionName(g.Max))
	l.If(g.Sessions, "sessions are resumed")
	l.If(g.Forgets, "a tls.Config with a cache of sessions for each connection")
	l.If(g.Verify.For > 0, "the certificate is verified in %v", g.Verify)
	return l.String()
}

// Drive makes the requests.
func (g GoTLS) Drive(ctx context.Context, e *peer.Env) error {
	keys, err := os.OpenFile(e.KeyLog(), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer keys.Close()
	verify := &stalled{stall: g.Verify}
	config := &tls.Config{
		KeyLogWriter: keys, ServerName: "server.lab", InsecureSkipVerify: true, MaxVersion: g.Max,
		NextProtos: []string{"http/1.1"},
		VerifyConnection: func(tls.ConnectionState) error {
			verify.wait()
			return nil
		},
	}
	if g.Sessions {
		config.ClientSessionCache = tls.NewLRUClientSessionCache(0)
	}
	var wait sync.WaitGroup
	for n := range g.Count {
		if g.Forgets {
			config = config.Clone()
			config.ClientSessionCache = tls.NewLRUClientSessionCache(0)
		}
		wait.Go(func() { askOver(ctx, e, config, n) })
		time.Sleep(g.Gap)
	}
	wait.Wait()
	return ctx.Err()
}

// askOver makes a connection and a request on it, and closes it when the response is there.
func askOver(ctx context.Context, e *peer.Env, config *tls.Config, n int) {
	began := time.Now()
	var r peer.Request
	err := func() error {
		c, err := peer.Dial(ctx, e.Client, e.Goal(), peer.Sockopts{NoDelay: true})
		if err != nil {
			return err
		}
		defer c.Close()
		c.SetDeadline(began.Add(20 * time.Second))
		t := tls.Client(c, config)
		transport := &http.Transport{
			DialTLSContext: func(context.Context, string, string) (net.Conn, error) {
				return t, t.HandshakeContext(ctx)
			},
			DisableCompression: true,
		}
		defer transport.CloseIdleConnections()
		response, err := (&http.Client{Transport: transport}).Get(
			fmt.Sprintf("https://%s/item/%d", e.Goal(), n+1))
		if err != nil {
			return err
		}
		r.Status = response.StatusCode
		r.Bytes, err = io.Copy(io.Discard, response.Body)
		return errors.Join(err, response.Body.Close())
	}()
	e.Log.Add(began, r, err)
}

// GoTLSServer is net/http over crypto/tls.
type GoTLSServer struct {
	Body    int
	Think   time.Duration
	Max     uint16 // the latest version; 0: TLS 1.3
	Sign    Stall  // in the signature of the handshake, as with a key that another host holds
	NewKeys bool   // the keys of tickets are new for each connection, as behind many hosts
	Names   int    // that the certificate has more
	HTTP2   bool
}

// About names the version and the settings.
func (g GoTLSServer) About() string {
	var l phrase.List
	l.If(true, "%s net/http; TLS; body of %d octets, after %v", runtime.Version(), g.Body, g.Think)
	l.If(g.Max != 0, "%s at most", tls.VersionName(g.Max))
	l.If(g.Sign.For > 0, "signs in %v", g.Sign)
	l.If(g.NewKeys, "keys of tickets new for each connection")
	l.If(g.HTTP2, "HTTP/2")
	return l.String()
}

// slowSigner is a private key that takes its time.
type slowSigner struct {
	crypto.Signer
	of *stalled
}

func (s slowSigner) Sign(r io.Reader, digest []byte, o crypto.SignerOpts) ([]byte, error) {
	s.of.wait()
	return s.Signer.Sign(r, digest, o)
}

// Start serves on a listener inside the namespace.
func (g GoTLSServer) Start(_ context.Context, e *peer.Env) (func(), error) {
	l, err := peer.Listen(e.Server, e.ServerAddress(), peer.Sockopts{NoDelay: true})
	if err != nil {
		return nil, err
	}
	cert, err := peer.Certificate(g.Names)
	if err != nil {
		return nil, err
	}
	cert.PrivateKey = slowSigner{cert.PrivateKey.(crypto.Signer), &stalled{stall: g.Sign}}
	body := strings.Repeat("x", g.Body)
	server := &http.Server{
		TLSConfig: g.config(cert),
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			time.Sleep(g.Think)
			io.WriteString(w, body)
		}),
	}
	done := make(chan error, 1)
	go func() { done <- server.ServeTLS(l, "", "") }()
	return func() {
		server.Close()
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			fmt.Fprintln(os.Stderr, "lab: net/http:", err)
		}
	}, nil
}

// config is that of its connections.
func (g GoTLSServer) config(cert tls.Certificate) *tls.Config {
	config := &tls.Config{
		Certificates: []tls.Certificate{cert},
		MaxVersion:   g.Max,
		NextProtos:   []string{"http/1.1"},
	}
	if g.HTTP2 {
		config.NextProtos = []string{"h2", "http/1.1"}
	}
	if g.NewKeys {
		config.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
			own := &tls.Config{
				Certificates: config.Certificates, MaxVersion: g.Max,
				NextProtos: config.NextProtos,
			}
			var key [32]byte
			if _, err := rand.Read(key[:]); err != nil {
				return nil, err
			}
			own.SetSessionTicketKeys([][32]byte{key})
			return own, nil
		}
	}
	return config
}

// GoAtOnce is net/http with HTTP/2, which is given requests at the same time.
type GoAtOnce struct {
	Count      int
	FirstAlone bool // the others come when the first has its response
}

// About names the version and the settings.
func (g GoAtOnce) About() string {
	var l phrase.List
	l.If(true, "%s net/http, HTTP/2 by ALPN, %d requests at once", runtime.Version(), g.Count)
	l.If(g.FirstAlone, "the first alone")
	return l.String()
}

// Drive makes the requests.
func (g GoAtOnce) Drive(ctx context.Context, e *peer.Env) error {
	transport := &http.Transport{
		TLSClientConfig:   &tls.Config{ServerName: "server.lab", InsecureSkipVerify: true},
		ForceAttemptHTTP2: true,
		DialContext: func(ctx context.Context, _, address string) (net.Conn, error) {
			return peer.Dial(ctx, e.Client, address, peer.Sockopts{NoDelay: true})
		},
	}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: 20 * time.Second}
	var wait sync.WaitGroup
	for n := range g.Count {
		wait.Go(func() { getOne(e, client, n) })
		if g.FirstAlone && n == 0 {
			wait.Wait()
		}
	}
	wait.Wait()
	return ctx.Err()
}

// getOne is one request.
func getOne(e *peer.Env, client *http.Client, n int) {
	began := time.Now()
	var r peer.Request
	response, err := client.Get(fmt.Sprintf("https://%s/item/%d", e.Goal(), n+1))
	if err == nil {
		r.Status = response.StatusCode
		r.Bytes, err = io.Copy(io.Discard, response.Body)
		err = errors.Join(err, response.Body.Close())
	}
	e.Log.Add(began, r, err)
}
