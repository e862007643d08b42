package ending

import (
	"slices"
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

const (
	keepaliveRaceRule = "keepalive-race"
	raceCause         = "race"
	staleUseCause     = "stale-use"
)

// KeepaliveRace is the rule about requests that met the server's close of an idle connection.
var KeepaliveRace = &rule.Detector{Rule: report.Rule{
	Name:  keepaliveRaceRule,
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
client had time to see the close. A connection that had carried nothing must have been open for a
second and more: a server that closes what it has just accepted races with nobody. Where the request itself, and 100 ms before it another segment,
acknowledges the FIN, no estimate of the way is needed. The server's idle timeout is inferred from
how long it let other connections idle before it closed them: three or more within a tenth of each
other, and none longer, nor a request answered after longer. Answered requests that came within a
tenth of that time were near misses.

How cost is counted
What the user waited at the client: from the failed request to its repetition on another connection,
if the same method and target follow within a second, on a connection that was opened for it or at
once; else until the client has the RST. Where the
capture is not at the client, the way between them counts, as the connection shows it. What repeated
SYNs cost the repetition is not counted again. A request that is not idempotent (RFC 9110 section
9.2.2) may not be repeated by itself: that is lost.

When it is wrong
A server that read the request and then closed without an answer, if its FIN was made before. A
repetition that was no repetition but the next request for the same.`,
	Causes: []report.Cause{
		{
			Code:  raceCause,
			Title: "request crossed the close of an idle connection",
			Side:  report.SideServer,
			Message: "The server closed an idle connection just as the client sent its next " +
				"request on it; the request was lost.",
			Remedies: raceRemedies(),
		},
		{
			Code:  staleUseCause,
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
},
	Rests:  rule.Content,
	When:   rule.Unended,
	Closed: func(p *rule.Pass) { reportFate(p, keepaliveRaceRule) },
	Across: &rule.Comparison{
		Start: func() rule.Across { return &idleTimes{} },
		Wants: idleEvents,
	},
	Vocabulary: raceWords,
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

// raced: the server closed an idle connection while the request was on its way, or before.
func (v *verdictOnEnd) raced() bool {
	c, x := v.c, v.x
	if !v.answerless() {
		return false
	}
	fin, reset, ok := closedAt(c, reassembly.FromServer)
	if !ok || reset || ledger.RequestSeenAtClose(c, x, fin) || v.neverIdle(fin.Time) {
		return false
	}
	if x.Turn && fin.Time-v.e.Prior.Time <= rule.PromptClose {
		// it may have said that it closes, and what follows may be the rest of what it had answered
		return false
	}
	cause, sure := raceCause, report.ConfidenceHigh
	late, stale := v.knewFIN(fin)
	if stale {
		cause = staleUseCause
	}
	down := &c.Half[reassembly.FromServer]
	if down.RstSeen {
		sure = report.Proven
		v.until(down.Rst.Time)
	}
	v.be(keepaliveRaceRule, cause, sure)
	v.claim.Says = []rule.Said{repeatability(x)}
	v.claim.Occ.Proof = raceProof(v, fin, late)
	return true
}

// neverIdle reports whether a connection that had carried nothing yet was not idle before the
// server closed it: its first request came with the set-up, or the close so soon after that no idle
// timeout can have made it, as nobody sets one that short.
func (v *verdictOnEnd) neverIdle(fin time.Duration) bool {
	setUp := v.x.Start().Time - v.e.Idle
	return v.e.Answered == 0 && (v.e.Idle < reactionTime || fin-setUp < shortestIdle)
}

// knownLongBefore is how long before a request its client's kernel must have acknowledged the
// server's FIN for the program to have had the time to notice, too (reasoning).
const knownLongBefore = 2 * reactionTime

// knewFIN is by how much the client's kernel could know of the server's FIN when it sent the
// request, and whether that was long enough for a program to know, too: by the acknowledgment that
// the request itself carries, which needs no estimate of the way; else by time.
func (v *verdictOnEnd) knewFIN(fin capture.Mark) (late time.Duration, stale bool) {
	late = v.lateFor(fin.Time)
	stale = late > v.c.RTTMin()+reactionTime
	down := &v.c.Half[reassembly.FromServer]
	request := ledger.RecordOf(v.c, v.x.Request.Start)
	if !down.FinSeen || request == nil || request.Flags&capture.ACK == 0 {
		return late, stale
	}
	if request.Ack <= down.FinSeq {
		return min(late, 0), false
	}
	for i := range v.c.Records {
		r := &v.c.Records[i]
		if r.Dir == reassembly.FromClient && r.Flags&capture.ACK != 0 && r.Ack > down.FinSeq {
			known := request.Time - r.Time
			return max(late, known), stale || known > knownLongBefore
		}
	}
	return late, stale
}

// repeatability says whether the request may be repeated.
func repeatability(x *exchange.Exchange) rule.Said {
	switch {
	case x.Turn || x.Method == "":
		return rule.Say(repeatableUnknown)
	case !ledger.Idempotent(x.Method):
		return rule.Say(notIdempotent).With(x.Method)
	}
	return rule.Say(repeatable)
}

// raceProof shows the last response, the close, the request and what came back. The request left
// so late after the close could be known, or so early before that.
func raceProof(v *verdictOnEnd, fin capture.Mark, late time.Duration) []rule.Evidence {
	var out []rule.Evidence
	if ledger.Seen(v.e.Prior) {
		out = append(out, rule.Shows(v.e.Prior, report.SideServer, connectionIdle))
	}
	when, distance := sentAfterClose, late
	if late <= 0 {
		when, distance = sentBeforeClose, -late
	}
	out = append(out,
		rule.Shows(fin, report.SideServer, finBeforeRequest),
		rule.Shows(v.x.Request.Start, report.SideClient, when, rule.Ns(v.e.Idle),
			rule.Ns(distance)))
	if h := &v.c.Half[reassembly.FromServer]; h.RstSeen {
		out = append(out, rule.Shows(h.Rst, report.SideServer, socketGone))
	}
	sortByTime(out)
	return out
}

// idleEvents are the events that idleTimes learns from.
var idleEvents = rule.Wants(rule.ExchangeBegan, rule.ExchangeOver, rule.ConnClosing, rule.ConnOver)

// idleTimes learns how long servers let connections idle before they close them, to name the
// timeout behind a race.
type idleTimes struct {
	pairs rule.PairTable[idleTime]
	// idle times that requests have ended which are not over, by connection
	asked map[int]time.Duration
}

const (
	// maxIdleTimes is how many idle times are kept per pair: the latest tell.
	maxIdleTimes = 64
	// leastCloses is how many closes after the same idle time show a timeout: two may be chance
	// (reasoning).
	leastCloses = 3
)

// idleTime is what is known of one client and service.
type idleTime struct {
	closes []time.Duration // idle time before each close by the server
	gaps   []time.Duration // idle time before each request that was answered
}

// Number makes pairs have the numbers that others have for them.
func (r *idleTimes) Number(n *rule.PairNumbers) { r.pairs.By(n) }

// Event takes note of an idle time that the server's close has ended, or a request that was
// answered.
func (r *idleTimes) Event(_ rule.Desk, c *rule.Conn, e *rule.Told) {
	switch e.Kind {
	case rule.ExchangeBegan:
		b := e.Began()
		delete(r.asked, c.Id)
		if idle := idleUntil(c, b.Start.Time); idle > 0 && !b.First && !b.Unasked {
			if r.asked == nil {
				r.asked = map[int]time.Duration{}
			}
			r.asked[c.Id] = idle
		}
	case rule.ExchangeOver:
		idle, ok := r.asked[c.Id]
		delete(r.asked, c.Id)
		if o := e.Over(); !ok || o.Failure != nil || o.Unasked || o.Outcome != exchange.Complete {
			return
		}
		if t := r.pairs.Of(c.Pair, e.At); t != nil {
			t.gaps = appendBounded(t.gaps, idle)
		}
	case rule.ConnClosing:
		idle := idleUntil(c, e.Closing().At.Time)
		if e.Closing().By != reassembly.FromServer || idle == 0 {
			return
		}
		if t := r.pairs.Of(c.Pair, e.At); t != nil {
			t.closes = appendBounded(t.closes, idle)
		}
	case rule.ConnOver:
		delete(r.asked, c.Id)
	}
}

// idleUntil is how long the connection had been idle at a moment; 0 if not for as long as a program
// may take to react.
func idleUntil(c *rule.Conn, at time.Duration) time.Duration {
	if idle := at - c.AnsweredAt; c.AnsweredAt > 0 && idle >= reactionTime {
		return idle
	}
	return 0
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
		for _, cause := range [...]string{raceCause, staleUseCause} {
			if f := d.Found(keepaliveRaceRule, cause, p); f != nil {
				f.Further(t.says()...)
			}
		}
	})
}

// timeout is the idle time after which the server closes connections, as several closes show and no
// answered request contradicts, and how many show it; 0 if there is none.
func (t *idleTime) timeout() (time.Duration, int) {
	timeout, n := mode(t.closes)
	if n < leastCloses {
		return 0, 0
	}
	longer := func(idle time.Duration) bool {
		return idle > timeout && !rule.SameTimeout(idle, timeout)
	}
	if slices.ContainsFunc(t.gaps, longer) || slices.ContainsFunc(t.closes, longer) {
		return 0, 0
	}
	return timeout, n
}

// says which timeout the closes show, and how many requests came just in time.
func (t *idleTime) says() []rule.Said {
	timeout, n := t.timeout()
	if n == 0 {
		return nil
	}
	near := 0
	for _, g := range t.gaps {
		if rule.SameTimeout(g, timeout) {
			near++
		}
	}
	said := []rule.Said{rule.Say(idleTimeoutIs, rule.Ns(timeout), int64(n))}
	if near > 0 {
		said = append(said, rule.Say(nearMisses, int64(near)))
	}
	return said
}

// mode is the value that most of the list agree with, as times of one timeout do, and how many do.
func mode(list []time.Duration) (time.Duration, int) {
	sorted := slices.Clone(list)
	slices.Sort(sorted)
	best, most := time.Duration(0), 0
	from := 0
	for to := range sorted {
		for !rule.SameTimeout(sorted[from], sorted[to]) {
			from++
		}
		if n := to - from + 1; n > most {
			best, most = sorted[from+(to-from)/2], n
		}
	}
	return best, most
}

// What keepalive-race says, by number.
const (
	repeatable = iota + ownWords
	repeatableUnknown
	notIdempotent
	finBeforeRequest
	sentBeforeClose
	sentAfterClose
	socketGone
	idleTimeoutIs
	nearMisses
)

// raceWords is the vocabulary of keepalive-race.
var raceWords = vocabulary([]rule.Words{
	repeatable:        {Text: "The request could be repeated safely."},
	repeatableUnknown: {Text: "Whether it can be repeated safely is not visible."},
	notIdempotent:     {Text: "{text} is not idempotent: a client may not repeat it by itself."},
	finBeforeRequest: {
		Role:  "FIN",
		Text:  "the server closes; it has not received the request",
		Facts: rule.Facts{report.Closes},
	},
	sentBeforeClose: {
		Role:  "request",
		Text:  "sent after {s} of idleness, {s} before the close could reach the client",
		Facts: rule.Facts{report.CarriesData},
	},
	sentAfterClose: {
		Role:  "request",
		Text:  "sent after {s} of idleness, {s} after the close had reached the client",
		Facts: rule.Facts{report.CarriesData},
	},
	socketGone: {
		Role:  "RST",
		Text:  "the socket is gone: nobody reads the request",
		Facts: rule.Facts{report.Resets},
	},
	idleTimeoutIs: {
		Text: "The server closes connections that are idle for {s} ({n} times): a client must " +
			"give them up before.",
	},
	nearMisses: {Text: "Requests came within a tenth of that time {n} times."},
})
