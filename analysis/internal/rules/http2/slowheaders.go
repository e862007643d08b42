package http2

import (
	"time"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

const (
	slowCause = "slow-uplink"
	// longHeader is from how many octets on a header section is long: what is larger than the table
	// that every peer has (RFC 7541 section 4.2, RFC 9113 section 6.5.2) it can never be left out.
	longHeader = 4096
	// leastPaced is how many full segments must have passed for their distance to be the path's rate
	// (reasoning: as for rates elsewhere, a mean of fewer says nothing).
	leastPaced = 3
	// evenPaced is by how many times the longest distance exceeds the mean at most: a window that
	// was used up, or a program that paused, leaves one long distance and others short.
	evenPaced = 2
)

// passage is how the octets of a header passed the slowest place of their path.
type passage struct {
	octets  int64 // between the first moment and the last
	from    time.Duration
	to      time.Duration
	longest time.Duration // between two moments
	steps   int
}

// add takes in that the path had carried so many octets more at a moment.
func (g *passage) add(at time.Duration, octets int64) {
	if g.steps++; g.steps == 1 {
		g.from, g.to = at, at
		return
	}
	g.octets += octets
	g.longest = max(g.longest, at-g.to)
	g.to = at
}

// rate is how many octets a second that were; 0 if they do not show the path's rate.
func (g *passage) rate(mss int64) float64 {
	if g.steps < leastPaced || g.octets < (leastPaced-1)*mss || g.to <= g.from ||
		g.longest > evenPaced*(g.to-g.from)/time.Duration(g.steps-1) {
		return 0
	}
	return float64(g.octets) / (g.to - g.from).Seconds()
}

// runSlowHeader claims a long header of which the path's rate shows while it passes.
func runSlowHeader(p *rule.Pass) {
	x, c := p.Exchange, p.Conn
	m := x.Request
	if x.Stream == 0 || m == nil || m.HeaderBytes <= longHeader || !ledger.Seen(m.HeaderEnd) ||
		lostWithin(c, m.Start.Time, m.HeaderEnd.Time+c.RTTMin()) {
		return
	}
	mss := int64(c.Half[reassembly.FromClient].Eff)
	passed := headerPassage(c, m.From, m.From+m.HeaderBytes, m.Start.Time)
	rate := passed.rate(mss)
	if rate == 0 {
		return
	}
	took := func(octets int64) time.Duration {
		return time.Duration(float64(max(0, octets)) / rate * float64(time.Second))
	}
	cost := took(m.HeaderBytes - mss) // what fits into a segment would have been there anyway
	if cost < ledger.QueueShows {
		return
	}
	p.Report(rule.Claim{
		Rule: headersRule, Cause: slowCause, Confidence: report.ConfidenceMedium,
		Lost: []report.Interval{{From: m.Start.Time, To: m.Start.Time + cost}},
		Says: []rule.Said{rule.Say(carriesUp, int64(rate))},
		Occ: rule.Occurrence{
			Start: m.Start.Time, End: m.HeaderEnd.Time,
			Cost: report.Cost{
				Low: cost / 2, Expected: cost, High: took(m.HeaderBytes),
			},
			Proof: []rule.Evidence{
				rule.Shows(m.Start, report.SideClient, headerBegins, int64(x.Stream)),
				rule.Shows(m.HeaderEnd, report.SideClient, longHeaderEnds, m.HeaderBytes),
			},
		},
	})
}

// headerPassage is how the octets of the client's stream between two offsets passed the slowest
// place of their path: as their acknowledgments came, of octets that had all left before the first
// of those; or behind that place as they themselves did.
func headerPassage(c *reassembly.Conn, from, to int64, since time.Duration) (g passage) {
	if !nearerClient(c) {
		return headerArrivals(c, from, to, since)
	}
	var left, acked time.Duration
	var sent, upTo int64
	mss := int64(c.Half[reassembly.FromClient].Eff)
	for r := range ledger.Segments(c, since, c.End.Time) {
		switch {
		case r.Dir == reassembly.FromClient && r.Len > 0 && sent < to:
			left, sent = r.Time, max(sent, r.End())
			if acked > 0 { // this may have waited for that
				return passage{}
			}
		case r.Dir != reassembly.FromServer || r.Flags&capture.ACK == 0 || r.Ack <= max(from, upTo):
		case r.Ack-upTo <= mss && upTo > 0:
			upTo = r.Ack // one segment may have been acknowledged late
		default:
			acked = r.Time
			g.add(r.Time, r.Ack-upTo)
			upTo = r.Ack
		}
		if upTo >= to {
			break
		}
	}
	if 2*(left-since) > g.to-g.from {
		return passage{} // so the client itself spread them
	}
	return g
}

// headerArrivals is how the segments with the octets between two offsets passed the capture.
func headerArrivals(c *reassembly.Conn, from, to int64, since time.Duration) (g passage) {
	for r := range ledger.Segments(c, since, c.End.Time) {
		if r.Dir == reassembly.FromClient && r.Len > 0 && r.End() > from {
			g.add(r.Time, int64(r.Len))
		}
		if r.Dir == reassembly.FromClient && r.End() >= to {
			break
		}
	}
	return g
}

// nearerClient reports whether the capture point is nearer to the client, so that the slowest place
// of the way to the server lies behind it.
func nearerClient(c *reassembly.Conn) bool {
	return 2*c.Far(reassembly.FromServer) >= c.RTTMin()
}
