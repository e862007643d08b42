package failing

import (
	"slices"
	"time"

	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
)

const (
	// What one timeout makes differs by alikeShare percent at most, or by alikeLeast: programs look
	// now and then whether it is over, and hosts are busy (reasoning).
	alikeShare = 5
	alikeLeast = 50 * time.Millisecond
	// leastAlike are the fewest waits that show a timeout; surely is from how many on nobody's
	// impatience explains them.
	leastAlike = 2
	surely     = 3
	// round is what timeouts that people set are whole numbers of, and roundWithin by how much they
	// may miss it: by chance one wait in ten does.
	round       = 500 * time.Millisecond
	roundWithin = 25 * time.Millisecond
	// Polls wait for pollLeast and more; the answer comes at any time within: most of the
	// answers after one pollPart of it.
	pollLeast = 10 * time.Second
	pollPart  = 4
)

// patience is how long a client waited at a service.
type patience struct {
	waits    []wait
	answers  []answer
	timeouts []*timeout // that ended waits, as far as they are settled
}

// wait is one that the client ended.
type wait struct {
	what        string        // was asked for: method and path
	took, whole time.Duration // since the request, and since the client needed a connection
	answered    time.Duration // the response came so late; 0: none did
	from, to    time.Duration
}

// answer is a response that came.
type answer struct {
	at, took time.Duration
	what     string // was asked for
}

// timeout is one that a client seems to have set.
type timeout struct {
	measure
	what        string // that was asked for: method and path; "" if it is that of all requests
	least, most time.Duration
	length      time.Duration // as it seems
	alike       int           // waits, of those that are remembered
	sure        report.Confidence
	n           int           // waits that it ended
	later       int           // of them were answered later
	worst       time.Duration // the latest answer, since the request
	busy        bool          // the server answered something else meanwhile
}

// measure is from when on a timeout counts.
type measure uint8

const (
	sinceRequest measure = iota
	sinceNeed            // of the connection that the client opened for the request
)

// of is how long a wait was by a measure.
func (m measure) of(w *wait) time.Duration {
	if m == sinceNeed {
		return w.whole
	}
	return w.took
}

// waitOf is the wait of a claim.
func waitOf(c *rule.Claim) wait {
	return wait{
		what:     c.Failure.Key.Method + " " + c.Failure.Key.Path(),
		took:     time.Duration(c.Num[numWait]),
		whole:    time.Duration(c.Num[numWhole]),
		answered: time.Duration(c.Num[numAnswer]),
		from:     c.Occ.Start,
		to:       c.Occ.End,
	}
}

// remember takes note of a wait that the client ended.
func (p *patience) remember(w wait) {
	if len(p.waits) >= maxWaits {
		p.waits = slices.Delete(p.waits, 0, 1)
	}
	p.waits = append(p.waits, w)
}

// hear takes note of an answer.
func (p *patience) hear(a answer) {
	if len(p.answers) >= maxAnswers {
		p.answers = slices.Delete(p.answers, 0, 1)
	}
	p.answers = append(p.answers, a)
}

// endedBy is the timeout that ended a wait; nil if none seems to have. It ended half of all waits,
// or of those for the same: whichever shows more that are alike.
func (p *patience) endedBy(own *wait) *timeout {
	var best *timeout
	for _, what := range []string{"", own.what} {
		for _, m := range []measure{sinceRequest, sinceNeed} {
			if t := p.around(own, what, m); t != nil && (best == nil || t.showsMore(best)) {
				best = t
			}
		}
	}
	if best == nil || p.polls(own, best.alike) {
		return nil
	}
	for _, t := range p.timeouts {
		if t.measure == best.measure && t.what == best.what &&
			t.least <= best.most && best.least <= t.most {
			return t
		}
	}
	p.timeouts = append(p.timeouts, best)
	return best
}

