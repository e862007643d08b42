package tlsrecord

import (
	"encoding/binary"

	"tcpwhy/capture"
	"tcpwhy/reassembly/exchange"
)

// maxHello caps the hello messages that are kept until they are complete.
const maxHello = 16 << 10

// Handshake message types (RFC 8446 §4).
const (
	clientHelloType = 1
	serverHelloType = 2
	newTicketType   = 4
	certificateType = 11
	askCertType     = 13 // CertificateRequest
	endOfEarlyType  = 5
	extensionsType  = 8 // EncryptedExtensions
	serverDoneType  = 14
	finishedType    = 20
	keyUpdateType   = 24
)

// helloReader reads handshake messages, out of any number of records. Only hellos,
// EncryptedExtensions and a Certificate without any are kept.
type helloReader struct {
	head [4]byte
	n    int // octets of head that are there
	left int // octets of the message that are not
	keep bool
	body []byte
}

// feed takes octets and calls message for each complete message, with its body if that is kept.
func (hs *helloReader) feed(data []byte, message func(kind byte, body []byte)) {
	for len(data) > 0 {
		if hs.n < len(hs.head) {
			n := copy(hs.head[hs.n:], data)
			hs.n += n
			data = data[n:]
			if hs.n < len(hs.head) {
				return
			}
			kind := hs.head[0]
			hs.left = int(hs.head[1])<<16 | int(hs.head[2])<<8 | int(hs.head[3])
			hs.keep = (kind == clientHelloType || kind == serverHelloType ||
				kind == extensionsType) && hs.left <= maxHello ||
				kind == certificateType && hs.left <= len(emptyList)
		}
		n := min(len(data), hs.left)
		if hs.keep {
			hs.body = append(hs.body, data[:n]...)
		}
		hs.left -= n
		data = data[n:]
		if hs.left > 0 {
			return
		}
		kind, body := hs.head[0], hs.body
		*hs = helloReader{}
		message(kind, body)
	}
}

// lack says that octets are missing: of a hello, what there is of it is handed on.
func (hs *helloReader) lack(message func(kind byte, body []byte)) {
	if hs.keep && hs.n == len(hs.head) && hs.left > 0 && len(hs.body) > 0 {
		message(hs.head[0], hs.body)
	}
	*hs = helloReader{}
}

// cutter cuts fields from a message. After the end of the octets bad is set and all fields are
// empty.
type cutter struct {
	b   []byte
	bad bool
}

