package sentence

import (
	"strconv"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly/exchange"
)

// Ending is an exchange's status, and how it ended if not well.
func (t *Teller) Ending(x *report.ExchangeInfo) string {
	s := ""
	if x.Status > 0 {
		s = " " + strconv.Itoa(x.Status)
	}
	if x.Outcome != exchange.Complete {
		s += ", " + x.Outcome.String()
	}
	s += streamEnding(x)
	if t.Report.Connections > 1 {
		s += ", connection " + strconv.Itoa(x.Connection)
	}
	return s
}

// streamEnding is how an exchange's stream ended, if not well.
func streamEnding(x *report.ExchangeInfo) string {
	s := ""
	if r := x.OnStream.RPC; r != nil && r.Status > 0 {
		s += ", gRPC " + exchange.RPCStatusName(r.Status)
	}
	switch r := x.OnStream.Reset; {
	case r != nil && x.Outcome != exchange.Complete:
		s += " (" + r.Code.String() + ")"
	case x.OnStream.Refused:
		s += " (not processed: GOAWAY)"
	}
	return s
}
