// Package dialogue finds out what a connection speaks. It knows a list of recognisers, and none of
// the readers that they make.
package dialogue

import (
	"bytes"

	"tcpwhy/capture"
	"tcpwhy/reassembly/exchange"
)

const (
	// maxHeld caps the octets that are held until the protocol is known.
	maxHeld = 2048
	// maxSpareDialogues caps how many are kept for other connections.
	maxSpareDialogues = 256
)

// Readers makes the readers of one Tracker.
type Readers struct {
	known []exchange.Recogniser
	spare []*dialogue
}

// New makes readers of the protocols that the given recognisers know. Where several are certain of
// an opening, the first of them counts.
func New(known ...exchange.Recogniser) *Readers { return &Readers{known: known} }

// Recognise reads what is not known yet.
func (r *Readers) Recognise(c *exchange.Context) exchange.Reader {
	n := len(r.spare)
	if n == 0 {
		return &dialogue{c: c, readers: r}
	}
	d := r.spare[n-1]
	r.spare = r.spare[:n-1]
	d.c, d.readers = c, r
	return d
}

// Of reads protocol p from where another Reader ends.
func (r *Readers) Of(
	p exchange.Protocol,
	c *exchange.Context,
	from *exchange.Takeover,
) exchange.Reader {
	for _, k := range r.known {
		if k.Protocol() == p {
			return k.Reader(c, from)
		}
	}
	return exchange.NewTurns(c, from)
}

// keep takes the memory of a dialogue that is over.
func (r *Readers) keep(d *dialogue) {
	if len(r.spare) < maxSpareDialogues {
		*d = dialogue{}
		r.spare = append(r.spare, d)
	}
}

// opens is who knows the beginning of dir's stream; unsure says that more octets are needed to
// tell.
func (r *Readers) opens(dir exchange.Dir, data []byte) (known exchange.Recogniser, unsure bool) {
	for _, k := range r.known {
		switch k.Opening(dir, data) {
		case exchange.Certain:
			return k, false
		case exchange.Unsure:
			unsure = true
		}
	}
	return nil, unsure
}

// resumes is who knows what begins a segment of dir, nil if nobody does.
func (r *Readers) resumes(dir exchange.Dir, data []byte) exchange.Recogniser {
	for _, k := range r.known {
		if k.Resumes(dir, data) {
			return k
		}
	}
	return nil
}

// dialogue finds out what a connection speaks, by content alone: a port proves nothing. Then inner
// reads it.
type dialogue struct {
	c       *exchange.Context
	readers *Readers
	inner   exchange.Reader
	turns   *exchange.Turns // inner, while nothing better is known
	// a protocol may still be recognised at the beginning of a later segment
	open bool
	// because the capture lacks the beginning; else only by what the server says first
	lossy bool
	// because a proxy was greeted before: by what either side says, as long as that may take
	greeted bool
	held    [2]opening
	first   exchange.Dir // whose opening came first, if both are held
}

// opening is the beginning of one direction, held until it tells the protocol.
type opening struct {
	data []byte
	off  int64
	came exchange.Arrival
}

// Data recognises the protocol, or hands the octets on.
func (d *dialogue) Data(dir exchange.Dir, off int64, data []byte, a *exchange.Arrival) {
	if d.inner != nil {
		if d.open {
			d.reconsider(dir, off, data)
		}
		d.inner.Data(dir, off, data, a)
		return
	}
	if n := introduced(dir, data); n > 0 && off == 0 {
		off, data = off+int64(n), data[n:]
		if len(data) == 0 {
			return
		}
	}
	held := &d.held[dir]
	all := data
	if len(held.data) > 0 {
		if len(bytes.TrimLeft(held.data, "\r\n")) == 0 {
			held.came = *a
		}
		room := min(len(data), maxHeld+64-len(held.data))
		held.data = append(held.data, data[:max(room, 0)]...)
		all = held.data
	}
	known, unsure := d.readers.opens(dir, all)
	if unsure && len(all) <= maxHeld {
		d.hold(dir, off, data, a)
		return
	}
	if len(held.data) > 0 {
		// What came just now is handed on with its own marks.
		held.data = held.data[:off-held.off]
	}
	d.decide(known)
	if known == nil {
		d.greeted = off == 0 && greets(dir, data)
	}
	d.inner.Data(dir, off, data, a)
}

