//go:build linux

package program

import (
	"context"
	"fmt"

	"tcpwhy/lab/internal/peer"
	"tcpwhy/lab/internal/world"
)

// Tunnelled is Apache as a forward proxy, and behind it, on the same host, nginx with TLS: what
// crosses the link are tunnels.
type Tunnelled struct{ Nginx }

// behindPort is where nginx listens, on the loopback interface of the server's namespace.
const behindPort = 8443

// About names the versions and the settings.
func (t Tunnelled) About() string {
	return fmt.Sprintf("%s as a forward proxy; behind it %s", Version("apache2", "-v"),
		t.Nginx.About())
}

// Start runs both.
func (t Tunnelled) Start(ctx context.Context, e *peer.Env) (func(), error) {
	if _, err := place(e, "page.txt", string(peer.Fill(t.Body))); err != nil {
		return nil, err
	}
	cert, key, err := peer.CertificateFiles(e.Dir)
	if err != nil {
		return nil, err
	}
	address := fmt.Sprintf("127.0.0.1:%d ssl", behindPort)
	settings := t.Settings + fmt.Sprintf(" ssl_certificate %s; ssl_certificate_key %s;", cert, key)
	file, err := place(e, "nginx.conf", fmt.Sprintf(nginxConfig, e.Dir, address, settings))
	if err != nil {
		return nil, err
	}
	stop, err := startListening(ctx, e.Server, behindPort, "nginx", "-c", file,
		"-e", e.Dir+"/error.log")
	if err != nil {
		return nil, err
	}
	const modules = "/usr/lib/apache2/modules/mod_proxy"
	proxy := Apache{Body: 10, Settings: fmt.Sprintf("LoadModule proxy_module %[1]s.so\n"+
		"LoadModule proxy_connect_module %[1]s_connect.so\nProxyRequests On\nAllowCONNECT %[2]d",
		modules, behindPort)}
	stopProxy, err := proxy.Start(ctx, e)
	if err != nil {
		stop()
		return nil, err
	}
	return func() { stopProxy(); stop() }, nil
}

// ThroughProxy is curl that asks what is behind such a proxy.
type ThroughProxy struct{ Curl }

// About names the version.
func (t ThroughProxy) About() string { return t.Curl.About() + ", through the proxy" }

// Drive runs it.
func (t ThroughProxy) Drive(ctx context.Context, e *peer.Env) error {
	own := &peer.Env{World: e.World, Dir: e.Dir, V6: e.V6, Log: e.Log}
	own.Target = fmt.Sprintf("127.0.0.1:%d", behindPort)
	c := t.Curl
	c.Args = append(
		[]string{"--noproxy", "", "--proxytunnel", "-x", fmt.Sprintf("http://%s:%d", e.Host(),
			world.ServerPort)},
		c.Args...)
	return c.Drive(ctx, own)
}
