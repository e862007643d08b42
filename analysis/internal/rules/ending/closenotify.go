package ending

import (
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

const (
	noNotifyCause = "no-close-notify"
	// maxUnnotified is how many responses of a service wait until it shows that it says
	// close_notify.
	maxUnnotified = 256
)

// closeWithoutNotice refers a response that only the close ended, within TLS, and before which the
// server did not say that it was the end.
func closeWithoutNotice(p *rule.Pass) {
	c, x := p.Conn, p.State.Last
	t, down := c.TLS, &c.Half[reassembly.FromServer]
	if t == nil || !t.Decrypted || x == nil || x.Turn || x.Outcome != exchange.Complete ||
		x.Response == nil || x.Response.Framing != exchange.ByClose || !down.FinSeen ||
		c.FirstClose != reassembly.FromServer || c.ClosedByRST || t.CloseNotify[reassembly.FromServer] ||
		t.CloseNotify[reassembly.FromClient] && t.CloseNotifyAt[0].Time < down.Fin.Time ||
		ledger.Lacks(c, down) || x.Response.Facts.Has(exchange.HasGap) {
		return
	}
	p.Report(rule.Claim{
		Rule:        truncatedResponseRule,
		Cause:       noNotifyCause,
		Confidence:  report.ConfidenceMedium,
		Correctness: true,
		Most:        rule.AtMost(report.Medium),
		Referred:    true,
		Index:       x.Index,
		Occ: rule.Occurrence{
			Start: x.Start().Time,
			End:   down.Fin.Time,
			Proof: []rule.Evidence{
				rule.Shows(x.Start(), report.SideClient, requestBegins),
				rule.Shows(x.Response.Start, report.SideServer, endsWithClose),
				rule.Shows(down.Fin, report.SideServer, finUnannounced),
			},
		},
	})
}

// closeNotices learns which services say close_notify before they close: only of those its lack
// tells something.
type closeNotices struct {
	services rule.PairTable[notices]
}

// notices are those of one service.
type notices struct {
	says    bool
	waiting []*rule.Referred
}

// of are those of a claim's, or a connection's, service, whoever asks.
func (n *closeNotices) of(p report.Pair, now time.Duration) *notices {
	return n.services.Of(report.Pair{Server: p.Server}, now)
}

// Number makes pairs have the numbers that others have for them.
func (s *closeNotices) Number(n *rule.PairNumbers) { s.services.By(n) }

// Event takes note of connections before whose end the server said that it was.
func (n *closeNotices) Event(d rule.Desk, _ *rule.Conn, e *rule.Told) {
	gone := e.Gone()
	t := gone.Info.TLS
	if t == nil || !t.Decrypted || !t.CloseNotify[reassembly.FromServer] ||
		gone.By != reassembly.FromServer {
		return
	}
	if s := n.of(gone.Pair, e.At); s != nil {
		s.says = true
		for _, w := range s.waiting {
			d.Book(w.Subject, &w.Claim)
		}
		s.waiting = nil
	}
}

// Refer books a response of a service that says close_notify elsewhere, or lets it wait.
func (n *closeNotices) Refer(d rule.Desk, c rule.Referred) {
	s := n.of(c.Pair, c.At)
	switch {
	case s == nil:
	case s.says:
		d.Book(c.Subject, &c.Claim)
	case len(s.waiting) < maxUnnotified:
		s.waiting = append(s.waiting, &c)
	}
}

// Finish says nothing of services that were never heard to say it.
func (*closeNotices) Finish(rule.Desk) {}
