//go:build linux

package own

import (
	"context"
	"errors"
	"net"
	"time"

	"tcpwhy/lab/internal/peer"
)

// Server is a server on bare sockets, where every write, option and close is the scenario's.
type Server struct {
	peer.Sockopts
	TLS      bool
	Names    int           // further names in the certificate, of 40 octets each
	Think    time.Duration // between reading the request and writing the response
	Body     int           // octets of the response's body
	Chunked  bool          // each piece of the body is a chunk, and an empty one ends it
	Cork     bool          // TCP_CORK from before the first write until after the last
	KeepCork bool          // TCP_CORK from the first write on, and never released
	Outlier
	Response
	Writes
	Reads
	Keeping
	Refusal
	Cuts
	Accepting
}

// Outlier is a request that takes the server longer than the others.
type Outlier struct {
	LongThink time.Duration // over the first request of all; 0 is Think
	LongEvery int           // and over every so many after it; 0 is never again
}

// Response is what a server says, beside the length of the body.
type Response struct {
	Version string // of the status line; "" is HTTP/1.1
	Header  string // further header lines, each with CRLF
	// status of the nth response on a connection, as in "404 Not Found", and of all after the last;
	// none is 200 OK
	Statuses       []string
	Excess         int  // so many octets of the body are sent and not announced
	Large          int  // octets of the body of what lies below /large
	CloseDelimited bool // no Content-Length: the end of the connection ends the body
	Continue       bool // answers Expect: 100-continue
	Twice          bool // sends every response a second time, which nobody asked for
}

// Keeping is how long a server keeps a connection, and how it ends one in which nothing is amiss.
type Keeping struct {
	// closes after so many on a connection, with Connection: close on the last; 0 is never
	Requests    int
	Idle        time.Duration // closes a connection that was idle so long; 0 is never
	Linger      bool          // SO_LINGER 0: close resets, right after the response
	LingerAfter time.Duration // the same, after so long an idle time
	CloseAfter  time.Duration // closes so late after a response without length
	HangUp      bool          // closes without an answer if the client shut its sending side
}

// Refusal is an answer to a request that is not read to its end.
type Refusal struct {
	// answer so (413) as soon as the header was read, and close without reading the body; 0 never
	Refuse int
	// after Refuse: shut the sending side and read to the end before closing
	Drain bool
}

// Cuts end a response in its middle; 0 is never.
type Cuts struct {
	CutHead    bool // close in order in the middle of the response's header
	AbortAfter int  // reset the connection after so many octets of the body
	CutAfter   int  // close the connection in order after so many octets of the body
	CutStream  int  // the same after so many octets in all, within a TLS record
}

// Accepting is how a server takes connections from its queue; the zero value takes them at once.
type Accepting struct {
	Backlog     int           // of listen(2); 0 is the system's
	AcceptAfter time.Duration // accepts nobody for so long
	AcceptEvery time.Duration // and then one connection each time
}

// Start listens and serves until stopped; stop returns when every connection has been closed.
func (s Server) Start(ctx context.Context, e *peer.Env) (func(), error) {
	l, err := peer.Listen(e.Server, e.ServerAddress(), s.Sockopts)
	if err != nil {
		return nil, err
	}
	run := &serverRun{Server: s, sees: &e.Sees, open: &openConns{conns: make(map[net.Conn]bool)}}
	if s.TLS {
		cert, err := peer.Certificate(s.Names)
		if err != nil {
			return nil, errors.Join(err, l.Close())
		}
		run.cert = &cert
	}
	ctx, cancel := context.WithCancel(ctx)
	if s.Backlog > 0 {
		setBacklog(l, s.Backlog)
	}
	run.open.wait.Add(1)
	go func() {
		defer run.open.wait.Done()
		peer.Pause(ctx, s.AcceptAfter)
		run.accept(ctx, l)
	}()
	return func() { cancel(); l.Close(); run.open.closeAll() }, nil
}
