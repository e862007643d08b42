package tlsrecord

import (
	"tcpwhy/capture"
	"tcpwhy/reassembly/exchange"
)

// Record types (RFC 8446 §5.1).
const (
	changeCipherRecord = 20
	alertRecord        = 21
	handshakeRecord    = 22
	dataRecord         = 23
	heartbeatRecord    = 24
)

const (
	recordHeader = 5
	maxRecord    = 1<<14 + 2048 // RFC 5246 §6.2.3
	alert13      = 2 + 1 + 16   // an alert, its type, and the tag of every usual cipher
	endOfEarly13 = 4 + 1 + 16   // EndOfEarlyData (RFC 8446 §4.5)
	// a Finished with SHA-256, its type and the tag; what the server says before its certificate is
	// mostly smaller
	leastFinished13 = 4 + 32 + 1 + 16
	maxTicket       = 512
)

// side walks the records of one direction.
type side struct {
	dir    exchange.Dir
	head   [recordHeader]byte
	n      int              // octets of head that are there
	left   int64            // octets of the record that are not, after the head
	came   exchange.Arrival // of the record's first octet
	from   int64            // its offset
	turn   bool             // the record is application data that belongs to a turn
	lost   bool             // framing is unknown
	cipher bool             // handshake records are encrypted: a ChangeCipherSpec came (TLS 1.2)
	hs     helloReader
	early  int // disguised handshake records of the client so far (TLS 1.3)
	data   int // application-data records since the client's Finished
	ticket int // size of the first of them, which may be a NewSessionTicket
	alert  [2]byte
	protection
}

// protection is what opening the records of a direction needs.
type protection struct {
	opener   opener
	collects bool   // the record in hand is to be opened once it is complete
	fragment []byte // its octets so far, if it did not come in one piece
	parts    []part // and how they came
	missing  bool   // it lacks some
	lostAt   int64  // where octets begin that are no records, as far as is known; valid with lost
	end      int64  // the offset behind all that has come
	content  int64  // octets of what is inside, so far
}

// reader reads TLS: the handshake as far as it is in the clear, then what is inside records whose
// keys are known, or turns of application-data records.
type reader struct {
	c         *exchange.Context
	from      *recogniser // whose memory it is
	info      *exchange.TLSInfo
	turns     exchange.Turns
	side      [2]side
	sessionID string
	session   session
	finished  bool // the client's Finished has been sent, or was missed
	protected bool // an encrypted record has begun: its keys must be known by then
	mode      mode
	attempt   string          // the master secret that is being tried
	inner     exchange.Reader // of what is inside; nil before the first octet
	agreed    bool            // the protocol inside is the one that was agreed on
	http2     bool            // the client has acknowledged settings of HTTP/2, by its size
	unsettled bool            // the server has said something that is no settings
	early     answer
	held      []heldRecord // early data, as long as the server has not answered it
	room      int          // octets of their contents
	awaited   []awaited    // records whose secrets may come late
	// octets of them
	awaitedOctets int
	fin           [2]capture.Mark
}

// Data walks the records in the octets.
func (t *reader) Data(dir exchange.Dir, off int64, data []byte, a *exchange.Arrival) {
	s := &t.side[dir]
	s.end = off + int64(len(data))
	if s.lost {
		n := t.find(s, off, data)
		t.passOver(s, off, int64(n), a, 0)
		off, data = off+int64(n), data[n:]
	}
	for len(data) > 0 && !s.lost {
		n := t.step(s, off, data, a)
		off += int64(n)
		data = data[n:]
	}
	if len(data) > 0 {
		t.unread(s, off, int64(len(data)), a, 0)
	}
}

// step consumes octets of one record's head or body.
func (t *reader) step(s *side, off int64, data []byte, a *exchange.Arrival) int {
	if s.n == recordHeader {
		n := int(min(int64(len(data)), s.left))
		if s.collects {
			t.collect(s, data[:n], a)
		} else {
			t.body(s, off, data[:n], a)
		}
		return n
	}
	if s.n == 0 {
		s.came, s.from = *a, off
		t.info.CloseNotify[s.dir] = false
	}
	n := copy(s.head[s.n:], data)
	s.n += n
	if s.n == recordHeader {
		t.begin(s, a)
	}
	return n
}

