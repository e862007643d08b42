package connect

import (
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/internal/whatif"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

const (
	// shortestTimeout is the shortest idle timeout that anybody would set.
	shortestTimeout = time.Second
	// sameIdleTimes is how many idle times must agree before they count as a timeout: two may be
	// chance (reasoning).
	sameIdleTimes = 3
	// limitSoonest and limitLatest are from and up to which part of an announced idle timeout, in
	// percent, a close belongs to it; servers that look every second may be late by as much more
	// (reasoning).
	limitSoonest, limitLatest = 90, 120
	// readAhead is how much of a response clients read at least with its header: Go reads 4096
	// octets at a time, others more.
	readAhead = 4096
	// lookedAt is how many idle connections are looked at for each new one.
	lookedAt = 64
	// wayParts is by which part of it the way to the client and back may be longer than the least
	// that was seen, as such paths have jitter (reasoning); and atOnce by how much at most where
	// the way is shorter than what a kernel takes to react: Linux 10 to 70 µs, 300 µs under load
	// (measured).
	wayParts = 8
	atOnce   = 300 * time.Microsecond
)

// verdict is the finding that a connection need not have been opened; its cost is known when its
// first exchange is.
type verdict struct {
	cause      string
	confidence report.Confidence
	donor      *member
	donorIdle  capture.Mark  // end of the donor's last response
	closed     *rule.Closing // nil if the donor was still open
	syn        capture.Mark  // of the new connection; its SYN-ACK with lacksSYN
	request    capture.Mark
	lacksSYN   bool
}

// considerReuse looks for a connection that could have carried m's first request: one that lay
// idle, or one that had been closed though it need not have been. nil: there was none.
func considerReuse(m *member, e *rule.Began) *verdict {
	p := m.pool
	if d := p.idleDonor(m, e); d != nil {
		d.borrowed, m.lent = true, d
		d.version++
		return newVerdict(ignoredIdleCause, d.sure(report.ConfidenceHigh), d, e)
	}
	for i := len(p.closed) - 1; i >= 0; i-- {
		d := p.closed[i]
		if e.Need-d.closed.At.Time > donorHorizon {
			break
		}
		cause, confidence := p.whyClosed(d, e.Need)
		if cause == "" || !d.knownIdle(m, e.Need) || d.closed.At.Time > e.Start.Time ||
			d.last.reason == "" && m.otherProgram(d) {
			continue
		}
		p.closed = append(p.closed[:i], p.closed[i+1:]...)
		return newVerdict(cause, d.sure(confidence), d, e)
	}
	return nil
}

// newVerdict is that d could have carried the request e.
func newVerdict(cause string, c report.Confidence, d *member, e *rule.Began) *verdict {
	return &verdict{
		cause:      cause,
		confidence: c,
		donor:      d,
		donorIdle:  d.idleSince,
		closed:     d.closed,
		syn:        e.ConnStart,
		request:    e.Start,
		lacksSYN:   e.LacksSYN,
	}
}

// sure is a confidence in what m's messages said, bounded by how much of them was read.
func (m *member) sure(c report.Confidence) report.Confidence {
	if m.doubt {
		return min(c, report.ConfidenceMedium)
	}
	return c
}

// idleDonor is the connection that was idle at the moment of need and has stayed so, the latest
// first; nil if none.
func (p *pool) idleDonor(m *member, asked *rule.Began) *member {
	looked := 0
	for i := len(p.idle) - 1; i >= 0 && looked < lookedAt; i-- {
		e := p.idle[i]
		if e.stale() {
			p.idle = append(p.idle[:i], p.idle[i+1:]...)
			continue
		}
		looked++
		if e.m.couldServe(m, asked) {
			p.idle = append(p.idle[:i], p.idle[i+1:]...)
			return e.m
		}
	}
	return nil
}

// couldServe reports whether d, which is idle, could have carried the request instead of m.
func (d *member) couldServe(m *member, asked *rule.Began) bool {
	switch {
	case d.port == asked.Port:
		return false // the client uses its port again: it no longer knows of that connection
	case d.last.notKept || m.otherProgram(d):
		return false // the client need not try, or cannot
	case d.goneBy(asked.Need):
		return false // the server takes no request on it
	}
	return d.knownIdle(m, asked.Need) &&
		(d.idleLimit == 0 || asked.Need-d.idleSince.Time < d.idleLimit)
}

// goneBy reports whether a request that the client had sent on d at the moment of need would have
// met a GOAWAY: that passed no later than a request takes to the server, and a GOAWAY back.
func (d *member) goneBy(need time.Duration) bool {
	return ledger.Seen(d.away) && d.away.Time <= need+d.rtt
}

// knownIdle reports whether the client had d's last response when it opened m: at the capture point
// that is a round trip to the client and back before the SYN, which the least ever seen never
// overestimates by more than the path's jitter. Next to the client there is no such way, and the
// order of frames decides.
func (d *member) knownIdle(m *member, need time.Duration) bool {
	if m.lacksSYN { // its SYN had left a round trip before, which is no longer than an exchange
		need -= d.took
	}
	far := min(d.far, m.far)
	return d.idleSince.Time <= need-far+far/wayParts+min(far, atOnce)
}

// whyClosed is the cause for which d was gone at the moment of need; "" if it could not have been
// kept.
func (p *pool) whyClosed(d *member, need time.Duration) (string, report.Confidence) {
	byServer := d.closed.By == reassembly.FromServer
	// without a word that it would, the server closed as soon as the response was there
	unsaid := d.last.reason == "" && d.promptly()
	switch {
	case d.last.stream && (byServer || d.closed.GoneAway):
		return "", 0 // a server of HTTP/2 says GOAWAY, and why
	case d.failed || d.gap:
		return "", 0 // what ended it has a rule of its own, or may not have been seen
	case d.served > 1 && byServer && (d.last.reason == responseCloseCause || unsaid) &&
		p.ageLimit(d):
		return ageLimitCause, report.ConfidenceMedium
	case d.last.reason == responseCloseCause:
		return p.whyAnnounced(d)
	case d.last.reason != "":
		return d.last.reason, report.Proven
	case d.closed.Open || d.last.aborted:
		if byServer || d.turns || d.busy > 0 || d.last.size == 0 {
			return "", 0 // a client that gave up before any response came left none unread
		}
		return notDrainedCause, report.ConfidenceMedium
	case d.hidden && d.promptly():
		return closeHiddenCause, report.ConfidenceMedium // either may have asked for it
	case byServer:
		return p.whyServerClosed(d)
	}
	return p.whyClientClosed(d, need)
}

// whyAnnounced is the cause where the server had said that it would close.
func (p *pool) whyAnnounced(d *member) (string, report.Confidence) {
	switch {
	case d.cut: // how many requests it had served before is not visible
		return responseCloseCause, report.ConfidenceLow
	case d.last.failed && d.served > 1:
		return someResponsesCloseCause, report.ConfidenceMedium // the error has ended it
	case d.last.failed && p.kept == 0 && !p.unfailed:
		return errorCloseCause, report.ConfidenceMedium // whether others end it, was not seen
	case d.served > 1:
		return maxRequestsCause, p.constantRequests(d)
	case p.kept >= p.ended || d.last.failed && !p.unfailed:
		return someResponsesCloseCause, report.ConfidenceHigh
	}
	return responseCloseCause, report.Proven
}

// whyServerClosed is the cause where the server closed an idle connection without a word.
func (p *pool) whyServerClosed(d *member) (string, report.Confidence) {
	switch {
	case d.promptly() && d.served == 1:
		return responseCloseCause, report.ConfidenceHigh
	case d.promptly() && p.requests[d.served] > 1:
		return maxRequestsCause, p.constantRequests(d)
	case d.promptly():
		return "", 0 // it had not closed after the responses before, and nothing was counted
	}
	sure := p.constantIdle(d.idled(), d.idleLimit)
	if d.idled() < shortestTimeout && sure < report.ConfidenceHigh {
		return "", 0 // a restart, or whatever ends connections once
	}
	return idleTimeoutCause, sure
}

// whyClientClosed is the cause where the client closed a connection as soon as that was idle; "" if
// it held it longer, unless it did so for the same fraction of a second again and again.
func (p *pool) whyClientClosed(m *member, need time.Duration) (string, report.Confidence) {
	beyond := m.idleLimit > 0 && need-m.idleSince.Time >= m.idleLimit
	switch {
	case !m.promptly() && (m.idled() >= shortestTimeout ||
		timesLike(p.leftIdle, m.idled()) < sameIdleTimes):
		return "", 0
	case m.last.notKept:
		return idleTimeoutCause, report.ConfidenceHigh
	case m.closed.Abort && m.last.size > readAhead:
		// a socket closed with data unread is reset (RFC 2525 section 2.17)
		return notDrainedCause, report.ConfidenceMedium
	case beyond:
		return "", 0
	}
	return clientClosedCause, report.ConfidenceMedium
}

// constantRequests grades the claim that the server closes after a fixed number of requests.
func (p *pool) constantRequests(d *member) report.Confidence {
	if p.requests[d.served] > 1 && len(p.requests) == 1 && !p.evenAges(d) {
		return report.ConfidenceHigh
	}
	return report.ConfidenceMedium
}

// constantIdle grades the claim that the server closes connections after a fixed idle time: it said
// so, or did so several times.
func (p *pool) constantIdle(idle, limit time.Duration) report.Confidence {
	if limit > 0 && idle >= limit*limitSoonest/100 && idle <= limit*limitLatest/100+time.Second {
		return report.ConfidenceHigh
	}
	if timesLike(p.idleTime, idle) >= sameIdleTimes {
		return report.ConfidenceHigh
	}
	return report.ConfidenceMedium
}

// timesLike is how many of the idle times are those of one timer that ran for so long.
func timesLike(times []time.Duration, idle time.Duration) (n int) {
	for _, t := range times {
		if rule.SameTimeout(t, idle) {
			n++
		}
	}
	return n
}

// Claims takes in what the exchange showed, and claims a set-up that need not have been.
func (r *reuses) Claims(d rule.Desk, c *rule.Conn, x *rule.Judged) {
	m := r.conns[c.Id]
	if m == nil {
		return
	}
	if x.Late != nil {
		m.rtt, m.kept = x.Late.Rtt, x.Late.Windows
		return
	}
	m.rtt = x.Flow.RTT
	v := m.verdict
	if cl, ok := m.reuseClaim(x); ok {
		d.Claim(cl)
	}
	for _, dir := range ledger.BothWays {
		m.carry(v, x, dir)
	}
}

// carry takes note of the window that dir's sender would have behind the exchange on a connection
// that had been kept: with v, the older one.
func (m *member) carry(v *verdict, x *rule.Judged, dir reassembly.Dir) {
	if f := x.FlowOf(dir); v != nil && x.Index == 0 && f != nil && f.MSS > 0 {
		m.kept[dir] = v.rested(dir, f.RTT)
	}
	m.kept[dir] = x.WindowAfter(m.kept[dir], dir)
}

// reuseClaim is the claim of missed-reuse on the first exchange of m's connection.
func (m *member) reuseClaim(x *rule.Judged) (rule.Claim, bool) {
	v := m.verdict
	if v == nil || x.Index != 0 {
		return rule.Claim{}, false
	}
	m.verdict = nil
	if v.closed != nil && (v.donor.gap || v.donor.failed) {
		return rule.Claim{}, false
	}
	cost, window := v.cost(x)
	if cost.High <= 0 {
		return rule.Claim{}, false
	}
	c := rule.Claim{
		Rule:       missedReuseRule,
		Kind:       rule.ColdSetup | rule.WarmWindow,
		Cause:      v.cause,
		Confidence: v.confidence,
		Window:     window,
		Occ: rule.Occurrence{
			Connection: m.id,
			Elsewhere:  true,
			Start:      v.syn.Time,
			End:        v.request.Time,
			Cost:       cost,
			Proof:      v.proof(x.Doubtful),
		},
	}
	if v.lacksSYN {
		c.Confidence = min(c.Confidence, report.ConfidenceMedium)
	}
	if x.Doubtful {
		c.Occ.Cost.Low = 0
		c.Confidence = min(c.Confidence, report.ConfidenceMedium)
		c.Most = rule.AtMost(report.Medium)
	}
	if v.cause == closeHiddenCause { // which of many causes it is, was cut off
		c.Most = rule.AtMost(report.Medium)
	}
	v.detail(&c, m)
	if c.Most == rule.AtMost(report.Info) {
		setUpAlone(&c, x)
	}
	return c, true
}

// setUpAlone leaves the slow start of a connection that nobody can spare to who can do something
// about it, and what faults of the handshake cost to those.
func setUpAlone(c *rule.Claim, x *rule.Judged) {
	c.Kind = rule.ColdSetup | rule.OwnSetup
	c.Occ.Cost.Expected -= c.Window.Saved
	c.Occ.Cost.Expected = max(0, c.Occ.Cost.Expected-handshakeFaults(x))
	c.Occ.Cost.Low = min(c.Occ.Cost.Low, c.Occ.Cost.Expected)
	c.Occ.Cost.High = c.Occ.Cost.Expected
	c.Window = rule.Window{}
}

// handshakeFaults is what faults of the TLS handshake cost that stand by themselves.
func handshakeFaults(x *rule.Judged) (cost time.Duration) {
	for i := range x.Claims {
		if c := &x.Claims[i]; c.Kind.Has(rule.SlowHandshake) {
			cost += c.Occ.Cost.Expected
		}
	}
	return cost
}

// cost is what the exchange lost to the new connection, and how much of that is the smaller window.
func (v *verdict) cost(x *rule.Judged) (report.Cost, rule.Window) {
	setUp := setUpTime(x) + lookUpTime(x)
	if v.lacksSYN { // a handshake takes a round trip at least
		setUp += max(0, x.Flow.RTT-x.Times[report.TCPHandshake])
	}
	// What the client's own program needs between the handshake and its request is part of every
	// new connection, too.
	own := min(x.Times[report.ClientThink], ledger.PromptStart, unclaimed(x, setUp))
	dir := larger(x)
	f := x.FlowOf(dir)
	waited, kept := v.waited(x, dir), v.rested(dir, f.RTT)
	slow := kept.Saving(f, waited)
	cost := report.Cost{
		Low:      setUp + max(0, slow-f.RTT),
		Expected: setUp + own + slow,
		High:     setUp + own + repeatedSYNs(x),
	}
	cost.High += max(slow, v.donor.kept[dir].Roomy().Saving(f, waited))
	return cost, rule.Window{Dir: dir, Saved: slow, Cwnd: kept.Segments(f)}
}

// unclaimed is what is left of the exchange beside its set-up and what other claims have.
func unclaimed(x *rule.Judged, setUp time.Duration) time.Duration {
	left := x.Info.Duration - setUp
	for i := range x.Claims {
		left -= x.Claims[i].Occ.Cost.Expected
	}
	return max(0, left)
}

// lookUpTime is how long the client looked the name up for this connection, which one that it had
// would have spared, without what claims about the look-up have.
func lookUpTime(x *rule.Judged) time.Duration {
	took := x.Times[report.DNS]
	for i := range x.Claims {
		if x.Claims[i].Kind.Has(rule.LateLookup) {
			took -= x.Claims[i].Occ.Cost.Expected
		}
	}
	return max(0, took)
}

// larger is the direction of the larger message of the exchange.
func larger(x *rule.Judged) reassembly.Dir {
	if x.Upload != nil && x.Upload.Bytes > x.Flow.Bytes {
		return reassembly.FromClient
	}
	return reassembly.FromServer
}

// waited is how long the windows of a new connection made dir's message wait: its sender's, and the
// receiver's where the older connection's was larger.
func (v *verdict) waited(x *rule.Judged, dir reassembly.Dir) time.Duration {
	f, kept := x.FlowOf(dir), v.donor.kept[dir]
	took := x.Spent(dir, report.SlowStart)
	if kept.Roomier(f) {
		took += x.Spent(dir, report.RWnd)
	}
	if f.Paces || kept.Paces() {
		took += x.Spent(dir, report.Paced) + x.Spent(dir, report.Serialize)
	}
	return took
}

// rested is what the older connection's sender of dir would have had when the request was there.
func (v *verdict) rested(dir reassembly.Dir, rtt time.Duration) whatif.Kept {
	return v.donor.kept[dir].Rested(v.syn.Time-v.donorIdle.Time, rtt)
}

// repeatedSYNs is what repeated SYNs cost, unless a rule about them claims that: a millisecond has
// one owner.
func repeatedSYNs(x *rule.Judged) time.Duration {
	if x.Kinds()&(rule.LateHandshake|rule.DroppedHandshake|rule.UsedPorts) != 0 {
		return 0
	}
	return x.Times[report.SYNRetx] + x.Times[report.SYNACKRetx]
}

// proofFrames is how many frames the proof has, where the older connection is seen to close.
const proofFrames = 4

// proof shows the connection that could have been used, what ended it, and the new one, whose
// first request may not have waited for it.
func (v *verdict) proof(doubtful bool) []rule.Evidence {
	donor, gap := int64(v.donor.id), rule.Ns(v.syn.Time-v.donorIdle.Time)
	free := donorIsFree
	if v.donor.last.shared && !v.donor.pool.key.secure {
		free = donorHasNoStream
	}
	n := proofFrames // many are kept: no more room than they need
	if v.closed == nil {
		n--
	}
	out := append(make([]rule.Evidence, 0, n),
		rule.Shows(v.donorIdle, report.SideServer, free, donor))
	if v.closed != nil {
		how := closedByFIN
		switch {
		case v.closed.Alert:
			how = closedByAlert
		case v.closed.Reset:
			how = closedByReset
		}
		out = append(out, rule.Shows(v.closed.At, rule.SideOf(v.closed.By), how, donor))
	}
	waited := hadToWait
	if doubtful {
		waited = mayNotHaveWaited
	}
	opened := rule.Shows(v.syn, report.SideClient, newConnection, gap)
	if v.lacksSYN {
		opened = rule.Shows(v.syn, report.SideServer, acceptedAnew, gap)
	}
	return append(out, opened,
		rule.Shows(v.request, report.SideClient, waited))
}
