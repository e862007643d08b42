package judge

import (
	"maps"
	"slices"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
)

// SoFar is a report of what has been judged. It shares nothing that will change, and leaves the
// judge as it is.
func (j *Judge) SoFar(st *capture.Stats) *report.Report {
	r := &report.Report{
		Capture:       st,
		Caveats:       j.caveats(st),
		Connections:   j.Total.connections + len(j.conns),
		ExchangeCount: j.Total.exchanges,
		ExchangeTime:  j.Total.exchangeTime,
		Lost:          j.Total.lostAtMost(),
		Times:         report.LabelTimes(&j.Total.times),
		Vantages:      maps.Clone(j.Total.vantages),
		Tally:         j.tallied(st.End),
	}
	r.QUIC = j.quic()
	r.GoesOn, r.Pending = true, j.pending()
	j.tellAll(r)
	j.list.into(r)
	attach(r.Exchanges, j.list.slowest.done())
	r.Blind = j.blind()
	for _, d := range j.rules {
		r.Checked = append(r.Checked, d.Name)
	}
	return r
}

// pending are the exchanges that have begun, and are not judged, or not counted yet.
func (j *Judge) pending() int {
	n := len(j.proxied.held)
	for _, m := range j.conns {
		n += len(m.ids)
	}
	return n
}

// Report draws up the report.
func (j *Judge) Report(st *capture.Stats) *report.Report {
	j.finishFailures()
	j.withdrawRefuted()
	j.proxied.Finish()
	j.fences.across.each(func(c *comparing) {
		c.Finish(j)
		j.finishFailures() // what it has booked at last: others may follow from that
	})
	j.clock.finish(j)
	j.relabelListed()
	j.settleOutcomes()
	return j.draw(st, j.tallied(st.End))
}

// draw draws up the report of what is known in the end.
func (j *Judge) draw(st *capture.Stats, all report.Tally) *report.Report {
	r := &report.Report{Capture: st, Caveats: j.caveats(st), Connections: j.Total.connections,
		ExchangeCount: j.Total.exchanges, ExchangeTime: j.Total.exchangeTime,
		Lost: j.Total.lostAtMost(),
		Times: report.LabelTimes(
			&j.Total.times), Vantages: j.Total.vantages,
		Tally: all}
	r.QUIC = j.quic()
	j.tellAll(r)
	if j.Enabled(CaptureQuality.Name) && j.limits.MinSeverity == report.Info {
		quality := qualityFindings(r.Caveats)
		r.Findings, r.Found = append(r.Findings, quality...), r.Found+len(quality)
	}
	j.list.into(r)
	r.Trace = j.shown.trace
	for _, id := range slices.Sorted(maps.Keys(j.shown.graphs)) {
		r.Graphs = append(r.Graphs, *j.shown.graphs[id])
	}
	attach(r.Exchanges, j.list.slowest.done())
	r.Blind = j.blind()
	for _, d := range j.rules {
		r.Checked = append(r.Checked, d.Name)
	}
	return r
}

// tallied is what became of all exchanges.
func (j *Judge) tallied(end time.Duration) report.Tally {
	t := j.tally.SoFar(end)
	t.Scanned = int(j.Total.scans)
	return t
}

// quic is what there was of QUIC, beside the connections that are over.
func (j *Judge) quic() report.QUIC {
	q := report.QUIC{QUICTally: j.Total.QUIC}
	if all := float64(q.Octets) + float64(j.Total.octets); all > 0 {
		q.Share = float64(q.Octets) / all
	}
	return q
}
