package analysis

import (
	"slices"
	"testing"

	"tcpwhy/reassembly"
)

// The capture at a server has what the client sent 3 ms late: each request comes after its
// response. The next response seems to be due to the request before, and to have waited long.
func TestLateDirection(t *testing.T) {
	k := newTalk(40001).open(0, 0.02)
	for i := range 8 {
		at := 0.1 + float64(i)*0.1
		n := len(getA)
		head, body := ok[:len(ok)-2], ok[len(ok)-2:]
		k.line("%.6f < P. %d ack %d %q", at, k.s, k.c+n, head) // the response is seen first
		k.line("%.6f > P. %d ack %d %q", at+0.0025, k.c, k.s, getA)
		k.s += len(head)
		k.c += n
		k.ack(at+0.0225).answer(at+0.06, body).ack(at + 0.0825)
	}
	r := connReport(t, k)
	if got := foundBy(r); got != "" {
		t.Errorf("found %q", got)
	}
	if !slices.Contains(r.Conns[0].Caveats, reassembly.CaveatCrossed) {
		t.Errorf("caveats %q", r.Conns[0].Caveats)
	}
}
