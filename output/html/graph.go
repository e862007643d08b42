package html

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/output/finding"
	"tcpwhy/output/sentence"
	"tcpwhy/output/wording"
	"tcpwhy/reassembly"
)

// stripWidth are the pixels of a cause strip on a wide screen.
const stripWidth = 890

// graph is one connection: octets over time, in each direction, under what its time was spent on.
type graph struct {
	Anchor, Ends, Facts string
	ID                  int
	Strip               []bit
	Bands               []band
	Ticks               []tick
	Plots               []plot
	Server              bool // the direction that is shown first is the server's
	Coarse              string
}

// band is what lies behind the segments: all time of one family.
type band struct{ Class, Fill, Path string }

// plot is one direction of a graph.
type plot struct {
	Dir, Title, About string
	Ticks             []tick
	// paths in units of the whole, from the upper left
	Segments, Again, Acks, Window, Sacks, Duplicates, Map string
	Marks                                                 []mark
}

// mark is a proof frame, or a letter.
type mark struct {
	X, Y   string
	Aside  int    // pixels by which its number stands to the right, so that none hides another
	N      int    // 0: a ring
	Letter string // instead
	Last   bool   // it has no room at its right
	Title  string
}

// drawGraphs draws all connections of which the report has segments, in the order in which stories
// need them.
func (b *builder) drawGraphs() (out []graph) {
	for _, of := range Wanted(b.r) {
		g, c := b.graphs[of.Connection], b.conns[of.Connection]
		if g != nil && c != nil && len(g.Strokes) > 0 {
			out = append(out, b.graph(g, c))
		}
	}
	return out
}

// graph draws one connection.
func (b *builder) graph(g *report.Graph, c *report.ConnInfo) graph {
	s := spanOfGraph(g, c)
	out := graph{
		Anchor: "graph-" + strconv.Itoa(c.ID), ID: c.ID,
		Ends:  c.Client.String() + " → " + c.Server.String(),
		Facts: text(sentence.ConnectionFacts(c)),
		Strip: bits(
			g.Pieces,
			s,
			maxStrip,
			stripWidth,
		), Bands: bands(fewer(g.Pieces, s, maxStrip), s),
		Ticks: s.ticks(0, 8),
	}
	if g.Coarsely {
		out.Coarse = "Segments that lie too near together to be told apart are one stroke."
	}
	if g.LeftOut > 0 {
		out.Coarse += " Left out: " + wording.Count(g.LeftOut, "segment", "segments") + "."
	}
	proofs := b.proofsOn(c.ID)
	for _, d := range []reassembly.Dir{reassembly.FromClient, reassembly.FromServer} {
		out.Plots = append(out.Plots, b.plot(g, c, d, s, proofs))
	}
	out.Server = len(g.Strokes) > 0 && mostly(g, proofs) == reassembly.FromServer
	return out
}

// spanOfGraph is the scale of a graph's time.
func spanOfGraph(g *report.Graph, c *report.ConnInfo) scale {
	from, to := c.Start, c.Start+c.Duration
	if n := len(g.Strokes); n > 0 {
		from, to = min(from, g.Strokes[0].Time), max(to, g.Strokes[n-1].Time)
	}
	room := max((to-from)/100, 20*time.Microsecond)
	return scale{float64(from), float64(to + room)}
}

// bands are the time of each family as one path.
func bands(pieces []report.Piece, s scale) (out []band) {
	paths := [families]string{}
	for _, p := range pieces {
		f := looks[p.Label].family
		if f == famIdle || f == famNone {
			continue
		}
		paths[f] += "M" + unit(s.moment(p.From)) + " 0H" + unit(s.moment(p.To)) + "V1000000H" +
			unit(s.moment(p.From)) + "Z"
	}
	for f, path := range paths {
		if path != "" {
			out = append(out, band{"c-" + palette[f].name, palette[f].light, path})
		}
	}
	return out
}

// proven is what a frame proves on a connection.
type proven struct {
	n     int // its place in the proof that the first of the stories has there; 0: of another
	title string
}

