package analysis

import (
	"strings"
	"testing"
)

// At the server a response passes the capture before the client has it: a SYN that left before that
// had no idle connection to use instead.
func TestNeedAtTheServer(t *testing.T) {
	const rtt = 0.02
	atServer := func(port int, t0 float64, request string) *talk {
		k := newTalk(port).line("%.6f > S 0:0(0) <mss 1460,sackOK,wscale 7>", t0).
			line("%.6f < S. 0:0(0) ack 1 <mss 1460,sackOK,wscale 7>", t0+0.00005).line("%.6f > . 1:1(0) ack 1", t0+rtt)
		return k.ask(t0+rtt+0.0005, request).answer(t0+rtt+0.001, ok).ack(t0 + 2*rtt + 0.001)
	}
	for _, tt := range []struct {
		name  string
		after float64 // from the response to the SYN, both at the server
		want  string
	}{
		{"in parallel", 0.002, ""},
		{"just before the response arrived", 0.017, ""},
		{"as soon as the response was there", rtt + 0.0005, "missed-reuse/client-ignored-idle×1:low"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			first := atServer(40001, 0, getA)
			if got := foundBy(connReport(t, first, atServer(40002, rtt+0.001+tt.after, getB))); got != tt.want {
				t.Errorf("found %q, want %q", got, tt.want)
			}
		})
	}
}

// curl asks for no close of its own accord: where its requests do, a proxy has written them, and
// that can keep connections.
func TestCloseThatTheToolDoesNotAskFor(t *testing.T) {
	const rtt = 0.02
	var talks []*talk
	for i := range 4 {
		at := float64(i) * 0.2
		k := newTalk(40000+i).open(at, rtt).exchange(at+rtt+0.0005, rtt, get("/a", "User-Agent: curl/8.5.0\r\nConnection: close\r\n"), closing)
		talks = append(talks, k.serverFin(at+0.041).ack(at+0.0411).clientFin(at+0.0412))
	}
	r := connReport(t, talks...)
	if got := foundBy(r); got != "missed-reuse/request-close×3:high" || !strings.Contains(r.Findings[0].Message, "proxy on the way") {
		t.Errorf("found %q: %+v", got, r.Findings)
	}
}

// What was idle for long is no longer held segment by segment; the TTL of its sender is still
// known.
func TestForeignResetAfterIdle(t *testing.T) {
	const rtt = 0.02
	k := newTalk(40001).open(0, rtt)
	for i := range 40 {
		at := 0.05 + float64(i)*0.1
		k.exchange(at, rtt, getA, ok)
	}
	k.ask(20, getB)
	k.line("20.010000 < R %d:%d(0) win 0 ttl 41", k.s, k.s)
	if got := foundBy(connReport(t, k)); got != "reset-after-data/injected×1:critical" {
		t.Errorf("found %q", got)
	}
}

// A connection is of use to the program that opened it; which that is, requests tell, unless a
// proxy passes on those of many.
func TestConnectionOfAnotherProgram(t *testing.T) {
	const rtt = 0.02
	named := func(agent string) string { return get("/a", "User-Agent: "+agent+"\r\n") }
	for _, tt := range []struct{ name, first, then, second, want string }{
		{"one program", "Ruby", "Ruby", "Ruby", "missed-reuse/client-ignored-idle×1:low"},
		{"two programs", "Ruby", "Ruby", "Java/17.0.15", ""},
		{"two versions", "Java/17.0.15", "Java/17.0.15", "Java/21", "missed-reuse/client-ignored-idle×1:low"},
		{"a proxy", "Ruby", "Java/17.0.15", "inventory/1.2", "missed-reuse/client-ignored-idle×1:low"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			first := newTalk(40001).open(0, rtt).exchange(0.0205, rtt, named(tt.first), ok).exchange(0.1, rtt, named(tt.then), ok)
			second := newTalk(40002).open(0.2, rtt).exchange(0.2205, rtt, named(tt.second), ok)
			if got := foundBy(connReport(t, first, second)); got != tt.want {
				t.Errorf("found %q, want %q", got, tt.want)
			}
		})
	}
}

// At the client the order of frames is the order of events: a SYN just before a response was not
// sent for want of it.
func TestNeedAtTheClient(t *testing.T) {
	const rtt = 0.02
	for after, want := range map[float64]string{-0.0002: "", 0.0002: "missed-reuse/client-ignored-idle×1:low"} {
		first := newTalk(40001).open(0, rtt).exchange(0.0205, rtt, getA, ok)
		second := newTalk(40002).open(0.0405+after, rtt).exchange(0.0605+after, rtt, getB, ok)
		if got := foundBy(connReport(t, first, second)); got != want {
			t.Errorf("%+.4f s: found %q, want %q", after, got, want)
		}
	}
}

// A server that keeps connections, and closes one with an error, does not close after each
// response.
func TestSomeResponsesClose(t *testing.T) {
	const rtt = 0.02
	kept := newTalk(40001).open(0, rtt).exchange(0.0205, rtt, getA, ok)
	ended := newTalk(40002).open(0.001, rtt).exchange(0.0215, rtt, getB, closing).serverFin(0.0417).ack(0.0418).clientFin(0.0419)
	kept.ask(0.1, getA)
	next := newTalk(40003).open(0.1005, rtt).exchange(0.121, rtt, getC, ok)
	if got := foundBy(connReport(t, kept, ended, next)); got != "missed-reuse/some-responses-close×1:info" {
		t.Errorf("found %q", got)
	}
}
