package analysis

import (
	"fmt"
	"testing"
	"time"

	"tcpwhy/analysis/report"
)

// late is a connection whose SYN is repeated after a second.
func late(port int, t, rtt float64) *talk {
	k := newTalk(port).line("%.6f > S 0:0(0) <mss 1460>", t)
	return k.open(t+1, rtt).exchange(t+1.051, rtt, getA, ok)
}

func TestSetUp(t *testing.T) {
	const rtt = 0.05
	lostAnswer := newTalk(40001).line("0.000000 > S 0:0(0) <mss 1460>").
		line("0.025000 < S. 0:0(0) ack 1 <mss 1460>").
		line("1.000000 > S 0:0(0) <mss 1460>").line("1.025000 < S. 0:0(0) ack 1 <mss 1460>").
		line("1.051000 > . 1:1(0) ack 1")
	lostAnswer.exchange(1.052, 0.025, getA, ok)
	timeWait := newTalk(40001).line("0.000000 > S 0:0(0) <mss 1460>").
		line("0.050000 < . 900000000:900000000(0) ack 3000000000").
		line("0.050010 > R 3000000000:3000000000(0) win 0").open(1, rtt).
		exchange(1.051, rtt, getA, ok)
	neverIn := newTalk(40001).line("0 > S 0:0(0) <mss 1460>").
		line("0.05 < . 900000000:900000000(0) ack 3000000000").
		line("0.05001 > R 3000000000:3000000000(0) win 0").
		line("1 > S 0:0(0) <mss 1460>")
	cutOff := *neverIn
	neverIn.line("1.05 < . 900000000:900000000(0) ack 3000000000").
		line("1.05001 > R 3000000000:3000000000(0) win 0")
	alive := newTalk(41000).open(0, rtt).exchange(0.06, rtt, getA, ok).exchange(5.5, rtt, getB, ok)
	refused := func(port int, t float64, server string) *talk {
		return talkTo(port, server).line("%.6f > S 0:0(0)", t).
			line("%.6f < R. 0:0(0) ack 1 win 0", t+0.01)
	}
	silent := newTalk(40001).line("0 > S 0:0(0)").line("1 > S 0:0(0)").line("3 > S 0:0(0)").
		line("7 > S 0:0(0)")
	unreachable := newTalk(40001).line("0 > S 0:0(0)").
		line("0.01 > icmp:3/1 0:0(0) from 10.0.0.254")
	rejected := newTalk(40001).line("0 > S 0:0(0)").line("0.01 > icmp:3/13 0:0(0) from 10.0.0.254")
	other := talkTo(40002, "10.0.0.3:80").open(0.02, rtt).exchange(0.08, rtt, getA, ok)
	early := newTalk(40001).line("0 > S 0:0(0)").open(1, rtt).exchange(3, rtt, getA, ok)
	runConnCases(t, []connCase{
		{"SYN repeated, nothing tells why", []*talk{late(40001, 0, rtt)},
			"syn-retransmission/unknown×1:high"},
		{"SYN-ACK lost behind the capture", []*talk{lostAnswer},
			"syn-retransmission/network×1:high"},
		{"three at once, while the server answers others",
			[]*talk{alive, late(40001, 5, rtt), late(40002, 5.1, rtt), late(40003, 5.2, rtt)},
			"syn-retransmission/backlog-overflow×3:high"},
		{"two at once", []*talk{alive, late(40001, 5, rtt), late(40002, 5.1, rtt)},
			"syn-retransmission/unknown×2:high"},
		{"SYN meets TIME_WAIT", []*talk{timeWait}, "port-exhaustion/tuple-reuse×1:high"},
		{"SYN meets TIME_WAIT again and again", []*talk{neverIn},
			"port-exhaustion/tuple-reuse×1:medium"},
		{"the capture ends after the SYN that may get in", []*talk{&cutOff}, ""},
		{"SYN repeated for a connection opened early", []*talk{early}, ""},
		{"refused", []*talk{refused(40001, 0, "10.0.0.2:80")},
			"connection-refused/refused×1:medium"},
		{"refused again and again", []*talk{refused(40001, 0, "10.0.0.2:80"),
			refused(40002, 1, "10.0.0.2:80")}, "connection-refused/refused×2:high"},
		{"refused, then another address", []*talk{refused(40001, 0, "10.0.0.2:80"), other},
			"connection-refused/refused×1:info"},
		{"no answer", []*talk{silent}, "connection-refused/filtered×1:medium"},
		{"unreachable", []*talk{unreachable}, "connection-refused/unreachable×1:medium"},
		{"prohibited", []*talk{rejected}, "connection-refused/filtered×1:medium"},
		{"the capture ends after a SYN", []*talk{newTalk(40001).line("0 > S 0:0(0)").
			line("1 > S 0:0(0)")}, ""},
	})
}

