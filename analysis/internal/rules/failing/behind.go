package failing

import (
	"slices"

	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly/exchange"
)

// causesBehind are rules whose findings between a proxy and a server behind it say why the proxy
// had no answer.
var causesBehind = [...]string{
	"reset-after-data", "keepalive-race", "connection-refused", "syn-retransmission", "idle-drop",
	"truncated-response", timeoutRule, errorsRule,
}

// behind is what the capture shows behind proxies.
type behind struct {
	desk rule.Desk
	told map[report.Pair]bool // a finding says why there was no answer; nil until asked for
}

// last is the leg by which an answer was decided; false if the capture does not show it.
func (b *behind) last(c *rule.Claim) (rule.Leg, bool) {
	legs := b.desk.Proxied(c.Occ.Exchange).Legs
	if len(legs) == 0 {
		return rule.Leg{}, false
	}
	return legs[len(legs)-1], true
}

// explains reports whether a finding between the two ends of the leg says why it failed.
func (b *behind) explains(l *rule.Leg) bool {
	if b.told == nil {
		b.told = map[report.Pair]bool{}
		for _, name := range causesBehind {
			for k, f := range b.desk.Findings(name) {
				if k.Cause != clientAbortCause && f.Confidence() > report.ConfidenceLow {
					b.told[k.Pair] = true
				}
			}
		}
	}
	return b.told[report.Pair{Client: l.Client, Server: l.Server}]
}

// clientAbortCause is that of reset-after-data which only says that a client went.
const clientAbortCause = "client-abort"

// all reports whether something holds for the last leg of each error that was kept.
func (r *errorRun) all(b *behind, holds func(c *rule.Claim, l *rule.Leg) bool) bool {
	return !slices.ContainsFunc(r.samples, func(c rule.Claim) bool {
		l, ok := b.last(&c)
		return !ok || !holds(&c, &l)
	})
}

// passedOn reports whether the errors are those of servers behind the proxy, as they came: they are
// told of those.
func (r *errorRun) passedOn(b *behind) bool {
	return r.all(b, func(c *rule.Claim, l *rule.Leg) bool { return l.Status == statusOf(c) })
}

// explained reports whether findings behind the proxy say why it had no answer: they have the
// cause, and this remains a remark.
func (r *errorRun) explained(b *behind) bool {
	return mayPassOn(r.samples[0].Cause) &&
		r.all(b, func(_ *rule.Claim, l *rule.Leg) bool { return b.explains(l) })
}

// statusOf is the status that a claim is about.
func statusOf(c *rule.Claim) int { return int(c.Occ.Proof[1].N[0]) }

// says is what happened on the leg behind an error of a proxy; nothing if the capture does not show
// it.
func (b *behind) says(c *rule.Claim) rule.Said {
	l, ok := b.last(c)
	if !ok || !mayPassOn(c.Cause) {
		return rule.Said{}
	}
	who := l.Server.String()
	switch {
	case l.Outcome == exchange.Refused:
		return rule.Say(behindRefused).With(who)
	case l.Answer.Frame == 0 &&
		(l.Outcome == exchange.NoResponse || l.Outcome == exchange.ResetByPeer):
		return rule.Say(behindEnded).With(who)
	case l.Status >= leastServerError:
		return rule.Say(behindSaid, int64(l.Status)).With(who)
	}
	return rule.Say(behindSilent, rule.Ns(c.Occ.Proof[1].Mark.Time-l.Start.Time)).With(who)
}

// leastServerError is the least status of a server that failed (RFC 9110 §15.6).
const leastServerError = 500

// mayPassOn reports whether errors of that cause may come from a proxy in place of an answer.
func mayPassOn(cause string) bool { return cause == gatewayCause || cause == unavailableCause }
