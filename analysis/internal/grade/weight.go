package grade

import (
	"cmp"
	"time"

	"tcpwhy/analysis/report"
)

// Weight is that by which what was found is put in order. What is not known is zero: it makes no
// difference.
type Weight struct {
	Severity report.Severity
	Broke    bool          // it is about more than time
	Cost     time.Duration // expected
	Count    int           // occurrences
}

// WorstFirst puts the gravest first, of equals what broke something, then what cost most, then what
// came most often.
func WorstFirst(a, b Weight) int {
	return cmp.Or(cmp.Compare(b.Severity, a.Severity), cmp.Compare(broke(b), broke(a)),
		cmp.Compare(b.Cost, a.Cost), cmp.Compare(b.Count, a.Count))
}

// broke is 1 for what broke something.
func broke(w Weight) int {
	if w.Broke {
		return 1
	}
	return 0
}
