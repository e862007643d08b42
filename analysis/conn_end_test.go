package analysis

import (
	"strings"
	"testing"
)

func TestConnectionEnds(t *testing.T) {
	const rtt = 0.05
	base := func() *talk { return newTalk(40001).open(0, rtt).exchange(0.06, rtt, getA, ok) }
	partial := "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + strings.Repeat("x", 400)

	injected := newTalk(40001).open(0, rtt).ask(0.06, getA).answer(0.11, partial).ack(0.111)
	injected.line("0.120000 < R %d:%d(0) win 0 ttl 41", injected.s, injected.s)
	ignored := newTalk(40001).open(0, rtt).ask(0.06, getA).answer(0.11, partial).ack(0.111)
	ignored.line("0.120000 < R %d:%d(0) win 0", ignored.s, ignored.s)
	ignored.line("0.300000 < P. %d ack %d %q", ignored.s, ignored.c, strings.Repeat("y", 100))

	unanswered := base().ask(100, getB)
	for i, at := range []float64{100.25, 100.7, 101.6, 103.4} {
		unanswered.line("%.6f > P. %d ack %d %q    # copy %d", at, unanswered.c-len(getB), unanswered.s, getB, i)
	}
	unanswered.clientFin(110)
	repaired := base().ask(100, getB)
	repaired.line("100.250000 > P. %d ack %d %q", repaired.c-len(getB), repaired.s, getB).answer(100.31, ok).ack(100.311).bye(101, rtt)

	upload := "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nonly this"
	stuck := newTalk(40001).open(0, rtt).ask(0.06, upload)
	stuck.line("0.110000 < . 1:1(0) ack %d", stuck.c).serverFin(30).ack(30.01).clientFin(30.02)
	slowUpload := newTalk(40001).open(0, rtt).ask(0.06, upload)
	slowUpload.line("0.110000 < . 1:1(0) ack %d", slowUpload.c).ask(8, strings.Repeat("z", 91)).answer(8.05, ok).ack(8.051).bye(9, rtt)

	kept := base().serverFin(2).ack(2.01).clientFin(60)
	aborted := newTalk(40001).open(0, rtt).ask(0.06, getA).answer(0.11, partial)
	aborted.line("0.200000 > R. %d:%d(0) ack %d", aborted.c, aborted.c, aborted.s)
	refused := newTalk(40001).open(0, rtt).ask(0.06, upload).answer(0.07, "HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
	refused.line("0.071000 < R. %d:%d(0) ack %d", refused.s, refused.s, refused.c)
	runConnCases(t, []connCase{
		{"RST with another TTL", []*talk{injected}, "reset-after-data/injected×1:critical"},
		{"the server goes on after its RST", []*talk{ignored}, "reset-after-data/injected×1:critical"},
		{"no answer after a long rest", []*talk{unanswered}, "idle-drop/×1:critical"},
		{"one loss after a long rest", []*talk{repaired}, ""},
		{"half a request, and both wait", []*talk{stuck}, "half-close/deadlock×1:medium"},
		{"a slow upload", []*talk{slowUpload}, ""},
		{"closed long after the server", []*talk{kept}, "half-close/stale-half-closed×1:info"},
		{"the client gave up", []*talk{aborted}, "reset-after-data/client-abort×1:info"},
		{"answered and reset while the request comes", []*talk{refused}, "reset-after-data/unread-request-data×1:critical"},
	})
}

func TestOneOwner(t *testing.T) {
	const rtt = 0.05
	// Each time the server closes after a second of idleness, just as the next request is under
	// way, and the client repeats it at once on a new connection: one fault, however many rules
	// could say something of it.
	var talks []*talk
	at := 0.0
	for i := range 4 {
		k := newTalk(40000+i).open(at, rtt).exchange(at+rtt+0.0002, rtt, getA, ok)
		at += 1.1
		if i < 3 {
			k.ask(at-0.01, getA)
			k.line("%.6f < F. %d:%d(0) ack %d", at, k.s, k.s, k.c-len(getA))
			k.s++
			talks = append(talks, k.bareRst(at+rtt-0.01))
			continue
		}
		talks = append(talks, k)
	}
	r := connReport(t, talks...)
	if got := foundBy(r); got != "keepalive-race/race×3:high" {
		t.Fatalf("found %q", got)
	}
	if m := r.Findings[0].Message; !strings.Contains(m, "(3 times)") {
		t.Errorf("the timeout is not named: %q", m)
	}
	if r.Lost > r.ExchangeTime {
		t.Errorf("%v lost of %v", r.Lost, r.ExchangeTime)
	}
}

// A client that sends its request again elsewhere has given the first up, though nothing closes
// that connection.
func TestForgottenWithoutClose(t *testing.T) {
	const rtt = 0.05
	first := func(copies int) *talk {
		k := newTalk(40001).open(0, rtt).exchange(0.06, rtt, getA, ok)
		for i := range copies {
			k.line("%.6f > P. %d ack %d %q", 40+0.25*float64(int(1)<<i), k.c, k.s, getB)
		}
		return k
	}
	again := newTalk(40002).open(45, rtt).exchange(45.06, rtt, getB, ok)
	other := newTalk(40002).open(45, rtt).exchange(45.06, rtt, getC, ok)
	late := first(5)
	late.c += len(getB)
	late.answer(60, ok).ack(60.001)
	runConnCases(t, []connCase{
		{"sent again elsewhere", []*talk{first(5), again}, "idle-drop/×1:high"},
		{"something else elsewhere", []*talk{first(5), other}, ""},
		{"sent twice only", []*talk{first(2), again}, ""},
		{"answered at last", []*talk{late, again}, ""},
	})
}