// begin judges a record by its head.
func (t *reader) begin(s *side, a *exchange.Arrival) {
	if !startsRecord(s.head[:]) {
		t.info.Foreign = t.info.Foreign || s.dir == exchange.FromServer && s.from == 0
		t.c.Caveats.Add(exchange.CaveatTLSGap)
		t.loseAt(s, s.from)
		return
	}
	s.left = int64(s.head[3])<<8 | int64(s.head[4])
	protected := s.head[0] == dataRecord || s.cipher
	if protected && !t.protected {
		t.encrypted()
	}
	if s.dir == exchange.FromServer && !t.finished && t.mode != opened {
		t.info.ServerDone = capture.Mark{}
	}
	if s.collects = protected && t.mode != sealed; s.collects {
		if s.opener.stage == inClear && t.session.chosen && !t.session.modern() {
			s.cipher = true
			s.opener.enterUnseen(application)
		}
		return
	}
	s.turn = t.isTurn(s)
	if s.turn {
		t.turns.Add(s.dir, s.from, recordHeader, &s.came, 0)
		t.turns.Touch(s.dir, a.At)
	}
}

// isTurn reports whether the record in hand, which nobody reads, is application data that belongs
// to a turn.
func (t *reader) isTurn(s *side) bool {
	return s.head[0] == dataRecord && t.belongs(s, int(s.head[3])<<8|int(s.head[4]))
}

// encrypted looks for the secrets of the connection as its first encrypted record begins: what the
// capture holds later comes too late.
func (t *reader) encrypted() {
	t.protected = true
	t.info.HasSecret = t.session.seen && t.c.Shared.Secrets.Has(t.session.random)
	var why string
	if t.mode, why = t.keyed(); why != "" {
		t.c.Caveats.Add(why)
	}
}

// belongs reports whether an application-data record of the given size is part of a turn, and not
// the handshake or an alert in disguise (RFC 8446 §5.2).
func (t *reader) belongs(s *side, size int) bool {
	if t.alertSized(int(size)) {
		return false
	}
	if s.dir == exchange.FromServer {
		return t.serverData(s, size)
	}
	if !t.finished && t.disguised(s, size) {
		return false
	}
	s.data++
	return !t.controls(s, size)
}

// disguised reports whether a client's record before its Finished is part of the handshake. The
// sizes are those of Finished with a SHA-256 or SHA-384 hash and a tag of 16 or 8 octets. A
// certificate of the client comes before it.
func (t *reader) disguised(s *side, size int) bool {
	const maxFlight = 4
	if t.info.ClientHello.Frame == 0 && t.info.ServerHello.Frame == 0 {
		t.finished = true // the capture began after the handshake
		return false
	}
	if t.info.ServerHello.Frame == 0 && t.info.OffersEarly {
		t.sendsEarly(s.came.At)
		return false
	}
	if t.info.Version != "TLS 1.3" && t.info.Version != "" {
		t.finished = true
		return false
	}
	switch size {
	case 53, 69, 45, 61:
		t.finished = true
		t.finishesEarly(false)
		return true
	case endOfEarly13:
		t.finishesEarly(true)
		return true
	}
	s.early++
	if s.early > maxFlight {
		t.finished = true
		return false
	}
	return true
}

// serverData judges a server's application-data record. Before the client's Finished it is the
// handshake; after it, tickets come that answer nothing.
func (t *reader) serverData(s *side, size int) bool {
	if !t.finished && t.info.Version == "TLS 1.3" && !t.answersEarly(size) {
		if t.side[exchange.FromClient].early == 0 {
			return false
		}
		t.finished = true // a certificate and Finished came in one record of the client
	}
	s.data++
	t.info.ServerSpoke = true
	seenHello := t.info.ServerHello.Frame != 0
	if t.turns.Current() == nil && seenHello {
		return false
	}
	if t.controls(s, size) {
		return false
	}
	if t.info.Version != "TLS 1.3" || !seenHello {
		return true
	}
	// Two tickets of the same size, sent in answer to the Finished, may follow a request that came
	// along with it.
	switch {
	case s.data == 1:
		s.ticket = size
	case s.data == 3 && s.ticket < 0 && t.turns.Current().Index == 0:
		t.turns.Unanswer()
	}
	if s.data == 2 && size == s.ticket && size <= maxTicket {
		s.ticket = -1
	}
	return true
}

