package http2

import (
	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
)

const settingsRule = "h2-settings-wait"

const (
	// leastWaits is how many connections must have waited so: two may be chance (reasoning).
	leastWaits = 3
	// waitsOften is how many times as many must have waited as have not.
	waitsOften = 2
	// maxHeldWaits are kept of one client and service until there are enough.
	maxHeldWaits = leastWaits
)

// SettingsWait is the rule about clients that wait for the server's SETTINGS before they ask.
var SettingsWait = &rule.Detector{Rule: report.Rule{
	Name:  settingsRule,
	Title: "request waited for the server's SETTINGS",
	Doc: `What happens
A client of HTTP/2 may send requests right behind its preface (RFC 9113 section 3.4); until it
knows better it may take it that the server allows 100 streams. One that waits for the server's
SETTINGS first pays a round trip more on each new connection.

How it is recognised
The first request of a connection left as soon as the client could know of the server's SETTINGS,
half a round trip and more after it could have asked, on three connections at the least between
the client and the service, and on twice as many as those on which it asked before. Silent:
extended CONNECT (RFC 8441), which has to wait, and SETTINGS that come with the end of the TLS
handshake.

How cost is counted
From the moment at which the first request could have left, to when it did, and no more than a
round trip. Low is half of that.

When it is wrong
A client that has something else to do just as long, each time. It may need the SETTINGS, as for
WebSocket over HTTP/2 that it has not used then.`,
	Causes: []report.Cause{{
		Code: "",
		Side: report.SideClient,
		Message: "The client asked for nothing on a new connection until it had the server's " +
			"SETTINGS, a round trip after it could have.",
		Remedies: []report.Remedy{
			{
				Side: report.SideClient,
				Text: "ask at once, or keep connections, as the wait comes with each new one",
				Settings: []report.Setting{
					{Product: report.Node, Text: "request() without waiting for remoteSettings"},
					{
						Product: report.Go,
						Text: "net/http asks at once; gRPC waits by design: one ClientConn " +
							"for all",
					},
					{Product: report.Java, Text: "one HttpClient, one ManagedChannel"},
				},
			},
			{
				Side: report.SideServer,
				Text: "send SETTINGS with the end of the TLS 1.3 handshake, before the client's " +
					"Finished",
			},
		},
	}},
	References: []string{"RFC 9113 section 3.4", "RFC 9113 section 6.5.2"},
},
	Rests:    rule.Content | rule.Messages | rule.Timing | rule.Beginning,
	Beside:   true,
	When:     rule.Streams,
	Exchange: runSettingsWait,
	Across: &rule.Comparison{
		Start: func() rule.Across { return &settingsWaits{} },
		Wants: 0,
	},
	Vocabulary: words,
}

// numAsked says in a claim that is no wait that the client asked before it had SETTINGS.
const numAsked = 0

// runSettingsWait refers how the first request of a connection left.
func runSettingsWait(p *rule.Pass) {
	x := p.Exchange
	if x.Index != 0 || x.Stream == 0 || x.Request == nil || x.Method == "CONNECT" {
		return
	}
	s, ok := p.State.FirstAsked(x)
	if !ok {
		return
	}
	cl := rule.Claim{Rule: settingsRule, Referred: true, Confidence: report.ConfidenceMedium}
	cl.Occ.Start, cl.Occ.End = s.Ready, x.Start().Time
	if !s.Waited {
		cl.Num[numAsked] = 1
		p.Report(cl)
		return
	}
	cost := min(x.Start().Time-s.Ready, p.Conn.RTTMin())
	cl.Occ.Cost = report.Cost{Low: cost / 2, Expected: cost, High: cost}
	cl.Lost = []report.Interval{{From: s.Ready, To: x.Start().Time}}
	settings := capture.Mark{}
	for r := range ledger.Segments(p.Conn, s.Settings, s.Settings) {
		if rule.SideOf(r.Dir) == report.SideServer {
			settings = r.Mark()
		}
	}
	if ledger.Seen(settings) {
		cl.Occ.Proof = append(cl.Occ.Proof, rule.Shows(settings, report.SideServer, sendsSettings))
	}
	cl.Occ.Proof = append(cl.Occ.Proof, rule.Shows(x.Start(), report.SideClient, asksBehind,
		rule.Ns(x.Start().Time-s.Settings)))
	p.Report(cl)
}

// settingsWaits counts how the first requests of connections left.
type settingsWaits struct{ pairs rule.PairTable[firstRequests] }

// firstRequests are those of one client at one service.
type firstRequests struct {
	waited, asked int
	held          []rule.Referred // waits until there are enough
}

// Event has nothing to learn: all that counts is referred.
func (r *settingsWaits) Event(rule.Desk, *rule.Conn, *rule.Told) {}

// Refer counts a first request, and books it if it waited as others did.
func (r *settingsWaits) Refer(d rule.Desk, c rule.Referred) {
	f := r.pairs.Of(c.Pair, c.At)
	if f == nil {
		return
	}
	if c.Num[numAsked] != 0 {
		f.asked++
		return
	}
	f.waited++
	if len(f.held) >= maxHeldWaits {
		f.held = f.held[1:]
	}
	f.held = append(f.held, c)
	if f.waited < leastWaits || f.waited < waitsOften*f.asked {
		return
	}
	for i := range f.held {
		d.Book(f.held[i].Subject, &f.held[i].Claim)
	}
	f.held = nil
}

// Finish has nothing left to say.
func (r *settingsWaits) Finish(rule.Desk) {}
