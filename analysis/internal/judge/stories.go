package judge

import (
	"net/netip"

	"tcpwhy/analysis/internal/story"
	"tcpwhy/analysis/report"
)

// tellAll fills the report with findings and their stories. What is less grave than was asked for is
// only counted; of what remains, as many findings are listed as the limit allows.
func (j *Judge) tellAll(r *report.Report) {
	all := j.drawUp()
	parts := make([]story.Part, len(all))
	for i := range all {
		p := all[i].part
		p.Finding, p.Place = &all[i].Finding, -1
		if t := j.pairs[report.Pair{Client: p.Finding.Client, Server: p.Finding.Server}]; t != nil {
			p.Exchanges = t.Exchanges
		}
		limit := j.limits.MaxFindings
		switch {
		case p.Finding.Severity < j.limits.MinSeverity:
			r.LeftOut++
		case limit > 0 && len(r.Findings) >= limit:
			r.Found++
		default:
			r.Found++
			p.Place = len(r.Findings)
			r.Findings = append(r.Findings, *p.Finding)
		}
		parts[i] = p
	}
	for _, s := range story.Tell(parts, j.whole()) {
		if s.Severity >= j.limits.MinSeverity {
			r.Stories = append(r.Stories, s)
		}
	}
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
