// Package tlsrecord reads TLS as far as it is in the clear: records and hellos.
package tlsrecord

import "tcpwhy/reassembly/exchange"

// recogniser recognises TLS, and makes its readers.
type recogniser struct{ buffers }

// New recognises TLS.
func New() exchange.Recogniser { return &recogniser{} }

// Protocol is TLS.
func (*recogniser) Protocol() exchange.Protocol { return exchange.ProtoTLS }

// Opening looks for a hello, or for application data if the capture began later.
func (*recogniser) Opening(_ exchange.Dir, data []byte) exchange.Verdict {
	kind := data[0]
	if kind != handshakeRecord && kind != dataRecord {
		return exchange.Foreign
	}
	if len(data) > 1 && data[1] != 3 || len(data) > 2 && data[2] > 4 {
		return exchange.Foreign
	}
	if len(data) <= recordHeader {
		return exchange.Unsure
	}
	hello := data[recordHeader]
	late := kind == dataRecord && data[2] == 3
	if startsRecord(data) && (late || hello == clientHelloType || hello == serverHelloType) {
		return exchange.Certain
	}
	return exchange.Foreign
}

// Resumes looks for a record.
func (*recogniser) Resumes(_ exchange.Dir, data []byte) bool { return startsRecord(data) }

// Reader makes a reader. Where others read before, records are looked for on both sides, and the
// handshake is taken to be over.
func (p *recogniser) Reader(c *exchange.Context, from *exchange.Takeover) exchange.Reader {
	t := &reader{c: c, from: p, info: &exchange.TLSInfo{}}
	t.turns.Read(c, from)
	t.side[exchange.FromServer].dir = exchange.FromServer
	c.Protocol, c.TLS = exchange.ProtoTLS, t.info
	if from != nil {
		c.Caveats.Add(exchange.CaveatTLSGap)
		t.finished = true
		t.side[0].lost, t.side[1].lost = true, true
	}
	return t
}

// startsRecord reports whether data begins with a plausible record header.
func startsRecord(data []byte) bool {
	if len(data) < recordHeader {
		return false
	}
	size := int(data[3])<<8 | int(data[4])
	return data[0] >= changeCipherRecord && data[0] <= heartbeatRecord && data[1] == 3 &&
		data[2] <= 4 &&
		size > 0 &&
		size <= maxRecord
}

// Speaker tells by the first octets of a segment which side sends them: whose hello a handshake
// record holds (RFC 8446 §5.1).
func Speaker(data []byte) (dir exchange.Dir, known bool) {
	if len(data) <= recordHeader || data[0] != handshakeRecord || data[1] != 3 {
		return exchange.FromClient, false
	}
	switch data[recordHeader] {
	case clientHelloType:
		return exchange.FromClient, true
	case serverHelloType:
		return exchange.FromServer, true
	}
	return exchange.FromClient, false
}
