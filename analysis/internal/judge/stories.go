package judge

import (
	"net/netip"
	"time"

	"tcpwhy/analysis/internal/story"
	"tcpwhy/analysis/report"
)

// tellAll fills the report with findings and their stories. What is less grave than was asked for
// is only counted; of what remains, as many findings are listed as the limit allows.
func (j *Judge) tellAll(r *report.Report) {
	all := j.drawUp()
	parts := make([]story.Part, len(all))
	for i := range all {
		p := all[i].part
		p.Finding, p.Place = &all[i].Finding, -1
		if t := j.pairs[report.Pair{Client: p.Finding.Client, Server: p.Finding.Server}]; t != nil {
			p.Exchanges, p.Occasions = t.Exchanges, &t.occasions
		}
		limit := j.limits.MaxListed
		switch {
		case p.Finding.Severity < j.limits.MinSeverity:
			r.LeftOut++
		case limit > 0 && len(r.Findings) >= limit:
			r.Found++
		default:
			r.Found++
			p.Place = len(r.Findings)
			r.Findings = append(r.Findings, j.inBrief(p.Finding, p.Place))
		}
		parts[i] = p
	}
	var cost time.Duration
	for _, s := range story.Tell(parts, j.whole()) {
		cost += s.Cost.Expected - s.Shared
		if s.Severity >= j.limits.MinSeverity {
			r.Stories = append(r.Stories, s)
		}
	}
	r.Clock = j.Total.clock(cost)
}

// toldInFull findings list all occurrences that they have kept, those behind them the worst alone:
// where one cause has thousands of clients, each is as the next.
const toldInFull = 100

// inBrief is a finding as it is listed at a place, unless all occurrences were asked for.
func (j *Judge) inBrief(f *report.Finding, place int) report.Finding {
	short := *f
	if j.limits.MaxOccurrences > 0 && place >= toldInFull && len(short.Occurrences) > 1 {
		short.Occurrences = short.Occurrences[:1]
	}
	return short
}

// whole is what stories are parts of.
func (j *Judge) whole() *story.Whole {
	served := map[netip.AddrPort]int{}
	for p, t := range j.pairs {
		served[p.Server] += t.Exchanges
	}
	return &story.Whole{
		Exchanges: j.Total.exchanges,
		Time:      j.Total.waited,
		Served:    func(s netip.AddrPort) int { return served[s] },
	}
}
