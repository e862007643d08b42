package tlsrecord_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"tcpwhy/reassembly/exchange"
	"tcpwhy/reassembly/internal/readertest"
)

// Programs that speak TLS, over a proxy that records what they say.

// program needs one that is installed, and time.
func program(t *testing.T, name string) {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil || testing.Short() {
		t.Skip("takes time, and " + name)
	}
	t.Parallel()
}

// files are a certificate with its key, and a key log.
type files struct{ dir, cert, key, log string }

func newFiles(t *testing.T, cert tls.Certificate) *files {
	t.Helper()
	dir := t.TempDir()
	f := &files{dir, filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"),
		filepath.Join(dir, "keys.txt")}
	der, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string]*pem.Block{
		f.cert: {Type: "CERTIFICATE", Bytes: cert.Certificate[0]},
		f.key:  {Type: "PRIVATE KEY", Bytes: der},
	} {
		if err := os.WriteFile(name, pem.EncodeToMemory(b), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return f
}

// keys is what the log has so far.
func (f *files) keys(t *testing.T) string {
	t.Helper()
	log, err := os.ReadFile(f.log)
	if err != nil {
		t.Fatal(err)
	}
	return string(log)
}

// start runs a server until the test is over, and waits until it listens.
func start(t *testing.T, port int, name string, args ...string) {
	t.Helper()
	c := exec.Command(name, args...)
	c.Stdin, _ = os.Open(os.DevNull)
	var out strings.Builder
	c.Stderr = &out
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Process.Kill()
		c.Wait()
		if t.Failed() {
			t.Log(out.String())
		}
	})
	for range 100 {
		if conn, err := net.Dial("tcp", address(port)); err == nil {
			conn.Close()
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatal(name + " does not listen")
}

func address(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }

// freePort is one that nobody listens at.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// proxy takes one connection after another to a server, and records them.
type proxy struct {
	net.Listener
	mu    sync.Mutex
	conns []*[]readertest.Write
	busy  sync.WaitGroup
}

func newProxy(t *testing.T, port int) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{Listener: l}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", address(port))
			if err != nil {
				client.Close()
				return
			}
			log := &[]readertest.Write{}
			p.mu.Lock()
			p.conns = append(p.conns, log)
			p.mu.Unlock()
			p.busy.Go(func() { p.copy(exchange.FromClient, log, client, server) })
			p.busy.Go(func() { p.copy(exchange.FromServer, log, server, client) })
		}
	}()
	return p
}

// copy hands on what one side says.
func (p *proxy) copy(dir exchange.Dir, log *[]readertest.Write, from, to net.Conn) {
	buf := make([]byte, 1400)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			p.mu.Lock()
			*log = append(*log, readertest.Write{Dir: dir, Data: string(buf[:n])})
			p.mu.Unlock()
			to.Write(buf[:n])
		}
		if err != nil {
			to.(*net.TCPConn).CloseWrite()
			return
		}
	}
}

// port is where it listens.
func (p *proxy) port() int { return p.Addr().(*net.TCPAddr).Port }

// last is the latest connection, once it is over.
func (p *proxy) last(t *testing.T) []readertest.Write {
	t.Helper()
	p.busy.Wait()
	if len(p.conns) == 0 {
		t.Fatal("nobody has connected")
	}
	return *p.conns[len(p.conns)-1]
}

// ask runs a client with what it is to say, piece by piece, each a while after the one before, and
// then its end.
func ask(t *testing.T, pieces []string, env []string, name string, args ...string) {
	t.Helper()
	c := exec.Command(name, args...)
	c.Env = append(os.Environ(), env...)
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	c.Stdout, c.Stderr = &out, &out
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	for _, piece := range pieces {
		time.Sleep(300 * time.Millisecond)
		io.WriteString(in, piece)
	}
	watch := time.AfterFunc(10*time.Second, func() { c.Process.Kill() })
	time.Sleep(300 * time.Millisecond)
	in.Close()
	c.Wait()
	watch.Stop()
	if t.Failed() {
		t.Log(out.String())
	}
}

// getRoot is a request.
const getRoot = "GET / HTTP/1.0\r\n\r\n"

// wantOne checks that a connection was read: a request and a response with a body.
func wantOne(t *testing.T, p *readertest.Script) {
	t.Helper()
	x := p.Exchanges
	if len(x) != 1 || x[0].Method != "GET" || x[0].Target != "/" || x[0].Status != 200 ||
		x[0].Response.BodyBytes < 100 || x[0].Outcome != exchange.Complete ||
		!p.TLS.Decrypted || len(p.Caveats) > 0 {
		t.Errorf("%s%v %+v", said(p), p.Caveats, *p.TLS)
	}
}

