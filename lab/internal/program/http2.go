//go:build linux

package program

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"tcpwhy/lab/internal/peer"
	"tcpwhy/lab/internal/phrase"
	"tcpwhy/lab/internal/world"
)

// HTTP2 is a server of HTTP/2 in cleartext that has files.
type HTTP2 struct {
	Program  string // nginx, apache2, nghttpd or haproxy
	Files    map[string]int
	Settings string // nginx: of the server block; apache2: lines; haproxy: of global, lines
	Args     []string
	Secure   bool // nginx: in TLS, with a certificate made for the run
}

// About names the version, the settings and the files.
func (s HTTP2) About() string {
	version := map[string]string{
		"nginx":   "-v",
		"apache2": "-v",
		"nghttpd": "--version",
		"haproxy": "-v",
	}
	var l phrase.List
	within := "in cleartext"
	if s.Secure {
		within = "in TLS"
	}
	l.If(true, "%s, HTTP/2 %s", Version(s.Program, version[s.Program]), within)
	l.If(s.Settings != "", "%s", strings.ReplaceAll(strings.TrimSpace(s.Settings), "\n", ", "))
	l.If(len(s.Args) > 0, "%s", strings.Join(s.Args, " "))
	for _, name := range slices.Sorted(maps.Keys(s.Files)) {
		l.If(true, "/%s of %d octets", name, s.Files[name])
	}
	return l.String()
}

// Start runs the program in the foreground.
func (s HTTP2) Start(ctx context.Context, e *peer.Env) (func(), error) {
	pages := filepath.Join(e.Dir, "pages")
	if err := os.MkdirAll(pages, 0o755); err != nil {
		return nil, err
	}
	if err := os.Chmod(e.Dir, 0o755); err != nil {
		return nil, err
	}
	for name, size := range s.Files {
		path := filepath.Join(pages, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return nil, err
		}
		if err := os.WriteFile(path, peer.Fill(size), 0o644); err != nil {
			return nil, err
		}
	}
	switch s.Program {
	case "nghttpd":
		args := append([]string{"--no-tls", "-a", e.Host(), "-d", pages}, s.Args...)
		return serve(ctx, e, "nghttpd", append(args, fmt.Sprint(world.ServerPort))...)
	case "apache2":
		settings := "LoadModule http2_module /usr/lib/apache2/modules/mod_http2.so\n" +
			"Protocols h2c http/1.1\n" + s.Settings
		file, err := place(e, "apache.conf",
			fmt.Sprintf(apacheConfig, e.Dir, e.ServerAddress(), "www-data", settings))
		if err != nil {
			return nil, err
		}
		return serve(ctx, e, "apache2", "-f", file, "-DFOREGROUND")
	case "haproxy":
		file, err := place(e, "haproxy.conf",
			fmt.Sprintf(haproxyPages, e.ServerAddress(), pages, s.Settings))
		if err != nil {
			return nil, err
		}
		return serve(ctx, e, "haproxy", "-db", "-f", file)
	}
	return s.startNginx(ctx, e)
}

// startNginx runs nginx.
func (s HTTP2) startNginx(ctx context.Context, e *peer.Env) (func(), error) {
	address, settings := e.ServerAddress(), s.Settings
	if s.Secure {
		cert, key, err := peer.CertificateFiles(e.Dir)
		if err != nil {
			return nil, err
		}
		address += " ssl"
		settings += fmt.Sprintf(" ssl_certificate %s; ssl_certificate_key %s;", cert, key)
	}
	file, err := place(e, "nginx.conf", fmt.Sprintf(nginxPages, e.Dir, address, settings))
	if err != nil {
		return nil, err
	}
	return serve(ctx, e, "nginx", "-c", file, "-e", e.Dir+"/error.log")
}

const nginxPages = `
daemon off; master_process off; pid %[1]s/nginx.pid; error_log %[1]s/error.log;
events { worker_connections 64; }
http {
  access_log off;
  client_body_temp_path %[1]s/body; proxy_temp_path %[1]s/proxy; fastcgi_temp_path %[1]s/fastcgi;
  uwsgi_temp_path %[1]s/uwsgi; scgi_temp_path %[1]s/scgi;
  server { listen %[2]s http2; root %[1]s/pages; %[3]s }
}
`

const haproxyPages = `
global
  maxconn 100
  nbthread 1
  tune.bufsize 65536
  %[3]s
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
frontend pages
  bind %[1]s proto h2
  http-request return status 200 content-type text/plain file %[2]s/small
`

// Nghttp is nghttp2's client: all its requests at the same time, on one connection.
type Nghttp struct {
	Paths []string
	Args  []string
}

// About names the version and the arguments.
func (c Nghttp) About() string {
	var l phrase.List
	l.If(true, "%s, %s", Version("nghttp", "--version"), strings.Join(c.Paths, " "))
	l.If(len(c.Args) > 0, "%s", strings.Join(c.Args, " "))
	return l.String()
}

// Drive runs nghttp, and takes what it says of each request.
func (c Nghttp) Drive(ctx context.Context, e *peer.Env) error {
	args := append([]string{"-n", "-s", "--no-dep"}, c.Args...)
	for _, path := range c.Paths {
		args = append(args, "http://"+e.Goal()+path)
	}
	output, err := run(ctx, e, "nghttp", args...)
	if err != nil {
		return err
	}
	return takeStatistics(e, output)
}

// takeStatistics reads the table of nghttp: number, end, start, how long, status, octets, path. A
// plus is before times.
func takeStatistics(e *peer.Env, output string) error {
	for _, line := range strings.Split(output, "\n") {
		words := strings.Fields(strings.ReplaceAll(line, "*", " "))
		if len(words) < 7 || !strings.HasPrefix(words[1], "+") {
			continue
		}
		var r peer.Request
		end, err1 := time.ParseDuration(strings.TrimPrefix(words[1], "+"))
		start, err2 := time.ParseDuration(strings.TrimPrefix(words[2], "+"))
		if err1 != nil || err2 != nil {
			continue
		}
		r.Number = len(e.Log.Requests) + 1
		r.StartMS, r.EndMS = millis(start), millis(end)
		fmt.Sscan(words[4], &r.Status)
		e.Log.Requests = append(e.Log.Requests, r)
	}
	if len(e.Log.Requests) == 0 {
		return fmt.Errorf("nghttp printed %q", output)
	}
	return nil
}

func millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
