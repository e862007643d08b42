package connect

import (
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
)

// detail adds to the claim about m what its cause alone has to say: in words, and about severity,
// where a cause takes repetition to be a habit.
func (v *verdict) detail(c *rule.Claim, m *member) {
	switch v.cause {
	case ignoredIdleCause:
		startedAnew(c, m)
	case clientClosedCause:
		c.Alone = rule.AtMost(report.Low) // whoever closes once may have been done
		startedAnew(c, m)
	case requestCloseCause:
		askedForClose(c, v.donor)
	case responseCloseCause:
		v.closeHidden(c)
	case errorCloseCause:
		c.Most = rule.AtMost(report.Low) // the errors are the fault
		c.Alone = rule.AtMost(report.Info)
	case someResponsesCloseCause:
		c.Alone = rule.AtMost(report.Info)
	case oldVersionCause:
		v.oldVersion(c)
	case idleTimeoutCause:
		c.Says = []rule.Said{v.idleTimeout()}
	case ageLimitCause:
		c.Says = []rule.Said{rule.Say(closedAtAge, rule.Ns(v.donor.age()))}
	case maxRequestsCause:
		v.maxRequests(c)
	}
}

// startedAnew takes the weight from a program that cannot keep connections.
func startedAnew(c *rule.Claim, asker *member) {
	if asker.program.tool {
		c.Most = rule.AtMost(report.Info)
		c.Says = []rule.Said{rule.Say(startedForEach)}
	}
}

// askedForClose says where the request of a close seems to come from.
func askedForClose(c *rule.Claim, asker *member) {
	if asker.program.cli {
		c.Says = []rule.Said{rule.Say(commandLineAsks)}
		return
	}
	startedAnew(c, asker)
}

// closeHidden says that the client may have asked for the close, where messages are not visible.
func (v *verdict) closeHidden(c *rule.Claim) {
	if v.donor.turns {
		c.Alone = rule.AtMost(report.Low)
		c.Says = []rule.Said{rule.Say(reasonHidden)}
	}
}

// oldVersion says who speaks HTTP/1.0.
func (v *verdict) oldVersion(c *rule.Claim) {
	c.Side, c.Says = report.SideServer, []rule.Said{rule.Say(serverSpeaksOld)}
	if v.donor.last.asked10 {
		c.Side, c.Says = report.SideClient, []rule.Said{rule.Say(clientAsksOld)}
	}
}

// idleTimeout says after which time the server closed, or that it had said it would.
func (v *verdict) idleTimeout() rule.Said {
	if v.closed.By == reassembly.FromClient {
		return rule.Say(keepsNoneIdle)
	}
	return rule.Say(closedWhenIdle, rule.Ns(v.closed.At.Time-v.donorIdle.Time))
}

// maxRequests says after how many requests the server closed, and at which age.
func (v *verdict) maxRequests(c *rule.Claim) {
	c.Says = []rule.Said{rule.Say(closedAfterRequests, int64(v.donor.served))}
	if v.donor.pool.evenAges(v.donor) {
		c.Says = append(c.Says, rule.Say(agesAreEven, rule.Ns(v.donor.age())))
	}
}
