package failing

import (
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
	own  map[ownErrors]bool
}

// ownErrors are those of a cause between two that nothing behind a proxy explains.
type ownErrors struct {
	report.Pair
	cause string
}

// owns notes that there are such errors.
func (b *behind) owns(p report.Pair, cause string) {
	if b.own == nil {
		b.own = map[ownErrors]bool{}
	}
	b.own[ownErrors{p, cause}] = true
}

// owned reports whether there are such errors.
func (b *behind) owned(p report.Pair, cause string) bool { return b.own[ownErrors{p, cause}] }

// last is the leg by which the answer to an exchange was decided; false if the capture does not
// show it.
func (b *behind) last(exchange int) (rule.Leg, bool) {
	legs := b.desk.Proxied(exchange).Legs
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

// says is what happened on the leg behind an error of a proxy; nothing if the capture does not show
// it.
func (b *behind) says(c *rule.Claim) rule.Said {
	l, ok := b.last(c.Occ.Exchange)
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
