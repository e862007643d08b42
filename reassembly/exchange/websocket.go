package exchange

import (
	"time"

	"tcpwhy/capture"
)

// WebSocket is what a WebSocket showed (RFC 6455): what passed on a connection after 101, or on a
// stream of HTTP/2 (RFC 8441).
type WebSocket struct {
	Opening int              // Index of the exchange that asked for it
	Stream  uint32           // 0: it has the connection for itself
	Sides   [2]WebSocketSide // by the Dir of the sender
	Lost    bool             // the capture lacks heads of frames: what came then is not known
	// Ended is the FIN or RST of the connection, or the end of the stream, that came first, by
	// whom; no frame: none came.
	Ended Ending
}

// WebSocketSide is what one side said.
type WebSocketSide struct {
	Messages int          // that have begun
	Largest  int64        // octets of the largest frame of data, as announced
	Pings    int          // without those that answer
	Latest   capture.Mark // the last octet of the latest frame; no frame: it said nothing
	Close    WebSocketClose
	// PingTrips are the least and the longest time from a Ping of this side to its Pong as they
	// passed the capture; 0: none.
	PingTrips [2]time.Duration
}

// WebSocketClose is a Close frame (RFC 6455 §5.5.1).
type WebSocketClose struct {
	At   capture.Mark // no frame: there was none
	Code int          // NoCloseCode if it gave none
}

// Close codes that are looked at by number (RFC 6455 §7.4.1).
const (
	NormalClose = 1000
	GoingAway   = 1001
	NoCloseCode = 1005
)

// Ending is how one side ended a WebSocket's connection or stream.
type Ending struct {
	At    capture.Mark
	By    Dir
	Reset bool // by RST or RST_STREAM
}

// maxWebSockets caps those of one connection that are kept.
const maxWebSockets = 256

// AddWebSocket adds one that begins; of too many the latest are not kept.
func (t *Transcript) AddWebSocket(w *WebSocket) {
	if len(t.WebSockets) < maxWebSockets {
		t.WebSockets = append(t.WebSockets, w)
	}
}
