package analysis

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"tcpwhy/analysis/internal/judge"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly/tcptext"
)

// talk writes one connection as text, keeping count of the sequence numbers. Times are seconds; the
// capture is taken at the client, and everything that the server sends comes when its time says.
type talk struct {
	lines []string
	c, s  int // next sequence numbers
}

// newTalk begins a connection of the client's given port.
func newTalk(port int) *talk {
	return talkTo(port, "10.0.0.2:80")
}

func talkTo(port int, server string) *talk {
	return &talk{c: 1, s: 1, lines: []string{fmt.Sprintf("client 10.0.0.1:%d isn %d", port, port), "server " + server + " isn 5000"}}
}

func (k *talk) line(format string, args ...any) *talk {
	k.lines = append(k.lines, fmt.Sprintf(format, args...))
	return k
}

// open is the handshake that begins at t and takes rtt.
func (k *talk) open(t, rtt float64) *talk {
	return k.line("%.6f > S 0:0(0) <mss 1460,sackOK,wscale 7>", t).
		line("%.6f < S. 0:0(0) ack 1 <mss 1460,sackOK,wscale 7>", t+rtt).line("%.6f > . 1:1(0) ack 1", t+rtt+0.00001)
}

// ask sends data from the client, answer from the server; both acknowledge all of the peer's.
func (k *talk) ask(t float64, data string) *talk {
	k.line("%.6f > P. %d ack %d %q", t, k.c, k.s, data)
	k.c += len(data)
	return k
}

func (k *talk) answer(t float64, data string) *talk {
	k.line("%.6f < P. %d ack %d %q", t, k.s, k.c, data)
	k.s += len(data)
	return k
}

// exchange is one request and its response, rtt later, acknowledged at once.
func (k *talk) exchange(t, rtt float64, request, response string) *talk {
	return k.ask(t, request).answer(t+rtt, response).ack(t + rtt + 0.00001)
}

func (k *talk) ack(t float64) *talk { return k.line("%.6f > . %d:%d(0) ack %d", t, k.c, k.c, k.s) }

func (k *talk) serverFin(t float64) *talk {
	k.line("%.6f < F. %d:%d(0) ack %d", t, k.s, k.s, k.c)
	k.s++
	return k
}

func (k *talk) clientFin(t float64) *talk {
	k.line("%.6f > F. %d:%d(0) ack %d", t, k.c, k.c, k.s)
	k.c++
	return k
}

func (k *talk) bye(t, rtt float64) *talk {
	return k.clientFin(t).serverFin(t + rtt).ack(t + rtt + 0.00001)
}

// bareRst is a RST of the server in answer to a segment for a closed socket.
func (k *talk) bareRst(t float64) *talk { return k.line("%.6f < R %d:%d(0) win 0", t, k.s, k.s) }

// memorySource is a capture.Source of segments in memory.
type memorySource struct {
	segs  []capture.Segment
	stats capture.Stats
}

func (s *memorySource) Next(seg *capture.Segment) error {
	if len(s.segs) == 0 {
		return io.EOF
	}
	*seg, s.segs = s.segs[0], s.segs[1:]
	return nil
}
func (s *memorySource) Stats() *capture.Stats { return &s.stats }
func (s *memorySource) Close() error          { return nil }

// connReport analyses the connections as one capture.
func connReport(t *testing.T, talks ...*talk) *report.Report {
	t.Helper()
	var all []capture.Segment
	for _, k := range talks {
		segs, err := tcptext.Parse(strings.Join(k.lines, "\n"))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, segs...)
	}
	slices.SortStableFunc(all, func(a, b capture.Segment) int { return int(a.Time - b.Time) })
	for i := range all {
		all[i].Frame = capture.NewFrameID(0, uint64(i+1))
	}
	src := &memorySource{segs: all}
	r, err := Run(t.Context(), src, WithWorkers(2),
		WithRules(nil, []string{judge.CaptureQuality.Name}),
		WithLimits(Limits{Occurrences: NoLimit}))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// foundBy is rule/cause×count:severity of all findings of the connection rules, sorted; others are
