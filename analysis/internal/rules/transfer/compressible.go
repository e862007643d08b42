package transfer

import (
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

const compressible = "compressible"

// What gzip saves of text, in percent of its octets. Of the text files of the Canterbury corpus
// (Arnold and Bell, DCC 1997: prose, HTML, C, Lisp, a manual page) it leaves 28 to 41 %. What
// repeats itself, as lists of records in JSON do, it makes ten times shorter. The least is below
// all of these: text that holds images in base64, or identifiers, leaves more.
const (
	leastSaved  = 50
	usualSaved  = 65
	mostlySaved = 85
)

// firstWindow is how many segments a new connection sends at once (RFC 6928 §2): what fits is there
// without another round trip, compressed or not.
const firstWindow = 10

// tellCompressible tells of a response that is text, was sent as it is, and had to wait for the
// path's rate: fewer octets would have been there sooner.
func tellCompressible(p *rule.Pass, f *ledger.Flow) {
	m, asked := p.Exchange.Response, p.Exchange.Request
	const unfit = exchange.HasCoding | exchange.EventStream | exchange.Resynced
	if asked == nil || !ledger.Seen(m.HeaderEnd) || m.Facts&unfit != 0 ||
		!m.Facts.Has(exchange.TextMedia) ||
		m.BodyBytes <= firstWindow*int64(f.MSS) ||
		p.Exchange.Status == partialContent {
		return
	}
	waited := p.Draft.Spent(reassembly.FromServer, report.Serialize)
	needs := time.Duration(float64(m.BodyBytes) / f.Rate * float64(time.Second))
	saves := func(percent time.Duration) time.Duration { return min(waited, needs*percent/100) }
	c := rule.Claim{
		Rule:       bandwidthRule,
		Cause:      compressible,
		Kind:       rule.FewerOctets,
		Confidence: report.ConfidenceLow, // how much shorter it becomes is not seen
		Most:       rule.AtMost(report.Info),
		Side:       report.SideServer,
		Says:       []rule.Said{rule.Say(wouldTake)},
	}
	if !asked.Facts.Has(exchange.AcceptsCoding) {
		c.Side, c.Says = report.SideClient, []rule.Said{rule.Say(tookNone)}
	}
	c.Occ = rule.Occurrence{
		Start: m.Start.Time,
		End:   m.End.Time,
		Cost: report.Cost{
			Low: saves(leastSaved), Expected: saves(usualSaved), High: saves(mostlySaved),
		},
		Proof: []rule.Evidence{
			rule.Shows(m.Start, report.SideServer, plainText, m.BodyBytes, int64(f.Rate)),
			rule.Shows(m.End, report.SideServer, endsResponse),
		},
	}
	p.Report(c)
}

// partialContent is the status of a part of a body, which is as the whole is stored (RFC 9110
// §15.3.7).
const partialContent = 206
