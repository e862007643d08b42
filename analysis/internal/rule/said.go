package rule

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
)

// Words are what a rule says of one frame, or of one occurrence: the words are fixed, and numbers
// have places. Each place takes the next number:
//
//	{n}         the number
//	{id}        a number that only names something, such as a status: digits alone
//	{n octet}   the number and its noun, which gets an s unless there is one of it
//	{n copy|copies}  likewise, with its plural
//	{side}      the name of a side
//	{octets}    a count of octets
//	{ms}        a duration in milliseconds
//	{s}         a duration in seconds, or in milliseconds if it is shorter
//	{mbit}      octets a second as Mbit/s
//	{conn}      a connection, by its number in the report
//	{exchange}  an exchange, likewise
//	{text}      a text that packets carry, such as an address: it takes no number
type Words struct {
	Role string // of a frame: fixed, short, as "late ACK"; "" for what is said of an occurrence
	Text string
	// what they assert of the frame that the records show: those with a number belong to the
	// places, in their order; what has none is looked up nowhere
	Facts Facts
}

// Facts are what words assert.
type Facts = []report.Fact

// Asserted is what words assert with the numbers.
func (w *Words) Asserted(n []int64) []report.Asserted {
	out := make([]report.Asserted, 0, len(w.Facts))
	for _, f := range w.Facts {
		a := report.Asserted{Fact: f}
		if f.Numbered() {
			a.N, n = n[0], n[1:]
		}
		if f != report.Told {
			out = append(out, a)
		}
	}
	return out
}

// WordsID names words in the vocabulary of a rule; zero is none, so that the first entry of a
// vocabulary is left empty.
type WordsID uint16

// JudgeWords is what the numbers of the words begin with that the judge says itself, whatever rule
// the claim is of: they are in a vocabulary of its own.
const JudgeWords WordsID = 1 << 15

// maxNumbers is how many numbers words have places for.
const maxNumbers = 4

// Said is words of a rule with their numbers: plain data, made a sentence when it is printed.
type Said struct {
	Words WordsID // 0: nothing is said
	N     [maxNumbers]int64
	Text  string // for the place {text}
}

// Say is what the words say with the numbers, of which there are at most four.
func Say(w WordsID, n ...int64) Said {
	s := Said{Words: w}
	copy(s.N[:], n)
	return s
}

// With is the same with a text for the place {text}.
func (s Said) With(text string) Said {
	s.Text = text
	return s
}

// With is the same with a text for the place {text}.
func (e Evidence) With(text string) Evidence {
	e.Text = text
	return e
}

// Ns is a duration as a number of a sentence.
func Ns(d time.Duration) int64 { return int64(d) }

// Sentence is what is said, in the words of a vocabulary; "" if nothing is.
func (s *Said) Sentence(vocabulary []Words) string {
	if s.Words == 0 {
		return ""
	}
	var out strings.Builder
	rest, next := vocabulary[s.Words].Text, 0
	for {
		head, tail, found := strings.Cut(rest, "{")
		out.WriteString(head)
		if !found {
			return out.String()
		}
		verb, after, _ := strings.Cut(tail, "}")
		if verb == "text" {
			out.WriteString(s.Text)
		} else if next < len(s.N) {
			out.WriteString(number(verb, s.N[next]))
			next++
		}
		rest = after
	}
}

// Sentences is what is said one after the other.
func Sentences(all []Said, vocabulary []Words) string {
	out := make([]string, 0, len(all))
	for i := range all {
		if s := all[i].Sentence(vocabulary); s != "" {
			out = append(out, s)
		}
	}
	return strings.Join(out, " ")
}

// number is a number in the place of a verb.
func number(verb string, n int64) string {
	if noun, counted := strings.CutPrefix(verb, "n "); counted {
		if one, many, given := strings.Cut(noun, "|"); given {
			return Count(uint64(n), one, many)
		}
		return Count(uint64(n), noun)
	}
	switch verb {
	case "ms":
		return Millis(time.Duration(n))
	case "s":
		return Seconds(time.Duration(n))
	case "octets":
		return Count(uint64(max(n, 0)), "octet")
	case "mbit":
		return megabits(n)
	case "side":
		return report.Side(n).String()
	case "id", "conn", "exchange":
		return strconv.FormatInt(n, 10)
	}
	if n < 0 {
		return strconv.FormatInt(n, 10)
	}
	return grouped(uint64(n))
}

// megabits is so many octets a second as Mbit/s, with a tenth, or two digits of less than one.
func megabits(rate int64) string {
	m := float64(rate) * 8 / 1e6
	switch {
	case m >= 0.95:
		return fmt.Sprintf("%.1f Mbit/s", m)
	case m >= 0.095:
		return fmt.Sprintf("%.2f Mbit/s", m)
	}
	return fmt.Sprintf("%.3f Mbit/s", m)
}

// Evidence is one frame that proves a claim.
type Evidence struct {
	Mark capture.Mark
	Side report.Side // who sent the frame
	Said
}

// Shows is a frame as evidence.
func Shows(m capture.Mark, side report.Side, w WordsID, n ...int64) Evidence {
	return Evidence{Mark: m, Side: side, Said: Say(w, n...)}
}
