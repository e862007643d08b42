package reassembly

import (
	"tcpwhy/reassembly/exchange"
	"tcpwhy/reassembly/internal/dialogue"
	"tcpwhy/reassembly/internal/http1"
	"tcpwhy/reassembly/internal/http2"
	"tcpwhy/reassembly/internal/tlsrecord"
	"tcpwhy/reassembly/internal/websocket"
)

// What is known of protocols is in packages of their own; here they are named, and nowhere else.

// knownReaders are readers of all protocols that are known.
func knownReaders() exchange.Readers {
	return dialogue.New(tlsrecord.New(), http2.New(), http1.New(), websocket.New())
}

// speaks tells by the first octets of a segment which side sends them.
func speaks(data []byte) (dir Dir, known bool) {
	if dir, known = http1.Speaker(data); known {
		return dir, known
	}
	if dir, known = http2.Speaker(data); known {
		return dir, known
	}
	return tlsrecord.Speaker(data)
}
