package judge

import (
	"iter"
	"net/netip"
	"time"

	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly/exchange"
)

// The judge is the desk of comparisons.
var _ rule.Desk = (*Judge)(nil)

// Enabled reports whether the rule runs.
func (j *Judge) Enabled(rule string) bool { return j.named[rule] != nil }

// Lose adds to the time that was lost, at that moment.
func (j *Judge) Lose(at, lost time.Duration) {
	if lost > 0 && at >= j.From {
		j.Total.shared.lost.add(report.Interval{From: at, To: at + lost}, lost)
	}
	j.countLost(at, lost)
}

// countLost is that for what stands elsewhere by the clock.
func (j *Judge) countLost(at, lost time.Duration) {
	if at >= j.From {
		j.Total.lost += lost
		j.tally.Lose(at, lost)
	}
}

// Claim adds a claim to the exchange in hand.
func (j *Judge) Claim(c rule.Claim) { j.inHand.standing = append(j.inHand.standing, c) }

// Settle says that the time of the exchange in hand belongs to something of that kind.
func (j *Judge) Settle(k rule.Kinds) { j.inHand.settled |= k }

// Standing are the kinds of the claims about the exchange in hand that stand.
func (j *Judge) Standing() (all rule.Kinds) {
	for i := range j.inHand.standing {
		all |= j.inHand.standing[i].Kind
	}
	return all
}

// Exchange is the number of the connection's exchange with that index; -1 if there is none.
func (j *Judge) Exchange(conn, index int) int {
	if m := j.conns[conn]; m != nil {
		return m.find(index)
	}
	return -1
}

// Pair is what is known of all exchanges of a pair; false if nothing was ever asked between the
// two.
func (j *Judge) Pair(p report.Pair) (rule.Totals, bool) {
	if t := j.pairs[p]; t != nil {
		return t.Totals, t.asked
	}
	return rule.Totals{}, false
}

// Found is a finding; nil if there is none.
func (j *Judge) Found(of, cause string, p report.Pair) rule.Found {
	if g := j.groups[rule.Key{Rule: of, Cause: cause, Pair: p}]; g != nil {
		return foundGroup{g, j}
	}
	return nil
}

// Findings are all findings of a rule so far, in no order.
func (j *Judge) Findings(of string) iter.Seq2[rule.Key, rule.Found] {
	return func(yield func(rule.Key, rule.Found) bool) {
		for k, g := range j.groups {
			if k.Rule == of && !yield(k, foundGroup{g, j}) {
				return
			}
		}
	}
}

// Recast gives the occurrences of a finding to another cause of its rule.
func (j *Judge) Recast(of rule.Key, cause string) {
	g := j.groups[of]
	if g == nil || of.Cause == cause {
		return
	}
	delete(j.groups, of)
	of.Cause = cause
	if o := j.groups[of]; o != nil {
		g = j.merged(o, g)
		g.least, g.most, g.alone = max(o.least, g.least), max(o.most, g.most), min(o.alone, g.alone)
		g.correctness, g.unsafe = o.correctness || g.correctness, o.unsafe || g.unsafe
		g.confidence, g.rtt = max(o.confidence, g.confidence), max(o.rtt, g.rtt)
	}
	j.groups[of] = g
}

// PairHas reports whether there is a finding of that kind between a pair.
func (j *Judge) PairHas(k rule.Kinds, p report.Pair) bool {
	for _, d := range j.rules {
		if !d.Makes.Has(k) {
			continue
		}
		for i := range d.Causes {
			if j.groups[rule.Key{Rule: d.Name, Cause: d.Causes[i].Code, Pair: p}] != nil {
				return true
			}
		}
	}
	return false
}

// Uncompared counts a connection that is not compared, as there is too much to compare it with.
func (j *Judge) Uncompared() { j.Crowd.pools++ }

// Failed sets how the attempt on a connection ended.
func (j *Judge) Failed(conn int, o exchange.Outcome) {
	if j.tried.ended == nil {
		j.tried.ended = map[int]exchange.Outcome{}
	}
	if len(j.tried.ended) < maxFailures {
		j.tried.ended[conn] = o
		j.tally.Ended(conn, o)
		j.Total.cut--
	}
	if c := j.tried.cut[conn]; c != nil {
		delete(j.tried.cut, conn)
		j.addTime(c)
	}
}

