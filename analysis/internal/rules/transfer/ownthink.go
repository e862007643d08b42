package transfer

import (
	"math/bits"
	"time"

	"tcpwhy/analysis/internal/rule"
)

// What a proxy waits for servers behind it is their time: it is told of them, and of the proxy only
// what it took itself. That is known some time after an exchange was judged, so it is asked for when
// endpoints are.

// own takes off what servers waited for others.
func (t *serverTimes) own(d rule.Desk) {
	for _, l := range t.at {
		l.self = l.think
		var took, waited time.Duration
		for _, list := range [][]serverTime{l.sample, l.slow, l.early} {
			for i := range list {
				list[i].own(d)
			}
		}
		for _, list := range [][]serverTime{l.sample, l.slow} {
			for i := range list {
				took, waited = took+list[i].took, waited+list[i].waited
			}
		}
		if waited > 0 {
			l.self = part(l.think, took, took+waited)
		}
	}
}

// own takes off what the server waited for others, once.
func (x *serverTime) own(d rule.Desk) {
	if x.waited == 0 {
		x.waited = min(x.took, d.Proxied(x.exchange).Waited)
		x.took -= x.waited
	}
}

// part is the part of t that n is of whole, which is no less.
func part(t, n, whole time.Duration) time.Duration {
	high, low := bits.Mul64(uint64(t), uint64(n))
	if high >= uint64(whole) {
		return t
	}
	out, _ := bits.Div64(high, low, uint64(whole))
	return time.Duration(out)
}