// proofsOn are the frames that prove something on a connection. Those of the worst occurrence of
// its first story have numbers.
func (b *builder) proofsOn(conn int) map[capture.FrameID]proven {
	out := map[capture.FrameID]proven{}
	numbered := false
	for _, s := range b.cards {
		f := finding.Worst(b.r, s)
		if f == nil || len(f.Occurrences) == 0 || f.Occurrences[0].Connection != conn {
			continue
		}
		evidence := f.Occurrences[0].Evidence
		for i := range evidence[:min(len(evidence), maxProof)] {
			e := &evidence[i]
			if _, known := out[e.Frame]; known {
				continue
			}
			p := proven{title: text(b.FrameName(e.Frame, false) + ", " + wording.Evidence(e))}
			if !numbered {
				p.n = i + 1
			}
			out[e.Frame] = p
		}
		numbered = true
	}
	for _, f := range proofs(b.r, conn) {
		if _, known := out[f]; !known {
			out[f] = proven{title: text(b.FrameName(f, false))}
		}
	}
	return out
}

// mostly is the direction in which a graph is looked at first: of most data in the proof, else of
// most octets.
func mostly(g *report.Graph, proofs map[capture.FrameID]proven) reassembly.Dir {
	var proven, octets [2]int64
	for i := range g.Strokes {
		s := &g.Strokes[i]
		octets[s.Dir] += int64(s.Len)
		if p := proofs[s.Frame]; p.n > 0 && s.Len > 0 {
			proven[s.Dir]++
		}
	}
	if proven[0] == proven[1] {
		proven = octets
	}
	if proven[reassembly.FromServer] > proven[reassembly.FromClient] {
		return reassembly.FromServer
	}
	return reassembly.FromClient
}

// heights is the scale of octets in one direction: with the end of the receive window only where it
// is near, as it would press all else to the ground.
func heights(g *report.Graph, d reassembly.Dir) (octets scale, window bool) {
	const near = 1.6
	var low, high, edge int64
	for i := range g.Strokes {
		s := &g.Strokes[i]
		switch {
		case s.Trait.Has(reassembly.Wild):
		case s.Dir == d:
			high, low = max(high, s.Seq+int64(s.Len)), min(low, s.Seq)
		case s.Flags&capture.ACK != 0:
			high = max(high, s.Ack)
			edge = max(edge, s.Ack+int64(s.Window))
		}
	}
	window = float64(edge) <= near*float64(high)
	top := float64(high)
	if window {
		top = max(top, float64(edge))
	}
	top = max(top, 10)
	return scale{float64(low) - 0.03*top, 1.06 * top}, window
}

// plot draws one direction.
func (b *builder) plot(g *report.Graph, c *report.ConnInfo, d reassembly.Dir, s scale,
	proofs map[capture.FrameID]proven) plot {
	octets, window := heights(g, d)
	p := plot{
		Dir:   d.String(),
		Title: d.String() + " → " + d.Peer().String(),
		Ticks: octets.octetTicks(5),
	}
	w := drawing{plot: &p, s: s, octets: octets, window: window}
	for i := range g.Strokes {
		r := &g.Strokes[i]
		if r.Dir == d {
			w.sends(r)
		} else if r.Flags&capture.ACK != 0 {
			w.acknowledges(r)
		}
		w.mark(r, d, proofs)
	}
	p.Acks, p.Window = string(w.acks), string(w.edge)
	p.Segments, p.Again, p.Map = string(w.segments), string(w.again), string(w.mapped)
	p.Sacks, p.Duplicates = string(w.sacks), string(w.duplicates)
	p.About = "Octets that the " + d.String() + " sent, over time: " +
		wording.Count(c.Segments[d], "segment", "segments") + ", " +
		wording.Count(c.Retransmissions[d], "retransmission", "retransmissions") + "."
	p.Marks = w.spreadMarks()
	return p
}

