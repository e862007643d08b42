package ending

import (
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

const (
	// maxAlert is the largest turn of a client that counts as none on a closing connection: a
	// close_notify in a record of its own (RFC 8446 §6.1) has 24 octets in TLS 1.3 and 31 and more
	// before. No HTTP request of use is as short.
	maxAlert = 64
	// reactionTime is what a program may take to notice that a connection was closed.
	reactionTime = 50 * time.Millisecond
	// forgottenAfter is the shortest idle time after which boxes on the way forget connections:
	// home routers, mobile carriers and load balancers use 30 s and more, though RFC 5382 REQ-5
	// asks for 2 h 4 min.
	forgottenAfter = 30 * time.Second
	// triesUntilGivenUp is how many repetitions without any answer count as a dead path: Linux has
	// spent 3 s on them.
	triesUntilGivenUp = 3
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
	c, e := p.Conn, &p.State.Ending
	x := e.Failed
	if x == nil || x.Request == nil || !ledger.Asks(c) || c.State == reassembly.Refused {
		return rule.Claim{}, false
	}
	if !x.Turn && x.Method == "" {
		// the rest of something that the capture did not show from its beginning
		return rule.Claim{}, false
	}
	if x.Turn && x.Request.BodyBytes <= maxAlert && x.Response == nil {
		return rule.Claim{}, false
	}
	cl := rule.Claim{
		Index:       x.Index,
		Confidence:  report.ConfidenceHigh,
		Failure:     rule.FailureOf(&p.State.Connection, x),
		Correctness: true,
	}
	cl.Unsafe = e.Unsafe || !x.Turn && !ledger.Idempotent(x.Method)
	took := cl.Failure.Took
	cl.Occ = rule.Occurrence{Start: x.Start().Time, End: x.Start().Time + took}
	cl.Occ.Cost = report.Cost{Expected: took, High: took}
	v := &verdictOnEnd{p: p, c: c, x: x, e: e, claim: &cl}
	for _, try := range v.tries() {
		if try() {
			return cl, cl.Rule != ""
		}
	}
	return rule.Claim{}, false
}

// verdictOnEnd is the look at how a connection ended.
type verdictOnEnd struct {
	p     *rule.Pass
	c     *reassembly.Conn
	x     *reassembly.Exchange // the first that failed
	e     *ledger.Ending
	claim *rule.Claim
}

// tries are the explanations in the order in which they exclude each other: what is certain comes
// first, and who lost a race against a close did not have its response destroyed.
func (v *verdictOnEnd) tries() []func() bool {
	return []func() bool{
		v.injected, v.afterNotice, v.raced, v.forgotten, v.lostPipeline, v.dumbProxy, v.reset,
		v.truncated, v.halfClosed, v.deadlock,
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

// until extends the occurrence to what the server sent at the given moment, and counts the time
// until the client had it as lost: what the user waited in vain, wherever the capture was taken.
func (v *verdictOnEnd) until(at time.Duration) {
	o := &v.claim.Occ
	took := max(0, at-o.Start) + v.c.Far(reassembly.FromClient)
	o.End = max(o.End, at)
	o.Cost = report.Cost{Expected: took, High: took}
}

// knew reports whether the client could know of what the server sent at the given moment when it
// sent the request, and by how much it could.
func (v *verdictOnEnd) knew(sent time.Duration) (time.Duration, bool) {
	late := v.x.Request.Start.Time - (sent + v.c.Far(reassembly.FromClient))
	return late, late > 0
}

// knewFIN is by how much the client's kernel could know of the server's FIN when it sent the
// request, and whether that was long enough for a program to know, too: by the acknowledgment that
// the request itself carries, which needs no estimate of the way; else by time.
func (v *verdictOnEnd) knewFIN(fin capture.Mark) (late time.Duration, stale bool) {
	late, _ = v.knew(fin.Time)
	stale = late > v.c.RTTMin()+reactionTime
	down := &v.c.Half[reassembly.FromServer]
	request := ledger.RecordOf(v.c, v.x.Request.Start)
	if !down.FinSeen || request == nil || request.Flags&capture.ACK == 0 {
		return late, stale
	}
	if request.Ack <= down.FinSeq {
		return min(late, 0), false
	}
	for i := range v.c.Records {
		r := &v.c.Records[i]
		if r.Dir == reassembly.FromClient && r.Flags&capture.ACK != 0 && r.Ack > down.FinSeq {
			known := request.Time - r.Time
			return max(late, known), stale || known > 2*reactionTime
		}
	}
	return late, stale
}

// closedAt is the server's first FIN or RST; false if it sent neither.
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

// answerless reports whether the request went without any response, by the server's doing, and the
// capture would have shown one.
func (v *verdictOnEnd) answerless() bool {
	return v.x.Response == nil && v.x.Outcome == reassembly.NoResponse && ledger.Whole(v.c) &&
		!v.e.Orphan
}

// raced: the server closed an idle connection while the request was on its way, or before.
func (v *verdictOnEnd) raced() bool {
	c, x := v.c, v.x
	if !v.answerless() {
		return false
	}
	fin, reset, ok := closedAt(c, reassembly.FromServer)
	if !ok || reset || ledger.SeenAtClose(c, x, fin) ||
		v.e.Answered == 0 && v.e.Idle < reactionTime {
		return false
	}
	if x.Turn && fin.Time-v.e.Prior.Time <= ledger.PromptClose {
		// it may have said that it closes, and what follows may be the rest of what it had answered
		return false
	}
	v.be("keepalive-race", "race", report.ConfidenceHigh)
	late, stale := v.knewFIN(fin)
	if stale {
		v.claim.Cause = "stale-use"
	}
	if c.Half[reassembly.FromServer].RstSeen {
		v.be("keepalive-race", v.claim.Cause, report.Proven)
		v.until(c.Half[reassembly.FromServer].Rst.Time)
	}
	v.claim.Text = raceText(x)
	v.claim.Occ.Evidence = raceEvidence(v, fin, late)
	return true
}

// forgotten: an idle connection no longer exists at the other end, or on the way to it.
func (v *verdictOnEnd) forgotten() bool {
	if v.x.Response != nil || v.e.Idle < forgottenAfter || v.e.Answered == 0 ||
		v.c.Half[reassembly.FromServer].FinSeen {
		return false
	}
	h, back := &v.c.Half[reassembly.FromClient], &v.c.Half[reassembly.FromServer]
	unread := h.Una <= v.x.Request.From
	switch {
	case !unread || v.c.Half[0].Missing+v.c.Half[1].Missing > 0:
		return false
	case v.x.Outcome == reassembly.NoResponse && back.RstSeen && (!back.RstActive || foreignReset(v.c, reassembly.FromServer)):
		v.be("idle-drop", "", report.ConfidenceHigh)
		v.until(back.Rst.Time)
	case v.x.Outcome == reassembly.Aborted && v.repeats() >= triesUntilGivenUp && back.LastData.Time < v.x.Request.Start.Time:
		v.be("idle-drop", "", report.ConfidenceMedium)
	default:
		return false
	}
	v.claim.Text = idleDropText(v)
	v.claim.Occ.Evidence = idleDropEvidence(v)
	return true
}

// repeats is how often the client sent octets of the request again, and stays low if the server
// said anything meanwhile.
func (v *verdictOnEnd) repeats() int {
	n := 0
	for i := range v.c.Records {
		r := &v.c.Records[i]
		if r.Time < v.x.Request.Start.Time {
			continue
		}
		if r.Dir == reassembly.FromServer {
			return 0
		}
		if r.Kind.Retransmitted() && r.Len > 0 {
			n++
		}
	}
	return n
}

// truncated: the server closed in order before the end of the response.
func (v *verdictOnEnd) truncated() bool {
	x := v.x
	m := x.Response
	if x.Outcome != reassembly.Truncated || m == nil ||
		m.Facts&(reassembly.Resynced|reassembly.LengthConflict|reassembly.LengthAndChunked) != 0 {
		return false
	}
	cause, text := truncation(v.c, x)
	if cause == "" {
		return false
	}
	v.be("truncated-response", cause, report.Proven)
	if v.c.Half[reassembly.FromServer].Missing > 0 || m.Facts.Has(reassembly.HasGap) {
		v.be("truncated-response", cause, report.ConfidenceMedium)
	}
	v.claim.Unsafe = !x.Turn && !ledger.Idempotent(x.Method)
	v.claim.Text = text
	v.claim.Occ.Evidence = truncationEvidence(v.c, x)
	v.until(v.c.Half[reassembly.FromServer].Fin.Time)
	return true
}
