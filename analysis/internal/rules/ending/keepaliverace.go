package ending

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

var KeepaliveRace = &rule.Detector{
	Name:  "keepalive-race",
	Rests: rule.Content,
	Title: "request lost on a connection that the server was closing",
	Doc: `What happens
A server closes a connection that has been idle for a while. A request that is on its way at that
moment, or that a client sends without having noticed the close, meets a socket that is gone: the
server's kernel answers it with a RST, and no program, and no log of the server, ever sees it (RFC
9112 section 9.6). A load balancer turns it into a 502.

How it is recognised
The server's FIN does not acknowledge any octet of the request: when the server closed, the request
had not arrived. The request got no response. It is a race if the FIN could not have reached the
client when the request left, or only a round trip and 50 ms before; after that it is stale use: the
client had time to see the close. Where the request itself, and 100 ms before it another segment,
acknowledges the FIN, no estimate of the way is needed. The server's idle timeout is inferred from
how long it let other connections idle before it closed them: three or more within a tenth of each
other. Requests that came within a tenth of that time were near misses.

How cost is counted
What the user waited at the client: from the failed request to its repetition on another connection,
if the same method and target follow within a second; else until the client has the RST. Where the
capture is not at the client, the way between them counts, as the connection shows it. What repeated
SYNs cost the repetition is not counted again. A request that is not idempotent (RFC 9110 section
9.2.2) may not be repeated by itself: that is lost.

When it is wrong
A server that read the request and then closed without an answer, if its FIN was made before. A
repetition that was no repetition but the next request for the same.`,
	Causes: []report.Cause{
		{
			Code:  "race",
			Title: "request crossed the close of an idle connection",
			Side:  report.SideServer,
			Message: "The server closed an idle connection just as the client sent its next " +
				"request on it; the request was lost.",
			Remedies: raceRemedies(),
		},
		{
			Code:  "stale-use",
			Title: "request sent on a connection that was already closed",
			Side:  report.SideClient,
			Message: "The client sent a request on a connection that the server had closed long " +
				"enough before for the client to know; the request was lost.",
			Remedies: append([]report.Remedy{
				{
					Side: report.SideClient,
					Text: "look at a pooled connection before using it again: a readable idle " +
						"socket has been closed",
					Settings: []report.Setting{
						{Product: report.ApacheClient, Text: "setValidateAfterInactivity"},
						{Product: report.Python, Text: "urllib3 does so"},
						{Product: report.Go, Text: "Transport does so"},
					},
					After: "own pools: poll for POLLIN",
				},
			}, raceRemedies()...),
		},
	},
	References: []string{
		"RFC 9112 section 9.3.1", "RFC 9112 section 9.6", "RFC 9110 section 9.2.2",
	},
	Closed: func(p *rule.Pass) { reportFate(p, "keepalive-race") },
	Across: &rule.Comparison{
		Start: func() rule.Across { return &idleTimes{} },
		Wants: rule.Wants(rule.ExchangeBegan, rule.ConnClosing),
	},
}

// raceRemedies say which side must hold connections longer.
func raceRemedies() []report.Remedy {
	return []report.Remedy{
		{
			Side:     report.SideServer,
			Text:     "keep idle connections longer than the client does",
			Settings: report.IdleSettings(),
			After:    "behind an AWS ALB (60 s) at least 65 s",
		},
		{
			Side:     report.SideClient,
			Text:     "give idle connections up before the server does",
			Settings: report.GiveUpSettings(),
			After:    "repeat idempotent requests once, at once, on a new connection",
		},
	}
}

// raceText says whether the request may be repeated.
func raceText(x *reassembly.Exchange) string {
	what := "The request could be repeated safely."
	switch {
	case x.Turn || x.Method == "":
		what = "Whether it can be repeated safely is not visible."
	case !ledger.Idempotent(x.Method):
		what = fmt.Sprintf("%s is not idempotent: a client may not repeat it by itself.", x.Method)
	}
	return what
}

