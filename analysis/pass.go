package analysis

import (
	"time"

	"tcpwhy/reassembly"
)

// pass is what a rule sees of one connection, and of one exchange on it if the rule looks at exchanges. Rules read it
// and report; they change nothing else.
type pass struct {
	worker   *worker
	state    *connState
	conn     *reassembly.Conn
	exchange *reassembly.Exchange // nil when the connection is over
	job      *job                 // the ledger of exchange
}

// claim is one occurrence that a rule found, on its way to the judge.
type claim struct {
	rule, cause string
	confidence  Confidence
	correctness bool // data was lost, or may have been: severity does not depend on the cost
	unsafe      bool // the request was not idempotent
	occ         Occurrence
	index       int        // of the exchange within its connection; -1: the connection as a whole
	text        string     // facts of this occurrence that the finding's message needs, "" if none
	lost        []interval // what of the exchange's time is lost to it, for the union
}

// interval is a stretch of time since the first frame.
type interval struct{ from, to time.Duration }

// report hands the claim to the judge, with the exchange that it concerns.
func (p *pass) report(c claim) {
	c.occ.Connection = p.conn.ID
	if p.job != nil {
		c.index = p.exchange.Index
		p.job.claims = append(p.job.claims, c)
		return
	}
	p.state.claims = append(p.state.claims, c)
}
