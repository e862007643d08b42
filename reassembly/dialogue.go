package reassembly

import (
	"bytes"

	"tcpwhy/capture"
)

const (
	// maxHeld caps the octets that are held until the protocol is known.
	maxHeld = 2048
	// maxSpareDialogues caps how many are kept for other connections.
	maxSpareDialogues = 256
)

// readers makes readers of connections. It knows which protocols there are, and nothing of how they
// are read.
type readers struct {
	known []Recogniser
	spare []*dialogue
}

// newReaders makes readers of the given protocols. Where several recognise an opening, the first of
// them counts.
func newReaders(known ...Recogniser) *readers { return &readers{known: known} }

// Recognise reads what is not known yet.
func (r *readers) Recognise(c *Context) Reader {
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
func (r *readers) Of(p Protocol, c *Context, from *Takeover) Reader {
	for _, k := range r.known {
		if k.Protocol() == p {
			return k.Reader(c, from)
		}
	}
	return NewTurns(c, from)
}

// keep takes the memory of a dialogue that is over.
func (r *readers) keep(d *dialogue) {
	if len(r.spare) < maxSpareDialogues {
		*d = dialogue{}
		r.spare = append(r.spare, d)
	}
}

// opens is who knows the beginning of dir's stream; unsure says that more octets are needed to tell.
func (r *readers) opens(dir Dir, data []byte) (known Recogniser, unsure bool) {
	for _, k := range r.known {
		switch k.Opening(dir, data) {
		case Certain:
			return k, false
		case Unsure:
			unsure = true
		}
	}
	return nil, unsure
}

// resumes is who knows what begins a segment of dir, nil if nobody does.
func (r *readers) resumes(dir Dir, data []byte) Recogniser {
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
	c       *Context
	readers *readers
	inner   Reader
	turns   *Turns // inner, while nothing better is known
	open    bool   // a protocol may still be recognised at the beginning of a later segment
	lossy   bool   // because the capture lacks the beginning; else only by what the server says first
	held    [2]opening
	first   Dir // whose opening came first, if both are held
}

// opening is the beginning of one direction, held until it tells the protocol.
type opening struct {
	data []byte
	off  int64
	came Arrival
}

// Data recognises the protocol, or hands the octets on.
func (d *dialogue) Data(dir Dir, off int64, data []byte, a *Arrival) {
	if d.inner != nil {
		if d.open {
			d.reconsider(dir, off, data)
		}
		d.inner.Data(dir, off, data, a)
		return
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
	d.inner.Data(dir, off, data, a)
}

// hold keeps the octets of an opening that tells nothing yet.
func (d *dialogue) hold(dir Dir, off int64, data []byte, a *Arrival) {
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
func (d *dialogue) decide(known Recogniser) {
	if known != nil {
		d.inner = known.Reader(d.c, nil)
	} else {
		d.turns = NewTurns(d.c, nil)
		d.inner = d.turns
		d.open, d.lossy = true, d.c.TCP.MidStream()
	}
	for _, dir := range [...]Dir{d.first, d.first.Peer()} {
		d.release(dir)
	}
}

// release hands on what was held of dir.
func (d *dialogue) release(dir Dir) {
	held := &d.held[dir]
	if len(held.data) > 0 {
		d.inner.Data(dir, held.off, held.data, &held.came)
	}
	*held = opening{}
}

// reconsider recognises a protocol late: the capture began in the middle of the connection, or
// lacks its first octets, or a server of HTTP answers something that is no request.
func (d *dialogue) reconsider(dir Dir, off int64, data []byte) {
	if !d.lossy && (dir == FromClient || off > 0) {
		d.open = dir == FromClient
		return
	}
	known := d.readers.resumes(dir, data)
	if known == nil {
		return
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
func (d *dialogue) Skipped(dir Dir, off, n int64, a *Arrival) {
	d.settleOpening()
	d.inner.Skipped(dir, off, n, a)
}

// Gap settles for turns if it comes first: what the connection speaks may show later, unless the
// frames were cut.
func (d *dialogue) Gap(dir Dir, off, n int64, a *Arrival) {
	if d.inner == nil {
		cut := len(d.held[dir].data) > 0 && d.held[dir].came.Seen.Frame == a.At.Frame
		d.decide(nil)
		d.open, d.lossy = !cut, true
		if cut {
			d.c.Caveats.Add(CaveatPayloadCut)
		}
	}
	d.inner.Gap(dir, off, n, a)
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
	d.readers.keep(d)
}

// Skip is nothing while the protocol is not known.
func (d *dialogue) Skip(dir Dir) int64 {
	if d.inner == nil || d.open {
		return 0
	}
	return d.inner.Skip(dir)
}
