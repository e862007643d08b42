package ledger

import (
	"time"

	"tcpwhy/analysis/internal/ledger/line"
	"tcpwhy/analysis/internal/ledger/picture"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

// MaxTraced is how many tiles, and how many segments, a trace holds.
const MaxTraced = picture.MaxTraced

// book is where the time of a connection goes. Each stretch of it is booked once, in order, with
// the connection and with every exchange that went on.
type book struct {
	conn      *reassembly.Conn
	exchanges []*Exchange // oldest first; going on, or waiting to be decided
	Times     [report.LabelCount]time.Duration
	Last      *exchange.Exchange // the latest that is over
	trace     *picture.Trace     // nil unless the connection is to be traced
	graph     *picture.Graph     // nil unless its segments are to be shown
	by        owned              // whose octets ended the time that is booked
	reusable  bool               // the latest left the connection fit for another request
	vain      bool               // the latest was an attempt that never came to a request
	flight    bool               // what is booked lies within a flight of the TLS handshake
	busy      busyPeriods        // where exchanges go on beside each other
	// where exchanges go on beside each other: the end of what has been booked with the connection
	at       time.Duration
	shut     bool    // what is booked is time in which the window of the connection was used up
	answers  answers // that began meanwhile, the latest
	inFlight int64   // the most octets that the server has had in flight
	// what of that was paused, and counts with none of them yet
	paused []report.Interval
}

// open adds the ledger of an exchange that has begun.
func (b *book) open(j *Exchange) {
	b.meet(j)
	b.exchanges = append(b.exchanges, j)
	if b.trace != nil {
		j.Traced = b.trace.Begin(j.Index, j)
	}
}

// latest is the one that began last, if it is among the exchanges that are not decided; else nil.
func (b *book) latest() *Exchange {
	if n := len(b.exchanges); n > 0 {
		return b.exchanges[n-1]
	}
	return nil
}

// tile books a tile with every exchange that was going on, and with the connection. What no
// exchange covers was idle. byClient says that a segment of the client ended the tile.
func (b *book) tile(t *report.Tile, byClient bool) {
	at := t.From
	for _, j := range b.exchanges {
		if j.settled || j.line.On {
			continue
		}
		i, label := j.clip(t.From, t.To), b.labelFor(j, t)
		j.book(i, label, byClient)
		if b.flight && !setUp(t.Label) {
			j.Flights += max(0, i.To-i.From)
		}
		if b.trace != nil && j.Traced {
			j.split(i, label, func(from, to time.Duration, l report.Label) {
				b.show(t, from, to, l)
			})
		}
		if start := max(at, j.From); i.To > start {
			b.idle(t, at, start)
			b.own(t, start, i.To, t.Label)
			j.count(start, i.To, t.Label)
			at = i.To
		}
	}
	b.idle(t, at, t.To)
}

// setUp reports whether a label is of the set-up alone.
func setUp(l report.Label) bool {
	switch l {
	case report.TCPHandshake, report.TLSRTT, report.TLSServer, report.TLSClient:
		return true
	}
	return false
}

// meet notes that j begins beside what goes on.
func (b *book) meet(j *Exchange) {
	if j.Parsed.Stream == 0 {
		return
	}
	for _, k := range b.exchanges {
		if !k.over && !k.Parsed.Over {
			j.share()
			k.share()
		}
	}
}

// share notes that others go on beside j: from now on not all of its time is its own.
func (j *Exchange) share() {
	if j.Shared = true; j.Clock == nil {
		times := j.Times
		j.Clock = &times
	}
}

// count counts time of the connection with j.
func (j *Exchange) count(from, to time.Duration, l report.Label) {
	if j.Clock != nil {
		j.Clock[l] += to - from
	}
}

// labelFor is the label of a tile for j.
func (b *book) labelFor(j *Exchange, t *report.Tile) report.Label {
	l := t.Label
	switch {
	case b.flight || ofSetup(l):
		return l
	case j.shutAt(t.From):
		return report.H2Window
	case j.Parsed.Unasked() && ofSides(l):
		return report.StreamIdle
	case j.Parsed.Stream == 0:
		return l
	case !b.by.has(j.Index) && b.tooSoon(j, t):
		return report.RoundTrip
	case !b.by.has(j.Index):
		return report.Unknown
	case l == report.AppPaced && j.Streams():
		return report.StreamIdle
	}
	return l
}

// tooSoon reports whether nothing of an answer to j can have come by the end of a tile, as that is no
// round trip after the request.
func (b *book) tooSoon(j *Exchange, t *report.Tile) bool {
	q, a := j.Parsed.Request, j.Parsed.Response
	return q != nil && q.Complete && max(t.From, j.From) >= q.End.Time &&
		t.To <= q.End.Time+b.conn.Far(reassembly.FromServer) && (a == nil || a.Start.Time >= t.To)
}

// own books part of a tile with the connection.
func (b *book) own(t *report.Tile, from, to time.Duration, l report.Label) {
	b.Times[l] += to - from
	if b.trace != nil && b.trace.OfConnection() {
		b.show(t, from, to, l)
	}
	if b.graph != nil {
		b.graph.Tile(from, to, l)
	}
}

// show hands part of a tile to the trace.
func (b *book) show(t *report.Tile, from, to time.Duration, l report.Label) {
	part := *t
	part.From, part.To, part.Label = from, to, l
	b.trace.Add(part)
}

// idle books time in which no exchange was going on.
func (b *book) idle(t *report.Tile, from, to time.Duration) {
	if to <= from {
		return
	}
	closing := to
	if c := b.conn; Seen(c.FirstCloseAt) {
		closing = min(to, max(from, c.FirstCloseAt.Time))
	}
	l := report.IdleReusable
	switch {
	case b.vain:
		l = report.IdleUnusable
	case b.Last == nil:
		l = report.PreconnectIdle
	case !b.reusable:
		l = report.IdleUnusable
	}
	b.own(t, from, closing, l)
	b.own(t, closing, to, report.Closing)
}

// keep keeps a wait with the exchanges that it was part of.
func (b *book) keep(s Wait) {
	for _, j := range b.exchanges {
		if j.overlaps(s.From, s.To) && b.has(j, &s) {
			part := s
			i := j.clip(s.From, s.To)
			part.From, part.To = i.From, i.To
			if j.line.On {
				part.From = max(part.From, min(j.line.At, part.To))
			}
			j.keep(part)
		}
	}
}

// has reports whether s is a wait of j's own.
func (b *book) has(j *Exchange, s *Wait) bool {
	if !j.line.On {
		return b.labelFor(j, &report.Tile{Label: s.Label, From: s.From, To: s.To}) == s.Label
	}
	if s.Unheard > 0 && s.Label == report.Queue { // nothing got through, whoever waited
		return j.awaits() == s.Dir && s.To > j.line.At
	}
	return b.by.surely(j.Index) && s.From >= j.line.At && ofTransport(s.Label) &&
		!(line.OfWindow(s.Label) && j.unsent() == report.Think)
}

// relabel changes labels of time of j wherever they have been written.
func (b *book) relabel(j *Exchange, r Relabelling) {
	r.Sums(&j.Times)
	if j.line.On { // part of it may be of what goes on beside it
		r.Border = min(r.Border, r.From+b.Times[r.Was[0]])
		r.To = min(r.To, r.Border+b.Times[r.Was[1]])
	}
	r.Sums(&b.Times)
	j.Pieces.Relabel(r.From, r.To, r.label)
	if b.trace != nil {
		b.trace.Change(r.Tiles)
	}
	if b.graph != nil {
		r.Pieces(b.graph.Pieces())
	}
}

// active is the oldest exchange that was going on at the given moment; nil if there was none.
func (b *book) active(at time.Duration) *exchange.Exchange {
	for _, j := range b.exchanges {
		if from, until := j.Span(); !j.settled && from <= at && at <= until {
			return j.Parsed
		}
	}
	return nil
}

// begins reports whether a response begins with r.
func (b *book) begins(r *reassembly.Record) bool {
	for _, j := range b.exchanges {
		if m := j.Parsed.Response; m != nil && r.Dir == reassembly.FromServer && m.From == r.Seq {
			return true
		}
	}
	return false
}

// endsHeader reports whether the header section of a message in hand ends with r.
func (b *book) endsHeader(r *reassembly.Record) bool {
	end := r.Seq + int64(r.Len)
	for _, j := range b.exchanges {
		m := j.Message(r.Dir)
		if m != nil && !j.Parsed.Turn && m.From+m.HeaderBytes == end {
			return true
		}
	}
	return false
}
