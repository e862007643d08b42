//go:build linux

package program

import (
	"context"
	"fmt"
	"strings"

	"tcpwhy/lab/internal/own"
	"tcpwhy/lab/internal/peer"
)

// Balanced is HAProxy in the client's namespace, between a local client and the server: what
// crosses the link is between the proxy and its server.
type Balanced struct {
	own.Client
	Settings string // of the backend, lines
}

// About names the version and the settings.
func (b Balanced) About() string {
	return fmt.Sprintf("%s as a reverse proxy; backend: %s; behind it %s",
		Version("haproxy", "-v"), strings.ReplaceAll(b.Settings, "\n", ", "), b.Client.About())
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
func (b Balanced) Drive(ctx context.Context, e *peer.Env) error {
	file, err := place(e, "haproxy.conf", fmt.Sprintf(haproxyConfig, e.ServerAddress(), b.Settings))
	if err != nil {
		return err
	}
	stop, err := startNear(ctx, e, "haproxy", "-db", "-f", file)
	if err != nil {
		return err
	}
	defer stop()
	return b.Client.Drive(ctx, e)
}
