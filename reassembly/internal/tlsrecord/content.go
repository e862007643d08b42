package tlsrecord

import (
	"bytes"
	"slices"

	"tcpwhy/capture"
	"tcpwhy/reassembly/exchange"
	"tcpwhy/reassembly/internal/tlscrypt"
)

// maxEarly caps the early data that is held until the server has said whether it takes it. Servers
// allow 16 KiB, mostly.
const maxEarly = 64 << 10

// heldRecord is one of early data.
type heldRecord struct {
	head    [recordHeader]byte
	arrival exchange.Arrival
	content []byte // nil if it was not opened
	size    int64  // of the content
}

// content takes what was in a record.
func (t *reader) content(s *side, r *record, kind tlscrypt.ContentType, content []byte) {
	at := r.arrival.At
	setup := kind == tlscrypt.Handshake && t.inner == nil && !(t.finished && t.session.modern())
	t.info.ServerSpoke = t.info.ServerSpoke ||
		t.finished && s.dir == exchange.FromServer && kind != tlscrypt.Alert
	if s.dir == exchange.FromServer && s.opener.stage == application {
		s.data++
	}
	if t.inner != nil && kind != tlscrypt.ApplicationData {
		t.lackSkipped(s, r)
	}
	flight := t.info.ClientFinished.Frame == 0 && kind != tlscrypt.ApplicationData
	switch kind {
	case tlscrypt.Handshake:
		t.afterHandshake(s, r)
		s.hs.feed(content, func(kind byte, body []byte) { t.message(s, kind, body, at) })
	case tlscrypt.Alert:
		if len(content) == len(s.alert) {
			copy(s.alert[:], content)
			t.info.CloseNotify[s.dir] = s.alert[1] == exchange.CloseNotifyAlert
			t.info.CloseNotifyAt[s.dir] = at
			t.alert(s, at, false)
		}
	case tlscrypt.ChangeCipherSpec:
		t.session.change(s.dir)
		s.opener.enter(application)
	case tlscrypt.ApplicationData:
		t.said(s, r, content)
	}
	if setup {
		t.info.Done = at
	}
	if flight && s.dir == exchange.FromServer && t.mode == opened {
		t.info.ServerFlight += int64(recordHeader + len(r.fragment))
	}
}

// afterHandshake takes note of a record with messages that come after the handshake (RFC 8446 §4.6).
func (t *reader) afterHandshake(s *side, r *record) {
	if !t.session.modern() || s.opener.stage != application {
		return
	}
	if t.info.PostHandshake == nil {
		t.info.PostHandshake = &[2]exchange.Owners{}
	}
	t.info.PostHandshake[s.dir].Add(r.arrival.Unit, exchange.NoExchange)
}

// message takes a handshake message that was encrypted.
func (t *reader) message(s *side, kind byte, body []byte, at capture.Mark) {
	switch {
	case kind == finishedType:
		t.finishes(s, at)
	case !t.session.modern():
		// A new handshake on the same connection (RFC 5246 §7.4.1.1): the first one is what counts.
		if info := *t.info; kind == clientHelloType || kind == serverHelloType {
			t.hello(s, kind, body, false, at)
			*t.info = info
		}
	case kind == keyUpdateType:
		s.opener.keys, s.opener.number = s.opener.keys.Next(), 0
	case kind == endOfEarlyType:
		t.acceptEarly(true)
		s.opener.enter(handshaking)
	case kind == extensionsType && s.dir == exchange.FromServer:
		t.extensions(body)
	case kind == newTicketType && s.dir == exchange.FromServer:
		t.info.Resumable = true
	case !t.finished: // a client may be asked later, too (RFC 8446 §4.6.2)
		t.certificates(s, kind, body, at)
	}
}

// finishes takes a Finished: from TLS 1.3 on, other keys protect what follows it.
func (t *reader) finishes(s *side, at capture.Mark) {
	info := t.info
	switch {
	case s.dir == exchange.FromClient && info.ClientFinished.Frame == 0:
		info.ClientFinished = at
		t.finished = true
	case s.dir == exchange.FromServer && t.inner == nil:
		info.ServerDone = at
		if !t.session.modern() {
			info.ServerFinished = at
		}
	}
	if t.session.modern() {
		s.opener.enter(application)
	}
}

