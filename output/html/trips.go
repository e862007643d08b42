package html

import (
	"time"

	"tcpwhy/reassembly"
)

// trips is how long acknowledgments took, over time, on the connections that have graphs.
type trips struct {
	X, Y           []tick
	Client, Server string // paths of dots, by who acknowledged
}

// trips draws the round trips; nil without any.
func (b *builder) trips() *trips {
	var least, most, end time.Duration
	count := 0
	start := b.r.Capture.End
	for i := range b.r.Graphs {
		for _, t := range b.r.Graphs[i].Trips {
			if count == 0 || t.Took < least {
				least = t.Took
			}
			count++
			most, end, start = max(most, t.Took), max(end, t.At), min(start, t.At-t.Took)
		}
	}
	if count < 3 {
		return nil
	}
	// Less than that tells more of the capture than of a host; at the right edge a dot needs room.
	const shortest = 10 * time.Microsecond
	x, y := spanOf(start, end+(end-start)/100), logOf(max(least, shortest), max(most, shortest))
	out := &trips{X: x.ticks(0, 5), Y: fromBelow(y.marks())}
	for i := range b.r.Graphs {
		for _, t := range b.r.Graphs[i].Trips {
			at := dot(x.moment(t.At), 1-y.place(max(t.Took, shortest)))
			if t.By == reassembly.FromClient {
				out.Client += at
			} else {
				out.Server += at
			}
		}
	}
	return out
}
