package picture

import (
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

const (
	// maxGraphPieces and maxTrips are what a graph has of the ledger and of round trips; a screen
	// has no more columns.
	maxGraphPieces = 2000
	maxTrips       = 400
	// maxPending segments of one direction wait for their acknowledgment; more than that are no
	// samples.
	maxPending = 256
	// firstApart is how near two segments are at first that become one stroke: less than any screen
	// shows of a round trip. It doubles until there is room.
	firstApart = 50 * time.Microsecond
	lastApart  = time.Hour
)

// Graph collects a report.Graph while the worker that owns the connection draws up its ledger. It
// takes bounded memory, however long the connection is.
type Graph struct {
	out     report.Graph
	keep    map[capture.FrameID]bool
	apart   time.Duration // of segments that become one stroke
	coarse  time.Duration // of pieces that are too short to be shown
	pending [2][]sent     // by who sent them
	every   int           // of so many round trips one is kept
	trips   int
}

// sent is a segment that waits for its acknowledgment.
type sent struct {
	end int64
	at  time.Duration
}

// NewGraph is the graph of what of names.
func NewGraph(of report.GraphOf) *Graph {
	g := &Graph{
		out: report.Graph{Of: of}, keep: map[capture.FrameID]bool{}, apart: firstApart, every: 1,
	}
	for _, f := range of.Keep {
		g.keep[f] = true
	}
	return g
}

// Tile takes the next stretch of the connection's time.
func (g *Graph) Tile(from, to time.Duration, l report.Label) {
	if to <= from {
		return
	}
	if n := len(g.out.Pieces); n > 0 {
		if last := &g.out.Pieces[n-1]; last.Label == l || to-from < g.coarse {
			last.To = to
			return
		}
	}
	g.out.Pieces = append(g.out.Pieces, report.Piece{Label: l, From: from, To: to})
	for len(g.out.Pieces) > maxGraphPieces {
		g.coarsen()
	}
}

// coarsen joins pieces that are shorter than is now shown to the one before.
func (g *Graph) coarsen() {
	g.coarse = max(2*g.coarse, firstApart)
	kept := g.out.Pieces[:1]
	for _, p := range g.out.Pieces[1:] {
		if last := &kept[len(kept)-1]; p.To-p.From < g.coarse || p.Label == last.Label {
			last.To = p.To
		} else {
			kept = append(kept, p)
		}
	}
	g.out.Pieces = kept
}

// Pieces are those so far; their labels may be changed.
func (g *Graph) Pieces() []report.Piece { return g.out.Pieces }

// Records takes the segments that are about to be released.
func (g *Graph) Records(records []reassembly.Record) {
	for i := range records {
		r := &records[i]
		if r.Trait.Has(reassembly.Wild) && r.Flags&capture.RST == 0 {
			g.out.LeftOut++
			continue
		}
		g.measure(r)
		g.out.Strokes = g.join(g.out.Strokes, &report.Stroke{Record: *r, Segments: 1})
		g.thin()
	}
}

// thin makes fewer strokes of all, until they are no more than was asked for.
func (g *Graph) thin() {
	for len(g.out.Strokes) > g.out.Of.Most && g.apart < lastApart {
		g.apart *= 2
		kept := g.out.Strokes[:0]
		for i := range g.out.Strokes {
			s := g.out.Strokes[i]
			kept = g.join(kept, &s)
		}
		g.out.Strokes = kept
	}
	if n := len(g.out.Strokes); n > g.out.Of.Most && !g.keep[g.out.Strokes[n-1].Frame] {
		g.out.Strokes = g.out.Strokes[:n-1]
		g.out.LeftOut++
	}
}

// lookBack is how many strokes back the one may stand that a segment joins: between them are those
// of the other direction.
const lookBack = 4

// join appends a stroke, or makes the latest of its direction longer.
func (g *Graph) join(all []report.Stroke, s *report.Stroke) []report.Stroke {
	for i := len(all) - 1; i >= max(0, len(all)-lookBack); i-- {
		last := &all[i]
		if last.Dir != s.Dir {
			continue
		}
		if !g.joins(last, s) {
			break
		}
		last.Len += s.Len
		last.Ack, last.Window = s.Ack, s.Window
		last.Segments += s.Segments
		g.out.Coarsely = true
		return all
	}
	return append(all, *s)
}

// joins reports whether a stroke is shown as one with the one before of its direction.
func (g *Graph) joins(last, s *report.Stroke) bool {
	return g.apart > firstApart && s.Time-last.Time <= g.apart && g.plain(last) && g.plain(s) &&
		last.Seq+int64(last.Len) == s.Seq && (last.Len > 0) == (s.Len > 0)
}

// plain reports whether nothing about a stroke is worth a look of its own.
func (g *Graph) plain(s *report.Stroke) bool {
	return s.Kind == reassembly.Plain && s.SACK == 0 && s.Window > 0 && !g.keep[s.Frame] &&
		s.Flags&(capture.SYN|capture.FIN|capture.RST) == 0
}

// measure takes a round trip, if r ends one: the acknowledgment of a segment that was sent once.
func (g *Graph) measure(r *reassembly.Record) {
	wait := &g.pending[r.Dir]
	switch {
	case r.Kind.Retransmitted():
		*wait = nil // nobody knows which copy is acknowledged (Karn, RFC 6298 §3)
	case r.Len > 0 && len(*wait) < maxPending:
		*wait = append(*wait, sent{r.End(), r.Time})
	}
	if r.Flags&capture.ACK == 0 {
		return
	}
	peers := &g.pending[r.Dir.Peer()]
	n := 0
	for n < len(*peers) && (*peers)[n].end <= r.Ack {
		n++
	}
	if n > 0 {
		g.trip(report.Trip{At: r.Time, Took: r.Time - (*peers)[n-1].at, By: r.Dir})
		*peers = append((*peers)[:0], (*peers)[n:]...)
	}
}

// trip keeps one of several round trips: fewer and fewer of them, at equal distances.
func (g *Graph) trip(t report.Trip) {
	g.trips++
	if g.trips%g.every != 0 {
		return
	}
	if g.out.Trips = append(g.out.Trips, t); len(g.out.Trips) <= maxTrips {
		return
	}
	kept := g.out.Trips[:0]
	for i, t := range g.out.Trips {
		if i%2 == 1 {
			kept = append(kept, t)
		}
	}
	g.out.Trips, g.every = kept, 2*g.every
}

// Done is the graph.
func (g *Graph) Done() *report.Graph { return &g.out }
