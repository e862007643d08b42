package dialogue

import (
	"bytes"
	"encoding/binary"

	"tcpwhy/reassembly/exchange"
)

// What a client says to a proxy of SOCKS before it speaks with whom the proxy connects it to. It is
// a dialogue in turns; what follows it is recognised as if the connection began there.

// greetingMost is how many octets a client's part of it has at most: the methods that it offers, a
// name and a password, and the request (RFC 1928 §3, RFC 1929 §2, RFC 1928 §4).
const greetingMost = 2 + 255 + 3 + 255 + 255 + 7 + 255

// greets reports whether the beginning of dir's stream greets a proxy: it must be all that the
// client says until it is answered.
func greets(dir exchange.Dir, data []byte) bool {
	return dir == exchange.FromClient && (greets5(data) || greets4(data))
}

// greets5 knows version 5 (RFC 1928 §3): a list of methods, nothing else.
func greets5(data []byte) bool {
	const version, head = 5, 2
	return len(data) > head && data[0] == version && len(data) == head+int(data[1])
}

// greets4 knows version 4: connect or bind, port, address, and a user's name up to a zero; 4A has
// the name of a host behind that.
func greets4(data []byte) bool {
	const version, connect, bind, head = 4, 1, 2, 8
	return len(data) > head && len(data) <= greetingMost && data[0] == version &&
		(data[1] == connect || data[1] == bind) && data[len(data)-1] == 0
}

// A proxy may tell in front of everything else for whom it connects (the PROXY protocol of HAProxy,
// proxy-protocol.txt, versions 1 and 2). That is no part of what is said.
const (
	introducer1     = "PROXY "
	introducer2     = "\r\n\r\n\x00\r\nQUIT\n"
	introduction1   = 107 // octets of version 1 at most, with its line end
	introduction2   = 16  // of version 2, before what its last two give the length of
	introductionMax = 536 // of either, as both want it in one segment of any size
)

// introduced is how many octets at the beginning of dir's stream introduce a client of a proxy.
func introduced(dir exchange.Dir, data []byte) int {
	switch {
	case dir != exchange.FromClient:
	case bytes.HasPrefix(data, []byte(introducer1)):
		line := data[:min(len(data), introduction1)]
		if end := bytes.Index(line, []byte("\r\n")); end > 0 {
			return end + 2
		}
	case bytes.HasPrefix(data, []byte(introducer2)) && len(data) >= introduction2:
		n := introduction2 + int(binary.BigEndian.Uint16(data[introduction2-2:]))
		if n <= min(len(data), introductionMax) {
			return n
		}
	}
	return 0
}
