package finding

import (
	"time"

	"tcpwhy/analysis/report"
)

// Part is what one finding has to do with one exchange.
type Part struct {
	Finding *report.Finding
	ID      string        // of the finding
	Cost    time.Duration // of its occurrences in the exchange
}

// ByExchange are the findings of each exchange, by its ID, in the order of the report, as far as
// their occurrences are listed.
func ByExchange(r *report.Report) map[int][]Part {
	ids := IDs(r.Findings)
	all := map[int][]Part{}
	for i := range r.Findings {
		f := &r.Findings[i]
		for k := range f.Occurrences {
			o := &f.Occurrences[k]
			if o.Exchange < 0 {
				continue
			}
			parts := all[o.Exchange]
			if n := len(parts); n > 0 && parts[n-1].Finding == f {
				parts[n-1].Cost += o.Cost.Expected
				continue
			}
			all[o.Exchange] = append(parts, Part{f, ids[i], o.Cost.Expected})
		}
	}
	return all
}
