package exchange

import "slices"

// Protocol is what the connection speaks.
type Protocol uint8

const (
	ProtoUnknown   Protocol = iota // no data yet, or nothing known: exchanges are turns
	ProtoHTTP1                     // exchanges are HTTP/1 messages
	ProtoTLS                       // exchanges are turns of application-data records
	ProtoHTTP2                     // HTTP/2: exchanges are streams
	ProtoTunnel                    // after CONNECT or an upgrade: turns
	ProtoWebSocket                 // after an upgrade: messages by turns, or as they come
)

var protocolNames = [...]string{"unknown", "http/1", "tls", "http/2", "tunnel", "websocket"}

// String is the protocol's name in reports.
func (p Protocol) String() string { return protocolNames[p] }

// ParseProtocol is the protocol of that name in reports; false if there is none.
func ParseProtocol(name string) (Protocol, bool) {
	i := slices.Index(protocolNames[:], name)
	return Protocol(max(i, 0)), i >= 0
}
