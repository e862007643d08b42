package exchange

import (
	"slices"
	"sort"
)

// Whose octets of a stream are where several exchanges share a connection.
const (
	// NoExchange is the owner of what belongs to the connection: control frames, a preface.
	NoExchange = -1
	// UnknownOwner is that of octets of which nobody knows: frames of exchanges that are over, or
	// whose heads the capture lacks.
	UnknownOwner = -2
	// Credit is that of control frames that let the peer send more: WINDOW_UPDATE, and SETTINGS.
	Credit = -3
)

// Run is a stretch of a stream that belongs to one exchange.
type Run struct {
	Range
	Owner int // Index of the exchange, or one of those above
}

// Owners are the runs of one direction, in order. They may overlap where a unit that came as one,
// such as an encrypted record, has octets of several.
type Owners struct{ runs []Run }

// maxRuns caps what is kept of one direction; of more the oldest half goes.
const maxRuns = 64 << 10

// Add notes whose the octets r are, which are no earlier than any before.
func (o *Owners) Add(r Range, owner int) {
	if n := len(o.runs); n > 0 {
		last := &o.runs[n-1]
		if last.Owner == owner && r.From <= last.To {
			last.To = max(last.To, r.To)
			return
		}
	}
	if len(o.runs) >= maxRuns {
		o.runs = slices.Delete(o.runs, 0, maxRuns/2)
	}
	o.runs = append(o.runs, Run{r, owner})
}

// Within are the runs that have octets of r, the whole of each. Nobody knows whose octets are that
// lie in none. It is valid until the next Add.
func (o *Owners) Within(r Range) []Run {
	n := len(o.runs)
	from := sort.Search(n, func(i int) bool { return o.runs[i].To > r.From })
	to := from
	for to < n && o.runs[to].From < r.To {
		to++
	}
	return o.runs[from:to]
}

// Forget forgets runs that end before the given offset, except the last.
func (o *Owners) Forget(before int64) {
	n := 0
	for n < len(o.runs)-1 && o.runs[n].To <= before {
		n++
	}
	if n > len(o.runs)/2 {
		o.runs = slices.Delete(o.runs, 0, n)
	}
}
