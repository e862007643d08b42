//go:build linux

package program

import (
	"context"
	"fmt"

	"tcpwhy/lab/internal/peer"
	"tcpwhy/lab/internal/world"
)

// Script is a client program that prints one request of the log as JSON on each line. Text gets the
// server's host and port as %[1]s and %[2]d.
type Script struct {
	Words   string // about it
	Program string // node or python3
	Text    string
}

// About names the version.
func (s Script) About() string { return Version(s.Program, "--version") + " " + s.Words }

// Drive runs the program.
func (s Script) Drive(ctx context.Context, e *peer.Env) error {
	file, err := place(e, "client.script", fmt.Sprintf(s.Text, e.Host(), world.ServerPort))
	if err != nil {
		return err
	}
	return runClient(ctx, e, s.Program, file)
}

// NodeScript is a server program of Node. Text gets a limit, the port and the host as %d, %d and
// %s.
type NodeScript struct {
	Words string // about it
	Text  string
	Limit int
}

// About names the version.
func (s NodeScript) About() string { return "Node " + Version("node", "--version") + " " + s.Words }

// Start runs Node.
func (s NodeScript) Start(ctx context.Context, e *peer.Env) (func(), error) {
	file, err := place(e, "server.js", fmt.Sprintf(s.Text, s.Limit, world.ServerPort, e.Host()))
	if err != nil {
		return nil, err
	}
	return serve(ctx, e, "node", file)
}