func (r *cutter) take(n int) []byte {
	if n > len(r.b) {
		r.b, r.bad = nil, true
		return nil
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

func (r *cutter) uint8() int {
	if b := r.take(1); b != nil {
		return int(b[0])
	}
	return 0
}

func (r *cutter) uint16() int {
	if b := r.take(2); b != nil {
		return int(binary.BigEndian.Uint16(b))
	}
	return 0
}

// Extensions that matter here (RFC 8446 §4.2).
const (
	extServerName        = 0
	extALPN              = 16
	extEncryptThenMAC    = 22
	extSessionTicket     = 35
	extPreSharedKey      = 41
	extEarlyData         = 42
	extSupportedVersions = 43
)

const tls13 = 0x0304

// clientHello reads a ClientHello (RFC 8446 §4.1.2), or the beginning of one that the capture cut.
func (t *reader) clientHello(body []byte, cut bool, at capture.Mark) {
	info := t.info
	if info.ClientHello.Frame == 0 {
		info.ClientHello = at
	}
	r := cutter{b: body}
	r.take(2)
	t.session = session{seen: true}
	copy(t.session.random[:], r.take(len(t.session.random)))
	id := r.take(r.uint8())
	t.sessionID = string(id)
	program := newKinds()
	program.suites(r.take(r.uint16()))
	r.take(r.uint8())
	exts := cutter{b: r.take(r.uint16())}
	modern := false
	ticket := false
	for len(exts.b) > 0 && !exts.bad {
		kind := exts.uint16()
		ext := cutter{b: exts.take(exts.uint16())}
		program.extension(kind)
		switch kind {
		case extServerName:
			info.SNI = serverName(ext)
		case extALPN:
			info.ALPN = firstProtocol(ext)
		case extSessionTicket:
			ticket = len(ext.b) > 0
		case extPreSharedKey:
			ticket = true
		case extEarlyData:
			info.OffersEarly = true
		case extSupportedVersions:
			modern = offers13(ext)
		}
	}
	// A client of TLS 1.3 sends a session ID for appearance's sake (RFC 8446 §D.4).
	info.Offered, info.OfferedID = ticket, 0
	if !modern {
		info.OfferedID = idHash(id)
	}
	info.Modern, info.Program = modern, uint32(program)
	if (r.bad || exts.bad) && !cut {
		t.c.Caveats.Add(exchange.CaveatTLSMalformed)
	}
}

// hello takes a hello in the clear, or another message there.
func (t *reader) hello(s *side, kind byte, body []byte, cut bool, at capture.Mark) {
	client := s.dir == exchange.FromClient
	switch {
	case kind == clientHelloType && client:
		t.clientHello(body, cut, at)
		if t.info.OffersEarly && t.early == unanswered {
			s.opener.enter(early)
		}
	case kind == serverHelloType && !client:
		t.serverHello(body, cut, at)
		t.begins()
	case kind == serverDoneType && !client:
		t.info.ServerDone = at
	case kind == newTicketType && !client:
		t.info.Resumable = true
	case !cut:
		t.certificates(s, kind, body, at)
	}
}

// emptyList is a Certificate without any: three octets of length (RFC 5246 §7.4.2), and before
// them, from TLS 1.3 on, one of a context that is empty within a handshake (RFC 8446 §4.4.2).
const emptyList = "\x00\x00\x00\x00"

// certificates takes note of whether the client is asked for a certificate, and has none.
func (t *reader) certificates(s *side, kind byte, body []byte, at capture.Mark) {
	switch client := s.dir == exchange.FromClient; {
	case kind == askCertType && !client:
		t.info.CertificateRequest = at
	case kind == certificateType && client && (len(body) == 3 || len(body) == 4) &&
		string(body) == emptyList[:len(body)]:
		t.info.NoCertificate = at
	}
}

// cutHello takes the beginning of a hello that the capture cut: enough to find secrets by, and
// nothing that anything is said on.
func (t *reader) cutHello(s *side, kind byte, body []byte, at capture.Mark) {
	if kind != clientHelloType && kind != serverHelloType {
		return
	}
	info, id := *t.info, t.sessionID
	t.hello(s, kind, body, true, at)
	if kind == serverHelloType {
		t.sessionID = id
	}
	*t.info = info
}

// begins takes note of a ServerHello: from TLS 1.3 on, what follows it is protected.
func (t *reader) begins() {
	n, client := &t.session, &t.side[exchange.FromClient].opener
	if !n.modern() {
		return
	}
	if !n.chosen { // it asks for another ClientHello, and so has no use for early data
		t.acceptEarly(false)
		return
	}
	if !t.info.Resumed && t.mode == sealed { // early data needs a session (RFC 8446 §4.2.10)
		t.acceptEarly(false)
	}
	if n.suite == nil && t.mode != sealed {
		t.seal(exchange.CaveatTLSSuite)
	}
	t.side[exchange.FromServer].opener.enter(handshaking)
	if client.stage != early || t.early == refused {
		client.enter(handshaking)
	}
}

func serverName(ext cutter) string {
	ext.uint16()
	if ext.uint8() != 0 {
		return ""
	}
	var none string
	return exchange.KeepClean(&none, ext.take(ext.uint16()), exchange.MaxHost)
}

func firstProtocol(ext cutter) string {
	ext.uint16()
	var none string
	return exchange.KeepClean(&none, ext.take(ext.uint8()), exchange.MaxProduct)
}

func offers13(ext cutter) bool {
	list := cutter{b: ext.take(ext.uint8())}
	for len(list.b) > 1 {
		if list.uint16() == tls13 {
			return true
		}
	}
	return false
}

// retryRandom is the Random that makes a ServerHello a HelloRetryRequest (RFC 8446 §4.1.3).
const retryRandom = "\xcf\x21\xad\x74\xe5\x9a\x61\x11\xbe\x1d\x8c\x02\x1e\x65\xb8\x91" +
	"\xc2\xa2\x11\x16\x7a\xbb\x8c\x5e\x07\x9e\x09\xe2\xc8\xa8\x33\x9c"

// serverHello reads a ServerHello (RFC 8446 §4.1.3, RFC 5246 §7.4.1.3), or the beginning of one
// that the capture cut.
func (t *reader) serverHello(body []byte, cut bool, at capture.Mark) {
	info := t.info
	r := cutter{b: body}
	version := r.uint16()
	random := r.take(32)
	retry := string(random) == retryRandom
	id := r.take(r.uint8())
	suite, compression := r.uint16(), r.uint8()
	encryptThenMAC := false
	exts := cutter{}
	if len(r.b) > 0 {
		exts.b = r.take(r.uint16())
	}
	psk := false
	for len(exts.b) > 0 && !exts.bad {
		kind := exts.uint16()
		ext := cutter{b: exts.take(exts.uint16())}
		switch kind {
		case extSupportedVersions:
			version = ext.uint16()
		case extALPN:
			info.ALPN = firstProtocol(ext)
		case extPreSharedKey:
			psk = true
		case extEncryptThenMAC:
			encryptThenMAC = true
		}
	}
	switch bad := r.bad || exts.bad; {
	case bad && !cut:
		t.c.Caveats.Add(exchange.CaveatTLSMalformed)
		return
	case bad && suite == 0:
		return
	case bad && suite>>8 == 0x13: // of TLS 1.3 alone (RFC 8446 §B.4)
		version = tls13
	}
	t.session.serverHello(version, suite, compression, random, encryptThenMAC)
	info.Version, info.Suite = tlsVersion(version), uint16(suite)
	if retry {
		info.HelloRetry, info.RetryAt = true, at
		return
	}
	info.ServerHello = at
	t.session.chosen = true
	info.Resumed = psk || version < tls13 && len(id) > 0 && string(id) == t.sessionID
	if version < tls13 {
		info.GivenID = idHash(id)
	}
	info.Resumable = info.Resumable || info.GivenID != 0
}

func tlsVersion(v int) string {
	switch v {
	case 0x0300:
		return "SSL 3.0"
	case 0x0301:
		return "TLS 1.0"
	case 0x0302:
		return "TLS 1.1"
	case 0x0303:
		return "TLS 1.2"
	case tls13:
		return "TLS 1.3"
	}
	return "TLS"
}
