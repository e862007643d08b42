package rule

import "tcpwhy/analysis/report"

// Detector is one rule: what it is called, what it means, and how it looks at the traffic. Adding a
// rule is one file with one variable of this type, its line in the list of rules, and its
// scenarios.
type Detector struct {
	report.Rule // what there is to say about it

	// When are the signs without which Exchange and Closed claim nothing, and keep nothing: they
	// are called where there is one of them. 0: always.
	When     Signs
	Exchange func(*Pass) // called for each settled exchange, by the worker that owns the connection
	Certain  func(*Pass) // called for each exchange when its labels are certain
	// Period is called for each busy period of a connection that exchanges shared, as if it were an
	// exchange (ledger.Period).
	Period func(*Pass)
	Closed func(*Pass) // called when the connection is over
	Across *Comparison // nil if it compares no connections
	// Attempts says that Exchange and Certain are called for attempts, too, which have no messages.
	Attempts bool
	// Beside says that they are called for exchanges, too, that TCP alone does not explain: others
	// were on their connection, or flow control of HTTP/2 held them up (ledger.Company). Such a
	// rule looks at single segments and waits, or at what came before anything was said.
	Beside bool

	Vocabulary []Words // of what it says, by WordsID; shared by the rules of a room

	Rests    Basis // what its verdicts rest on
	Makes    Kinds // kinds of claims that no other rule makes
	YieldsTo Kinds // what takes the place of its claims that have a kind, on the same exchange
	// while it repairs or waits, other transfers of the same client use what it leaves of the path
	SharesPath bool
	// causes whose occurrences belong to those of another cause, if there are some and these are
	// not of high confidence
	Joins map[string]string
}

// LooksAt reports whether Exchange and Certain are called for x.
func (d *Detector) LooksAt(x *Draft) bool {
	return (x.Parsed.Attempt == nil || d.Attempts) && (x.Alone() || d.Beside)
}

// Speaks reports whether a rule is to look at what shows these signs.
func (d *Detector) Speaks(s Signs) bool { return d.When == 0 || d.When&s != 0 }

// Basis is what a verdict rests on: a flaw of the capture weakens all that rest on what it hides.
type Basis uint8

const (
	Timing     Basis = 1 << iota // exact times and segments
	Content                      // what HTTP messages say
	Connection                   // counts of connections, or the silence of one host
	// the window scale and the first round trip, which a handshake shows
	Beginning
	// Messages are what HTTP says, message by message: where it is encrypted, or another protocol,
	// such a rule sees nothing.
	Messages
	Anything = Timing | Content | Connection
)
