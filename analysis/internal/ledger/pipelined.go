package ledger

import (
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
)

// waitsBehind is when the job's exchange waits for the response before it; until that has ended,
// there is no end to it.
func (j *Exchange) waitsBehind() report.Interval {
	if j.Behind.From == 0 || j.Behind.To > 0 {
		return j.Behind
	}
	open := report.Interval{From: j.Behind.From, To: report.EndOfTime}
	if m := j.Parsed.Request; m != nil && m.Complete {
		open.From = max(open.From, m.End.Time)
	}
	return open
}

// longestAhead is the longest that the server took for one of the responses up to that of j, waits
// behind others left out.
func (s *Connection) longestAhead(j *Exchange) time.Duration {
	x := j.Parsed
	if x.Request == nil || x.Response == nil {
		return 0
	}
	asked := max(j.Behind.To, x.Request.End.Time)
	return max(j.Slowest, x.Response.Start.Time-asked-s.Conn.Far(reassembly.FromServer))
}
