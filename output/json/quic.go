package json

import (
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/output/mask"
	"tcpwhy/reassembly"
)

// quicObject is what there was of QUIC.
type quicObject struct {
	Connections uint64   `json:"connections"`
	Answered    uint64   `json:"answered"`
	Done        uint64   `json:"finished"`
	Handshakes  millis   `json:"handshakes_ms"`
	Octets      uint64   `json:"bytes"`
	Share       float64  `json:"share"`
	Names       []string `json:"names"`
}

// quic is nil if there was none.
func (e *encoder) quic() *quicObject {
	q := &e.report.QUIC
	if q.Connections == 0 {
		return nil
	}
	o := &quicObject{
		Connections: q.Connections, Answered: q.Answered, Done: q.Done,
		Handshakes: millis(q.Handshakes), Octets: q.Octets, Share: q.Share, Names: []string{},
	}
	for _, name := range q.Names {
		o.Names = append(o.Names, mask.Host(name))
	}
	return o
}

func decodeQUIC(o *quicObject) report.QUIC {
	if o == nil {
		return report.QUIC{}
	}
	q := report.QUIC{QUICTally: reassembly.QUICTally{
		Connections: o.Connections, Answered: o.Answered, Done: o.Done, Octets: o.Octets,
		Handshakes: time.Duration(o.Handshakes),
	}, Share: o.Share}
	if len(o.Names) > 0 {
		q.Names = o.Names
	}
	return q
}
