package connect

import (
	"time"

	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
)

const (
	// keptAnswers is how many moments are kept of a server, answersApart from each other at least:
	// a handshake that is answered late takes a second and more.
	keptAnswers  = 8
	answersApart = 100 * time.Millisecond
)

// answerTimes remembers when each server last finished a response.
type answerTimes struct {
	table rule.PairTable[[keptAnswers]time.Duration]
}

// note remembers a moment.
func (t *answerTimes) note(p report.Pair, at time.Duration) {
	e := t.table.Of(report.Pair{Server: p.Server}, at)
	if e == nil || at-e[0] < answersApart && e[0] > 0 {
		return
	}
	copy(e[1:], e[:])
	e[0] = at
}

// within reports whether a moment between from and to was remembered.
func (t *answerTimes) within(p report.Pair, from, to time.Duration) bool {
	e := t.table.Has(report.Pair{Server: p.Server})
	if e == nil {
		return false
	}
	for _, at := range e {
		if at > from && at < to {
			return true
		}
	}
	return false
}