// drawing collects the paths of a plot.
type drawing struct {
	plot                                                   *plot
	s, octets                                              scale
	window                                                 bool
	segments, again, acks, edge, sacks, duplicates, mapped []byte
	lastAck, lastEdge                                      string
	places                                                 []float64 // of the marks that have numbers
	numbered                                               []int
}

// y is the height of a number of octets, from above.
func (w *drawing) y(octets int64) string { return unit(1 - w.octets.at(float64(octets))) }

// sends draws a segment of this direction.
func (w *drawing) sends(r *report.Stroke) {
	x := unit(w.s.moment(r.Time))
	if letter := lettersOf(r.Flags); letter != "" {
		w.plot.Marks = append(w.plot.Marks, mark{
			X: pct(w.s.moment(r.Time)), Y: pct(1 - w.octets.at(float64(r.Seq))), Letter: letter,
			Last: w.s.moment(r.Time) > 0.95,
		})
	}
	if r.Len == 0 {
		return
	}
	line := "M" + x + " " + w.y(r.Seq) + "V" + w.y(r.Seq+int64(r.Len))
	if r.Kind.Retransmitted() {
		w.again = append(w.again, line...)
	} else {
		w.segments = append(w.segments, line...)
	}
	w.mapped = append(w.mapped, line...)
}

// lettersOf are the letters of the flags that begin or end a connection.
func lettersOf(f capture.TCPFlags) string {
	return map[capture.TCPFlags]string{
		capture.SYN: "S", capture.FIN: "F", capture.RST: "R",
	}[f&(capture.SYN|capture.FIN|capture.RST)]
}

// acknowledges draws what the peer says of what came: what it has, and for how much it has room.
func (w *drawing) acknowledges(r *report.Stroke) {
	x, y := unit(w.s.moment(r.Time)), w.y(r.Ack)
	w.acks, w.lastAck = stepTo(w.acks, w.lastAck, x, y)
	if w.window {
		w.edge, w.lastEdge = stepTo(w.edge, w.lastEdge, x, w.y(r.Ack+int64(r.Window)))
	}
	if r.Kind == reassembly.DuplicateAck {
		w.duplicates = append(w.duplicates, "M"+x+" "+y+"h0"...)
	}
	if r.SACK > 0 {
		w.sacks = append(w.sacks, "M"+x+" "+w.y(r.Ack+int64(r.SACK))+"h0"...)
	}
}

// stepTo goes on with steps to a moment and a height.
func stepTo(path []byte, last, x, y string) ([]byte, string) {
	switch {
	case len(path) == 0:
		path = append(path, "M"+x+" "+y...)
	case y == last:
		return path, last
	default:
		path = append(path, "H"+x+"V"+y...)
	}
	return path, y
}

// mark marks a frame of a proof: one that carries data in its own direction, one that only
// acknowledges in the other.
func (w *drawing) mark(r *report.Stroke, d reassembly.Dir, proofs map[capture.FrameID]proven) {
	p, proves := proofs[r.Frame]
	if !proves ||
		(r.Dir == d) != (r.Len > 0 || r.Flags&(capture.SYN|capture.FIN|capture.RST) != 0) {
		return
	}
	y := r.Seq
	if r.Dir != d {
		y = r.Ack
	}
	at := w.s.moment(r.Time)
	if p.n > 0 {
		w.places, w.numbered = append(w.places, at), append(w.numbered, len(w.plot.Marks))
	}
	w.plot.Marks = append(w.plot.Marks, mark{
		X: pct(at), Y: pct(1 - w.octets.at(float64(y))), N: p.n, Title: p.title,
	})
}

// spreadMarks moves numbers aside that would hide each other, and puts them over all other marks.
func (w *drawing) spreadMarks() []mark {
	const apart = 20 // pixels, as wide as a disc
	marks, last := w.plot.Marks, -1e9
	for i, k := range w.numbered {
		at := w.places[i] * stripWidth
		last = max(at, last+apart)
		marks[k].Aside = int(last - at)
	}
	slices.SortStableFunc(marks, func(a, b mark) int {
		return cmp.Compare(min(a.N, 1), min(b.N, 1))
	})
	return marks
}
