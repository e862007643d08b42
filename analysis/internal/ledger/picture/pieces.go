package picture

import (
	"time"

	"tcpwhy/analysis/report"
)

// maxPieces is how many pieces of an exchange's time are kept in order; beyond it the shortest
// joins a neighbour.
const maxPieces = 24

// Pieces are the time of an exchange in order, coarsely: to be looked at, not to be added up. They
// need no memory of their own.
type Pieces struct {
	n     int
	from  time.Duration // of the first
	to    [maxPieces]time.Duration
	label [maxPieces]report.Label
}

// Add appends a stretch of time; stretches come in order and follow each other.
func (p *Pieces) Add(from, to time.Duration, l report.Label) {
	switch {
	case to <= from:
		return
	case p.n == 0:
		p.from = from
	case p.label[p.n-1] == l:
		p.to[p.n-1] = to
		return
	case p.n == maxPieces:
		p.fold()
		p.Add(from, to, l) // the fold may have ended with the same label
		return
	}
	p.to[p.n], p.label[p.n] = to, l
	p.n++
}

// fold joins the shortest piece to the longer of its neighbours.
func (p *Pieces) fold() {
	short := 0
	for i := 1; i < p.n; i++ {
		if p.length(i) < p.length(short) {
			short = i
		}
	}
	if short == 0 || short+1 < p.n && p.length(short+1) > p.length(short-1) {
		p.remove(short) // the next one begins earlier
	} else {
		p.to[short-1] = p.to[short]
		p.remove(short)
	}
	if short > 0 && short < p.n && p.label[short] == p.label[short-1] {
		p.to[short-1] = p.to[short]
		p.remove(short)
	}
}

// start is when piece i begins.
func (p *Pieces) start(i int) time.Duration {
	if i == 0 {
		return p.from
	}
	return p.to[i-1]
}

// length is how long piece i is.
func (p *Pieces) length(i int) time.Duration { return p.to[i] - p.start(i) }

// remove drops piece i; its time goes to the next one.
func (p *Pieces) remove(i int) {
	copy(p.to[i:p.n-1], p.to[i+1:p.n])
	copy(p.label[i:p.n-1], p.label[i+1:p.n])
	p.n--
}

// Relabel gives every piece that overlaps a stretch of time the label that now tells for the part
// that lies within: a piece may have taken in neighbours of other labels.
func (p *Pieces) Relabel(
	from, to time.Duration, now func(l report.Label, from, to time.Duration) report.Label,
) {
	for i := range p.n {
		if p.start(i) < to && p.to[i] > from {
			p.label[i] = now(p.label[i], max(p.start(i), from), min(p.to[i], to))
		}
	}
}

// List are the pieces, as the report has them.
func (p *Pieces) List() []report.Piece {
	out := make([]report.Piece, p.n)
	for i := range out {
		out[i] = report.Piece{Label: p.label[i], From: p.start(i), To: p.to[i]}
	}
	return out
}
