package html

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/output/wording"
)

// density is all exchanges, also those that are not listed: by when they ended and how long they
// took, exact for any number of them.
type density struct {
	Levels []level
	Dots   []dotting
	X, Y   []tick
	About  string
	// names the stories most exchanges of which are not listed, so that dots would say that they
	// lie where the listed ones do
	Unmarked string
}

// level are the cells with about as many exchanges.
type level struct{ Opacity, Path string }

// dotting are the exchanges of one story, as far as they are listed.
type dotting struct {
	N           int
	Title, Path string
	Class       string
}

const (
	leastDensity = 40 // exchanges that make a picture
	densityRows  = 40
	levels       = 8
	maxDotted    = 3 // stories with dots
)

// density draws the steps of the report.
func (b *builder) density() *density {
	over := b.r.Over
	if b.r.ExchangeCount < leastDensity || len(over.Steps) == 0 {
		return nil
	}
	var all report.Durations
	for i := range over.Steps {
		all.Merge(&over.Steps[i].Duration)
	}
	if all.N == 0 {
		return nil
	}
	y := logOf(all.Least, all.Most)
	x := spanOf(0, time.Duration(len(over.Steps))*over.Each)
	d := &density{X: x.ticks(0, 8), Y: fromBelow(y.marks())}
	cells, most := counted(over, y)
	d.Levels = shaded(cells, most, len(over.Steps))
	d.Dots, d.Unmarked = b.dotted(x, y)
	d.About = wording.Count(
		all.N,
		"exchange",
		"exchanges",
	) + ", by when they ended (from left to right) and " +
		"how long they took (from below, logarithmic); darker is more. Median " +
		spaced(
			wording.Duration(all.Median()),
		) + ", 95th percentile " + spaced(
		wording.Duration(all.Quantile(0.95)),
	) + "."
	return d
}

// fromBelow are marks of an axis that goes up.
func fromBelow(marks []tick) []tick {
	for i := range marks {
		at, _ := strconv.ParseFloat(marks[i].At[:len(marks[i].At)-1], 64)
		marks[i].At = pct(1 - at/100)
	}
	return marks
}

// counted counts the exchanges of each cell.
func counted(over report.Steps, y logScale) (cells [][densityRows]float64, most float64) {
	cells = make([][densityRows]float64, len(over.Steps))
	for i := range over.Steps {
		d := &over.Steps[i].Duration
		add := func(from, to time.Duration, n float64) {
			low, high := y.place(from)*densityRows, y.place(to)*densityRows
			first, last := min(int(low), densityRows-1), min(int(high), densityRows-1)
			for k := first; k <= last; k++ { // a cell of the histogram may lie in several rows
				share := 1.0
				if last > first {
					share = (min(high, float64(k+1)) - max(low, float64(k))) / (high - low)
				}
				cells[i][k] += n * share
				most = max(most, cells[i][k])
			}
		}
		for _, t := range d.Few {
			add(t, t, 1)
		}
		for k, n := range d.Cells {
			add(report.CellStart(d.First+k), report.CellStart(d.First+k+1), float64(n))
		}
	}
	return cells, most
}

// shaded are the cells by how many exchanges they have, on a logarithmic scale.
func shaded(cells [][densityRows]float64, most float64, columns int) (out []level) {
	paths := [levels]string{}
	top := math.Log(most + 1)
	for i := range cells {
		for k, n := range cells[i] {
			if n == 0 {
				continue
			}
			at := min(int(math.Log(n+1)/top*levels), levels-1)
			paths[at] += "M" + unit(
				float64(i)/float64(columns),
			) + " " + unit(
				1-float64(k+1)/densityRows,
			) +
				"h" + unit(
				1/float64(columns),
			) + "v" + unit(
				1.0/densityRows,
			) + "h-" + unit(
				1/float64(columns),
			) + "z"
		}
	}
	for at, path := range paths {
		if path != "" {
			out = append(out, level{trimmed(0.08 + 0.62*float64(at+1)/levels), path})
		}
	}
	return out
}

// dotted are the exchanges of the first stories, and in words those stories of which less than half
// are listed.
func (b *builder) dotted(x scale, y logScale) (out []dotting, unmarked string) {
	colours := [maxDotted]family{famHold, famLoss, famQueue}
	for i, s := range b.cards {
		if len(out) == maxDotted {
			break
		}
		d := dotting{N: i + 1, Title: text(s.Title), Class: "d-" + palette[colours[len(out)]].name}
		listed := 0
		for k := range b.r.Exchanges {
			e := &b.r.Exchanges[k]
			if slices.Contains(b.numbers[e.ID], i+1) {
				listed++
				d.Path += dot(x.moment(e.Start+e.Duration), 1-y.place(e.Duration))
			}
		}
		switch {
		case d.Path == "":
		case 2*listed < s.Affected:
			unmarked += " Finding " + strconv.Itoa(i+1) + " is in " + wording.Grouped(s.Affected) +
				" of them, which are not marked."
		default:
			out = append(out, d)
		}
	}
	return out, strings.TrimSpace(unmarked)
}

// dot is a dot in a path.
func dot(x, y float64) string { return "M" + unit(x) + " " + unit(y) + "h0" }
