package failing

import (
	"cmp"
	"slices"
	"time"

	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/internal/template"
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
	// atOnce is within what waits end that one event ended, as the end of a program does: that they
	// are as long as each other, having begun together, shows nothing.
	atOnce = 20 * time.Millisecond
	// mostTold timeouts of a client stand in one sentence.
	mostTold = 4
	// maxAsked are the endpoints of a service of which is counted how often one client asked.
	maxAsked = 64
)

// patience is how long a client waited at a service.
type patience struct {
	waits    []wait
	answers  []answer
	timeouts []*timeout // that ended waits, as far as they are settled
	asked    []asking   // by endpoint; those beyond maxAsked are not counted
}

// asking is how often something was asked for.
type asking struct {
	what string
	n    int
}

// wait is one that the client ended.
type wait struct {
	what        string        // was asked for: method and template of the path
	took, whole time.Duration // since the request, and since the client needed a connection
	silent      time.Duration // since the last octet of a response that had begun; 0: none had
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
	what        string // the endpoint whose requests it ends; "" if it is that of all requests
	least, most time.Duration
	took        time.Duration // as it seems
	alike       int           // moments at which it ended waits that are remembered
	sure        report.Confidence
	n           int            // waits that it ended
	by          map[string]int // the same by endpoint
	later       int            // of them were answered later
	worst       time.Duration  // the latest answer, since the request
	busy        bool           // the server answered something else meanwhile
}

// measure is from when on a timeout counts.
type measure uint8

const (
	sinceRequest measure = iota
	sinceNeed            // of the connection that the client opened for the request
	sinceOctet           // the latest that came of the response
	measures
)

// of is how long a wait was by a measure.
func (m measure) of(w *wait) time.Duration {
	switch {
	case m == sinceNeed:
		return w.whole
	case m == sinceOctet && w.silent > 0:
		return w.silent
	}
	return w.took
}

