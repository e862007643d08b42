package analysis

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// without is the talk without one of its frames, as a capture that missed it shows it.
func (k *talk) without(n int) *talk {
	return &talk{lines: slices.Delete(slices.Clone(k.lines), n+2, n+3), c: k.c, s: k.s}
}

// What the capture lacks is not taken for something that did not happen.
func TestFramesMissing(t *testing.T) {
	const rtt = 0.05
	// lines 0 to 2 are the handshake, 3 to 5 and 6 to 8 the exchanges, 9 the FIN of the server
	two := func() *talk {
		return newTalk(40001).open(0, rtt).exchange(0.06, rtt, getA, ok).exchange(0.2, rtt, getB, ok)
	}
	next := newTalk(40002).open(5, rtt).exchange(5.051, rtt, getC, ok)
	idle := func() *talk { return two().serverFin(4).ack(4.05) }
	reset := two()
	reset.line("0.700000 < R. %d:%d(0) ack %d", reset.s, reset.s, reset.c)
	runConnCases(t, []connCase{
		{
			"the second request is missing: its response is no answer to nobody",
			[]*talk{two().bye(0.3, rtt).without(6)},
			"",
		},
		{
			"the first response is missing: the client did not drop it",
			[]*talk{two().clientFin(0.3).without(4), next},
			"",
		},
		{
			"the FIN of the client is missing: the server did not close first",
			[]*talk{two().bye(0.26, rtt).without(9), next},
			"",
		},
		{
			"the server closes an idle connection",
			[]*talk{idle(), next},
			"missed-reuse/server-idle-timeout×1:low",
		},
		{
			"half a second later everything had been acknowledged, seen or not",
			[]*talk{reset.without(8)},
			"",
		},
	})
}

// A request that repeats one that failed needs its new connection; the wait is counted once.
func TestRepetitionOwnsItsSetUp(t *testing.T) {
	const rtt = 0.05
	cut := newTalk(40001).open(0, rtt).ask(0.06, getA).
		answer(0.11, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1000\r\n\r\n"+strings.Repeat("x", 400)).
		serverFin(0.111).ack(0.112).clientFin(0.113)
	again := newTalk(40002).line("0.2 > S 0:0(0) <mss 1460,sackOK,wscale 7>").open(1.2, rtt).exchange(1.251, rtt, getA, ok)
	r := connReport(t, cut, again)
	var total time.Duration
	for i := range r.Findings {
		total += r.Findings[i].Cost.Expected
	}
	if got, want := foundBy(r), "syn-retransmission/unknown×1:high truncated-response/content-length×1:critical"; got != want {
		t.Errorf("found %q, want %q", got, want)
	}
	// From the first request at 60 ms to the second at 1251 ms.
	if want := 1191 * time.Millisecond; (total - want).Abs() > 2*time.Millisecond {
		t.Errorf("all together cost %v, the user waited %v longer", total, want)
	}
}

// Failures at the same time are waited for at once.
func TestFailuresAtOnce(t *testing.T) {
	const rtt = 0.05
	var talks []*talk
	for i := range 4 {
		k := newTalk(40001+i).open(0, rtt).exchange(0.06, rtt, getA, ok).serverFin(1.0).ack(1.04).ask(3, getB).bareRst(3.05)
		talks = append(talks, k)
	}
	f := connReport(t, talks...).Findings[0]
	if f.Count != 4 || f.Cost.Expected < 200*time.Millisecond || f.Wall > 60*time.Millisecond {
		t.Errorf("%d times, %v, %v by the clock: want 4 times 50 ms, 50 ms by the clock", f.Count, f.Cost.Expected, f.Wall)
	}
}
