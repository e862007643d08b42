//go:build linux

// Package own has the lab's own client and server on bare sockets, where every write, option and
// close is the scenario's.
package own

import (
	"context"
	"sync"
	"time"

	"tcpwhy/lab/internal/peer"
)

// Client is a client on bare sockets.
type Client struct {
	peer.Sockopts
	TLS      bool
	Count    int           // requests, one after the other; with Parallel, on each connection
	Parallel int           // so many connections at the same time; 0 is one
	Pipeline bool          // send all requests, then read all responses
	Interval time.Duration // from the end of a response to the next request
	Uneven   bool          // that is between once and five times as long
	Body     int           // octets of the request's body; 0 is a GET
	Request
	Writes
	Pool
	Reads
	Ending
}

// Request is what a client asks for, beside the length of the body.
type Request struct {
	Version    string // "" is HTTP/1.1
	Header     string // further header lines, each with CRLF
	Path       string // asks below it; "" is /item
	SameTarget bool   // asks for the same thing every time
	// the body as it stands, if not the usual text; Body is its announced length
	Text  string
	Short int    // so many octets of the body are announced and never sent
	Raw   string // sent as it stands in place of a request
}

// Pool is when a client opens connections, and which one it takes.
type Pool struct {
	Fresh      bool          // a new connection for every request
	KeepOld    bool          // with Fresh: older connections stay open and idle
	Preconnect time.Duration // connect so long before the first request is wanted
	// so many connections are opened in advance, with Preconnect, and used in turn
	Rotate   int
	Spare    int           // so many connections are opened before and never used
	SpareFor time.Duration // and closed again so soon, one after the other; 0 is at the end
	// sends on a kept connection without looking whether the server closed it
	Blind       bool
	IgnoreClose bool // use a connection again whose close was announced
	// a request that fails is sent once more on a new connection, as part of the same request
	Retry    bool
	Patience time.Duration // for a connection to be there; 0 is 10 s
}

// Ending is how a client lets go of a response, and of its connection.
type Ending struct {
	AbortAfter int // close with SO_LINGER 0 after so many octets of the body
	// silence after which a response is not waited for any more; 0 is 20 s
	GiveUp    time.Duration
	ResetEnd  bool // close with SO_LINGER 0
	HalfClose bool // shut the sending side after the last request
	// after a response that says close, wait so long for the server to close
	AwaitClose time.Duration
	Linger     time.Duration // stay so long after the last response before closing
}

// Drive sends the requests.
func (c Client) Drive(ctx context.Context, e *peer.Env) error {
	var wait sync.WaitGroup
	numbers := &connNumbers{}
	for range max(c.Parallel, 1) {
		wait.Add(1)
		go func() {
			defer wait.Done()
			one := clientRun{Client: c, env: e, numbers: numbers}
			one.drive(ctx)
		}()
	}
	wait.Wait()
	return ctx.Err()
}
