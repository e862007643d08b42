package ledger

import (
	"time"

	"tcpwhy/analysis/internal/ledger/line"
	"tcpwhy/analysis/internal/ledger/sender"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

// What holds up a connection holds up all exchanges that share it: the rate of its path, a receive
// window, the congestion window. None of them shows it alone, but what their sender sent for all of
// them does: from when it had something to send until it had rested, its busy period.

// Period is a busy period of one direction of a connection that exchanges shared, as if all that
// was sent in it were one message of one exchange: what was read of it (Parsed) has that message
// alone, and the Index of the exchange with most of its octets. Its time is that of the direction.
type Period struct {
	Exchange
	Carried int // of how many exchanges it had octets
	dir     reassembly.Dir
	message exchange.Message // Complete once it had octets
}

// busyPeriods are those of a connection while exchanges share it.
type busyPeriods struct {
	path *sender.Path
	of   [2]busyPeriod // by direction
	over []*Period     // not yet taken
}

// busyPeriod is that of one direction.
type busyPeriod struct {
	now *Period // nil: none
	// time since its latest progress: to which period it belongs shows when it ends
	tiles []report.Tile
	waits []Wait
	stretch
	flown int64 // the most octets that were in flight before the stretch
}

// begin begins the periods of both directions at the given moment. The first message of the one
// exchange that had been alone until then, if it was under way, is part of that of its direction.
func (b *busyPeriods) begin(at time.Duration, alone *Exchange) {
	for dir := range b.of {
		b.of[dir].start(reassembly.Dir(dir), at)
	}
	if alone == nil || alone.line.On || alone.From >= at {
		return
	}
	x, dir := alone.Parsed, reassembly.FromServer
	if x.Request != nil && !x.Request.Complete {
		dir = reassembly.FromClient
	}
	n := b.of[dir].now
	n.From, n.Times = alone.From, alone.Times
	n.Credited, n.UploadTimes = alone.Credited, alone.UploadTimes
	n.Waits = append(n.Waits, alone.Waits...)
	if m := alone.Message(dir); m != nil && m.Start.Time <= at {
		n.message = exchange.Message{Start: m.Start, From: m.From, To: m.From}
	}
}

// start begins a period, which is dir's, at the given moment.
func (p *busyPeriod) start(dir reassembly.Dir, at time.Duration) {
	p.now = &Period{dir: dir}
	p.now.From = at
}

// busyTile takes in a tile of dir. Where its sender had nothing to send, that ends the stretch.
func (b *book) busyTile(t *report.Tile, dir reassembly.Dir) {
	p := &b.busy.of[dir]
	p.tiles = append(p.tiles, *t)
	if line.Paused(t.Label) {
		b.endStretch(dir)
	} else {
		p.stretch.tile(t, dir, b.busy.path.Conn.RTTMin())
	}
}

// progress gives the time of r's direction since its latest progress to its period. r ended it.
func (p *busyPeriod) progress(r *reassembly.Record) {
	if n := p.now; n != nil {
		for i := range p.tiles {
			t := &p.tiles[i]
			own := report.Interval{From: max(t.From, n.From), To: t.To}
			n.book(own, t.Label, r.Dir == reassembly.FromClient)
		}
		for _, s := range p.waits {
			n.keep(s)
		}
		n.carry(r)
	}
	p.tiles, p.waits = p.tiles[:0], p.waits[:0]
}

// carry adds r to what the period carried.
func (n *Period) carry(r *reassembly.Record) {
	if r.Len == 0 {
		return
	}
	m := &n.message
	if !Seen(m.Start) {
		m.Start, m.From = r.Mark(), r.Seq
	}
	m.End, m.To, m.Complete = r.Mark(), max(m.To, r.End()), true
}

// since is when the time began that belongs to no period yet; at if there is none.
func (p *busyPeriod) since(at time.Duration) time.Duration {
	if len(p.tiles) > 0 {
		return p.tiles[0].From
	}
	return at
}
