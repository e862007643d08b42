package ledger

import (
	"time"

	"tcpwhy/analysis/internal/ledger/line"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

// Where exchanges share a connection, what a loss cost them is a matter of the connection: whatever
// a sender has to send comes later by as much as all of it does, until it has nothing to send.

// maxBusy is how many stretches of an exchange are kept in which something was lost; of those that
// come later nothing is said.
const maxBusy = 64

// Progress is how far a sender has come since it had nothing to send.
type Progress struct {
	Octets  int64         // that the receiver has in order
	Window  time.Duration // spent waiting for a window, its own or its receiver's, or at its own pace
	Path    time.Duration // as fast as the path carries segments
	Repairs time.Duration // until what was lost had been repaired
	After   time.Duration // the part of Window behind the first loss
	Room    time.Duration // the part of Window that waited for the receive window
	Kept    time.Duration // kept back by flow control of HTTP/2
}

// Busy is what one direction sent without a pause when octets of an exchange came, up to the last
// of them.
type Busy struct {
	Dir   reassembly.Dir
	From  Progress // when the exchange began to wait for that direction
	Until Progress
	Flow  Flow // what that showed of its sender: Bytes are those of Until
	Loss  Wait // the latest repair of a loss
	// Waited is when repairs were waited for, and behind them a window, in order. Waits less than a
	// round trip apart are one, and all from the maxAffected-th on.
	Waited []report.Interval
}

// busyPart is the part of a stretch that an exchange waited for; its own octets came last at until,
// if any did.
type busyPart struct {
	from, until Progress
	came        bool
}

// stretch is what a sender has sent since it had nothing to send: a busy period, or a part of one,
// as a pause shorter than a rest makes up for what was late before it.
type stretch struct {
	Progress
	place  int64 // of its first octet in the connection's stream
	lost   bool
	waited []report.Interval
	repair Wait
}

// maxAffected is how many waits are told apart.
const maxAffected = 256

// tile takes in time of dir, in which its sender had something to send.
func (s *stretch) tile(t *report.Tile, dir reassembly.Dir, roundTrip time.Duration) {
	s.lost = s.lost || repairs(t.Label) || t.Label == report.RecoveryCwnd
	if repairs(t.Label) {
		s.repair = Wait{
			Label: t.Label, From: t.From, To: t.To, Dir: dir, Before: t.Before, Prev: dir,
			End: t.End, Cause: t.Cause,
		}
	}
	late := s.Repairs + s.After
	if s.add(t.Label, t.To-t.From, s.lost); s.Repairs+s.After > late {
		s.wait(t.From, t.To, roundTrip)
	}
}

// wait takes note of time that losses may have cost.
func (s *stretch) wait(from, to, roundTrip time.Duration) {
	n := len(s.waited)
	if n > 0 && (n == maxAffected || from-s.waited[n-1].To < roundTrip) {
		s.waited[n-1].To = to
		return
	}
	s.waited = append(s.waited, report.Interval{From: from, To: to})
}

// repairs reports whether a label is of time until a loss had been repaired.
func repairs(l report.Label) bool { return l >= report.FastRetx && l <= report.LostRetx }

// add adds time with a label. lost says that something had been lost by then.
func (p *Progress) add(l report.Label, took time.Duration, lost bool) {
	switch {
	case repairs(l):
		p.Repairs += took
	case l == report.Serialize:
		p.Path += took
	case l == report.H2Window:
		p.Kept += took
	case line.OfWindow(l) || l == report.RWnd:
		p.Window += took
		if lost {
			p.After += took
		}
		if l == report.RWnd {
			p.Room += took
		}
	}
}

// arrive takes in octets that the receiver has in order now.
func (s *stretch) arrive(octets exchange.Range) {
	if s.Octets == 0 {
		s.place = octets.From
	}
	s.Octets += max(0, octets.To-octets.From)
}

// endStretch ends the stretch of a direction, if there is one: its sender has nothing to send. What
// had not come of an exchange by then was not held up by what was lost.
func (b *book) endStretch(dir reassembly.Dir) {
	p := &b.busy.of[dir]
	for _, j := range b.exchanges {
		b.takeBusy(j, dir)
	}
	p.stretch = stretch{}
	p.flown = b.busy.path.Of(dir).MostInFlight()
}

// takeBusy takes what j waited for of the stretch in hand, if something was lost.
func (b *book) takeBusy(j *Exchange, dir reassembly.Dir) {
	part := &j.busy[dir]
	if part.came && b.busy.of[dir].lost && !j.settled && len(j.Losses) < maxBusy {
		j.Losses = append(j.Losses, b.busy.part(dir, part))
	}
	*part = busyPart{}
}

// windowParts: a path that carries no more than passed on average is busy all the time. It was not
// if its sender waited for a window in more than one of so many parts of it.
const windowParts = 2

// rate is how many octets a second the path carries, by the stretch of a direction that is in hand;
// 0: not known, as where segments show less than passed on average, though most of the time it had
// nothing to carry.
func (b *busyPeriods) rate(dir reassembly.Dir) float64 {
	p := &b.of[dir]
	took := max(p.Window+p.Path+p.Repairs, 1)
	average := float64(p.Octets) / took.Seconds()
	rate := b.path.Of(dir).PathRate(average)
	if rate <= average && p.Window*windowParts > took {
		return 0
	}
	return rate
}

// part is a part of the stretch of a direction that is in hand.
func (b *busyPeriods) part(dir reassembly.Dir, of *busyPart) Busy {
	s, p := b.path.Of(dir), &b.of[dir]
	took := max(p.Window+p.Path+p.Repairs, 1)
	p.repair.Unseen = s.LostUnseen()
	busy := Busy{Dir: dir, From: of.from, Until: of.until, Loss: p.repair, Waited: p.waited}
	busy.Flow = Flow{
		Bytes:         of.until.Octets,
		MSS:           int64(b.path.Conn.Half[dir].Eff),
		Initial:       max(s.FirstRound(), p.flown),
		Window:        s.WindowRoom(),
		RTT:           max(b.path.Conn.RTTMin(), s.FlightPeriod()),
		Measured:      took,
		MostInFlight:  s.MostInFlight(),
		Rate:          b.rate(dir),
		ReceiveWindow: s.ReceiveWindow(),
		Paces:         s.PacesItself(),
		Queue:         s.Queue(),
	}
	sent := exchange.Range{From: p.place, To: p.place + of.until.Octets}
	busy.Flow.Allowed = allowedIn(&b.path.Conn.HTTP2.Freed[dir], sent)
	return busy
}
