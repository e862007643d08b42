package reassembly

import (
	"bytes"

	"tcpwhy/capture"
)

// maxHeld caps the octets that are held until the protocol is known.
const maxHeld = 2048

// dialogue finds out what a connection speaks, by content alone: a port proves nothing. Then inner
// reads it.
type dialogue struct {
	c     *Conn
	spare *pool
	inner app
	turns *turns // inner, while nothing better is known
	open  bool   // a protocol may still be recognised at the beginning of a later segment
	lossy bool   // because the capture lacks the beginning; else only by what the server says first
	held  [2]opening
	first Dir // whose opening came first, if both are held
}

// opening is the beginning of one direction, held until it tells the protocol.
type opening struct {
	data   []byte
	off    int64
	came   arrival
	record int
}

// newApp reads connection c, with memory that spare has for it.
func newApp(c *Conn, spare *pool) app { return spare.dialogue(c) }

// verdict is what the beginning of a stream tells.
type verdict uint8

const (
	foreign verdict = iota // nothing that is known
	unsure                 // more octets are needed
	isHTTP
	isTLS
	isHTTP2
)

// Data recognises the protocol, or hands the octets on.
func (d *dialogue) Data(dir Dir, off int64, data []byte, seen, at capture.Mark) {
	if d.inner != nil {
		if d.open {
			d.reconsider(dir, off, data)
		}
		d.inner.Data(dir, off, data, seen, at)
		return
	}
	held := &d.held[dir]
	all := data
	if len(held.data) > 0 {
		if len(bytes.TrimLeft(held.data, "\r\n")) == 0 {
			held.came, held.record = arrival{seen, at}, d.c.currentRecord()
		}
		room := min(len(data), maxHeld+64-len(held.data))
		held.data = append(held.data, data[:max(room, 0)]...)
		all = held.data
	}
	v := recognise(dir, all)
	if v == unsure && len(all) <= maxHeld {
		d.hold(dir, off, data, arrival{seen, at})
		return
	}
	if len(held.data) > 0 {
		// What came just now is handed on with its own marks.
		held.data = held.data[:off-held.off]
	}
	d.decide(v)
	d.inner.Data(dir, off, data, seen, at)
}

// hold keeps the octets of an opening that tells nothing yet.
func (d *dialogue) hold(dir Dir, off int64, data []byte, a arrival) {
	held := &d.held[dir]
	if len(held.data) > 0 {
		return // they were added already
	}
	if len(d.held[dir.Peer()].data) == 0 {
		d.first = dir
	}
	held.data = append(held.data, data...)
	held.off, held.came, held.record = off, a, d.c.currentRecord()
}

// decide chooses who reads the connection, and hands on what was held.
func (d *dialogue) decide(v verdict) {
	switch v {
	case isHTTP:
		d.inner = d.spare.http(d.c)
	case isTLS:
		d.inner = newTLS(d.c)
	default:
		d.turns = &turns{c: d.c}
		d.inner = d.turns
		d.open, d.lossy = true, d.c.MidStream
		if v == isHTTP2 {
			d.c.Protocol = ProtoHTTP2
			d.open = false
		}
	}
	for _, dir := range [...]Dir{d.first, d.first.Peer()} {
		d.release(dir)
	}
}

// release hands on what was held of dir.
func (d *dialogue) release(dir Dir) {
	held := d.held[dir]
	d.held[dir] = opening{}
	if len(held.data) == 0 {
		return
	}
	began := len(d.c.Exchanges)
	d.inner.Data(dir, held.off, held.data, held.came.seen, held.came.at)
	for _, x := range d.c.Exchanges[began:] {
		x.FirstRecord = held.record
	}
	// what began in it may become an exchange only with the octets that follow
	switch a := d.inner.(type) {
	case *httpApp:
		a.side[dir].record = held.record
	case *tlsApp:
		a.side[dir].record = held.record
	}
}

// reconsider recognises a protocol late: the capture began in the middle of the connection, or
// lacks its first octets, or a server of HTTP answers something that is no request.
func (d *dialogue) reconsider(dir Dir, off int64, data []byte) {
	if !d.lossy && (dir == FromClient || off > 0) {
		d.open = dir == FromClient
		return
	}
	v := foreign
	switch {
	case dir == FromClient && startsRequest(data), dir == FromServer && startsResponse(data):
		v = isHTTP
	case startsRecord(data):
		v = isTLS
	}
	if v == foreign {
		return
	}
	cur := d.turns.cur
	d.open = false
	if v == isTLS {
		d.c.caveat(CaveatTLSGap)
		t := newTLS(d.c)
		t.turns = *d.turns
		t.late()
		d.inner = t
		return
	}
	h := d.spare.http(d.c)
	h.closing = d.turns.closing
	d.inner = h
	switch {
	case cur == nil:
	case dir == FromServer && cur.Response == nil:
		h.inherit(cur, d.lossy)
	default:
		cur.finish(Incomplete)
	}
}

