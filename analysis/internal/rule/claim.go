package rule

import (
	"cmp"
	"net/netip"
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

// Window is what a claim would change about a transfer, for the simulation of all fixes together.
type Window struct {
	Dir reassembly.Dir // of the message
	// the part of the expected cost that is waiting for a window; the rest is single waits
	Saved time.Duration
	// the congestion window, in segments, that it would begin with; 0: as it was
	Cwnd int64
	Room bool // the receive window would no longer bound it
}

// Followed is what rules see of a connection while it is followed: its ledger, what they have
// claimed of it as a whole, and what they keep of it.
type Followed struct {
	ledger.Connection
	Claims []Claim
	// FullPassed is, by direction, whether a full segment arrived by the exchange before: this is
	// path-mtu's.
	FullPassed [2]bool
	Shown      Signs // of its exchanges so far
	own        ownStates
	expected   []expected // of kernels, by the claims so far
}

// Begin makes f the state of c. What room f had is used again.
func (f *Followed) Begin(c *reassembly.Conn) {
	f.Connection.Begin(c)
	f.Claims, f.FullPassed, f.Shown, f.own = nil, [2]bool{}, 0, ownStates{}
	f.expected = f.expected[:0]
}

// Occurrence is one place where a claim shows. Its evidence gets its words when it is printed.
type Occurrence struct {
	Connection int // by its number in the report
	Exchange   int // likewise; -1 if it concerns the connection as a whole
	Start, End time.Duration
	Cost       report.Cost
	Elsewhere  bool // some of the evidence is on other connections
	// another occurrence of the same finding stands for the exchange where exchanges are counted
	Again bool
	Proof []Evidence
	Taken int // of the proof, frames that did not show what was said of them
}

// CompareOccurrences puts the costliest first, then the earliest.
func CompareOccurrences(a, b Occurrence) int {
	return cmp.Or(cmp.Compare(b.Cost.Expected, a.Cost.Expected),
		cmp.Compare(b.Cost.High, a.Cost.High), cmp.Compare(a.Start, b.Start),
		cmp.Compare(a.Connection, b.Connection), cmp.Compare(a.Exchange, b.Exchange))
}

// Pass is what a rule sees of one connection, and of one exchange on it if the rule looks at
// exchanges. Rules read it and report; they change nothing else.
type Pass struct {
	State    *Followed
	Conn     *reassembly.Conn
	Exchange *exchange.Exchange // nil when the connection is over
	Draft    *Draft             // of exchange
	Words    []Words            // the vocabulary of the rule that is at work
}

// ownStates are what rules keep of one connection while that is followed, by the key of each.
type ownStates struct{ all []ownState }

type ownState struct{ key, value any }

// StateKey names what a rule keeps of each connection while that is followed: a *T, made when it is
// first asked for. Keys are told apart by their address.
type StateKey[T any] struct{ _ byte }

// Has is what is kept of the connection of the pass; nil if nothing is.
func (k *StateKey[T]) Has(p *Pass) *T {
	for _, s := range p.State.own.all {
		if s.key == any(k) {
			return s.value.(*T)
		}
	}
	return nil
}

// Of is what is kept of the connection of the pass, from now on if nothing was.
func (k *StateKey[T]) Of(p *Pass) *T {
	v := k.Has(p)
	if v == nil {
		v = new(T)
		p.State.own.all = append(p.State.own.all, ownState{k, v})
	}
	return v
}

// Claim is one occurrence that a rule found, on its way to the judge: plain data, which holds
// nothing of the connection, and could be written down and read again.
type Claim struct {
	Rule, Cause string
	Kind        Kinds // for precedence between claims
	Confidence  report.Confidence
	// data was lost, or may have been: severity does not depend on the cost
	Correctness bool
	Unsafe      bool            // the request was not idempotent
	Least       report.Severity // graded at least so
	Most        Grade           // graded at most so
	Alone       Grade           // graded at most so if it is the only one
	Side        report.Side     // who is at fault, where the cause does not say
	// a safe repetition makes it a matter of time: nothing of a response had been sent
	Repaired bool
	Failure  *Failure // the exchange that failed: a retry of it belongs to the same occurrence
	Occ      Occurrence
	// the rule's across decides whether it stands: it is referred, not booked
	Referred bool
	Num      [Numbers]int64 // facts for the rule's across, each rule's own
	// what would show that other connections of the host had what is missing; nil if nothing would
	Asks     *AskedIDs
	Repeated *Repetition // of the exchange that failed, where the rule knows it
	// of the exchange within its connection; -1: the connection as a whole
	Index int
	// facts of this occurrence that the finding's message needs, a sentence each
	Says   []Said
	Lost   []report.Interval // what of the exchange's time is lost to it, for the union
	Clock  []report.Interval // the same by the clock of all exchanges; nil: Lost is
	Also   int               // further occurrences whose cost is in this one's
	Others int               // further exchanges that it concerns: they failed with this one
	Window Window            // what of it is waiting for windows
}

// AskedIDs is what a claim that rests on missing IP identifications asks about the sender's other
// connections: whether those have them. Then the host counts the packets of all, and nothing was
// lost.
type AskedIDs struct {
	Host netip.Addr // the sender
	ledger.IDGap
	Otherwise ledger.Relabelling // what the time was if nothing was lost
}

// Same reports whether two claims, of one connection, are of the same finding and exchange.
func (c *Claim) Same(d *Claim) bool {
	return c.Index == d.Index && c.Rule == d.Rule && c.Cause == d.Cause
}

// MarkAgain marks the claims of one connection of which one before concerns the same exchange.
func MarkAgain(claims []Claim) {
	for i := range claims {
		c := &claims[i]
		for k := 0; k < i && !c.Occ.Again; k++ {
			c.Occ.Again = c.Same(&claims[k])
		}
	}
}

// Numbers is how many numbers a claim carries for its rule.
const Numbers = 6

// Repetition is a request that repeats one that had failed.
type Repetition struct {
	Start       capture.Mark
	Need        time.Duration // when the client needed its connection
	Conn, Index int           // of its exchange
}

// Grade is a limit of severity; its zero value is none.
type Grade uint8

// AtMost is the limit s.
func AtMost(s report.Severity) Grade { return Grade(s) + 1 }

// Severity is the highest severity within the limit.
func (g Grade) Severity() report.Severity {
	if g == 0 {
		return report.Critical
	}
	return report.Severity(g - 1)
}

// Report hands the claim to the judge, with the exchange that it concerns. What it says of a frame
// of which the records tell otherwise is not said.
func (p *Pass) Report(c Claim) {
	c.Occ.Connection = p.Conn.ID
	p.lookUp(&c)
	if p.Draft != nil {
		c.Index = p.Exchange.Index
		p.Draft.Claims = append(p.Draft.Claims, c)
		return
	}
	p.State.Claims = append(p.State.Claims, c)
}
