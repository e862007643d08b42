package ledger

import (
	"time"

	"tcpwhy/analysis/report"
)

const (
	// pieces of an exchange's time that are kept in order; beyond it the shortest joins a neighbour
	maxPieces = 24
)

// pieceLine is the time of an exchange in order, coarsely: for a picture, not for sums. It needs no
// memory of its own.
type pieceLine struct {
	n     int
	from  time.Duration
	to    [maxPieces]time.Duration
	label [maxPieces]report.Label
}

// add appends a stretch; stretches come in order.
func (p *pieceLine) add(from, to time.Duration, l report.Label) {
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
		p.add(from, to, l) // the fold may have ended with the same label
		return
	}
	p.to[p.n], p.label[p.n] = to, l
	p.n++
}

// fold joins the shortest piece to the longer of its neighbours.
func (p *pieceLine) fold() {
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

// length is how long piece i is.
func (p *pieceLine) length(i int) time.Duration {
	if i == 0 {
		return p.to[0] - p.from
	}
	return p.to[i] - p.to[i-1]
}

// remove drops piece i; its time goes to the next one.
func (p *pieceLine) remove(i int) {
	copy(p.to[i:p.n-1], p.to[i+1:p.n])
	copy(p.label[i:p.n-1], p.label[i+1:p.n])
	p.n--
}

// relabel changes the labels of the pieces that overlap the time of r: a piece may have taken in
// neighbours of other labels.
func (p *pieceLine) relabel(r *Relabelling) {
	for i := range p.n {
		if p.to[i]-p.length(i) < r.To && p.to[i] > r.From {
			p.label[i] = r.label(p.label[i], r.From, min(p.to[i], r.To))
		}
	}
}

// Pieces are the stretches, as the report has them.
func (p *pieceLine) Pieces() []report.Piece {
	out := make([]report.Piece, p.n)
	for i := range out {
		out[i] = report.Piece{Label: p.label[i], From: p.to[i] - p.length(i), To: p.to[i]}
	}
	return out
}
