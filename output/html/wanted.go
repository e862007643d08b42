package html

import (
	"cmp"
	"slices"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/output/finding"
)

// maxKept are the frames of proofs that a graph keeps whatever else it has to leave out.
const maxKept = 200

// Wanted are the connections of which the page of a report shows segments: one that is traced,
// those of the worst occurrence of each story, worst first, then the one on which most was lost;
// without findings, the one with the slowest exchange.
func Wanted(r *report.Report) []report.GraphOf {
	var order []int
	add := func(conn int) {
		if len(order) < maxGraphs && !slices.Contains(order, conn) && conn >= 0 {
			order = append(order, conn)
		}
	}
	if r.Trace != nil {
		add(r.Trace.Of.Connection)
	}
	for _, s := range told(r) {
		if f := finding.Worst(r, s); f != nil && len(f.Occurrences) > 0 {
			add(f.Occurrences[0].Connection)
		}
	}
	add(costliest(r))
	if len(order) == 0 {
		add(slowest(r))
	}
	out := make([]report.GraphOf, len(order))
	for i, conn := range order {
		out[i] = report.GraphOf{
			Connection: conn, Most: maxStrokes / len(order), Keep: proofs(r, conn),
		}
	}
	return out
}

// costliest is the connection on which listed occurrences cost most; -1 if none did.
func costliest(r *report.Report) int {
	costs := map[int]time.Duration{}
	for i := range r.Findings {
		for k := range r.Findings[i].Occurrences {
			o := &r.Findings[i].Occurrences[k]
			costs[o.Connection] += o.Cost.Expected
		}
	}
	best := -1
	for i := range r.Conns {
		if id := r.Conns[i].ID; costs[id] > 0 && (best < 0 || costs[id] > costs[best]) {
			best = id
		}
	}
	return best
}

// slowest is the connection of the exchange that took longest; -1 without any.
func slowest(r *report.Report) int {
	if len(r.Exchanges) == 0 {
		return -1
	}
	return slices.MaxFunc(r.Exchanges, func(x, y report.ExchangeInfo) int {
		return cmp.Or(cmp.Compare(x.Duration, y.Duration), cmp.Compare(y.ID, x.ID))
	}).Connection
}

// proofs are the frames that prove something on a connection.
func proofs(r *report.Report, conn int) (frames []capture.FrameID) {
	for i := range r.Findings {
		for k := range r.Findings[i].Occurrences {
			o := &r.Findings[i].Occurrences[k]
			if o.Connection != conn {
				continue
			}
			for n := range o.Evidence {
				if len(frames) < maxKept {
					frames = append(frames, o.Evidence[n].Frame)
				}
			}
		}
	}
	return frames
}
