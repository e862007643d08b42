//go:build linux

package program

import (
	"context"
	"fmt"

	"tcpwhy/lab/internal/own"
	"tcpwhy/lab/internal/peer"
)

// Proxied is nginx in the client's namespace, between a local client and the server: what crosses
// the link is between the proxy and its upstream.
type Proxied struct {
	own.Client
	Upstream string // of the upstream block, beside the server
	Location string // of the location block, beside proxy_pass
}

// About names the version and the settings.
func (p Proxied) About() string {
	return fmt.Sprintf("%s as a reverse proxy: upstream { %s}, location { %s}; behind it %s",
		Version("nginx", "-v"), p.Upstream, p.Location, p.Client.About())
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
func (p Proxied) Drive(ctx context.Context, e *peer.Env) error {
	file, err := place(e, "proxy.conf",
		fmt.Sprintf(proxyConfig, e.Dir, e.ServerAddress(), p.Upstream, p.Location))
	if err != nil {
		return err
	}
	stop, err := startNear(ctx, e, "nginx", "-c", file, "-e", e.Dir+"/proxy.log")
	if err != nil {
		return err
	}
	defer stop()
	return p.Client.Drive(ctx, e)
}