// raceEvidence shows the last response, the close, the request and what came back.
func raceEvidence(v *verdictOnEnd, fin capture.Mark, late time.Duration) []report.Evidence {
	var out []report.Evidence
	if ledger.Seen(v.e.Prior) {
		out = append(out,
			rule.At(v.e.Prior, "last response", report.SideServer, "the connection becomes idle"))
	}
	text := fmt.Sprintf("sent after %s of idleness", rule.Seconds(v.e.Idle))
	if late <= 0 {
		text += fmt.Sprintf(", %s before the close could reach the client", rule.Seconds(-late))
	} else {
		text += fmt.Sprintf(", %s after the close had reached the client", rule.Seconds(late))
	}
	out = append(
		out,
		rule.At(fin, "FIN", report.SideServer,
			"the server closes; it has not received the request"),
		rule.At(v.x.Request.Start, "request", report.SideClient, text),
	)
	if h := &v.c.Half[reassembly.FromServer]; h.RstSeen {
		out = append(
			out,
			rule.At(h.Rst, "RST", report.SideServer,
				"the socket is gone: nobody reads the request"),
		)
	}
	slices.SortStableFunc(out,
		func(a, b report.Evidence) int { return cmp.Compare(a.Time, b.Time) })
	return out
}

// idleTimes learns how long servers let connections idle before they close them, to name the
// timeout behind a race.
type idleTimes struct{ pairs rule.PairTable[idleTime] }

// maxIdleTimes is how many idle times are kept per pair: the latest tell.
const maxIdleTimes = 64

// idleTime is what is known of one client and service.
type idleTime struct {
	closes []time.Duration // idle time before each close by the server
	gaps   []time.Duration // idle time before each request that was answered
}

func (r *idleTimes) Event(_ rule.Desk, c *rule.Conn, e *rule.Event) {
	switch e.Kind {
	case rule.ExchangeBegan:
		data := e.Began()
		if idle := data.Start.Time - c.AnsweredAt; !data.First && c.AnsweredAt > 0 &&
			idle >= reactionTime {
			if t := r.pairs.Of(c.Pair, e.At); t != nil {
				t.gaps = appendBounded(t.gaps, idle)
			}
		}
	case rule.ConnClosing:
		data := e.Closing()
		if idle := data.At.Time - c.AnsweredAt; data.By == reassembly.FromServer &&
			c.AnsweredAt > 0 && idle >= reactionTime {
			if t := r.pairs.Of(c.Pair, e.At); t != nil {
				t.closes = appendBounded(t.closes, idle)
			}
		}
	}
}

// appendBounded appends to a list that keeps its latest maxIdleTimes items.
func appendBounded(list []time.Duration, d time.Duration) []time.Duration {
	list = append(list, d)
	if len(list) > maxIdleTimes {
		list = append(list[:0], list[1:]...)
	}
	return list
}

// Finish names the timeout and the near misses in what was found.
func (r *idleTimes) Finish(d rule.Desk) {
	r.pairs.Each(func(p report.Pair, t *idleTime) {
		for _, cause := range [...]string{"race", "stale-use"} {
			if f := d.Found("keepalive-race", cause, p); f != nil {
				f.Further(t.text())
			}
		}
	})
}

// text says which timeout the closes show, and how many requests came just in time.
func (t *idleTime) text() string {
	timeout, n := mode(t.closes)
	if n < 3 {
		return ""
	}
	near := 0
	for _, g := range t.gaps {
		if g >= timeout*9/10 && g <= timeout*11/10 {
			near++
		}
	}
	text := fmt.Sprintf(
		"The server closes connections that are idle for %s (%d times): a client must give them "+
			"up before.",
		rule.Seconds(timeout),
		n,
	)
	if near > 0 {
		text += fmt.Sprintf(" Requests came within a tenth of that time %d times.", near)
	}
	return text
}

// mode is the value that most of the list agree with within a tenth, and how many do.
func mode(list []time.Duration) (time.Duration, int) {
	sorted := slices.Clone(list)
	slices.Sort(sorted)
	best, most := time.Duration(0), 0
	from := 0
	for to := range sorted {
		for sorted[from] < sorted[to]*9/10 {
			from++
		}
		if n := to - from + 1; n > most {
			best, most = sorted[from+(to-from)/2], n
		}
	}
	return best, most
}
