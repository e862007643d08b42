package transfer

import (
	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/internal/whatif"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
)

// keepWindow is what keeps a kernel from forgetting.
const keepWindow = "sysctl net.ipv4.tcp_slow_start_after_idle=0 on Linux, Set-NetTCPSetting " +
	"-CwndRestart False on Windows Server; or BBR (net.ipv4.tcp_congestion_control=bbr on " +
	"Linux), which paces instead; the first burst may then meet a path that has changed"

const afterIdleRule = "slow-start-after-idle"

// SlowStartAfterIdle is the rule about kernels that forget the window of an idle connection.
var SlowStartAfterIdle = &rule.Detector{Rule: report.Rule{
	Name:  afterIdleRule,
	Title: "slow start after an idle period",
	Doc: `What happens
A sender that has sent nothing for a retransmission timeout may no longer trust its congestion
window (RFC 5681 section 4.1). Linux halves it for each such timeout down to the initial window, so
that the next large response, or request, on a connection that was kept open starts as slowly as on
a new one.

How it is recognised
Nothing was sent for a retransmission timeout or longer, before that clearly more than the initial
window had been in flight, and the first burst afterwards is less than 70 % of that, ends with a
full segment, and goes on as soon as an ACK frees room. The burst must have the size that halving
once for each timeout leaves, within a quarter; the window before is only known to lie between what
was in flight and about twice that. Waits for the receive window, losses and pauses of the sender
are told apart first. Where the same host elsewhere sent as much at once after an idle period as
before, confidence is lower.

How cost is counted
By simulating the transfer with the window it began with and with what it had been before: slow
start adds what is acknowledged while the window is less than twice what is in flight. Low supposes
what had been in flight, high twice as much and no limit by the receive window. Never more than the time labelled so.

When it is wrong
A path that has changed meanwhile may not carry the old window; then the kernel's caution saved a
loss. Senders that pace (BBR) do not do this.`,
	Causes: []report.Cause{
		{Code: "", Side: report.SideServer,
			Message: "The connection had been idle, and the server's kernel " +
				"had forgotten how much it may send at once: the response " +
				"came in growing bursts with a round trip between them.",
			Remedies: []report.Remedy{{Side: report.SideServer, Text: keepWindow}}},
		{
			Code:  "request",
			Title: "slow start of an upload after an idle period",
			Side:  report.SideClient,
			Message: "The connection had been idle, and the client's kernel " +
				"had forgotten how much it may send at once: the request " +
				"was sent in growing bursts with a round trip between them.",
			Remedies: []report.Remedy{{Side: report.SideClient, Text: keepWindow}},
		}},
	References: []string{
		"RFC 5681 section 4.1", "RFC 7661", "net/ipv4/tcp_output.c, tcp_cwnd_restart",
	},
},
	Rests:      rule.Timing | rule.Beginning,
	When:       rule.Grew,
	Exchange:   runSlowStartAfterIdle,
	Period:     runSlowStartAfterIdle,
	Vocabulary: words,
	Across: &rule.Comparison{
		Start: func() rule.Across {
			return &idleRestarts{hosts: rule.PairTable[restarts]{Most: rule.MaxPaths}}
		},
		Wants: rule.Wants(rule.ExchangeJudged),
	},
}

// runSlowStartAfterIdle claims what a window that was cut back for idleness cost a message.
func runSlowStartAfterIdle(p *rule.Pass) {
	for _, dir := range ledger.BothWays {
		idleRestart(p, dir)
	}
}

// idleRestart claims that of dir's message.
func idleRestart(p *rule.Pass, dir reassembly.Dir) {
	j, f, rounds := p.Draft, p.Draft.FlowOf(dir), p.Draft.RoundsOf(dir)
	lost := j.Spent(dir, report.SlowStartIdle)
	if p.Exchange.Response == nil || f == nil || len(rounds) < 2 || f.RTT <= 0 ||
		!reaches(lost, aRoundTrip, f.RTT) {
		return
	}
	t, used := whatif.TransferOf(f)
	i := &f.Idle
	flight := (i.Peak + t.MSS - 1) / t.MSS
	had := max(flight, i.Cwnd)
	saving, least, now := t.ColdSaving(used, had), t.ColdSaving(used, flight), t.Simulate(used)
	roomy := t
	roomy.Window = 0 // of the receive window it is not known how large it would have been
	most := now - roomy.Simulate(max(had, 2*flight))
	cost := report.Cost{Expected: min(lost, saving), High: min(lost, max(saving, most))}
	if cost.High <= 0 {
		return
	}
	cost.Low = min(least, max(0, cost.Expected-f.RTT))
	c := rule.Claim{
		Rule:       afterIdleRule,
		Cause:      rule.OfRequest(dir, ""),
		Confidence: calibrated(&j.Exchange, &cost, dir, used, had, report.ConfidenceHigh),
	}
	c.Occ = rule.Occurrence{
		Start: rounds[0].Start.Time,
		End:   j.Message(dir).End.Time,
		Cost:  cost,
		Proof: restartProof(i, rounds, t.MSS, rule.SideOf(dir)),
	}
	c.Window = rule.Window{Dir: dir, Saved: cost.Expected, Cwnd: had}
	c.Lost = []report.Interval{{From: c.Occ.Start, To: c.Occ.Start + cost.Expected}}
	p.Report(c)
}

// restartProof shows the end of what was sent before an idle period, what came after it, and the
// rounds that followed.
func restartProof(i *ledger.Idle, rounds []ledger.Round, mss int64,
	sender report.Side) []rule.Evidence {
	return append([]rule.Evidence{
		rule.Shows(i.Before, sender, beforeIdle, i.Peak),
		rule.Shows(i.Mark, sender, afterIdle, rule.Ns(i.Since)),
	}, roundProof(rounds, mss, sender)...)
}
