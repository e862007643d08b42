//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/user"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// Nobody listens on nothing: connecting is refused.
type Nobody struct{}

// About says so.
func (Nobody) About() string { return "none: nothing listens on the port" }

// Start does nothing.
func (Nobody) Start(context.Context, *Env) (func(), error) { return func() {}, nil }

// Nginx is the real one, with one worker.
type Nginx struct {
	Body     int
	Settings string // of the server block: `keepalive_timeout 1s;`
	Secure   bool   // TLS, with a certificate made for the run
}

// About names the version and the settings.
func (n Nginx) About() string {
	words := fmt.Sprintf("%s; %s body of %d octets", version("nginx", "-v"), n.Settings, n.Body)
	if n.Secure {
		words += "; TLS"
	}
	return words
}

const nginxConfig = `
daemon off; master_process off; pid %[1]s/nginx.pid; error_log %[1]s/error.log;
events { worker_connections 64; }
http {
  access_log off;
  client_body_temp_path %[1]s/body; proxy_temp_path %[1]s/proxy; fastcgi_temp_path %[1]s/fastcgi;
  uwsgi_temp_path %[1]s/uwsgi; scgi_temp_path %[1]s/scgi;
  server { listen %[2]s; root %[1]s; %[3]s location / { try_files /page.txt =404; } }
}
`

// Start runs nginx in the foreground.
func (n Nginx) Start(ctx context.Context, e *Env) (func(), error) {
	if _, err := place(e, "page.txt", string(fill(n.Body))); err != nil {
		return nil, err
	}
	address, settings := e.serverAddress(), n.Settings
	if n.Secure {
		cert, key, err := securePair(e.dir)
		if err != nil {
			return nil, err
		}
		address += " ssl"
		settings += fmt.Sprintf(" ssl_certificate %s; ssl_certificate_key %s;", cert, key)
	}
	file, err := place(e, "nginx.conf", fmt.Sprintf(nginxConfig, e.dir, address, settings))
	if err != nil {
		return nil, err
	}
	return serve(ctx, e, "nginx", "-c", file, "-e", e.dir+"/error.log")
}

// Apache is the real one, with the event MPM.
type Apache struct {
	Body     int
	Settings string // of the main server, lines
}

// About names the version and the settings.
func (a Apache) About() string {
	return fmt.Sprintf(
		"%s; %s; body of %d octets",
		version("apache2", "-v"),
		strings.ReplaceAll(a.Settings, "\n", ", "),
		a.Body,
	)
}

const apacheConfig = `
ServerRoot %[1]s
ServerName server.lab
PidFile %[1]s/apache.pid
ErrorLog %[1]s/error.log
Mutex file:%[1]s
Listen %[2]s
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
User %[3]s
Group www-data
DocumentRoot %[1]s/pages
KeepAlive On
%[4]s
`

// Start runs Apache in the foreground.
func (a Apache) Start(ctx context.Context, e *Env) (func(), error) {
	if _, err := user.Lookup("www-data"); err != nil {
		return nil, fmt.Errorf("apache needs its user: %w", err)
	}
	if err := os.Chmod(e.dir, 0o755); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Join(e.dir, "pages", "item"), 0o755); err != nil {
		return nil, err
	}
	for n := range 20 {
		if _, err := place(e, fmt.Sprintf("pages/item/%d", n), string(fill(a.Body))); err != nil {
			return nil, err
		}
	}
	file, err := place(
		e,
		"apache.conf",
		fmt.Sprintf(apacheConfig, e.dir, e.serverAddress(), "www-data", a.Settings),
	)
	if err != nil {
		return nil, err
	}
	return serve(ctx, e, "apache2", "-f", file, "-DFOREGROUND")
}

// Node is node:http.
type Node struct {
	Body     int
	Settings string // statements about `server`
}

// About names the version and the settings.
func (n Node) About() string {
	return fmt.Sprintf(
		"Node %s; %s body of %d octets",
		version("node", "--version"),
		n.Settings,
		n.Body,
	)
}

const nodeServer = `
const server = require('http').createServer((request, response) => {
  request.resume();
  const body = Buffer.alloc(%d, 'x');
  response.writeHead(200, {'Content-Type': 'text/plain', 'Content-Length': body.length});
  response.end(body);
});
%s
server.listen(%d, '%s');
`

// Start runs Node.
func (n Node) Start(ctx context.Context, e *Env) (func(), error) {
	file, err := place(
		e,
		"server.js",
		fmt.Sprintf(nodeServer, n.Body, n.Settings, serverPort, e.host()),
	)
	if err != nil {
		return nil, err
	}
	return serve(ctx, e, "node", file)
}

// GoServer is net/http.
type GoServer struct {
	Body        int
	IdleTimeout time.Duration
}

// About names the version and the settings.
func (g GoServer) About() string {
	return fmt.Sprintf(
		"%s net/http; IdleTimeout %v; body of %d octets",
		runtime.Version(),
		g.IdleTimeout,
		g.Body,
	)
}

// Start serves on a listener inside the namespace.
func (g GoServer) Start(_ context.Context, e *Env) (func(), error) {
	l, err := listen(e.server, e.serverAddress(), Sockopts{})
	if err != nil {
		return nil, err
	}
	answer := func(w http.ResponseWriter, r *http.Request) { w.Write(fill(g.Body)) }
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
