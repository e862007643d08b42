package text

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/output/page"
	"tcpwhy/output/wording"
)

// overTime draws what changed while the capture went on: a character for each part of it.
func (t *textReport) overTime() {
	steps := t.report.Over.Steps
	if t.Asked() < leastOverTime || len(steps) < leastSteps {
		return
	}
	room := t.Width - overTimeLabel - overTimeFigure
	each := t.report.Over.Each
	for len(steps) > room {
		steps, each = halved(steps), 2*each
	}
	rows := []overRow{
		{"failed", counts(steps, func(s *report.Step) int { return s.Failed }), asCount},
		{"status 5xx, 429", counts(steps, func(s *report.Step) int { return s.Errors }), asCount},
		{"90th percentile", durations(steps, func(s *report.Step) time.Duration {
			return s.Duration.Quantile(0.90)
		}), asDuration},
		{"time lost", durations(steps, func(s *report.Step) time.Duration {
			return max(0, s.Lost)
		}), asDuration},
	}
	rows = slices.DeleteFunc(rows, func(r overRow) bool { return !r.changes(steps) })
	if len(rows) == 0 {
		return
	}
	rows = append([]overRow{
		{"exchanges", counts(steps, func(s *report.Step) int { return s.Exchanges }), asCount},
	}, rows...)
	t.Heading("Over time")
	for _, r := range rows {
		figure := r.say(slices.Max(r.values)) + " at most"
		t.Row(
			fmt.Sprintf("  %-*s", overTimeLabel-2, r.name),
			page.Plain,
			r.draw(),
			figure,
			page.Plain,
		)
	}
	t.Para("  ", "Each character is "+wording.Duration(each)+" of the capture.", page.Faint)
}

const (
	leastOverTime  = 30 // exchanges that make a line worth looking at
	leastSteps     = 10
	overTimeLabel  = 19
	overTimeFigure = 17
)

// overRow is a line over the time of the capture.
type overRow struct {
	name   string
	values []int64
	say    func(int64) string
}

func asCount(n int64) string    { return wording.Grouped(uint64(n)) }
func asDuration(n int64) string { return wording.Duration(time.Duration(n)) }

// halved makes one step of every two.
func halved(steps []report.Step) []report.Step {
	out := make([]report.Step, 0, (len(steps)+1)/2)
	for i := 0; i < len(steps); i += 2 {
		s := steps[i].Clone()
		if i+1 < len(steps) {
			s.Merge(&steps[i+1])
		}
		out = append(out, s)
	}
	return out
}

func counts(steps []report.Step, of func(*report.Step) int) []int64 {
	out := make([]int64, len(steps))
	for i := range steps {
		out[i] = int64(of(&steps[i]))
	}
	return out
}

func durations(steps []report.Step, of func(*report.Step) time.Duration) []int64 {
	return counts(steps, func(s *report.Step) int { return int(of(s)) })
}

// changes reports whether what a row shows is not spread evenly: of the steps in which exchanges
// ended, the greatest value is three times the middle one or more.
func (r *overRow) changes(steps []report.Step) bool {
	const times = 3
	var busy []int64
	for i := range steps {
		if steps[i].Exchanges > 0 {
			busy = append(busy, r.values[i])
		}
	}
	if len(busy) < leastSteps/2 {
		return false
	}
	slices.Sort(busy)
	most := busy[len(busy)-1]
	return most > 0 && most >= times*busy[len(busy)/2]
}

// draw is a character for each value, by its share of the greatest.
func (r *overRow) draw() string {
	blocks := []rune(" ▁▂▃▄▅▆▇█")
	most := slices.Max(r.values)
	var b strings.Builder
	for _, v := range r.values {
		i := 0
		if v > 0 && most > 0 {
			i = 1 + int(float64(v)/float64(most)*float64(len(blocks)-2)+0.5)
		}
		b.WriteRune(blocks[min(i, len(blocks)-1)])
	}
	return strings.ReplaceAll(b.String(), " ", wording.NoBreak)
}
