package exchange

// Dir is the direction of a segment within its connection.
type Dir uint8

const (
	FromClient Dir = iota // sent by the client, the side that opened the connection
	FromServer            // sent by the server
)

// Peer is the other direction.
func (d Dir) Peer() Dir { return d ^ 1 }

// String is "client" or "server".
func (d Dir) String() string {
	if d == FromServer {
		return "server"
	}
	return "client"
}

// ParseDir is the direction of what that side sends, "client" or "server"; false if it is neither.
func ParseDir(side string) (Dir, bool) {
	switch side {
	case FromClient.String():
		return FromClient, true
	case FromServer.String():
		return FromServer, true
	}
	return FromClient, false
}
