package html

import (
	"cmp"
	"slices"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/output/finding"
	"tcpwhy/output/wording"
)

// steps are how many connections were open, and how many requests under way, between a client and a
// service, as far as they are listed.
type steps struct {
	X, Y         []tick
	Open, Asked  string // paths
	About, Whose string
}

// change is a moment at which one more, or one less, is there.
type change struct {
	at time.Duration
	by int
}

// leastSteps are the connections and exchanges that make a picture.
const leastSteps = 4

// steps draws what the worst finding of a story is about; nil if too little of it is listed.
func (b *builder) steps(s *report.Story) *steps {
	f := finding.Worst(b.r, s)
	if f == nil {
		return nil
	}
	var open, asked []change
	of := map[int]bool{}
	for i := range b.r.Conns {
		c := &b.r.Conns[i]
		if c.Client.Addr() == f.Client && (f.Server.Port() == 0 || c.Server == f.Server) {
			of[c.ID] = true
			open = append(open, change{c.Start, 1}, change{c.Start + c.Duration, -1})
		}
	}
	for i := range b.r.Exchanges {
		if x := &b.r.Exchanges[i]; of[x.Connection] {
			asked = append(asked, change{x.Start, 1}, change{x.Start + x.Duration, -1})
		}
	}
	if len(open)+len(asked) < 2*leastSteps {
		return nil
	}
	return stepped(open, asked)
}

// stepped draws two lines of steps on one scale.
func stepped(open, asked []change) *steps {
	from, to := open[0].at, open[0].at
	for _, all := range [][]change{open, asked} {
		slices.SortStableFunc(all, func(a, b change) int {
			return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.by, b.by))
		})
		for _, c := range all {
			from, to = min(from, c.at), max(to, c.at)
		}
	}
	most := max(highest(open), highest(asked))
	x, y := spanOf(from, to), scale{0, float64(most) * 1.1}
	out := &steps{X: x.ticks(0, 5)}
	by := max(1, step(float64(most), 4))
	for v := 0.0; v <= float64(most); v += by {
		out.Y = append(out.Y, tick{pct(1 - y.at(v)), trimmed(v)})
	}
	out.Open, out.Asked = stairs(open, x, y), stairs(asked, x, y)
	out.About = "Open connections, at most " + wording.Grouped(highest(open)) +
		", and requests under way, at most " + wording.Grouped(highest(asked)) + "."
	return out
}

// highest is the most that are there at a time.
func highest(all []change) (most int) {
	n := 0
	for _, c := range all {
		n += c.by
		most = max(most, n)
	}
	return most
}

// stairs is a line of steps.
func stairs(all []change, x, y scale) string {
	n, path := 0, "M0 "+unit(1-y.at(0))
	for _, c := range all {
		n += c.by
		path += "H" + unit(x.moment(c.at)) + "V" + unit(1-y.at(float64(n)))
	}
	return path + "H1000000"
}
