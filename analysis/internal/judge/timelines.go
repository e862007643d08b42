package judge

import (
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
)

const maxSlowest = 8 // exchanges whose pieces the report has

// timeline is the time of one exchange in order.
type timeline struct {
	exchange int
	pieces   []report.Piece
}

// drawn keeps the pieces of the exchange, if it is among the slowest.
func (l *listing) drawn(job *rule.Judged) {
	l.slowest.limit = maxSlowest
	if took, id := job.Info.Duration, job.Info.ID; l.slowest.takes(took, id) {
		l.slowest.add(took, id, &timeline{id, job.Pieces.List()})
	}
}

// attach hands the pieces of the slowest exchanges to those that are listed, in order of ID both.
func attach(exchanges []report.ExchangeInfo, drawn []timeline) {
	for i := range exchanges {
		x := &exchanges[i]
		for len(drawn) > 0 && drawn[0].exchange < x.ID {
			drawn = drawn[1:]
		}
		if len(drawn) > 0 && drawn[0].exchange == x.ID {
			x.Pieces = drawn[0].pieces
		}
	}
}