// TestOpenSSL has what OpenSSL's programs say to each other.
func TestOpenSSL(t *testing.T) {
	ecdsa, rsa := testCertificate(t), rsaCertificate(t)
	for _, tt := range []struct {
		name, server, client string
		pieces               []string
		rsa                  bool
	}{
		{name: "CCM", server: "-tls1_2", client: "-cipher ECDHE-ECDSA-AES128-CCM"},
		{name: "CCM_8", server: "-tls1_2", client: "-cipher ECDHE-ECDSA-AES256-CCM8"},
		{name: "CCM of 1.3", server: "-ciphersuites TLS_AES_128_CCM_SHA256",
			client: "-ciphersuites TLS_AES_128_CCM_SHA256"},
		{name: "CCM_8 of 1.3", server: "-ciphersuites TLS_AES_128_CCM_8_SHA256",
			client: "-ciphersuites TLS_AES_128_CCM_8_SHA256"},
		{name: "encrypt-then-MAC", server: "-tls1_2", client: "-cipher ECDHE-ECDSA-AES256-SHA384"},
		{name: "encrypt-then-MAC with SHA-1", server: "-tls1_2",
			client: "-cipher ECDHE-ECDSA-AES128-SHA"},
		{name: "encrypt-then-MAC of 1.1", server: "-tls1_1", client: "-tls1_1"},
		{name: "encrypt-then-MAC of 1.0", server: "-tls1", client: "-tls1"},
		{name: "DHE", server: "-tls1_2", client: "-cipher DHE-RSA-AES256-GCM-SHA384", rsa: true},
		{name: "another hello", server: "-groups P-384", client: "-groups X25519:P-384"},
		{name: "key update", client: "-tls1_3",
			pieces: []string{"K\n", "GET / HTTP/1.0\r\n", "K\n", "X: y\r\n", "k\n", "\r\n"}},
		{name: "padding", server: "-record_padding 512", client: "-record_padding 100"},
		{name: "small records", server: "-split_send_frag 512 -max_send_frag 512"},
		{name: "renegotiation", server: "-tls1_2 -client_renegotiation",
			pieces: []string{"GET / HTTP/1.0\r\n", "R\n", "\r\n"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			program(t, "openssl")
			cert := ecdsa
			if tt.rsa {
				cert = rsa
			}
			f, port := newFiles(t, cert), freePort(t)
			const weak = "-cipher ALL:@SECLEVEL=0"
			args := fmt.Sprintf(
				"s_server -accept %d -cert %s -key %s -www %s %s",
				port,
				f.cert,
				f.key,
				weak,
				tt.server,
			)
			start(t, port, "openssl", strings.Fields(args)...)
			p := newProxy(t, port)
			args = fmt.Sprintf(
				"s_client -connect %s -keylogfile %s -ign_eof %s %s",
				address(p.port()),
				f.log,
				weak,
				tt.client,
			)
			args = strings.ReplaceAll(
				args,
				"-ign_eof "+weak+" -cipher ",
				"-ign_eof -cipher @SECLEVEL=0:",
			)
			if tt.pieces == nil {
				tt.pieces = []string{getRoot}
			} else {
				args = strings.Replace(args, "-ign_eof", "", 1)
			}
			ask(t, tt.pieces, nil, "openssl", strings.Fields(args)...)
			log := p.last(t)
			for _, chop := range []int{0, 1} {
				wantOne(t, read(log, chop, f.keys(t)))
			}
		})
	}
}

// TestResumedWithoutALine resumes sessions of TLS 1.2, of which the log has only the first, and of
// 1.3.
func TestResumedWithoutALine(t *testing.T) {
	for _, options := range []string{"-tls1_2", "-tls1_2 -no_ticket", "-tls1_3"} {
		t.Run(options, func(t *testing.T) {
			program(t, "openssl")
			f, port := newFiles(t, testCertificate(t)), freePort(t)
			args := fmt.Sprintf("s_server -accept %d -cert %s -key %s -www %s", port, f.cert, f.key,
				options)
			start(t, port, "openssl", strings.Fields(args)...)
			p := newProxy(t, port)
			session := filepath.Join(f.dir, "session")
			for _, use := range []string{"-sess_out", "-sess_in"} {
				args := fmt.Sprintf("s_client -connect %s -keylogfile %s -ign_eof %s %s %s",
					address(p.port()), f.log, options, use, session)
				ask(t, []string{getRoot}, nil, "openssl", strings.Fields(args)...)
			}
			first, _, _ := strings.Cut(f.keys(t), "CLIENT_RANDOM ")
			line, _, _ := strings.Cut(strings.TrimPrefix(f.keys(t), first), "\n")
			keys := line + "\n"
			if options == "-tls1_3" {
				keys = f.keys(t)
			}
			q := read(p.last(t), 0, keys)
			wantOne(t, q)
			if !q.TLS.Resumed {
				t.Error("it has not resumed the session")
			}
		})
	}
}

