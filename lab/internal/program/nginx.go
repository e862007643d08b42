//go:build linux

package program

import (
	"context"
	"fmt"

	"tcpwhy/lab/internal/peer"
)

// Nginx is the real one, with one worker.
type Nginx struct {
	Body     int
	Settings string // of the server block: `keepalive_timeout 1s;`
	Secure   bool   // TLS, with a certificate made for the run
}

// About names the version and the settings.
func (n Nginx) About() string {
	words := fmt.Sprintf("%s; %s body of %d octets", Version("nginx", "-v"), n.Settings, n.Body)
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
func (n Nginx) Start(ctx context.Context, e *peer.Env) (func(), error) {
	if _, err := place(e, "page.txt", string(peer.Fill(n.Body))); err != nil {
		return nil, err
	}
	address, settings := e.ServerAddress(), n.Settings
	if n.Secure {
		cert, key, err := peer.CertificateFiles(e.Dir)
		if err != nil {
			return nil, err
		}
		address += " ssl"
		settings += fmt.Sprintf(" ssl_certificate %s; ssl_certificate_key %s;", cert, key)
	}
	file, err := place(e, "nginx.conf", fmt.Sprintf(nginxConfig, e.Dir, address, settings))
	if err != nil {
		return nil, err
	}
	return serve(ctx, e, "nginx", "-c", file, "-e", e.Dir+"/error.log")
}
