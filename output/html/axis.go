package html

import (
	"math"
	"strconv"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/output/wording"
)

// scale places moments, or other numbers, between two ends.
type scale struct{ from, to float64 }

// spanOf is the scale between two moments; it is never empty.
func spanOf(from, to time.Duration) scale {
	return scale{float64(from), float64(max(to, from+1))}
}

// at is where v stands: 0 at the beginning, 1 at the end; no further than that outside.
func (s scale) at(v float64) float64 {
	return min(max((v-s.from)/(s.to-s.from), 0), 1)
}

// moment is at for a moment.
func (s scale) moment(t time.Duration) float64 { return s.at(float64(t)) }

// pct is a share in percent, as attributes of SVG have it.
func pct(share float64) string {
	return strconv.FormatFloat(math.Round(share*1e5)/1e3, 'f', -1, 64) + "%"
}

// wide are the units in which paths of stretched pictures are drawn: so many from edge to edge.
const wide = 1e6

// unit is a share in those units.
func unit(share float64) string { return strconv.Itoa(int(math.Round(share * wide))) }

// tick is a mark of an axis.
type tick struct{ At, Text string }

// step is the least of 1, 2 and 5 times a power of ten that divides a length into so many parts at
// most.
func step(length float64, parts int) float64 {
	rough := length / float64(parts)
	if rough <= 0 {
		return 1
	}
	power := math.Pow(10, math.Floor(math.Log10(rough)))
	for _, m := range []float64{1, 2, 5} {
		if m*power >= rough {
			return m * power
		}
	}
	return 10 * power
}

// ticks are the marks of an axis of time that begins at zero.
func (s scale) ticks(zero time.Duration, parts int) (out []tick) {
	by := step(s.to-s.from, parts)
	for n := 0; n <= 2*parts; n++ {
		v := float64(n) * by
		if s.from+v > s.to {
			break
		}
		if at := s.from + v; at >= float64(zero) {
			out = append(out, tick{pct(s.at(at)), tickTime(v, by)})
		}
	}
	return out
}

// tickTime is a time in nanoseconds beside a mark, with as many decimals as the distance of marks
// needs.
func tickTime(v, by float64) string {
	unit, name := float64(time.Millisecond), " ms"
	if by >= float64(time.Second) {
		unit, name = float64(time.Second), " s"
	}
	decimals := max(0, int(math.Ceil(-math.Log10(by/unit)-1e-9)))
	return strconv.FormatFloat(v/unit, 'f', decimals, 64) + name
}

// octetTicks are the marks of an axis of octets, from the bottom.
func (s scale) octetTicks(parts int) (out []tick) {
	by := max(step(s.to-s.from, parts), 1)
	for v := max(0, math.Ceil(s.from/by)*by); v <= s.to && len(out) <= 2*parts; v += by {
		out = append(out, tick{pct(1 - s.at(v)), octets(v)})
	}
	return out
}

// octets is a number of octets in few characters.
func octets(n float64) string {
	switch {
	case n >= 1e9:
		return trimmed(n/1e9) + " GB"
	case n >= 1e6:
		return trimmed(n/1e6) + " MB"
	case n >= 1e4:
		return trimmed(n/1e3) + " kB"
	}
	return trimmed(n) + " B"
}

// trimmed is a number with at most two decimals.
func trimmed(n float64) string {
	return strconv.FormatFloat(math.Round(n*100)/100, 'f', -1, 64)
}

// logScale places durations by their logarithms.
type logScale struct{ scale }

// logOf is the scale between two durations, with some room.
func logOf(least, most time.Duration) logScale {
	from, to := math.Log(
		float64(max(least, time.Microsecond)),
	), math.Log(
		float64(max(most, time.Microsecond)),
	)
	room := max(0.06*(to-from), 0.05)
	return logScale{scale{from - room, to + room}}
}

// place is where a duration stands.
func (s logScale) place(d time.Duration) float64 {
	return s.at(math.Log(float64(max(d, time.Microsecond))))
}

// marks are those of the axis: 1, 2 and 5 times powers of ten, or powers of ten alone.
func (s logScale) marks() (out []tick) {
	marks := []time.Duration{1}
	if decades := (s.to - s.from) / math.Ln10; decades < 1 {
		marks = []time.Duration{1, 2, 3, 4, 5, 7}
	} else if decades < 3 {
		marks = []time.Duration{1, 2, 5}
	}
	for decade := time.Microsecond; decade <= 1000*time.Second; decade *= 10 {
		for _, m := range marks {
			if v := math.Log(float64(m * decade)); v >= s.from && v <= s.to {
				out = append(out, tick{pct(s.at(v)), roundTime(m * decade)})
			}
		}
	}
	return out
}

// roundTime is a time of one digit.
func roundTime(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return strconv.FormatInt(d.Microseconds(), 10) + " µs"
	case d < time.Second:
		return strconv.FormatInt(d.Milliseconds(), 10) + " ms"
	}
	return strconv.FormatInt(int64(d/time.Second), 10) + " s"
}

// bit is a piece of a bar.
type bit struct {
	X, W, Class, Fill, Title string
	Words                    string // "" where there is no room for any
	Wide                     bool   // there is room for them on wide screens alone
}

const (
	letter      = 7.4 // pixels of a character in a bar
	narrow      = 300 // pixels of a bar on a phone
	leastToTell = 44  // pixels of a piece that shows its time
)

// tell puts words into a piece of a bar that is so many pixels wide on a wide screen, if they fit.
func (b *bit) tell(share, width float64, name, took string) {
	fits := func(words string, width float64) bool {
		return share*width >= max(leastToTell, letter*float64(len(words)+1))
	}
	switch {
	case fits(name+" "+took, width):
		b.Words = name + " " + took
	case fits(took, width):
		b.Words = took
	}
	b.Wide = !fits(b.Words, narrow)
}

// bits are the pieces of a bar, between the ends of a scale, which is so many pixels wide on a wide
// screen. Those too short to be seen are part of the one before.
func bits(pieces []report.Piece, s scale, most int, width float64) []bit {
	pieces = fewer(pieces, s, most)
	out := make([]bit, 0, len(pieces))
	for _, p := range pieces {
		from, to := s.moment(p.From), s.moment(p.To)
		took := spaced(wording.Duration(p.To - p.From))
		k := bit{
			X: pct(from), W: pct(to - from), Class: labelClass(p.Label), Fill: labelFill(p.Label),
			Title: p.Label.Title() + ", " + took,
		}
		k.tell(to-from, width, p.Label.Title(), took)
		out = append(out, k)
	}
	return out
}

// fewer are the pieces that lie on a scale, at most so many: the shortest join the one before.
func fewer(all []report.Piece, s scale, most int) []report.Piece {
	var kept []report.Piece
	for _, p := range all {
		if float64(p.To) > s.from && float64(p.From) < s.to {
			p.From, p.To = max(p.From, time.Duration(s.from)), min(p.To, time.Duration(s.to))
			kept = append(kept, p)
		}
	}
	for least := time.Duration((s.to - s.from) / 5000); len(kept) > most; least *= 2 {
		joined := kept[:1]
		for _, p := range kept[1:] {
			last := &joined[len(joined)-1]
			if p.To-p.From < least || p.Label == last.Label {
				last.To = p.To
			} else {
				joined = append(joined, p)
			}
		}
		kept, least = joined, max(least, 1)
	}
	return kept
}
