//go:build linux

package program

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"sync"
	"time"

	"tcpwhy/lab/internal/peer"
	"tcpwhy/lab/internal/phrase"
)

// onlyHTTP2 is HTTP/2 in cleartext and nothing else.
func onlyHTTP2() *http.Protocols {
	p := new(http.Protocols)
	p.SetUnencryptedHTTP2(true)
	return p
}

// GoCalls is net/http's client of HTTP/2, in cleartext: calls as gRPC makes them, with a deadline.
type GoCalls struct {
	Count    int           // one after the other, by each of Parallel
	Parallel int           // 0 is one
	Deadline time.Duration // after which a call is given up; 0: never
}

// About names the version and the settings.
func (g GoCalls) About() string {
	var l phrase.List
	l.If(true, "%s net/http, HTTP/2 with prior knowledge, %d call(s) in the manner of gRPC",
		runtime.Version(), g.Count*max(g.Parallel, 1))
	l.If(g.Parallel > 1, "%d at the same time", g.Parallel)
	l.If(g.Deadline > 0, "given up after %v", g.Deadline)
	return l.String()
}

// Drive makes the calls.
func (g GoCalls) Drive(ctx context.Context, e *peer.Env) error {
	transport := &http.Transport{Protocols: onlyHTTP2(), DisableCompression: true}
	transport.DialContext = func(ctx context.Context, _, address string) (net.Conn, error) {
		return peer.Dial(ctx, e.Client, address, peer.Sockopts{NoDelay: true})
	}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: 20 * time.Second}
	for range g.Count {
		var wait sync.WaitGroup
		for i := range max(g.Parallel, 1) {
			wait.Go(func() { g.call(ctx, e, client, i) })
		}
		wait.Wait()
	}
	return ctx.Err()
}

// call is one call; the server answers the nth of a round in its own manner.
func (g GoCalls) call(ctx context.Context, e *peer.Env, client *http.Client, n int) {
	began := time.Now()
	var r peer.Request
	if g.Deadline > 0 {
		limited, cancel := context.WithTimeout(ctx, g.Deadline)
		defer cancel()
		ctx = limited
	}
	ask, answer := io.Pipe()
	go func() {
		answer.Write([]byte("\x00\x00\x00\x00\x05hello"))
		answer.Close()
	}()
	message, err := http.NewRequestWithContext(ctx, "POST",
		fmt.Sprintf("http://%s/lab.Calls/Call%d", e.ServerAddress(), n), ask)
	if err != nil {
		e.Log.Add(began, r, err)
		return
	}
	message.Header.Set("Content-Type", "application/grpc")
	if g.Deadline > 0 {
		message.Header.Set("Grpc-Timeout", fmt.Sprintf("%dm", g.Deadline.Milliseconds()))
	}
	response, err := client.Do(message)
	if err == nil {
		r.Status = response.StatusCode
		r.Bytes, err = io.Copy(io.Discard, response.Body)
		err = errors.Join(err, response.Body.Close())
	}
	e.Log.Add(began, r, err)
}

// GoCallee is net/http's server of such calls. Call0 is answered at once, with two messages; Call1
// after Think; Call2 fails: unavailable.
type GoCallee struct{ Think time.Duration }

// About names the version and what it answers.
func (g GoCallee) About() string {
	return fmt.Sprintf("%s net/http, HTTP/2 in cleartext, in the manner of gRPC: Call0 at once, "+
		"two messages; Call1 after %v; Call2 is UNAVAILABLE", runtime.Version(), g.Think)
}

// Start serves on a listener inside the namespace.
func (g GoCallee) Start(_ context.Context, e *peer.Env) (func(), error) {
	l, err := peer.Listen(e.Server, e.ServerAddress(), peer.Sockopts{NoDelay: true})
	if err != nil {
		return nil, err
	}
	server := &http.Server{Handler: http.HandlerFunc(g.answer), Protocols: onlyHTTP2()}
	done := make(chan error, 1)
	go func() { done <- server.Serve(l) }()
	return func() {
		server.Close()
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			fmt.Fprintln(os.Stderr, "lab: net/http:", err)
		}
	}, nil
}

func (g GoCallee) answer(w http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body)
	w.Header().Set("Content-Type", "application/grpc")
	w.Header().Set("Trailer", "Grpc-Status")
	const okStatus, unavailable = "0", "14"
	status := okStatus
	switch r.URL.Path {
	case "/lab.Calls/Call1":
		select {
		case <-time.After(g.Think):
		case <-r.Context().Done():
			return
		}
	case "/lab.Calls/Call2":
		status = unavailable
	}
	if status == okStatus {
		for range 2 {
			w.Write([]byte("\x00\x00\x00\x00\x06answer"))
			w.(http.Flusher).Flush()
		}
	}
	w.Header().Set("Grpc-Status", status)
}