// around is the timeout, by a measure, that ended a wait for what was asked for and as many others
// as are about as long; nil if there are too few.
func (p *patience) around(own *wait, what string, m measure) *timeout {
	var all []time.Duration
	for i := range p.waits {
		if w := &p.waits[i]; what == "" || w.what == what {
			all = append(all, m.of(w))
		}
	}
	slices.Sort(all)
	n, length := len(all), m.of(own)
	for len(all) >= leastAlike {
		from, to, end := densest(all)
		if all[from] <= length && length <= all[end-1] {
			if to-from < leastAlike || 2*(end-from) < n || all[from] < leastTimeout {
				return nil
			}
			return &timeout{
				measure: m, what: what,
				least: all[from], most: all[end-1], length: all[from+(to-from)/4],
				alike: end - from, sure: sure(all[from:end], n),
			}
		}
		all = slices.Delete(all, from, end)
	}
	return nil
}

// showsMore reports whether more waits are alike, or as many more so.
func (t *timeout) showsMore(u *timeout) bool {
	return t.alike > u.alike || t.alike == u.alike && t.most-t.least < u.most-u.least
}

// densest is where most of sorted waits are alike: from, and before to. A timeout ends no wait
// before it is over, but some later, as the host is busy: those before end are such late ones.
func densest(all []time.Duration) (from, to, end int) {
	for i, j := 0, 0; i < len(all); i++ {
		for j < len(all) && alike(all[i], all[j]) {
			j++
		}
		if j-i > to-from {
			from, to = i, j
		}
	}
	for end = to; end < len(all) && alike(all[to-1], all[end]); {
		end++
	}
	return from, to, end
}

// alike reports whether one timeout may have ended two waits, of which b is the longer one.
func alike(a, b time.Duration) bool { return b-a <= max(alikeLeast, a*alikeShare/100) }

// sure is how sure it is that a timeout ended sorted waits that are alike, of so many.
func sure(same []time.Duration, all int) report.Confidence {
	if len(same) >= surely {
		if 4*len(same) >= 3*all {
			return report.ConfidenceHigh
		}
		return report.ConfidenceMedium
	}
	for _, took := range same {
		off := (took + round/2) % round
		if max(off-round/2, round/2-off) > roundWithin {
			return report.ConfidenceLow
		}
	}
	return report.ConfidenceMedium
}

// polls reports whether a wait seems to be that of a poll, which waits by design: the same was
// mostly answered late, and more often than it was given up.
func (p *patience) polls(own *wait, given int) bool {
	if own.took < pollLeast {
		return false
	}
	all, late := 0, 0
	for _, a := range p.answers {
		if a.what == own.what {
			all++
			if a.took >= own.took/pollPart {
				late++
			}
		}
	}
	return late > given && 2*late > all
}

// answeredMeanwhile reports whether the server answered something else during a wait.
func (p *patience) answeredMeanwhile(w *wait) bool {
	return slices.ContainsFunc(p.answers, func(a answer) bool {
		return a.at > w.from && a.at < w.to
	})
}

// ends counts a wait that it ended.
func (t *timeout) ends(w *wait, p *patience) {
	t.n++
	if w.answered > 0 {
		t.later++
		t.worst = max(t.worst, w.answered)
	}
	t.busy = t.busy || p.answeredMeanwhile(w)
}

// describe says how many waits of so many requests it ended, and what the server did.
func (t *timeout) describe(c *rule.Claim, all int) {
	c.Confidence = min(c.Confidence, t.sure)
	c.Says = []rule.Said{rule.Say(sameTimeEach, int64(t.n), int64(all), rule.Ns(t.length))}
	if t.later > 0 {
		c.Cause = lateCause
		c.Says = append(c.Says, rule.Say(answeredLater, rule.Ns(t.worst), int64(t.later)))
	} else {
		c.Says = append(c.Says, rule.Say(nothingCame))
	}
	if t.busy {
		c.Says = append(c.Says, rule.Say(othersAnswered))
	}
}