func TestScanIsSilent(t *testing.T) {
	const scanPorts = 16 // of which more than so many are asked is scanned
	var talks []*talk
	for i := range 100 {
		talks = append(talks, talkTo(40000+i, fmt.Sprintf("10.0.0.2:%d", 1+i)).
			line("%.3f > S 0:0(0)", float64(i)/100).
			line("%.3f < R. 0:0(0) ack 1 win 0", float64(i)/100+0.001))
	}
	r := connReport(t, talks...)
	if len(r.Findings) > scanPorts {
		t.Errorf("%d findings for a scan, want at most %d", len(r.Findings), scanPorts)
	}
	for _, f := range r.Findings {
		if f.Severity != report.Info {
			t.Errorf("a scan is no fault: %s at %s", f.Severity, f.Server)
		}
	}
}

func TestSYNCost(t *testing.T) {
	r := connReport(t, late(40001, 0, 0.05))
	if f := r.Findings[0]; f.Cost.Expected != time.Second || f.Cost.Low != time.Second {
		t.Errorf("costs %v, want the second that the SYN waited", f.Cost)
	}
}

func TestBodyWaits(t *testing.T) {
	const rtt = 0.05
	header := "PUT /a HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
	ignored := newTalk(40001).open(0, rtt).ask(0.06, header).
		line("0.110000 < . 1:1(0) ack %d", 1+len(header)).
		ask(1.06, "hi").answer(1.11, ok).ack(1.111)
	granted := newTalk(40001).open(0, rtt).ask(0.06, header).
		answer(0.11, "HTTP/1.1 100 Continue\r\n\r\n").ask(0.111, "hi").answer(0.161, ok).ack(0.162)
	tardy := newTalk(40001).open(0, rtt).ask(0.06, header).
		line("0.110000 < . 1:1(0) ack %d", 1+len(header)).
		answer(0.9, "HTTP/1.1 100 Continue\r\n\r\n").ask(0.901, "hi").answer(0.951, ok).ack(0.952)
	slowApp := newTalk(40001).open(0, rtt).ask(0.06, header).
		answer(0.11, "HTTP/1.1 100 Continue\r\n\r\n").ack(0.111).
		ask(1.5, "hi").answer(1.551, ok).ack(1.552)
	noLength := "HTTP/1.1 200 OK\r\n\r\nhello"
	slow := newTalk(40001).open(0, rtt).exchange(0.06, rtt, getA, noLength).serverFin(1.11).
		ack(1.12).clientFin(1.13)
	streamed := newTalk(40001).open(0, rtt).
		exchange(0.06, rtt, getA, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\nhi").
		serverFin(1.11).ack(1.12).clientFin(1.13)
	runConnCases(t, []connCase{
		{"100 Continue never comes", []*talk{ignored}, "expect-continue/×1:medium"},
		{"100 Continue comes late", []*talk{tardy}, "expect-continue/×1:medium"},
		{"100 Continue at once", []*talk{granted}, ""},
		{"granted, and the client is slow", []*talk{slowApp}, ""},
		{"close comes late", []*talk{slow}, "slow-close/×1:high"},
		{"event stream", []*talk{streamed}, ""},
	})
}

func TestHeaders(t *testing.T) {
	const rtt = 0.05
	with := func(request, response string) []*talk {
		return []*talk{newTalk(40001).open(0, rtt).exchange(0.06, rtt, request, response).
			bye(0.2, rtt)}
	}
	get := func(fields string) string { return "GET /a HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n" }
	kept := "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nKeep-Alive: timeout=5\r\n" +
		"Content-Length: 0\r\n\r\n"
	proxied := "GET http://h/a HTTP/1.1\r\nHost: h\r\nProxy-Connection: keep-alive\r\n\r\n"
	twoLengths := "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n" +
		"Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"
	after := newTalk(40001).open(0, rtt).exchange(0.06, rtt, getA, closing).
		exchange(0.3, rtt, getB, ok).bye(0.5, rtt)
	ignored := newTalk(40001).open(0, rtt).exchange(0.06, rtt, getA, closing).serverFin(0.12).
		ack(0.13).ask(1, getB).bareRst(1.05)
	left := newTalk(40001).open(0, rtt).exchange(0.06, rtt, getA, closing).serverFin(5).ack(5.01).
		clientFin(5.02)
	old := "GET /%s HTTP/1.0\r\nConnection: keep-alive\r\nHost: h\r\n\r\n"
	dumb := newTalk(40001).open(0, rtt).exchange(0.06, rtt, fmt.Sprintf(old, "a"),
		"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok").
		ask(0.2, fmt.Sprintf(old, "b"))
	dumb.line("0.250000 < . %d:%d(0) ack %d", dumb.s, dumb.s, dumb.c).serverFin(15).ack(15.01).
		clientFin(15.02)
	runConnCases(t, []connCase{
		{"ordinary", with(get("Connection: keep-alive\r\nUser-Agent: x\r\n"), kept), ""},
		{"Proxy-Connection to an origin", with(get("Proxy-Connection: keep-alive\r\n"), ok),
			"header-misuse/proxy-connection×1:info"},
		{"Proxy-Connection to a proxy", with(proxied, ok), ""},
		{"Upgrade alone", with(get("Upgrade: h2c\r\n"), ok), "header-misuse/upgrade×1:info"},
		{"Upgrade as it should be", with(get("Connection: Upgrade\r\nUpgrade: h2c\r\n"), ok), ""},
		{"Keep-Alive not named", with(getA,
			"HTTP/1.1 200 OK\r\nKeep-Alive: timeout=5\r\nContent-Length: 0\r\n\r\n"),
			"header-misuse/hop-by-hop×1:info"},
		{"two lengths", with(twoLengths, ok), "header-misuse/framing-conflict×1:high"},
		{"answered after the close was announced", []*talk{after},
			"header-misuse/close-ignored×1:info"},
		{"sent after the close was announced", []*talk{ignored},
			"header-misuse/close-ignored×1:critical"},
		{"announced and not done", []*talk{left}, "header-misuse/close-not-done×1:info"},
		{"dumb proxy", []*talk{dumb}, "header-misuse/dumb-proxy×1:critical"},
	})
}

func TestPipelining(t *testing.T) {
	const rtt = 0.05
	slow := newTalk(40001).open(0, rtt).ask(0.06, getA).ask(0.061, getB).answer(0.5, ok).
		answer(0.501, ok).ack(0.51).bye(0.6, rtt)
	hazard := newTalk(40001).open(0, rtt).ask(0.06, postA).ask(0.061, getB).answer(0.112, ok).
		answer(0.113, ok).ack(0.12).bye(0.2, rtt)
	lost := newTalk(40001).open(0, rtt).ask(0.06, getA).ask(0.061, getB).ask(0.062, getC).
		answer(0.11, ok).serverFin(0.2).ack(0.21).clientFin(0.22)
	early := newTalk(40001).open(0, rtt).ask(0.06, getA).ask(0.061, getB).answer(0.11, closing).
		serverFin(0.2).ack(0.21).clientFin(0.22)
	twice := newTalk(40001).open(0, rtt).exchange(0.06, rtt, getA, ok).answer(1, ok).ack(1.01).
		exchange(2, rtt, getB, ok).bye(3, rtt)
	timeout := newTalk(40001).open(0, rtt).exchange(0.06, rtt, getA, ok).
		answer(60, "HTTP/1.1 408 Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").
		serverFin(60.001).ack(60.01).clientFin(60.02)
	quick := newTalk(40001).open(0, rtt).ask(0.06, getA).ask(0.061, getB).answer(0.11, ok+ok).
		ack(0.111).bye(0.2, rtt)
	runConnCases(t, []connCase{
		{"held up by a slow response", []*talk{slow}, "pipelining/head-of-line×1:low"},
		{"behind a POST", []*talk{hazard}, "pipelining/non-idempotent×1:low"},
		{"unanswered at the close", []*talk{lost}, "pipelining/lost-responses×1:critical"},
		{"unanswered at an announced close", []*talk{early}, "pipelining/early-close×1:critical"},
		{"one response too many", []*talk{twice}, "pipelining/unsolicited-response×1:high"},
		{"408 before an idle close", []*talk{timeout}, ""},
		{"pipelined and answered", []*talk{quick}, ""},
	})
}