// inherit makes a request of a turn whose response turned out to be HTTP.
func (h *httpApp) inherit(x *exchangeParts, lossy bool) {
	x.Turn = false
	x.Request.Framing = NoBody
	if lossy {
		x.Request.Facts |= HasGap | Resynced
		h.c.caveat(CaveatHTTPGap)
	} else {
		x.Request.Facts |= BadHeader
		h.c.caveat(CaveatHTTPMessage)
	}
	h.waiting = append(h.waiting, x)
	h.side[FromClient].phase = lost
}

// settleOpening decides with what is there.
func (d *dialogue) settleOpening() {
	if d.inner == nil {
		d.decide(foreign)
	}
}

// Skipped hands on.
func (d *dialogue) Skipped(dir Dir, off, n int64, seen, at capture.Mark) {
	d.settleOpening()
	d.inner.Skipped(dir, off, n, seen, at)
}

// Gap settles for turns if it comes first: what the connection speaks may show later, unless the
// frames were cut.
func (d *dialogue) Gap(dir Dir, off, n int64, at capture.Mark) {
	if d.inner == nil {
		cut := len(d.held[dir].data) > 0 && d.held[dir].came.seen.Frame == at.Frame
		d.decide(foreign)
		d.open, d.lossy = !cut, true
		if cut {
			d.c.caveat(CaveatPayloadCut)
		}
	}
	d.inner.Gap(dir, off, n, at)
}

// Fin hands on.
func (d *dialogue) Fin(dir Dir, at capture.Mark) {
	d.settleOpening()
	d.inner.Fin(dir, at)
}

// Rst hands on.
func (d *dialogue) Rst(dir Dir, at capture.Mark) {
	d.settleOpening()
	d.inner.Rst(dir, at)
}

// End hands on.
func (d *dialogue) End(at capture.Mark, ended bool) {
	d.settleOpening()
	d.inner.End(at, ended)
}

// Skip is nothing while the protocol is not known.
func (d *dialogue) Skip(dir Dir) int64 {
	if d.inner == nil || d.open {
		return 0
	}
	return d.inner.Skip(dir)
}

// recognise judges the beginning of dir's stream.
func recognise(dir Dir, data []byte) verdict {
	if v := recogniseTLS(data); v != foreign {
		return v
	}
	if dir == FromServer {
		return prefixVerdict(data, "HTTP/1.", isHTTP)
	}
	if v := prefixVerdict(data, "PRI * HTTP/2.0\r\n", isHTTP2); v == isHTTP2 {
		return v
	}
	return recogniseRequest(data)
}

// prefixVerdict is v if data begins with want, unsure while that is possible.
func prefixVerdict(data []byte, want string, v verdict) verdict {
	n := min(len(data), len(want))
	switch {
	case string(data[:n]) != want[:n]:
		return foreign
	case n < len(want):
		return unsure
	}
	return v
}

// recogniseRequest looks for a request line. A known method and a path are enough; many protocols
// have a word and a blank, so that anything less needs the version at the end of the line.
func recogniseRequest(data []byte) verdict {
	for len(data) > 0 && (data[0] == '\r' || data[0] == '\n') {
		data = data[1:]
	}
	word := 0
	for word < len(data) && tokenChar(data[word]) {
		word++
	}
	switch {
	case word == len(data) && word <= maxMethod:
		return unsure
	case word == len(data) || word == 0 || data[word] != ' ':
		return foreign
	case len(data) == word+1:
		return unsure
	case data[word+1] == '/' && knownMethod(data[:word]) != "":
		return isHTTP
	}
	nl := bytes.IndexByte(data, '\n')
	if nl < 0 {
		return unsure
	}
	r, ok := parseRequestLine(bytes.TrimSuffix(data[:nl], []byte("\r")))
	if ok && (r.version != "HTTP/0.9" || r.target[0] == '/') {
		return isHTTP
	}
	return foreign
}
