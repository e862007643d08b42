package analysis

import (
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
)

// pass is what a rule sees of one connection, and of one exchange on it if the rule looks at
// exchanges. Rules read it and report; they change nothing else.
type pass struct {
	state    *followed
	conn     *reassembly.Conn
	exchange *reassembly.Exchange // nil when the connection is over
	job      *draft               // of exchange
}

// claim is one occurrence that a rule found, on its way to the judge.
type claim struct {
	rule, cause string
	confidence  report.Confidence
	// data was lost, or may have been: severity does not depend on the cost
	correctness bool
	unsafe      bool            // the request was not idempotent
	least       report.Severity // graded at least so
	most        grade           // graded at most so
	alone       grade           // graded at most so if it is the only one
	side        report.Side     // who is at fault, where the cause does not say
	// a safe repetition makes it a matter of time: nothing of a response had been sent
	repaired bool
	failure  *failure // the exchange that failed: a retry of it belongs to the same occurrence
	occ      report.Occurrence
	// of the exchange within its connection; -1: the connection as a whole
	index int
	// facts of this occurrence that the finding's message needs, "" if none
	text     string
	lost     []report.Interval // what of the exchange's time is lost to it, for the union
	lateness time.Duration     // of the acknowledgment that ended a Nagle hold; 0: it was prompt
	// by sender: how long no acknowledgment had come when a timer repeated a single segment
	unheard [2]time.Duration
	// stands only if the client has sent the request on another connection, too
	elsewhere bool
	answer    time.Duration // from the last SYN to the refusal
	also      int           // further occurrences whose cost is in this one's
	window    remedied      // what of it is waiting for windows
	// makes occ.Evidence, if the occurrence is listed at all; nil if it is there
	evidence func() []report.Evidence
}

// grade is a limit of severity; its zero value is none.
type grade uint8

// atMost is the limit s.
func atMost(s report.Severity) grade { return grade(s) + 1 }

// severity is the highest severity within the limit.
func (g grade) severity() report.Severity {
	if g == 0 {
		return report.Critical
	}
	return report.Severity(g - 1)
}

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
