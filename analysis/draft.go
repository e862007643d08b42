package analysis

import (
	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
)

// draft is one exchange on its way into the report: its ledger, and what the rules claim of it.
type draft struct {
	ledger.Exchange
	info   *report.ExchangeInfo // what the report says of it; valid once delivered
	claims []claim
	once   []heldOnce // holds that the connection alone could not prove
	syn    *synFault  // SYNs had to be repeated before it
}

// followed is what a worker keeps of a connection: its ledger, and what the rules have to say.
type followed struct {
	ledger.Connection
	drafts   []*draft // of the exchanges of the ledger, in the same order
	out      []*draft // room for those that are delivered
	claims   []claim  // about the connection as a whole
	told     bool     // the judge knows that the connection is closing
	lackTold bool     // and that what came after that shows that octets before it are missing
	failure  *failure // of the first exchange that did not end well
	fate     *fate    // what harmed that one; nil until a rule has asked
	refusal  *claim   // the connection was never set up
	serial   serialRun
}

// fate is what harmed an exchange.
type fate struct {
	claim  claim
	harmed bool
}

// begin makes f the state of c. What room f had is used again.
func (f *followed) begin(c *reassembly.Conn, clock ledger.Clock) {
	state, drafts, out := f.Connection, f.drafts[:0], f.out
	*f = followed{Connection: state, drafts: drafts, out: out}
	f.Connection.Begin(c, clock)
}

// draft is that of x; nil if it has been delivered.
func (f *followed) draft(x *reassembly.Exchange) *draft {
	for _, d := range f.drafts {
		if d.Parsed == x {
			return d
		}
	}
	return nil
}

// deliverable takes the drafts off the list whose labels are certain: all of them if the connection
// is over. They are valid until the next call.
func (f *followed) deliverable(all bool) []*draft {
	n := f.Ready(all)
	f.out = append(f.out[:0], f.drafts[:n]...)
	rest := copy(f.drafts, f.drafts[n:])
	clear(f.drafts[rest:])
	f.drafts = f.drafts[:rest]
	return f.out
}