// left out.
func foundBy(r *report.Report) string {
	var out []string
	for i := range r.Findings {
		f := &r.Findings[i]
		if f.Rule == "slow-start" || f.Rule == "retransmission-timeout" || f.Rule == "packet-loss" || f.Rule == "capture-quality" {
			continue
		}
		out = append(out, fmt.Sprintf("%s/%s×%d:%s", f.Rule, f.Cause, f.Count, f.Severity))
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

const (
	getA    = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n"
	getB    = "GET /b HTTP/1.1\r\nHost: h\r\n\r\n"
	getC    = "GET /c HTTP/1.1\r\nHost: h\r\n\r\n"
	postA   = "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi"
	ok      = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
	closing = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"
)

// connCase is a capture and all that the connection rules must find in it.
type connCase struct {
	name  string
	talks []*talk
	want  string
}

func runConnCases(t *testing.T, cases []connCase) {
	t.Helper()
	for _, tt := range cases {
		t.Run(tt.name, func(t *testing.T) {
			r := connReport(t, tt.talks...)
			if got := foundBy(r); got != tt.want {
				t.Errorf("found %q, want %q", got, tt.want)
			}
			for i := range r.Findings {
				checkConnFinding(t, &r.Findings[i])
			}
		})
	}
}

// checkConnFinding checks what holds for every finding.
func checkConnFinding(t *testing.T, f *report.Finding) {
	t.Helper()
	if c := f.Cost; c.Low < 0 || c.Low > c.Expected || c.Expected > c.High {
		t.Errorf("%s/%s costs %v", f.Rule, f.Cause, c)
	}
	for _, o := range f.Occurrences {
		if o.End < o.Start || len(o.Evidence) == 0 || len(o.Evidence) > 6 {
			t.Errorf("%s/%s: from %v to %v, %d frames", f.Rule, f.Cause, o.Start, o.End, len(o.Evidence))
		}
		for _, e := range o.Evidence {
			if e.Frame == 0 || e.Role == "" {
				t.Errorf("%s/%s: evidence %+v", f.Rule, f.Cause, e)
			}
		}
	}
}

func TestFailedRequests(t *testing.T) {
	const rtt = 0.05
	race := func() *talk { // the FIN of 2.02 left the server before the request of 2.0 could arrive
		k := newTalk(40001).open(0, rtt).exchange(0.06, rtt, getA, ok)
		received := k.c
		k.ask(2.0, getB).line("2.020000 < F. %d:%d(0) ack %d", k.s, k.s, received)
		k.s++
		return k
	}
	retry := newTalk(40002).open(2.06, rtt).exchange(2.12, rtt, getB, ok)
	race1 := race()
	post := newTalk(40001).open(0, rtt).exchange(0.06, rtt, getA, ok)
	post.ask(2.0, postA).line("2.020000 < F. %d:%d(0) ack %d", post.s, post.s, 28)
	post.s++
	post.bareRst(2.051)
	stale := newTalk(40001).open(0, rtt).exchange(0.06, rtt, getA, ok).serverFin(1.5).ack(1.54).ask(3, getB).bareRst(3.05)
	crash := newTalk(40001).open(0, rtt).exchange(0.06, rtt, getA, ok).ask(2.0, getB)
	crash.line("2.050000 < R. %d:%d(0) ack %d", crash.s, crash.s, crash.c)
	forgotten := newTalk(40001).open(0, rtt).exchange(0.06, rtt, getA, ok).ask(400, getB)
	forgotten.bareRst(400.05)
	soon := newTalk(40001).open(0, rtt).exchange(0.06, rtt, getA, ok).ask(3, getB)
	soon.bareRst(3.05)
	cut := newTalk(40001).open(0, rtt).ask(0.06, getA).answer(0.11, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"+strings.Repeat("x", 400)).
		serverFin(0.111).ack(0.112).clientFin(0.113)
	chunks := newTalk(40001).open(0, rtt).ask(0.06, getA).answer(0.11, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n").
		serverFin(0.111).ack(0.112).clientFin(0.113)
	header := newTalk(40001).open(0, rtt).ask(0.06, getA).answer(0.11, "HTTP/1.1 200 OK\r\nContent-Le").
		serverFin(0.111).ack(0.112).clientFin(0.113)
	half := newTalk(40001).open(0, rtt).ask(0.06, getA).clientFin(0.0601).serverFin(0.11).ack(0.111)
	runConnCases(t, []connCase{
		{
			"race, repeated at once",
			[]*talk{race1.bareRst(2.051), retry},
			"keepalive-race/race×1:medium",
		},
		{"race with POST, not repeated", []*talk{post}, "keepalive-race/race×1:critical"},
		{"stale use", []*talk{stale}, "keepalive-race/stale-use×1:critical"},
		{"the server had the request and aborted", []*talk{crash}, "reset-after-data/server-abort×1:critical"},
		{"forgotten after minutes", []*talk{forgotten}, "idle-drop/×1:critical"},
		{"gone after seconds, without FIN", []*talk{soon}, "reset-after-data/idle-reset×1:critical"},
		{"400 of 1000 octets", []*talk{cut}, "truncated-response/content-length×1:critical"},
		{"no last chunk", []*talk{chunks}, "truncated-response/chunked×1:critical"},
		{"cut in the header", []*talk{header}, "truncated-response/stream×1:critical"},
		{"half-close answered by close", []*talk{half}, "half-close/answered-by-close×1:medium"},
	})
}

func TestFailuresThatAreNone(t *testing.T) {
	const rtt = 0.05
	base := func() *talk { return newTalk(40001).open(0, rtt).exchange(0.06, rtt, getA, ok) }
	goodbye := newTalk(40001).open(0, rtt).exchange(0.06, rtt, "\x00\x01hello, server "+strings.Repeat("a", 80), "\x00\x02hello").serverFin(5).ack(5.01).
		ask(6, "\x00\x03goodbye "+strings.Repeat("b", 80)).bareRst(6.05)
	partial := "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + strings.Repeat("x", 400)
	head := newTalk(40001).open(0, rtt).exchange(0.06, rtt, "HEAD /a HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n").bye(0.2, rtt)
	closeDelimited := newTalk(40001).open(0, rtt).exchange(0.06, rtt, getA, "HTTP/1.1 200 OK\r\n\r\nhello").serverFin(0.1101).ack(0.111).clientFin(0.112)
	idleClosed := base().serverFin(5).ack(5.01).clientFin(5.02)
	idleReset := base()
	idleReset.line("5.000000 < R. %d:%d(0) ack %d", idleReset.s, idleReset.s, idleReset.c)
	timeout := newTalk(40001).open(0, rtt).ask(0.06, getA).line("0.110000 < . 1:1(0) ack 28").clientFin(5).serverFin(5.05).ack(5.06)
	lazy := base()
	lazy.line("0.120000 > R. %d:%d(0) ack %d", lazy.c, lazy.c, lazy.s)
	answered := newTalk(40001).open(0, rtt).ask(0.06, getA).clientFin(0.0601).answer(0.11, ok).serverFin(0.1101).ack(0.111)
	lostByCapture := newTalk(40001).open(0, rtt).ask(0.06, getA)
	lostByCapture.s += 500 // the capture lacks the response; the client acknowledges it
	lostByCapture.ack(0.2).serverFin(0.3).ack(0.31)
	runConnCases(t, []connCase{
		{"the capture ends in a response", []*talk{newTalk(40001).open(0, rtt).ask(0.06, getA).answer(0.11, partial)}, ""},
		{"another protocol says goodbye to who has closed", []*talk{goodbye}, ""},
		{"the capture ends after a request", []*talk{base().ask(2, getB)}, ""},
		{"the capture lost the response", []*talk{lostByCapture}, ""},
		{"HEAD", []*talk{head}, ""},
		{"close-delimited, closed at once", []*talk{closeDelimited}, ""},
		{"idle connection closed, not used again", []*talk{idleClosed}, ""},
		{"idle connection reset, not used again", []*talk{idleReset}, ""},
		{"the client's timeout", []*talk{timeout}, "reset-after-data/client-abort×1:info"},
		{"the client resets when done", []*talk{lazy}, ""},
		{"half-close that is answered", []*talk{answered}, ""},
		{"a clean close", []*talk{base().bye(0.2, rtt)}, ""},
	})
}

func TestRetryCost(t *testing.T) {
	const rtt = 0.05
	first := newTalk(40001).open(0, rtt).exchange(0.06, rtt, getA, ok).serverFin(1.5).ack(1.54).ask(3, getB).bareRst(3.05)
	retry := newTalk(40002).open(3.06, rtt).exchange(3.12, rtt, getB, ok)
	r := connReport(t, first, retry)
	if len(r.Findings) != 1 {
		t.Fatalf("found %s", foundBy(r))
	}
	f := &r.Findings[0]
	if want := 120 * time.Millisecond; f.Cost.Expected != want {
		t.Errorf("costs %v, want %v from the failed request to its repetition", f.Cost.Expected, want)
	}
	last := f.Occurrences[0].Evidence[len(f.Occurrences[0].Evidence)-1]
	if last.Role != "retry" || f.Occurrences[0].Exchange != 1 {
		t.Errorf("last evidence %+v of exchange %d, want the retry of exchange 1", last, f.Occurrences[0].Exchange)
	}
}
