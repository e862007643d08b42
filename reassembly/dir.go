package reassembly

import "tcpwhy/reassembly/exchange"

// Dir is the direction of a segment within its connection, and of what is said there.
type Dir = exchange.Dir

// The directions.
const (
	FromClient = exchange.FromClient
	FromServer = exchange.FromServer
)

// ParseDir is the direction of what that side sends, "client" or "server"; false if it is neither.
func ParseDir(side string) (Dir, bool) { return exchange.ParseDir(side) }
