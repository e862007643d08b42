// Package line is the time of an exchange that shares its connection with others, between two
// segments that brought it on. What it waited for while others' octets passed only its own next
// octets tell: were they behind those, or had there been nothing to send?
package line

import (
	"slices"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
)

// Line is the time of an exchange from one of its own events, a segment that brought it on, to the
// next. The zero value has not begun.
type Line struct {
	On       bool
	Answered bool          // the server sent its latest event
	At       time.Duration // of that event, or when the line began: the time before has its labels
	Last     capture.Mark  // its latest event; no frame if there was none
	// the first segment since then with octets of its own that a loss before them keeps back; no
	// frame if there is none
	Came capture.Mark

	pieces  []piece // since then, in order
	arrived piece   // until octets came that a loss before them keeps back; to is 0 if none did
}

// piece is a stretch of the time of the direction that the exchange waits for. It begins where the
// one before ends.
type piece struct {
	to    time.Duration
	label report.Label // AppPaced: the sender had nothing to send; H2Mux: it sent what others have
	own   bool         // octets of the exchange ended it
}

// maxPieces caps what is kept of a wait: of more the shortest becomes part of the one before.
const maxPieces = 16

// Empty is a line that has not begun, with the room of l.
func (l *Line) Empty() Line { return Line{pieces: l.pieces[:0]} }

// Begin makes the line begin at the given moment.
func (l *Line) Begin(at time.Duration) { *l = Line{On: true, At: at, pieces: l.pieces[:0]} }

// Next begins the wait for the next event: the latest was at the given mark.
func (l *Line) Next(at capture.Mark, byServer bool) {
	pieces := l.pieces[:0]
	*l = Line{On: true, Answered: byServer, At: at.Time, Last: at, pieces: pieces}
}

// End ends the line at the given moment.
func (l *Line) End(at time.Duration) {
	l.At, l.pieces, l.arrived = max(l.At, at), l.pieces[:0], piece{}
}

// Wait adds a stretch of time of the direction that the exchange waits for, up to the given moment,
// as it was labelled for that. own says that octets of the exchange ended it.
func (l *Line) Wait(to time.Duration, label report.Label, own bool) {
	if !own {
		label = standsFor(label)
	}
	if label == report.AppPaced {
		l.paused()
	}
	n := len(l.pieces)
	if n > 0 && l.pieces[n-1].label == label && l.pieces[n-1].own == own {
		l.pieces[n-1].to = max(l.pieces[n-1].to, to)
		return
	}
	if n >= maxPieces {
		l.dropShortest()
	}
	l.pieces = append(l.pieces, piece{to, label, own})
}

// dropShortest makes the shortest of the pieces but the first part of the one before.
func (l *Line) dropShortest() {
	shortest := 1
	length := func(i int) time.Duration { return l.pieces[i].to - l.pieces[i-1].to }
	for i := range l.pieces[1:] {
		if length(i+1) < length(shortest) {
			shortest = i + 1
		}
	}
	l.pieces[shortest-1].to = l.pieces[shortest].to
	l.pieces = slices.Delete(l.pieces, shortest, shortest+1)
}

// standsFor is what time of a direction, which others' octets ended, says of who waits for octets
// of its own.
func standsFor(l report.Label) report.Label {
	switch {
	case Paused(l), l == report.H2Window: // which held back one frame, and not what others have
		return report.AppPaced
	case OfWindow(l), l >= report.FastRetx && l <= report.Cork:
		return report.H2Mux
	}
	return l // a closed window, a gap in the capture: that held up everybody
}

// Paused reports whether a label says that a sender had nothing to send.
func Paused(l report.Label) bool {
	switch l {
	case report.Think, report.Think100, report.RoundTrip, report.ReqApp, report.AppPaced,
		report.ClientThink:
		return true
	}
	return false
}

// OfWindow reports whether a label says that a sender went on as fast as its window, its own pace
// and limit, or the path allowed.
func OfWindow(l report.Label) bool { return l >= report.Serialize && l <= report.SendLimit }

