package html

import (
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/output/wording"
	"tcpwhy/reassembly"
)

// data is what the script knows beside the page: what lies under the pointer in a graph. The
// template writes it as JSON in a block of data, in which <, > and & are escaped.
type data struct {
	Labels []string    `json:"labels"`
	Kinds  []string    `json:"kinds"`
	Graphs []graphData `json:"graphs"`
}

// graphData is one connection: segments as rows of numbers, since names would take most of the
// page.
type graphData struct {
	From float64 `json:"from"` // ms
	To   float64 `json:"to"`
	// Octets are the ends of the axis of octets, by direction.
	Octets [2][2]float64 `json:"octets"`
	// Segments: µs since From, direction, first octet, octets, acknowledged, window, frame, place
	// in Kinds, flags, how many segments. Nothing acknowledged is -1.
	Segments [][10]int64 `json:"segments"`
	Flags    []string    `json:"flags"`
	// Pieces: µs since From to µs since From, place in Labels.
	Pieces [][3]int64 `json:"pieces"`
}

// data collects what the script needs; nil where there is no graph.
func (b *builder) data(p *page) *data {
	if len(p.Graphs) == 0 {
		return nil
	}
	d := &data{}
	for _, l := range report.Labels() {
		d.Labels = append(d.Labels, l.Title())
	}
	for k := reassembly.Plain; k <= reassembly.ChallengeAck; k++ {
		d.Kinds = append(d.Kinds, k.String())
	}
	for i := range p.Graphs {
		id := p.Graphs[i].ID
		d.Graphs = append(d.Graphs, b.graphData(b.graphs[id], b.conns[id]))
	}
	return d
}

// graphData is one connection for the script.
func (b *builder) graphData(g *report.Graph, c *report.ConnInfo) graphData {
	s := spanOfGraph(g, c)
	micros := func(t float64) int64 { return int64((t - s.from) / 1e3) }
	d := graphData{From: s.from / 1e6, To: s.to / 1e6}
	for dir := range d.Octets {
		h, _ := heights(g, reassembly.Dir(dir))
		d.Octets[dir] = [2]float64{h.from, h.to}
	}
	flags := map[string]int64{}
	for i := range g.Strokes {
		r := &g.Strokes[i]
		name := wording.Flags(r.Flags)
		if _, known := flags[name]; !known {
			flags[name] = int64(len(d.Flags))
			d.Flags = append(d.Flags, name)
		}
		ack := r.Ack
		if r.Flags&capture.ACK == 0 {
			ack = -1
		}
		d.Segments = append(d.Segments, [10]int64{
			micros(float64(r.Time)), int64(r.Dir), r.Seq, int64(r.Len), ack, int64(r.Window),
			int64(r.Frame.Number()), int64(r.Kind), flags[name], int64(r.Segments),
		})
	}
	for _, p := range fewer(g.Pieces, s, maxStrip) {
		d.Pieces = append(d.Pieces, [3]int64{
			micros(float64(p.From)), micros(float64(p.To)), int64(p.Label),
		})
	}
	return d
}
