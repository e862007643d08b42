package judge

import (
	"tcpwhy/analysis/internal/grade"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
)

// Hooks are told of what a capture shows while it goes on. They are called one at a time, between
// segments, and should be quick: meanwhile nothing is read. What they are handed is theirs.
type Hooks struct {
	// Certain is told of an occurrence as soon as it is certain: of its finding with the totals so
	// far, and with this occurrence alone.
	Certain func(*report.Finding)
	// Exchange is told of an exchange, and of whom it was between, when it has been judged,
	// and it is known whether a proxy made it of another.
	Exchange func(between report.Pair, x *report.ExchangeInfo)
	// Tick is called several times a second. What soFar draws up is the report of what has been
	// judged; exchanges and connections that go on are not in it.
	Tick func(soFar func() *report.Report)
}

// Any reports whether there is a hook.
func (h *Hooks) Any() bool { return h.Certain != nil || h.Exchange != nil || h.Tick != nil }

// tellCertain tells the hook of an occurrence that was just added to its group.
func (j *Judge) tellCertain(k rule.Key, g *group, c *rule.Claim) {
	if j.Hooks.Certain == nil {
		return
	}
	own := *g
	own.says, own.occurrences = c.Says, []rule.Occurrence{c.Occ}
	f := j.finding(k, &own, grade.Sum{Cost: g.cost.Expected, Worst: g.worst})
	if f.Severity >= j.limits.MinSeverity {
		j.Hooks.Certain(&f)
	}
}

// tellExchange tells the hook of an exchange.
func (j *Judge) tellExchange(between report.Pair, x *report.ExchangeInfo) {
	if j.Hooks.Exchange != nil {
		copied := *x
		j.Hooks.Exchange(between, &copied)
	}
}