// waitOf is the wait of a claim.
func waitOf(c *rule.Claim) wait {
	return wait{
		what:     c.Failure.Key.Method + " " + template.Of(c.Failure.Key.Path()),
		took:     time.Duration(c.Num[numWait]),
		whole:    time.Duration(c.Num[numWhole]),
		silent:   time.Duration(c.Num[numSilent]),
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

// ask counts an exchange.
func (p *patience) ask(what string) {
	for i := range p.asked {
		if a := &p.asked[i]; a.what == what {
			a.n++
			return
		}
	}
	if len(p.asked) < maxAsked {
		p.asked = append(p.asked, asking{what, 1})
	}
}

// times is how many exchanges for it were counted.
func (p *patience) times(what string) int {
	for i := range p.asked {
		if p.asked[i].what == what {
			return p.asked[i].n
		}
	}
	return 0
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
		for m := range measures {
			if t := p.around(own, what, m); t != nil && (best == nil || t.showsMore(best)) {
				best = t
			}
		}
	}
	if best == nil || p.polls(own, best.alike) {
		return nil
	}
	for _, t := range p.timeouts { // the same, counted otherwise, is the same
		if alike(min(t.took, best.took), max(t.took, best.took)) {
			return t
		}
	}
	p.timeouts = append(p.timeouts, best)
	return best
}

// around is the timeout, by a measure, that ended a wait for what was asked for and as many others
// as are about as long; nil if there are too few.
func (p *patience) around(own *wait, what string, m measure) *timeout {
	var all []length
	for i := range p.waits {
		if w := &p.waits[i]; what == "" || w.what == what {
			all = append(all, length{m.of(w), w.to})
		}
	}
	slices.SortFunc(all, length.compare)
	n, took := moments(all), m.of(own)
	for len(all) >= leastAlike {
		from, to, end := densest(all)
		if all[from].took <= took && took <= all[end-1].took {
			same := all[from:end]
			alike := moments(same)
			if moments(all[from:to]) < leastAlike || 2*alike < n || all[from].took < leastTimeout {
				return nil
			}
			return &timeout{
				measure: m, what: what, by: map[string]int{},
				least: all[from].took, most: all[end-1].took, took: all[from+(to-from)/4].took,
				alike: alike, sure: sure(same, alike, n),
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

// length is how long a wait was, and when it ended.
type length struct{ took, to time.Duration }

func (l length) compare(m length) int {
	return cmp.Or(cmp.Compare(l.took, m.took), cmp.Compare(l.to, m.to))
}

// moments are at how many different moments waits ended.
func moments(all []length) (n int) {
	var ends []time.Duration
	for _, l := range all {
		ends = append(ends, l.to)
	}
	slices.Sort(ends)
	for i, last := 0, time.Duration(0); i < len(ends); i++ {
		if i == 0 || ends[i]-last > atOnce {
			n, last = n+1, ends[i]
		}
	}
	return n
}

// densest is where most of sorted waits are alike: from, and before to. A timeout ends no wait
// before it is over, but some later, as the host is busy: those before end are such late ones.
func densest(all []length) (from, to, end int) {
	for i, j := 0, 0; i < len(all); i++ {
		for j < len(all) && alike(all[i].took, all[j].took) {
			j++
		}
		if j-i > to-from {
			from, to = i, j
		}
	}
	for end = to; end < len(all) && alike(all[to-1].took, all[end].took); {
		end++
	}
	return from, to, end
}

// alike reports whether one timeout may have ended two waits, of which b is the longer one.
func alike(a, b time.Duration) bool { return b-a <= max(alikeLeast, a*alikeShare/100) }

// sure is how sure it is that a timeout ended waits that are alike, at so many moments of all.
func sure(same []length, moments, all int) report.Confidence {
	if moments >= surely {
		if 4*moments >= 3*all {
			return report.ConfidenceHigh
		}
		return report.ConfidenceMedium
	}
	for _, l := range same {
		off := (l.took + round/2) % round
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
	t.by[w.what]++
	if w.answered > 0 {
		t.later++
		t.worst = max(t.worst, w.answered)
	}
	t.busy = t.busy || p.answeredMeanwhile(w)
}

// share bounds severity by the share of what it ended: of all requests, or of those for what was
// asked for, whichever is more.
func (t *timeout) share(c *rule.Claim, what string, all int, p *patience) {
	n := t.n
	if here, asked := t.by[what], p.times(what); asked > 0 && here*all > n*asked {
		n, all = here, max(here, asked)
	}
	switch {
	case 2*n >= all:
		c.Least = report.High
	case 10*n >= all:
		c.Least = report.Medium
	case 100*n < all:
		c.Most = rule.AtMost(report.Medium)
	}
}

// describe says how many waits of so many requests it ended, and others did, and what the server
// did.
func (t *timeout) describe(c *rule.Claim, all int, p *patience) {
	c.Confidence = min(c.Confidence, t.sure)
	words := sameTimeEach
	if c.Cause == stoppedCause {
		words = sameTimeWithin
	}
	c.Says = []rule.Said{rule.Say(words, int64(t.n), int64(all), rule.Ns(t.took))}
	for _, u := range p.timeouts[:min(len(p.timeouts), mostTold)] {
		if u != t && u.n > 0 && (u.later > 0) == (t.later > 0) {
			c.Says = append(c.Says, rule.Say(othersAfter, int64(u.n), rule.Ns(u.took)))
		}
	}
	if c.Cause == stoppedCause {
		c.Says = append(c.Says, rule.Say(nothingMore))
	} else if t.later > 0 {
		c.Cause = lateCause
		c.Says = append(c.Says, rule.Say(answeredLater, rule.Ns(t.worst), int64(t.later)))
	} else {
		c.Says = append(c.Says, rule.Say(nothingCame))
	}
	if t.busy {
		c.Says = append(c.Says, rule.Say(othersAnswered))
	}
}
