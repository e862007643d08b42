//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"time"
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
	words := []string{
		fmt.Sprintf("%s net/http, %d request(s)", runtime.Version(), g.Count*max(g.Parallel, 1)),
	}
	if g.Parallel > 1 {
		words = append(words, fmt.Sprintf("%d at the same time", g.Parallel))
	}
	if !g.Drain {
		words = append(words, "response bodies closed unread")
	}
	if g.PerHost > 0 {
		words = append(words, fmt.Sprintf("MaxIdleConnsPerHost %d", g.PerHost))
	}
	if g.Limit > 0 {
		words = append(words, fmt.Sprintf("MaxConnsPerHost %d", g.Limit))
	}
	return strings.Join(words, "; ")
}

// Drive sends the requests.
func (g GoClient) Drive(ctx context.Context, e *Env) error {
	transport := &http.Transport{
		MaxIdleConnsPerHost: g.PerHost,
		MaxConnsPerHost:     g.Limit,
		DisableCompression:  true,
	}
	transport.DialContext = func(ctx context.Context, _, address string) (net.Conn, error) {
		return dial(ctx, e.client, address, Sockopts{NoDelay: true})
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
		pause(ctx, 5*time.Millisecond)
	}
	return ctx.Err()
}

func (g GoClient) get(ctx context.Context, e *Env, client *http.Client, n int) {
	var r request
	began := time.Now()
	message, err := http.NewRequestWithContext(
		ctx,
		"GET",
		fmt.Sprintf("http://%s/item/%d", e.serverAddress(), n),
		nil,
	)
	if err != nil {
		e.log.add(began, r, err)
		return
	}
	response, err := client.Do(message)
	if err != nil {
		e.log.add(began, r, err)
		return
	}
	r.Status = response.StatusCode
	if g.Drain {
		r.Bytes, err = io.Copy(io.Discard, response.Body)
	}
	err = errors.Join(err, response.Body.Close())
	e.log.add(began, r, err)
}

// Script is a client program that prints one request of the log as JSON on each line. Text gets the
// server's host and port as %[1]s and %[2]d.
type Script struct {
	Words   string // about it
	Program string // node or python3
	Text    string
}

// About names the version.
func (s Script) About() string { return version(s.Program, "--version") + " " + s.Words }

// Drive runs the program.
func (s Script) Drive(ctx context.Context, e *Env) error {
	file, err := place(e, "client.script", fmt.Sprintf(s.Text, e.host(), serverPort))
	if err != nil {
		return err
	}
	return runClient(ctx, e, s.Program, file)
}

// Proxied is nginx in the client's namespace, between a local client and the server: what crosses
// the link is between the proxy and its upstream.
type Proxied struct {
	Caller
	Upstream string // of the upstream block, beside the server
	Location string // of the location block, beside proxy_pass
}

// About names the version and the settings.
func (p Proxied) About() string {
	return fmt.Sprintf("%s as a reverse proxy: upstream { %s}, location { %s}; behind it %s",
		version("nginx", "-v"), p.Upstream, p.Location, p.Caller.About())
}

const proxyConfig = `
daemon off; master_process off; pid %[1]s/proxy.pid; error_log %[1]s/proxy.log;
events { worker_connections 64; }
http {
  access_log off;
  client_body_temp_path %[1]s/body2; proxy_temp_path %[1]s/proxy2; fastcgi_temp_path %[1]s/fastcgi2;
  uwsgi_temp_path %[1]s/uwsgi2; scgi_temp_path %[1]s/scgi2;
  upstream behind { server %[2]s; %[3]s }
  server { listen 127.0.0.1:8081; location / { proxy_pass http://behind; %[4]s } }
}
`

// Drive starts the proxy, sends the requests to it, and stops it.
func (p Proxied) Drive(ctx context.Context, e *Env) error {
	file, err := place(
		e,
		"proxy.conf",
		fmt.Sprintf(proxyConfig, e.dir, e.serverAddress(), p.Upstream, p.Location),
	)
	if err != nil {
		return err
	}
	proxy, err := start(e.client, "nginx", "-c", file, "-e", e.dir+"/proxy.log")
	if err != nil {
		return err
	}
	defer proxy.stop()
	if err := awaitNear(ctx, e, proxy); err != nil {
		return err
	}
	e.target = nearProxy
	return p.Caller.Drive(ctx, e)
}

// nearProxy is where a proxy listens in the client's namespace.
const (
	nearProxy = "127.0.0.1:8081"
	nearPort  = 8081
)

// awaitNear waits until the proxy listens.
func awaitNear(ctx context.Context, e *Env, proxy *process) error {
	for range 500 {
		if listening(e.client, nearPort) {
			return nil
		}
		select {
		case <-proxy.done:
			return fmt.Errorf("the proxy ended: %s", strings.TrimSpace(proxy.output.String()))
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
	return fmt.Errorf("the proxy does not listen: %s", strings.TrimSpace(proxy.output.String()))
}
