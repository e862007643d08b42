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

// GoClient is net/http's client.
type GoClient struct {
	Count    int  // requests, one after the other, by each of Parallel
	Parallel int  // 0 is one
	Drain    bool // reads each body to its end before closing it; else it closes after the header
	PerHost  int  // MaxIdleConnsPerHost; 0 is Go's 2
	Limit    int  // MaxConnsPerHost; 0 is none
}

// About names the version and the settings.
func (g GoClient) About() string {
	var l phrase.List
	l.If(true, "%s net/http, %d request(s)", runtime.Version(), g.Count*max(g.Parallel, 1))
	l.If(g.Parallel > 1, "%d at the same time", g.Parallel)
	l.If(!g.Drain, "response bodies closed unread")
	l.If(g.PerHost > 0, "MaxIdleConnsPerHost %d", g.PerHost)
	l.If(g.Limit > 0, "MaxConnsPerHost %d", g.Limit)
	return l.String()
}

// Drive sends the requests.
func (g GoClient) Drive(ctx context.Context, e *peer.Env) error {
	transport := &http.Transport{
		MaxIdleConnsPerHost: g.PerHost,
		MaxConnsPerHost:     g.Limit,
		DisableCompression:  true,
	}
	transport.DialContext = func(ctx context.Context, _, address string) (net.Conn, error) {
		return peer.Dial(ctx, e.Client, address, peer.Sockopts{NoDelay: true})
	}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: 20 * time.Second}
	for round := range g.Count {
		var wait sync.WaitGroup
		for i := range max(g.Parallel, 1) {
			wait.Add(1)
			go func() {
				defer wait.Done()
				g.get(ctx, e, client, round*max(g.Parallel, 1)+i+1)
			}()
		}
		wait.Wait()
		peer.Pause(ctx, 5*time.Millisecond)
	}
	return ctx.Err()
}

func (g GoClient) get(ctx context.Context, e *peer.Env, client *http.Client, n int) {
	var r peer.Request
	began := time.Now()
	message, err := http.NewRequestWithContext(ctx, "GET",
		fmt.Sprintf("http://%s/item/%d", e.ServerAddress(), n), nil)
	if err != nil {
		e.Log.Add(began, r, err)
		return
	}
	response, err := client.Do(message)
	if err != nil {
		e.Log.Add(began, r, err)
		return
	}
	r.Status = response.StatusCode
	if g.Drain {
		r.Bytes, err = io.Copy(io.Discard, response.Body)
	}
	err = errors.Join(err, response.Body.Close())
	e.Log.Add(began, r, err)
}

// GoServer is net/http.
type GoServer struct {
	Body        int
	IdleTimeout time.Duration
}

// About names the version and the settings.
func (g GoServer) About() string {
	return fmt.Sprintf("%s net/http; IdleTimeout %v; body of %d octets",
		runtime.Version(), g.IdleTimeout, g.Body)
}

// Start serves on a listener inside the namespace.
func (g GoServer) Start(_ context.Context, e *peer.Env) (func(), error) {
	l, err := peer.Listen(e.Server, e.ServerAddress(), peer.Sockopts{})
	if err != nil {
		return nil, err
	}
	answer := func(w http.ResponseWriter, r *http.Request) { w.Write(peer.Fill(g.Body)) }
	server := &http.Server{Handler: http.HandlerFunc(answer), IdleTimeout: g.IdleTimeout}
	done := make(chan error, 1)
	go func() { done <- server.Serve(l) }()
	return func() {
		server.Close()
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			fmt.Fprintln(os.Stderr, "lab: net/http:", err)
		}
	}, nil
}