// extensions reads EncryptedExtensions (RFC 8446 §4.3.1): the protocol that was agreed on, and
// whether the server takes early data.
func (t *reader) extensions(body []byte) {
	r := cutter{b: body}
	exts := cutter{b: r.take(r.uint16())}
	accepted := false
	t.agreed, t.info.ALPN = true, ""
	for len(exts.b) > 0 && !exts.bad {
		kind := exts.uint16()
		ext := cutter{b: exts.take(exts.uint16())}
		switch kind {
		case extALPN:
			t.info.ALPN = firstProtocol(ext)
		case extEarlyData:
			accepted = true
		}
	}
	if readable, why := t.readable(); !readable && t.info.ALPN == "h2" {
		t.seal(why)
		return
	}
	t.acceptEarly(accepted)
}

// hold keeps early data until the server has said whether it takes it.
func (t *reader) hold(s *side, r *record, content []byte) {
	h := heldRecord{head: [recordHeader]byte(r.head), arrival: r.arrival,
		size: t.contentSize(s, r)}
	t.sendsEarly(r.arrival.Start)
	if t.early == refused {
		return
	}
	if t.early == taken {
		t.release(&heldRecord{arrival: r.arrival, content: content, size: h.size})
		return
	}
	if content != nil {
		h.size = int64(len(content))
		if t.room+len(content) <= maxEarly {
			h.content = slices.Clone(content)
			t.room += len(content)
		}
	}
	if len(t.held) < maxEarly/leastRecord {
		t.held = append(t.held, h)
	}
}

// answer is what the server says of early data.
type answer uint8

const (
	unanswered answer = iota
	taken
	refused
)

// acceptEarly hands on what was held, or forgets it, as the client will say it again (RFC 8446
// §4.2.10).
func (t *reader) acceptEarly(ok bool) {
	if t.early != unanswered {
		return
	}
	held := t.held
	t.held, t.room, t.early = nil, 0, refused
	if ok {
		t.early = taken
	}
	t.judgeEarly()
	if !ok {
		return
	}
	for i := range held {
		t.release(&held[i])
	}
}

// answersHeld takes a response of HTTP/1 for the word that early data was taken, where what the
// server said of that could not be opened: it answers a request, and none has come but that. What
// servers of other protocols say first is no answer.
func (t *reader) answersHeld(s *side, content []byte) {
	if s.dir == exchange.FromServer && len(t.held) > 0 &&
		bytes.HasPrefix(content, []byte("HTTP/1.")) {
		t.acceptEarly(true)
	}
}

// release hands on early data.
func (t *reader) release(h *heldRecord) {
	s := &t.side[exchange.FromClient]
	if h.content == nil {
		t.lack(s, h.size, &h.arrival)
		return
	}
	t.hand(s, h.content, &h.arrival)
}

// said takes application data.
func (t *reader) said(s *side, r *record, content []byte) {
	if s.opener.stage == early {
		t.hold(s, r, content)
		return
	}
	if t.inner == nil {
		if ok, why := t.readable(); !ok {
			t.seal(why)
			t.count(s, r)
			return
		}
		t.answersHeld(s, content)
	}
	t.lackSkipped(s, r)
	t.hand(s, content, &r.arrival)
}

// lackSkipped tells of content that was lost before the record r.
func (t *reader) lackSkipped(s *side, r *record) {
	o := &s.opener
	if o.skipped == 0 {
		return
	}
	in := r.arrival
	in.Unit.From, in.Unit.To = in.Unit.From-o.skippedRecords, in.Unit.From
	n := o.skipped
	o.skipped, o.skippedRecords = 0, 0
	t.lack(s, n, &in)
}

// hand gives content to the reader of what is inside.
func (t *reader) hand(s *side, content []byte, a *exchange.Arrival) {
	if len(content) > 0 {
		t.inside().Data(s.dir, s.content, content, a)
		s.content += int64(len(content))
	}
}

// lack tells it of content that is missing.
func (t *reader) lack(s *side, n int64, a *exchange.Arrival) {
	if n > 0 {
		t.inside().Gap(s.dir, s.content, n, a)
		s.content += n
	}
}

// inside is the reader of what is inside, made when there is something to read.
func (t *reader) inside() exchange.Reader {
	if t.inner == nil {
		t.inner = t.c.Shared.Readers.Recognise(t.c)
		t.info.Decrypted = true
		for dir, at := range t.fin {
			if at.Frame != 0 {
				t.inner.Fin(exchange.Dir(dir), at)
			}
		}
	}
	return t.inner
}
