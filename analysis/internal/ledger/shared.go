package ledger

import (
	"time"

	"tcpwhy/analysis/internal/ledger/line"
	"tcpwhy/analysis/internal/ledger/sender"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

// Exchanges that go on beside each other on one connection (HTTP/2). A segment has octets of some
// of them, or of none: control frames. What an exchange waited for while others' octets passed, its
// next octets tell (package line).

// Company is how an exchange had its connection with others.
type Company struct {
	// Shared says that others went on at the same time.
	Shared bool
	// Credited says that flow control of HTTP/2 held up one of its messages: its sender went on
	// when it could know that its peer let it send more, and what it sent then would not have been
	// allowed before.
	Credited bool
}

// Alone reports whether TCP alone explains how the messages of the exchange were sent: no other was
// on its connection, and flow control above TCP did not hold them up.
func (c *Company) Alone() bool { return !c.Shared && !c.Credited }

// WasShared reports whether several exchanges went on at a time on the connection.
func WasShared(c *reassembly.Conn) bool { return c.HTTP2 != nil && c.HTTP2.MostOpen > 1 }

// owned are the runs of octets that a segment has; none if the connection is not shared, or if it
// has no octets.
type owned []exchange.Run

// ownersOf are those of r.
func ownersOf(c *reassembly.Conn, r *reassembly.Record) owned {
	octets := exchange.Range{From: r.Seq, To: r.Seq + int64(r.Len)}
	if after := c.TLS.AfterHandshake(); after != nil && r.Len > 0 {
		runs := after[r.Dir].Within(octets)
		if len(runs) == 1 && runs[0].From <= octets.From && octets.To <= runs[0].To {
			return runs
		}
	}
	if c.HTTP2 == nil || r.Len == 0 {
		return nil
	}
	return c.HTTP2.Owners[r.Dir].Within(octets)
}

// onlyDirects reports whether r has only frames that bring no message on, and answer none: control
// frames of HTTP/2, Pings and Pongs of a WebSocket, session tickets.
func onlyDirects(c *reassembly.Conn, r *reassembly.Record, by owned) bool {
	if c.Socket == nil || r.Len == 0 || by.controls() {
		return by.controls()
	}
	octets := exchange.Range{From: r.Seq, To: r.Seq + int64(r.Len)}
	return owned(c.Socket[r.Dir].Within(octets)).controls()
}

// has reports whether octets of the exchange with that index are among them, or may be.
func (o owned) has(index int) bool {
	for i := range o {
		if o[i].Owner == index {
			return true
		}
	}
	return len(o) == 0
}

// surely reports whether octets of the exchange with that index are among them.
func (o owned) surely(index int) bool { return len(o) > 0 && o.has(index) }

// controls reports whether all octets are of frames that direct the connection.
func (o owned) controls() bool {
	for i := range o {
		if owner := o[i].Owner; owner != exchange.NoExchange && owner != exchange.Credit {
			return false
		}
	}
	return len(o) > 0
}

// carries reports whether r has octets of x, or may have.
func carries(c *reassembly.Conn, r *reassembly.Record, x *exchange.Exchange) bool {
	return x.Stream == 0 || ownersOf(c, r).has(x.Index)
}

// ofSetup reports whether a label is one of the time before a connection can carry anything.
func ofSetup(l report.Label) bool { return l > report.CaptureGap && l <= report.ProxyConnect }

// ofTransport reports whether a label says what TCP or the path did to a segment: that holds
// whatever else is on the connection.
func ofTransport(l report.Label) bool {
	return l == report.CaptureGap || l >= report.Queue && l <= report.Cork
}

// ofSides reports whether a label is of what one side did before it said something: where nobody
// had to say anything, that means nothing.
func ofSides(l report.Label) bool {
	switch l {
	case report.ReqApp, report.Think, report.RoundTrip, report.AppPaced, report.ClientThink:
		return true
	}
	return false
}

// ofNagle reports whether a label is one of a hold by Nagle's algorithm.
func ofNagle(l report.Label) bool { return l == nagleLabels[0] || l == nagleLabels[1] }

// awaits is the direction whose octets bring the exchange on.
func (j *Exchange) awaits() reassembly.Dir {
	q, a, at := j.Parsed.Request, j.Parsed.Response, j.line.At
	if q == nil || a != nil && a.Start.Time <= at || q.Complete && q.End.Time <= at {
		return reassembly.FromServer
	}
	return reassembly.FromClient
}

// unsent is the label of the time that the exchange waited for a sender which had nothing to send.
func (j *Exchange) unsent() report.Label {
	a := j.Parsed.Response
	switch {
	case j.awaits() == reassembly.FromClient:
		return report.ReqApp
	case a == nil || !j.line.Answered || a.Start.Time > j.line.At:
		return report.Think
	case j.Streams():
		return report.StreamIdle
	}
	return report.AppPaced
}

// follow makes j, if it has no line yet, have one from the end of what has been booked of it.
func (b *book) follow(j *Exchange) {
	if j.line.On {
		return
	}
	j.line.Begin(max(j.From, j.booked))
	a := j.Parsed.Response
	j.line.Answered = a != nil && a.Start.Time <= j.line.At
	for dir := range j.busy {
		j.busy[dir] = busyPart{from: b.busy.of[dir].Progress}
	}
}

// sharedAt reports whether exchanges went on beside each other at the given moment.
func (b *book) sharedAt(at time.Duration) bool {
	for _, j := range b.exchanges {
		if from, until := j.Span(); j.Shared && !j.settled && from <= at && at <= until {
			return true
		}
	}
	return false
}

// beside books a tile of dir's half where exchanges go on beside each other.
func (b *book) beside(t *report.Tile, dir reassembly.Dir) {
	for _, j := range b.exchanges {
		if j.settled || j.From >= t.To {
			continue
		}
		if !j.line.On {
			b.follow(j)
			j.busy[dir].from.add(t.Label, max(0, j.From-t.From), b.busy.of[dir].lost)
		}
		own, label := b.by.surely(j.Index), t.Label
		if t.To <= j.line.At || j.awaits() != dir && (!own || line.Paused(label)) {
			continue
		}
		if len(b.by) == 0 && t.End.Frame != 0 || // nobody knows whose octets they are
			own && ofNagle(label) && t.From < j.line.At { // part of a hold is none
			label = report.Unknown
		}
		// the connection's window holds up everybody who has more to send than a header
		j.line.Wait(t.To, label, own || b.shut && j.unsent() != report.Think)
	}
	if dir == reassembly.FromServer || !b.answering(t.To) {
		b.sharedTile(t)
	}
}

// answering reports whether a response was under way at the given moment.
func (b *book) answering(at time.Duration) bool {
	for _, j := range b.exchanges {
		a := j.Parsed.Response
		if a != nil && a.Start.Time < at && (!a.Complete || a.End.Time >= at) {
			return true
		}
	}
	return false
}

// sharedTile books the time since the last tile with the connection, under one label.
func (b *book) sharedTile(t *report.Tile) {
	at := b.at
	for _, j := range b.exchanges {
		i := j.clip(b.at, t.To)
		if start := max(at, i.From); !j.settled && i.To > start {
			b.idle(t, at, start)
			b.own(t, start, i.To, t.Label)
			if line.Paused(t.Label) {
				b.paused = append(b.paused, report.Interval{From: start, To: i.To})
			} else {
				j.count(start, i.To, t.Label)
			}
			at = i.To
		}
	}
	b.idle(t, at, t.To)
	b.at = max(b.at, t.To)
}

// countPaused counts with j what of a stretch of its time is time in which the connection had
// nothing to carry: what that was, the exchanges say that waited, the first that knows.
func (b *book) countPaused(j *Exchange, t *report.Tile) {
	left := b.paused[:0:0]
	for _, p := range b.paused {
		from, to := max(p.From, t.From), min(p.To, t.To)
		if to <= from || j.Clock == nil {
			left = append(left, p)
			continue
		}
		j.count(from, to, t.Label)
		if p.From < from {
			left = append(left, report.Interval{From: p.From, To: from})
		}
		if to < p.To {
			left = append(left, report.Interval{From: to, To: p.To})
		}
	}
	b.paused = left
}

// endShared books the rest of the connection's time up to the given moment.
func (b *book) endShared(to time.Duration) {
	if to > b.at {
		b.sharedTile(&report.Tile{From: b.at, To: to})
	}
}

// arrive notes that octets have come which a loss before them keeps back. paused says that their
// sender had sent nothing right before.
func (b *book) arrive(r *reassembly.Record, paused bool) {
	for _, j := range b.exchanges {
		if !j.settled && j.line.On && b.by.surely(j.Index) {
			j.line.Arrive(r.Mark(), paused)
		}
	}
}

// deliver tells the exchanges whose octets are among those that r delivered that it brought them
// on. repairs says that it filled a hole.
func (b *book) deliver(r *reassembly.Record, octets owned, repairs bool, waits []sender.Credited) {
	for _, j := range b.exchanges {
		if j.settled || !octets.surely(j.Index) {
			continue
		}
		b.follow(j)
		j.busy[r.Dir].until, j.busy[r.Dir].came = b.busy.of[r.Dir].Progress, true
		if _, until := j.Span(); r.Time <= until && r.Time >= j.line.At &&
			(j.awaits() == r.Dir || repairs) {
			b.bringOn(j, r, waits)
		}
	}
}

// bringOn gives the time of j since its last event its labels: r is the next. waits are those for
// flow control that r ended.
func (b *book) bringOn(j *Exchange, r *reassembly.Record, waits []sender.Credited) {
	if !b.by.surely(j.Index) {
		j.line.Repaired(r.Time)
	}
	var held sender.Credited
	for _, f := range waits {
		if f.Owner == j.Index {
			held = f
		}
	}
	b.bookLine(j, r.Time, r.Mark(), r.Dir == reassembly.FromClient, held)
	j.line.Next(r.Mark(), r.Dir == reassembly.FromServer)
}

// endLine gives the rest of the time of j its labels.
func (b *book) endLine(j *Exchange) {
	b.bookLine(j, j.Until, capture.Mark{}, false, sender.Credited{})
	j.line.End(j.Until)
}

// bookLine books the time of j since its last event, up to the next. held is when flow control held
// it back.
func (b *book) bookLine(j *Exchange, to time.Duration, end capture.Mark, byClient bool,
	held sender.Credited) {
	terms := line.Terms{Own: j.unsent(), Trip: j.line.At}
	if j.shutAt(j.line.At) {
		terms.Own = report.H2Window
	}
	terms.Window = report.Interval{From: held.Since.Time, To: held.Known}
	if terms.Own == report.Think && !j.line.Answered {
		terms.Trip += b.conn.Far(reassembly.FromServer)
		terms.Queued = arrivedLate(b.conn, j.Parsed.Request, terms.Trip, min(to, j.Until))
	}
	if terms.Own == report.Think && !j.line.Answered && end.Frame != 0 {
		this := answer{due: terms.Trip, came: to}
		if j.Parsed.Response != nil {
			this.from = j.Parsed.Response.From
		}
		terms.NotReady = b.answers.notReady(this)
		terms.Unheld = unheldUntil(b.conn, j.Parsed.Response, b.inFlight, terms.Trip, to)
		b.answers.note(this)
	}
	terms.Refused = j.Parsed.Refused && j.Parsed.Reset != nil && terms.Own == report.Think
	t := report.Tile{Before: j.line.Last, End: end}
	j.line.Labels(to, terms, func(until time.Duration, l report.Label) {
		t.Label, t.From, t.To = l, max(j.line.At, j.booked), until
		switch t.Cause = (capture.Mark{}); l {
		case report.H2Window:
			if until > held.Since.Time { // else others' frames waited, of which it is no release
				t.Cause = held.By
			}
		case report.H2HOL:
			t.Cause = j.line.Came
		}
		b.bookStretch(j, &t, byClient)
	})
}

// bookStretch books a stretch of the time of j.
func (b *book) bookStretch(j *Exchange, t *report.Tile, byClient bool) {
	if t.To <= t.From {
		return
	}
	j.book(report.Interval{From: t.From, To: t.To}, t.Label, byClient)
	b.countPaused(j, t)
	if b.trace != nil && j.Traced {
		b.show(t, t.From, t.To, t.Label)
	}
	if !ofStreams(t.Label) && t.Label != report.AppPaced ||
		t.Label == report.H2Window && !Seen(t.Cause) {
		return
	}
	w := Wait{
		Label: t.Label, From: t.From, To: t.To, Before: t.Before, End: t.End, Cause: t.Cause,
	}
	if !byClient {
		w.Dir = reassembly.FromServer
	}
	j.keep(w)
}

// ofStreams reports whether a label says what others on the connection, or flow control, did to an
// exchange.
func ofStreams(l report.Label) bool { return l >= report.H2Mux && l <= report.H2HOL }
