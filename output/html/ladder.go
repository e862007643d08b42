package html

import (
	"slices"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/output/wording"
	"tcpwhy/reassembly"
)

// ladder is a wait between two lifelines: frames leave one side and arrive at the other, so that
// who looks sees whether something left late or travelled long.
type ladder struct {
	About         string // for who cannot see it
	Took, Far     string // Far: who is at the lower line
	Frames        []frameLine
	Discs         []disc
	Capture       int // where the capture was taken: its height
	Height        int
	ClientY, SrvY int
	Ledger        []bit
}

// frameLine is a frame on its way.
type frameLine struct {
	X1, X2 string
	Y1, Y2 int
	Proof  bool
	Title  string
}

// disc is a numbered mark, and where it points to.
type disc struct {
	N      int
	X, At  string
	Y, AtY int
}

const (
	ladderWidth  = 540 // pixels of a window of 1040
	ladderTop    = 34
	ladderHeight = 96
	ladderRoom   = 30 // below
	// discApart is how far two discs are apart at least, as a share of the width: as wide as a disc
	// is on a phone.
	discApart = 0.055
	// maxBeside are the frames beside the proof that are drawn: more would hide it.
	maxBeside = 120
)

// ladder draws the worst occurrence of a story.
func (b *builder) ladder(o *report.Occurrence, far string) *ladder {
	l := &ladder{
		Far:     far,
		ClientY: ladderTop, SrvY: ladderTop + ladderHeight,
		Height: ladderTop + ladderHeight + ladderRoom,
	}
	first, last := o.Evidence[0].Time, o.Evidence[0].Time
	for i := range o.Evidence {
		first, last = min(first, o.Evidence[i].Time), max(last, o.Evidence[i].Time)
	}
	l.Took = spaced(wording.Duration(last-first)) + " from first to last proof frame"
	s := around(min(first, o.Start), max(last, o.End))
	path := b.pathOf(o.Connection)
	l.Capture = l.ClientY + int(path.share()*ladderHeight)
	b.proofFrames(l, o, s, path)
	b.besideFrames(l, o, s, path)
	l.Ledger = bits(b.ledgerAt(o), s, maxBits, ladderWidth)
	return l
}

// around is the scale of a picture of what lies between two moments, with some room.
func around(from, to time.Duration) scale {
	room := max((to-from)*2/25, 20*time.Microsecond)
	return spanOf(from-room, to+room)
}

// path is how far the two sides are from where the capture was taken.
type path struct {
	client, server time.Duration // round trips
	vantage        reassembly.Vantage
}

// pathOf is the path of a connection.
func (b *builder) pathOf(conn int) path {
	c := b.conns[conn]
	if c == nil {
		return path{}
	}
	return path{c.ClientRTT, c.ServerRTT, c.Vantage}
}

// share is where between client and server the capture was taken: 0 at the client, 1 at the server.
func (p path) share() float64 {
	if all := p.client + p.server; all > 0 {
		return float64(p.client) / float64(all)
	}
	switch p.vantage {
	case reassembly.ClientSide:
		return 0
	case reassembly.ServerSide:
		return 1
	}
	return 0.5
}

// line is the way of a frame that passed the capture at a moment.
func (l *ladder) line(at time.Duration, by report.Side, s scale, p path) frameLine {
	switch by {
	case report.SideClient:
		return frameLine{
			X1: pct(s.moment(at - p.client/2)), Y1: l.ClientY,
			X2: pct(s.moment(at + p.server/2)), Y2: l.SrvY,
		}
	case report.SideServer:
		return frameLine{
			X1: pct(s.moment(at - p.server/2)), Y1: l.SrvY,
			X2: pct(s.moment(at + p.client/2)), Y2: l.ClientY,
		}
	}
	x := pct(s.moment(at))
	return frameLine{X1: x, Y1: l.ClientY, X2: x, Y2: l.SrvY}
}

// proofFrames draws the frames of the proof, and a disc for each that is listed beside it.
func (b *builder) proofFrames(l *ladder, o *report.Occurrence, s scale, p path) {
	shown := o.Evidence[:min(maxProof, len(o.Evidence))]
	places := make([]float64, len(shown))
	for i := range shown {
		e := &shown[i]
		f := l.line(e.Time, e.Side, s, p)
		f.Proof, f.Title = true, text(b.FrameName(e.Frame, false)+", "+wording.Evidence(e))
		l.Frames = append(l.Frames, f)
		l.About += text(b.FrameName(e.Frame, false)) + " by the " + e.Side.String() + " at " +
			spaced(wording.Offset(e.Time-shown[0].Time)) + "; "
		places[i] = s.moment(e.Time)
	}
	for i, x := range spread(places) {
		l.Discs = append(l.Discs, disc{
			N: i + 1, X: pct(x), At: pct(places[i]), Y: l.Capture, AtY: l.Capture,
		})
	}
}

// spread moves places that are too near to each other apart, and keeps their order.
func spread(places []float64) []float64 {
	order := make([]int, len(places))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, k int) int {
		switch {
		case places[i] < places[k]:
			return -1
		case places[i] > places[k]:
			return 1
		}
		return 0
	})
	out := slices.Clone(places)
	next := 0.02
	for _, i := range order {
		out[i] = max(out[i], next)
		next = out[i] + discApart
	}
	limit := 0.98
	for _, i := range slices.Backward(order) {
		out[i] = min(out[i], limit)
		limit = out[i] - discApart
	}
	centre(out, places, order)
	return out
}

// centre moves groups that touch back, so that they stand around what they point to.
func centre(out, places []float64, order []int) {
	for from := 0; from < len(order); {
		to := from + 1
		off := out[order[from]] - places[order[from]]
		for to < len(order) && out[order[to]]-out[order[to-1]] < discApart+1e-9 {
			off += out[order[to]] - places[order[to]]
			to++
		}
		left := 0.02
		if from > 0 {
			left = out[order[from-1]] + discApart
		}
		move := min(off/float64(to-from), out[order[from]]-left)
		for _, i := range order[from:to] {
			if move > 0 {
				out[i] -= move
			}
		}
		from = to
	}
}

// besideFrames draws the other segments of the time, if they are few enough.
func (b *builder) besideFrames(l *ladder, o *report.Occurrence, s scale, p path) {
	g := b.graphs[o.Connection]
	if g == nil {
		return
	}
	proof := map[capture.FrameID]bool{}
	for i := range o.Evidence {
		proof[o.Evidence[i].Frame] = true
	}
	var beside []frameLine
	for i := range g.Strokes {
		r := &g.Strokes[i]
		if float64(r.Time) < s.from || float64(r.Time) > s.to || proof[r.Frame] {
			continue
		}
		side := report.SideClient
		if r.Dir == reassembly.FromServer {
			side = report.SideServer
		}
		beside = append(beside, l.line(r.Time, side, s, p))
	}
	if len(beside) <= maxBeside {
		l.Frames = append(beside, l.Frames...)
	}
}

// ledgerAt is what the time around an occurrence was spent on.
func (b *builder) ledgerAt(o *report.Occurrence) []report.Piece {
	x, g := b.byID[o.Exchange], b.graphs[o.Connection]
	within := g != nil && len(g.Pieces) > 0 && g.Pieces[0].From <= o.Evidence[0].Time
	switch {
	case within && (x == nil || x.OnStream.Stream == 0):
		return g.Pieces // finer than those of an exchange
	case x != nil:
		return x.Pieces
	}
	return nil
}
