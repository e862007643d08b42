package ending

import (
	"tcpwhy/analysis/report"
)

// injected: neither program sent the RST.
func (v *verdictOnEnd) injected() bool {
	dir, ok := firstReset(v.c)
	if !ok || v.x.Start().Time > v.c.Half[dir].Rst.Time || v.e.Idle >= forgottenAfter ||
		!foreignReset(v.c, dir) {
		return false
	}
	v.be(resetAfterDataRule, injectedCause, report.ConfidenceHigh)
	v.until(v.c.Half[dir].Rst.Time)
	describeReset(&v.p.State.Connection, v.claim, v.x, dir)
	v.claim.Says = oddReset(v.c, dir)
	return true
}
