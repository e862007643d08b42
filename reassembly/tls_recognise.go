package reassembly

// tlsRecords recognises TLS, and makes its readers.
type tlsRecords struct{}

// newTLSRecords recognises TLS.
func newTLSRecords() Recogniser { return tlsRecords{} }

// Protocol is TLS.
func (tlsRecords) Protocol() Protocol { return ProtoTLS }

// Opening looks for a hello, or for application data if the capture began later.
func (tlsRecords) Opening(_ Dir, data []byte) Verdict { return recogniseTLS(data) }

// Resumes looks for a record.
func (tlsRecords) Resumes(_ Dir, data []byte) bool { return startsRecord(data) }

// Reader makes a reader. Where others read before, records are looked for on both sides, and the
// handshake is taken to be over.
func (tlsRecords) Reader(c *Context, from *Takeover) Reader {
	t := &tlsApp{c: c, info: &TLSInfo{}}
	t.turns.Read(c, from)
	t.side[FromServer].dir = FromServer
	c.Protocol, c.TLS = ProtoTLS, t.info
	if from != nil {
		c.Caveats.Add(CaveatTLSGap)
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

// recogniseTLS judges the beginning of a stream: a hello, or application data if the capture began
// later.
func recogniseTLS(data []byte) Verdict {
	kind := data[0]
	if kind != handshakeRecord && kind != dataRecord {
		return Foreign
	}
	if len(data) > 1 && data[1] != 3 || len(data) > 2 && data[2] > 4 {
		return Foreign
	}
	if len(data) <= recordHeader {
		return Unsure
	}
	hello := data[recordHeader]
	if startsRecord(data) &&
		(kind == dataRecord && data[2] == 3 || hello == clientHelloType || hello == serverHelloType) {
		return Certain
	}
	return Foreign
}
