package transfer

import (
	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
)

// The causes of outage that are a host's: its kernel did nothing, so that it was no program alone.
const (
	clientStopped = "client-stopped"
	serverStopped = "server-stopped"
)

// hostStopped are the two causes.
func hostStopped() []report.Cause {
	const message = " stood still for a while: it sent nothing, not even what its kernel sends by " +
		"itself, and then went on."
	return []report.Cause{
		{Code: clientStopped, Title: "the client's host stood still", Side: report.SideClient,
			Message: "The client's host" + message,
			Remedies: []report.Remedy{{
				Side: report.SideClient,
				Text: "see what paused it: sleep of a laptop or a phone, a virtual machine that " +
					"was suspended, moved or had no processor (steal time), memory swapped out",
			}}},
		{Code: serverStopped, Title: "the server's host stood still", Side: report.SideServer,
			Message: "The server's host" + message,
			Remedies: []report.Remedy{{
				Side: report.SideServer,
				Text: "see what paused it: snapshots, live migration and suspension of virtual " +
					"machines, no processor for them (steal time), memory swapped out, hung I/O",
			}}},
	}
}

// runHostStopped claims the waits in which a host stood still.
func runHostStopped(p *rule.Pass) {
	waits := p.Draft.WaitsWith(report.HostStopped)
	for i, w := range waits {
		if i+1 < len(waits) && waits[i+1].End == w.End && waits[i+1].From == w.To {
			waits[i+1].From = w.From // of one standstill, in which two things were waited for
			continue
		}
		cause := serverStopped
		if w.Dir == reassembly.FromClient {
			cause = clientStopped
		}
		says := rule.Say(timerStood)
		if w.ClockStood {
			says = rule.Say(clockStood, rule.Ns(w.Ticked))
		}
		length := w.Length()
		p.Report(rule.Claim{
			Rule:       outageRule,
			Cause:      cause,
			Confidence: report.ConfidenceHigh,
			Lost:       []report.Interval{{From: w.From, To: w.To}},
			Says:       []rule.Said{says},
			Occ: rule.Occurrence{
				Start: w.From,
				End:   w.To,
				Cost: report.Cost{
					Low: max(0, length-2*p.Conn.RTTMin()), Expected: length, High: length,
				},
				Proof: stoppedProof(&w),
			},
		})
	}
}

// stoppedProof shows the last that the host sent, and the first after it.
func stoppedProof(w *ledger.Wait) []rule.Evidence {
	side := rule.SideOf(w.Dir)
	return []rule.Evidence{
		rule.Shows(w.Before, side, lastSign),
		rule.Shows(w.End, side, firstSign, rule.Ns(w.End.Time-w.Before.Time)),
	}
}
