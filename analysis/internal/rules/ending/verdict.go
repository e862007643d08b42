package ending

import (
	"cmp"
	"slices"
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

const (
	// maxAlert is the largest turn of a client that counts as none on a closing connection: a
	// close_notify in a record of its own (RFC 8446 §6.1) has 24 octets in TLS 1.3 and 31 and more
	// before. No HTTP request of use is as short.
	maxAlert = 64
	// reactionTime is what a program may take to notice that a connection was closed.
	reactionTime = 50 * time.Millisecond
)

// reportFate reports the fault that ended the connection, if it belongs to the rule. One fault has
// one owner.
func reportFate(p *rule.Pass, rule string) {
	if p.State.Ending.Failed == nil {
		return
	}
	if f := decided(p); f.harmed && f.claim.Rule == rule {
		p.Report(f.claim)
	}
}

// fate is what harmed the first exchange of a connection that failed.
type fate struct {
	claim           rule.Claim
	harmed, decided bool
}

var fateOf rule.StateKey[fate]

// decided is the fate of the connection, looked into at the first call.
func decided(p *rule.Pass) *fate {
	f := fateOf.Of(p)
	if !f.decided {
		f.decided = true
		f.claim, f.harmed = decideFate(p)
	}
	return f
}

// harmed reports whether a rule has found what harmed an exchange of the connection.
func harmed(p *rule.Pass) bool {
	f := fateOf.Has(p)
	return f != nil && f.harmed
}

// decideFate decides what harmed the first exchange that failed; false if none did, or if the
// capture does not show it.
func decideFate(p *rule.Pass) (rule.Claim, bool) {
	e := &p.State.Ending
	x := e.Failed
	if x == nil || !wantsAnswer(p.Conn, x) {
		return rule.Claim{}, false
	}
	if alerted(p.Conn, x) || ledger.WentWrong(p.Conn) != nil { // those have rules of their own
		return rule.Claim{}, false
	}
	failure := rule.FailureOf(&p.State.Connection, x)
	start, took := x.Start().Time, failure.Took
	cl := rule.Claim{
		Index:       x.Index,
		Confidence:  report.ConfidenceHigh,
		Failure:     failure,
		Correctness: true,
		Unsafe:      e.Unsafe || !x.Turn && !ledger.Idempotent(x.Method),
		Occ: rule.Occurrence{
			Start: start,
			End:   start + took,
			Cost:  report.Cost{Expected: took, High: took},
		},
	}
	v := &verdictOnEnd{p: p, c: p.Conn, x: x, e: e, claim: &cl}
	for _, try := range v.tries() {
		if try() {
			return cl, cl.Rule != ""
		}
	}
	return rule.Claim{}, false
}

// wantsAnswer reports whether x is a request, as far as the capture shows, that somebody waits for
// an answer to.
func wantsAnswer(c *reassembly.Conn, x *exchange.Exchange) bool {
	switch {
	case x.Request == nil || !ledger.ExpectsResponses(c) || c.State == reassembly.Refused:
		return false
	case x.Turn:
		return x.Request.BodyBytes > maxAlert || x.Response != nil
	}
	// without a method it is the rest of something whose beginning the capture did not show
	return x.Method != ""
}

// verdictOnEnd is the look at how a connection ended.
type verdictOnEnd struct {
	p     *rule.Pass
	c     *reassembly.Conn
	x     *exchange.Exchange // the first that failed
	e     *ledger.Ending
	claim *rule.Claim
}

// tries are the explanations in the order in which they exclude each other: what is certain comes
// first, and who lost a race against a close did not have its response destroyed.
func (v *verdictOnEnd) tries() []func() bool {
	return []func() bool{
		v.injected,
		v.afterNotice,
		v.raced,
		v.forgotten,
		v.lostPipeline,
		v.dumbProxy,
		v.reset,
		v.truncated,
		v.unanswered,
		v.halfClosed,
		v.deadlock,
	}
}

// be fills in the owner.
func (v *verdictOnEnd) be(rule, cause string, confidence report.Confidence) {
	v.claim.Rule, v.claim.Cause, v.claim.Confidence = rule, cause, confidence
	v.claim.Repaired = v.x.Response == nil
	if v.x.Turn {
		v.claim.Confidence = min(confidence, report.ConfidenceHigh)
	}
}

// onlyTime makes a claim one about time, of that severity: nothing was lost.
func onlyTime(c *rule.Claim, s report.Severity) {
	c.Correctness, c.Unsafe = false, false
	c.Least, c.Most = s, rule.AtMost(s)
}

// until extends the occurrence to what the server sent at the given moment, and counts the time
// until the client had it as lost: what the user waited in vain, wherever the capture was taken.
func (v *verdictOnEnd) until(at time.Duration) {
	o := &v.claim.Occ
	took := max(0, at-o.Start) + v.c.Far(reassembly.FromClient)
	o.End = max(o.End, at)
	o.Cost = report.Cost{Expected: took, High: took}
}

// lateFor is how long after the client could know of what the server sent at the given moment it
// sent the request; not positive if it could not know.
func (v *verdictOnEnd) lateFor(sent time.Duration) time.Duration {
	return v.x.Request.Start.Time - (sent + v.c.Far(reassembly.FromClient))
}

// answerless reports whether the request went without any response, by the server's doing, and the
// capture would have shown one.
func (v *verdictOnEnd) answerless() bool {
	return v.x.Response == nil && v.x.Outcome == exchange.NoResponse && ledger.Whole(v.c) &&
		!v.e.Orphan
}

// closedAt is the first FIN or RST of a side; false if it sent neither.
func closedAt(c *reassembly.Conn, dir reassembly.Dir) (m capture.Mark, reset, ok bool) {
	h := &c.Half[dir]
	switch {
	case h.FinSeen && (!h.RstSeen || h.Fin.Time <= h.Rst.Time):
		return h.Fin, false, true
	case h.RstSeen:
		return h.Rst, true, true
	}
	return capture.Mark{}, false, false
}

// sortByTime puts evidence into the order in which it was captured.
func sortByTime(all []rule.Evidence) {
	slices.SortStableFunc(all, func(a, b rule.Evidence) int {
		return cmp.Compare(a.Mark.Time, b.Mark.Time)
	})
}
