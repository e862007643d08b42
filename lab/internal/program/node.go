//go:build linux

package program

import (
	"context"
	"fmt"

	"tcpwhy/lab/internal/peer"
	"tcpwhy/lab/internal/world"
)

// Node is node:http.
type Node struct {
	Body     int
	Settings string // statements about `server`
}

// About names the version and the settings.
func (n Node) About() string {
	return fmt.Sprintf("Node %s; %s body of %d octets",
		Version("node", "--version"), n.Settings, n.Body)
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
func (n Node) Start(ctx context.Context, e *peer.Env) (func(), error) {
	file, err := place(e, "server.js",
		fmt.Sprintf(nodeServer, n.Body, n.Settings, world.ServerPort, e.Host()))
	if err != nil {
		return nil, err
	}
	return serve(ctx, e, "node", file)
}
