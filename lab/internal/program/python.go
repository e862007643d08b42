//go:build linux

package program

import (
	"context"
	"fmt"

	"tcpwhy/lab/internal/peer"
	"tcpwhy/lab/internal/world"
)

// Python is http.server of Python's library, speaking HTTP/1.1 unless Old.
type Python struct {
	Body    int
	NoDelay bool // disable_nagle_algorithm of socketserver
	Old     bool // its default, HTTP/1.0, which closes after every response
}

// About names the version.
func (p Python) About() string {
	return fmt.Sprintf(
		"%s http.server, protocol_version %s, body of %d octets, disable_nagle_algorithm=%v",
		Version("python3", "--version"),
		p.protocol(),
		p.Body,
		p.NoDelay,
	)
}

func (p Python) protocol() string {
	if p.Old {
		return "HTTP/1.0"
	}
	return "HTTP/1.1"
}

const pythonServer = `
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "%s"
    disable_nagle_algorithm = %s
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", "%d")
        self.end_headers()
        self.wfile.write(b"x" * %d)
    def log_message(self, *args):
        pass
http.server.ThreadingHTTPServer(("%s", %d), Handler).serve_forever()
`

// Start runs the server.
func (p Python) Start(ctx context.Context, e *peer.Env) (func(), error) {
	nagle := "False"
	if p.NoDelay {
		nagle = "True"
	}
	file, err := place(e, "server.py",
		fmt.Sprintf(pythonServer, p.protocol(), nagle, p.Body, p.Body, e.Host(), world.ServerPort))
	if err != nil {
		return nil, err
	}
	return serve(ctx, e, "python3", file)
}

// PythonClient is http.client of Python's library on one connection.
type PythonClient struct {
	Count, Body int
}

// About names the version.
func (p PythonClient) About() string {
	return fmt.Sprintf("%s http.client, %d POST requests with a body of %d octets",
		Version("python3", "--version"), p.Count, p.Body)
}

const pythonClient = `
import http.client, json, time
conn = http.client.HTTPConnection("%s", %d)
start = time.time()
for n in range(%d):
    began = time.time()
    conn.request("POST", "/item", body=b"x" * %d)
    response = conn.getresponse()
    body = response.read()
    print(json.dumps({"number": n + 1, "connection": 1, "start_ms": (began - start) * 1e3,
        "end_ms": (time.time() - start) * 1e3, "status": response.status, "bytes": len(body)}))
`

// Drive runs the client and takes its log.
func (p PythonClient) Drive(ctx context.Context, e *peer.Env) error {
	file, err := place(e, "client.py",
		fmt.Sprintf(pythonClient, e.Host(), world.ServerPort, p.Count, p.Body))
	if err != nil {
		return err
	}
	return runClient(ctx, e, "python3", file)
}