// settleOutcomes sets how listed attempts ended of which that showed elsewhere.
func (j *Judge) settleOutcomes() {
	j.list.eachExchange(func(x *report.ExchangeInfo) {
		if o, ok := j.tried.ended[x.Connection]; ok && x.Attempt != nil &&
			x.Outcome == exchange.Incomplete {
			x.Outcome = o
		}
		if _, ok := j.tried.spare[x.Connection]; ok && x.Outcome == exchange.TLSFailed {
			x.Outcome = exchange.Incomplete
		}
	})
}

// Spare takes a TLS handshake from what failed.
func (j *Judge) Spare(conn, id int) {
	j.tally.Excuse(id)
	if j.tried.spare == nil {
		j.tried.spare = map[int]struct{}{}
	}
	if len(j.tried.spare) < maxFailures {
		j.tried.spare[conn] = struct{}{}
	}
}

// Unlisted counts an attempt to connect that is one of a scan.
func (j *Judge) Unlisted() { j.Total.scans++ }

// DelayedACKs are how late a host acknowledged small segments, as far as is known so far.
func (j *Judge) DelayedACKs(host netip.Addr) []time.Duration { return j.timers.Of(host) }

// BookMany adds n occurrences that cost so much together, of which samples are listed.
func (j *Judge) BookMany(s rule.Subject, samples []rule.Claim, n int, total report.Cost) {
	for i := range samples {
		j.Book(s, &samples[i])
	}
	c := &samples[0]
	g := j.groups[rule.Key{Rule: c.Rule, Cause: c.Cause, Pair: s.Pair}]
	g.count, g.cost = n, total
	if n > len(samples) {
		g.moments.Forget() // those of the samples alone are known
	}
	exchanges := n
	if all := j.pairs[s.Pair]; all != nil {
		exchanges = min(n, all.Exchanges) // several may be in one
	}
	g.affected = exchanges
}

// Relabel gives back to a hold the time that went to the application.
func (j *Judge) Relabel(r rule.Relabelled) {
	j.move(moved{r.Conn, r.Exchange, &r.Relabelling})
}

// foundGroup is a group as rules see it.
type foundGroup struct {
	*group
	judge *Judge
}

func (f foundGroup) Count() int                    { return f.group.count }
func (f foundGroup) Confidence() report.Confidence { return f.group.confidence }
func (f foundGroup) Rtt() time.Duration            { return f.group.rtt }
func (f foundGroup) Low(d time.Duration)           { f.group.cost.Low = d }
func (f foundGroup) Further(all ...rule.Said)      { f.group.further = all }

// unlose takes back what a group has lost. What is not listed of it was lost at the same time as
// what is.
func (j *Judge) unlose(g *group) {
	sure := max(0, g.cost.Expected-g.doubted)
	rest := sure
	for i := range g.occurrences {
		o := &g.occurrences[i]
		lost := share(o.Cost.Expected, sure, g.cost.Expected)
		j.Lose(o.Start, -lost)
		rest -= lost
	}
	if len(g.occurrences) > 0 {
		j.Lose(g.occurrences[0].Start, -rest)
	}
}

// Unlist leaves a finding without occurrences, which is none.
func (f foundGroup) Unlist() {
	f.judge.Total.scans += uint64(f.group.count)
	if f.group.counted {
		f.judge.unlose(f.group)
	}
	f.group.count, f.group.counted = 0, false
}

// Sure sets how sure a finding is. What nothing is promised of does not count as lost.
func (f foundGroup) Sure(c report.Confidence) {
	f.group.confidence = c
	if c == report.ConfidenceLow && f.group.counted {
		f.judge.unlose(f.group)
		f.group.counted, f.group.doubted = false, f.group.cost.Expected
	}
}

func (f foundGroup) Doubt() {
	if f.group.confidence > report.ConfidenceLow {
		f.Sure(f.group.confidence - 1)
	}
}

func (f foundGroup) Limit(least, most report.Severity) {
	f.group.least, f.group.most = max(f.group.least, least), min(f.group.most, most)
}

func (f foundGroup) Grade(least, most report.Severity) {
	f.group.least, f.group.most = least, most
}