// body takes octets of a record after its head.
func (t *reader) body(s *side, off int64, data []byte, a *exchange.Arrival) {
	switch {
	case s.head[0] == handshakeRecord && !s.cipher:
		s.hs.feed(data, func(kind byte, body []byte) { t.hello(s, kind, body, false, a.At) })
	case s.head[0] == alertRecord && s.left <= 2:
		copy(s.alert[2-s.left:], data)
	}
	t.pass(s, off, int64(len(data)), a, 0)
}

// pass counts octets of a record, at most those that are left of it.
func (t *reader) pass(s *side, off, n int64, a *exchange.Arrival, facts exchange.Facts) {
	s.left -= n
	if s.turn {
		in := *a
		in.Record = s.came.Record
		t.turns.Add(s.dir, off, n, &in, facts)
	}
	if s.left == 0 {
		t.end(s, a)
	}
}

// end acts on a complete record.
func (t *reader) end(s *side, a *exchange.Arrival) {
	info := t.info
	size := int(s.head[3])<<8 | int(s.head[4])
	setup := !t.finished
	switch s.head[0] {
	case changeCipherRecord:
		if s.cipher = info.Version != "TLS 1.3" && info.Version != ""; s.cipher {
			t.session.change(s.dir)
			s.opener.enter(application)
		}
	case handshakeRecord:
		setup = true
		switch {
		case s.cipher && s.dir == exchange.FromClient:
			info.ClientFinished = a.At
			t.finished = true
		case s.cipher:
			info.ServerFinished, info.ServerDone = a.At, a.At
		}
	case alertRecord:
		setup = false
		info.CloseNotify[s.dir] = size > 2 || s.alert[1] == 0
		info.CloseNotifyAt[s.dir] = a.At
		t.alert(s, a.At, size > 2)
	case dataRecord:
		if setup && s.dir == exchange.FromServer && size >= leastFinished13 {
			info.ServerDone = a.At
		}
		last := t.finished && !s.turn && s.dir == exchange.FromClient
		if last && info.ClientFinished.Frame == 0 && info.Version == "TLS 1.3" {
			info.ClientFinished = a.At
			setup = true
		}
		info.CloseNotify[s.dir] = t.alertSized(int(size))
		info.CloseNotifyAt[s.dir] = a.At
		if info.CloseNotify[s.dir] {
			t.alert(s, a.At, true)
		}
		setup = setup && !s.turn
	}
	if setup && t.turns.Current() == nil {
		info.Done = a.At
	}
	if s.dir == exchange.FromServer && !s.turn && info.ServerHello.Frame != 0 &&
		info.ClientFinished.Frame == 0 {
		info.ServerFlight += int64(recordHeader + size)
	}
	s.n, s.turn = 0, false
}

// alert notes the first alert of a side. A warning that ends nothing (RFC 6066 §3: the name is not
// known) is none: what follows it tells.
func (t *reader) alert(s *side, at capture.Mark, hidden bool) {
	a := &t.info.Alert[s.dir]
	const warning, unrecognizedName = 1, 112
	if a.At.Frame != 0 || !hidden && s.alert == [2]byte{warning, unrecognizedName} {
		return
	}
	*a = exchange.Alert{At: at, Hidden: hidden, Description: s.alert[1]}
	cur := t.turns.Current()
	if s.dir == exchange.FromServer && s.ticket < 0 && s.data == 2 && cur != nil && cur.Index == 0 {
		t.turns.Unanswer() // two tickets were all that it said
	}
}
