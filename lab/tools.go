//go:build linux

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
)

// Balanced is HAProxy in the client's namespace, between a local client and the server: what
// crosses the link is between the proxy and its server.
type Balanced struct {
	Caller
	Settings string // of the backend, lines
}

// About names the version and the settings.
func (b Balanced) About() string {
	return fmt.Sprintf("%s as a reverse proxy; backend: %s; behind it %s",
		version("haproxy", "-v"), strings.ReplaceAll(b.Settings, "\n", ", "), b.Caller.About())
}

const haproxyConfig = `
global
  maxconn 100
  nbthread 1
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
frontend near
  bind 127.0.0.1:8081
  default_backend behind
backend behind
  %[2]s
  server one %[1]s
`

// Drive starts the proxy, sends the requests to it, and stops it.
func (b Balanced) Drive(ctx context.Context, e *Env) error {
	file, err := place(e, "haproxy.conf", fmt.Sprintf(haproxyConfig, e.serverAddress(), b.Settings))
	if err != nil {
		return err
	}
	proxy, err := start(e.client, "haproxy", "-db", "-f", file)
	if err != nil {
		return err
	}
	defer proxy.stop()
	if err := awaitNear(ctx, e, proxy); err != nil {
		return err
	}
	e.target = nearProxy
	return b.Caller.Drive(ctx, e)
}

// Curl is the program: one run, with all its requests one after the other.
type Curl struct {
	Count  int
	Args   []string // further arguments
	Body   int      // octets to POST; 0 is GET
	Secure bool
	Apart  bool // one run of the program for each request, as scripts do
}

// About names the version and the arguments.
func (c Curl) About() string {
	name, _, _ := strings.Cut(version("curl", "--version"), " (")
	words := fmt.Sprintf("%s, %d request(s)", name, c.Count)
	if c.Body > 0 {
		words += fmt.Sprintf(" with a body of %d octets", c.Body)
	}
	if len(c.Args) > 0 {
		words += ", " + strings.Join(c.Args, " ")
	}
	if c.Apart {
		words += ", each a run of its own"
	}
	return words
}

// curlLine makes curl print a request of the log when it is done; it measures how long, not since
// when.
const curlLine = `{"number": 0, "end_ms": %{time_total}, "status": %{http_code}, "bytes": %{size_download}}\n`

// Drive runs curl and takes its log.
func (c Curl) Drive(ctx context.Context, e *Env) error {
	runs, each := 1, c.Count
	if c.Apart {
		runs, each = c.Count, 1
	}
	for run := range runs {
		if err := runTool(ctx, e, "curl", c.args(e, run, each)...); err != nil {
			return err
		}
	}
	clock := 0.0
	for i := range e.log.requests {
		r := &e.log.requests[i]
		r.Number, r.StartMS, r.EndMS = i+1, clock, clock+r.EndMS*1000
		clock = r.EndMS
	}
	return nil
}

func (c Curl) args(e *Env, run, each int) []string {
	args := append(
		[]string{"-s", "-S", "-q", "--noproxy", "*", "-m", "20", "-w", curlLine},
		c.Args...)
	scheme := "http"
	if c.Secure {
		scheme, args = "https", append(args, "-k", "--http1.1")
	}
	if c.Body > 0 {
		args = append(args, "--data-binary", string(fill(c.Body)))
	}
	for n := range each {
		args = append(
			args,
			"-o",
			"/dev/null",
			fmt.Sprintf("%s://%s/item/%d", scheme, e.goal(), run+n+1),
		)
	}
	return args
}

// Wrk is the load generator: its log is one entry for the whole run.
type Wrk struct {
	Connections int
	Args        []string
}

// About names the version and the arguments.
func (w Wrk) About() string {
	return fmt.Sprintf(
		"wrk, 1 thread, %d connections, 1 s %s",
		w.Connections,
		strings.Join(w.Args, " "),
	)
}

const wrkScript = `
done = function(summary, latency, requests)
  print(string.format('{"number": %d, "end_ms": %f, "status": 200, "bytes": %d}', summary.requests, summary.duration / 1000, summary.bytes))
end
`

// Drive runs wrk for a second.
func (w Wrk) Drive(ctx context.Context, e *Env) error {
	file, err := place(e, "wrk.lua", wrkScript)
	if err != nil {
		return err
	}
	args := append(
		[]string{"-t1", fmt.Sprintf("-c%d", w.Connections), "-d1s", "-s", file},
		w.Args...)
	return runTool(ctx, e, "wrk", append(args, "http://"+e.goal()+"/item/1")...)
}

// runTool runs a program that prints requests of the log as JSON among other lines.
func runTool(ctx context.Context, e *Env, name string, args ...string) error {
	p, err := start(e.client, name, args...)
	if err != nil {
		return err
	}
	select {
	case <-p.done:
	case <-ctx.Done():
		p.stop()
		return ctx.Err()
	}
	found := false
	for _, line := range strings.Split(p.output.String(), "\n") {
		var r request
		if strings.HasPrefix(line, "{") && json.Unmarshal([]byte(line), &r) == nil {
			e.log.requests = append(e.log.requests, r)
			found = true
		}
	}
	if !found {
		return fmt.Errorf("%s printed %q", name, strings.TrimSpace(p.output.String()))
	}
	return nil
}
