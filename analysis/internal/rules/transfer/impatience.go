package transfer

import (
	"net/netip"
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
)

// answered is the number of a claim that says whether the copy was answered at once; those before
// it are how long its sender had heard of no acknowledgment, by direction.
const answered = 2

// early is the number of a claim that says whether, besides, no system's timer is as short.
const early = 3

// atOnce is how much longer than the least an answer may take that no timer delayed: 10 ms is the
// shortest timer in use (Windows).
const atOnce = 8 * time.Millisecond

// answeredAtOnce reports whether the copy that ended a wait, of a segment with nothing outstanding
// beside it, was answered by an acknowledgment without data as soon as that could come. A host
// answers at once what it has already (RFC 9293 section 3.10.7.4); what is new it may leave for a
// while.
func answeredAtOnce(p *rule.Pass, w *ledger.Wait) bool {
	again := ledger.RecordOf(p.Conn, w.End)
	if again == nil {
		return false
	}
	for r := range ledger.Segments(p.Conn, w.From, again.Time) {
		if r.Dir == w.Dir && r.End() > again.End() {
			return false
		}
	}
	latest := again.Time + p.Conn.Far(w.Dir.Peer()) + atOnce
	for r := range ledger.Segments(p.Conn, again.Time, latest) {
		if r.Dir != w.Dir && r.Flags&capture.ACK != 0 && r.Ack >= again.End() {
			return r.PureAck()
		}
	}
	return false
}

// unheard is what the claims of a finding say of timers that fired before an acknowledgment came.
type unheard struct {
	count  int              // of such claims
	others int              // claims that rest on more than that
	most   [2]time.Duration // the longest wait, by sender
	least  time.Duration    // the shortest
	prompt int              // claims whose copy was answered at once
	early  int              // those of them whose timer is shorter than any system's
}

// maxImpatient is how many findings are followed.
const maxImpatient = 8192

// impatience follows, by finding, whether all timeouts may have been impatience.
type impatience struct{ found map[rule.Key]*unheard }

// Event takes in nothing: what counts is what is booked.
func (r *impatience) Event(rule.Desk, *rule.Conn, *rule.Told) {}

// Booked takes in a claim.
func (r *impatience) Booked(s *rule.Subject, c *rule.Claim) {
	k := rule.Key{Rule: c.Rule, Cause: c.Cause, Pair: s.Pair}
	u := r.found[k]
	if u == nil {
		if len(r.found) >= maxImpatient {
			return
		}
		u = new(unheard)
		r.found[k] = u
	}
	if c.Num == [rule.Numbers]int64{} {
		u.others += 1 + c.Also
		return
	}
	u.count++
	u.prompt += int(c.Num[answered])
	u.early += int(c.Num[early])
	for d := range u.most { // a number for each sender
		u.most[d] = max(u.most[d], time.Duration(c.Num[d]))
	}
	wait := time.Duration(max(c.Num[0], c.Num[1]))
	if u.count == 1 || wait < u.least {
		u.least = wait
	}
}

// Withdrawn takes a claim back that rested on more.
func (r *impatience) Withdrawn(s *rule.Subject, c *rule.Claim) {
	k := rule.Key{Rule: c.Rule, Cause: c.Cause, Pair: s.Pair}
	if u := r.found[k]; u != nil && c.Num == [rule.Numbers]int64{} {
		u.others -= 1 + c.Also
	}
}

// Finish doubts the findings of which all may have been impatience.
func (r *impatience) Finish(d rule.Desk) {
	for k, u := range r.found {
		f := d.Found(k.Rule, k.Cause, k.Pair)
		switch {
		case f == nil || u.count == 0 || u.others > 0:
		case u.hasty(d, k.Pair):
			doubt(f, rule.Say(hastyTimer))
		case u.lateAcks(d, k.Pair, f):
			doubt(f, rule.Say(lateAcker))
		case u.early == u.count:
			doubt(f, rule.Say(earlyTimer))
		}
	}
}

const (
	// hastyLeast is how many copies must show it for a timer to be called too short (reasoning: one
	// or two may be losses, three in a row of segments without others beside them hardly).
	hastyLeast = 3
	// hastyPrompt is which part of the copies, in percent, must have been answered at once: the
	// capture may lack an answer (reasoning).
	hastyPrompt = 75
	// hastySpread is by how much the longest wait of one timer may exceed the shortest, in percent:
	// as much as an estimate of the round trip wanders (reasoning).
	hastySpread = 150
	// hastyMost is the longest that an acknowledgment may be delayed, and a timer's tick (RFC 9293
	// section 3.8.6.3).
	hastyMost = 510 * time.Millisecond
	// hastyShare is of what part of a pair's exchanges, in percent, a timer as long as a usual one
	// must have repeated something: losses are not that frequent (reasoning).
	hastyShare = 50
	// usualTimer is how long the timers of most systems are at the least: Linux's 200 ms, and what
	// firing early may be (include/net/tcp.h, TCP_RTO_MIN).
	usualTimer = 190 * time.Millisecond
)

// hasty reports whether the sender's timer is shorter than the receiver's delay of acknowledgments:
// only segments with none beside them were repeated, always after the same time, which is no longer
// than a receiver may wait, and the copies were answered at once.
func (u *unheard) hasty(d rule.Desk, p report.Pair) bool {
	most := max(u.most[0], u.most[1])
	if u.prompt < hastyLeast || u.prompt*100 < u.count*hastyPrompt ||
		u.most[0] > 0 && u.most[1] > 0 ||
		most*100 > u.least*hastySpread || most > hastyMost {
		return false
	}
	all, known := d.Pair(p)
	return most < usualTimer || known && u.count*100 >= all.Exchanges*hastyShare
}

// lateAcks reports whether the receiver's host has acknowledged as late as the timers fired what
// did arrive. Nothing tells then whether a segment or only its acknowledgment was missing.
func (u *unheard) lateAcks(d rule.Desk, p report.Pair, f rule.Found) bool {
	// who acknowledges what the client and the server send
	hosts := [2]netip.Addr{p.Server.Addr(), p.Client}
	for dir, wait := range u.most {
		if wait == 0 {
			continue
		}
		delays := d.DelayedACKs(hosts[dir])
		if len(delays) == 0 || wait > rule.LatestDelayedAck(delays)+f.Rtt() {
			return false
		}
	}
	return true
}

// doubt makes timeouts mere possibilities, all of which may have been impatience, for the reason
// given.
func doubt(f rule.Found, reason rule.Said) {
	f.Sure(report.ConfidenceLow)
	f.Limit(report.Info, report.Low)
	f.Low(0)
	f.Further(reason)
}