// TestGnuTLS has what GnuTLS's programs say to each other.
func TestGnuTLS(t *testing.T) {
	for _, priority := range []string{
		"NORMAL", "NORMAL:-VERS-ALL:+VERS-TLS1.2",
		"NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-256-CBC",
		"NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-256-CCM-8",
		"NORMAL:-VERS-ALL:+VERS-TLS1.1:-CIPHER-ALL:+AES-128-CBC",
		"NORMAL:-VERS-ALL:+VERS-TLS1.0:-CIPHER-ALL:+AES-128-CBC",
		"NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+CHACHA20-POLY1305",
	} {
		t.Run(priority, func(t *testing.T) {
			program(t, "gnutls-serv")
			f, port := newFiles(t, testCertificate(t)), freePort(t)
			args := fmt.Sprintf(
				"-q --http -p %d --x509certfile %s --x509keyfile %s --priority %s",
				port,
				f.cert,
				f.key,
				priority,
			)
			start(t, port, "gnutls-serv", strings.Fields(args)...)
			p := newProxy(t, port)
			args = fmt.Sprintf("--insecure -p %d 127.0.0.1 --priority %s", p.port(), priority)
			ask(t, []string{getRoot}, []string{"SSLKEYLOGFILE=" + f.log}, "gnutls-cli",
				strings.Fields(args)...)
			wantOne(t, read(p.last(t), 0, f.keys(t)))
		})
	}
}

// TestEarlyData has nginx take early data, or refuse it.
func TestEarlyData(t *testing.T) {
	for _, accepts := range []bool{true, false} {
		t.Run(fmt.Sprint(accepts), func(t *testing.T) {
			program(t, "nginx")
			f, port := newFiles(t, testCertificate(t)), freePort(t)
			startNginx(t, f, port)
			p := newProxy(t, port)
			session, asked := filepath.Join(f.dir, "session"), filepath.Join(f.dir, "early")
			if err := os.WriteFile(asked, []byte(getRoot), 0o600); err != nil {
				t.Fatal(err)
			}
			args := fmt.Sprintf("s_client -connect %s -keylogfile %s -ign_eof -tls1_3",
				address(p.port()), f.log)
			ask(t, []string{getRoot}, nil, "openssl", strings.Fields(args+" -sess_out "+session)...)
			pieces := []string(nil)
			if !accepts { // another group than the server's: it asks for another hello
				args += " -groups X448:X25519"
				pieces = []string{getRoot}
			}
			args += " -sess_in " + session + " -early_data " + asked
			ask(t, pieces, nil, "openssl", strings.Fields(args)...)
			log := p.last(t)
			for _, chop := range []int{0, 1} {
				q := read(log, chop, f.keys(t))
				wantOne(t, q)
				if !q.TLS.OffersEarly || q.TLS.HelloRetry == accepts {
					t.Errorf("early data %v, another hello %v", q.TLS.OffersEarly, q.TLS.HelloRetry)
				}
			}
			if accepts { // not all of the secrets: then the request is not known, and the rest is
				keys := without(f.keys(t), "CLIENT_EARLY_TRAFFIC_SECRET")
				q := read(log, 0, keys)
				if len(q.Exchanges) != 1 || q.Exchanges[0].Status != 200 ||
					q.Exchanges[0].Method != "" {
					t.Errorf("without the early secret: %s%v", said(q), q.Caveats)
				}
			}
		})
	}
}

// without is a log without the lines that have a word.
func without(log, word string) string {
	var out strings.Builder
	for line := range strings.Lines(log) {
		if !strings.Contains(line, word) {
			out.WriteString(line)
		}
	}
	return out.String()
}

// startNginx has it serve files, and take early data.
func startNginx(t *testing.T, f *files, port int) {
	t.Helper()
	text := fmt.Sprintf(`daemon off; master_process off; pid %[1]s/pid; error_log %[1]s/errors;
events {} http { access_log off; client_body_temp_path %[1]s/body; proxy_temp_path %[1]s/proxy;
fastcgi_temp_path %[1]s/fastcgi; uwsgi_temp_path %[1]s/uwsgi; scgi_temp_path %[1]s/scgi;
server { listen 127.0.0.1:%[2]d ssl; ssl_certificate %[3]s; ssl_certificate_key %[4]s;
ssl_protocols TLSv1.3; ssl_early_data on; ssl_ecdh_curve X25519; keepalive_timeout 0;
location / { return 200 "%[5]s"; } } }`, f.dir, port, f.cert, f.key, strings.Repeat("content ", 50))
	config := filepath.Join(f.dir, "nginx.conf")
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	start(t, port, "nginx", "-c", config, "-p", f.dir)
}