// hold keeps the octets of an opening that tells nothing yet.
func (d *dialogue) hold(dir exchange.Dir, off int64, data []byte, a *exchange.Arrival) {
	held := &d.held[dir]
	if len(held.data) > 0 {
		return // they were added already
	}
	if len(d.held[dir.Peer()].data) == 0 {
		d.first = dir
	}
	held.data = append(held.data, data...)
	held.off, held.came = off, *a
}

// decide chooses who reads the connection, turns if nobody knows it, and hands on what was held.
func (d *dialogue) decide(known exchange.Recogniser) {
	if known != nil {
		d.inner = known.Reader(d.c, nil)
	} else {
		d.turns = exchange.NewTurns(d.c, nil)
		d.inner = d.turns
		d.open, d.lossy = true, d.c.TCP.MidStream()
	}
	for _, dir := range [...]exchange.Dir{d.first, d.first.Peer()} {
		d.release(dir)
	}
}

// release hands on what was held of dir.
func (d *dialogue) release(dir exchange.Dir) {
	held := &d.held[dir]
	if len(held.data) > 0 {
		d.inner.Data(dir, held.off, held.data, &held.came)
	}
	*held = opening{}
}

// reconsider recognises a protocol late: the capture began in the middle of the connection, or
// lacks its first octets, a proxy was greeted, or a server of HTTP answers something that is no
// request.
func (d *dialogue) reconsider(dir exchange.Dir, off int64, data []byte) {
	if d.greeted && off > greetingMost {
		d.greeted = false
	}
	if !d.lossy && !d.greeted && (dir == exchange.FromClient || off > 0) {
		d.open = dir == exchange.FromClient
		return
	}
	known := d.readers.resumes(dir, data)
	if known == nil {
		return
	}
	if d.greeted && dir == exchange.FromClient {
		d.turns.Rest()
	}
	from := d.turns.Leave()
	from.Speaker, from.Unseen = dir, d.lossy
	d.open = false
	d.inner = known.Reader(d.c, &from)
}

// settleOpening decides with what is there.
func (d *dialogue) settleOpening() {
	if d.inner == nil {
		d.decide(nil)
	}
}

// Skipped hands on.
func (d *dialogue) Skipped(dir exchange.Dir, off, n int64, a *exchange.Arrival) {
	d.settleOpening()
	d.inner.Skipped(dir, off, n, a)
}

// Gap settles for turns if it comes first: what the connection speaks may show later, unless the
// frames were cut.
func (d *dialogue) Gap(dir exchange.Dir, off, n int64, a *exchange.Arrival) {
	if d.inner == nil {
		cut := len(d.held[dir].data) > 0 && d.held[dir].came.Seen.Frame == a.At.Frame
		d.decide(nil)
		d.open, d.lossy = !cut, true
		if cut {
			d.c.Caveats.Add(exchange.CaveatPayloadCut)
		}
	}
	d.inner.Gap(dir, off, n, a)
}

// Fin hands on.
func (d *dialogue) Fin(dir exchange.Dir, at capture.Mark) {
	d.settleOpening()
	d.inner.Fin(dir, at)
}

// Rst hands on.
func (d *dialogue) Rst(dir exchange.Dir, at capture.Mark) {
	d.settleOpening()
	d.inner.Rst(dir, at)
}

// End hands on.
func (d *dialogue) End(at capture.Mark, ended bool) {
	d.settleOpening()
	d.inner.End(at, ended)
	d.readers.keep(d)
}

// Skip is nothing while the protocol is not known.
func (d *dialogue) Skip(dir exchange.Dir) int64 {
	if d.inner == nil || d.open {
		return 0
	}
	return d.inner.Skip(dir)
}