// paused notes that the sender has had nothing to send: nothing of the exchange was behind what it
// had sent for others before.
func (l *Line) paused() {
	kept := l.pieces[:0]
	for _, p := range l.pieces {
		if p.label == report.H2Mux && !p.own {
			p.label = report.AppPaced
		}
		if n := len(kept); n > 0 && kept[n-1].label == p.label && kept[n-1].own == p.own {
			kept[n-1].to = p.to
			continue
		}
		kept = append(kept, p)
	}
	l.pieces = kept
}

// Arrive notes that octets of the exchange have come which a loss before them keeps back. paused
// says that their sender had sent nothing right before.
func (l *Line) Arrive(at capture.Mark, paused bool) {
	if l.arrived.to > 0 {
		return
	}
	l.Came = at
	l.arrived = piece{to: at.Time, label: report.H2Mux}
	if paused {
		l.arrived.label = report.AppPaced
	}
}

// Repaired gives the time since octets of the exchange came, if some did, up to the given moment to
// the loss of others' that kept them back.
func (l *Line) Repaired(to time.Duration) {
	if l.arrived.to == 0 {
		return
	}
	came := max(l.arrived.to, l.At)
	if n := slices.IndexFunc(l.pieces, func(p piece) bool { return p.to > came }); n >= 0 {
		l.pieces = l.pieces[:n]
	}
	if l.arrived.label == report.AppPaced {
		l.paused()
	}
	l.pieces = append(l.pieces, l.arrived, piece{to: to, label: report.H2HOL})
}

// Terms are what the labels of the time since the latest event depend on.
type Terms struct {
	Own  report.Label  // of time in which the sender had nothing to send
	Trip time.Duration // until then, nothing can have come: a round trip after it was asked for
	// until then what was asked for it had not come: it waited in a queue of the path
	Queued time.Duration
	// when flow control of HTTP/2 held back what came; zero if it did not
	Window report.Interval
	// until then it was not ready, whatever others had: what was ready after it had been sent by
	// then
	NotReady time.Duration
	// until then it cannot have waited behind what was being sent, as far as is known: whether it
	// was ready nobody can tell
	Unheld time.Duration
	// the whole is the server's word that it takes no more streams
	Refused bool
}

// Labels calls put for all of the time since the latest event up to the given moment, in order,
// with the end of each stretch and its label. A stretch may be empty.
func (l *Line) Labels(to time.Duration, t Terms, put func(to time.Duration, l report.Label)) {
	for _, p := range l.pieces {
		t.divide(p.label, min(p.to, to), put)
	}
	rest := report.Unknown
	if t.Own == report.Think {
		rest = t.Own
	}
	t.divide(rest, to, put)
}

// divide is Labels for a stretch of one label that ends at the given moment.
func (t *Terms) divide(label report.Label, to time.Duration,
	put func(to time.Duration, l report.Label)) {
	window := report.H2Window
	switch {
	case told(label):
		put(to, label)
		return
	case Paused(label):
		label = t.Own
	case t.Own == report.Think && OfWindow(label):
		label = report.H2Mux // what it was behind filled the window
	case label == report.Unknown:
		window = label
	}
	if t.Refused {
		label = report.StreamLimit
	} else {
		put(min(to, t.Trip), report.RoundTrip)
	}
	if label == report.Think || label == report.H2Mux {
		put(min(to, t.Queued), report.Queue)
	}
	if t.Window.To > 0 {
		put(min(to, t.Window.From), label)
		put(min(to, t.Window.To), window)
	}
	if label == report.H2Mux {
		put(min(to, t.NotReady), t.Own)
		put(min(to, t.Unheld), report.Unknown)
	}
	put(to, label)
}

// told reports whether a label says what TCP, the path or a host did to octets, so that its time is
// nothing else.
func told(l report.Label) bool {
	return l == report.CaptureGap || l == report.Queue || l >= report.RWnd && l <= report.Cork ||
		l == report.HostStopped || l == report.H2HOL
}
